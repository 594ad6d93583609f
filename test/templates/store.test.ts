/** What dies half-way leaves no half of anything, racing changes leave one truth, and every look-up has its index. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { Db } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedS3 } from '../../platform/embedded/s3.js';
import { Problem } from '../../platform/errors.js';
import { newId } from '../../platform/ids.js';
import { ensureIndexes } from '../../platform/mongo/store.js';
import { ObjectStore } from '../../platform/s3.js';
import {
  GENERATOR_VERSIONS,
  GENERATORS,
  type GeneratorConfig,
} from '../../subgraphs/registry/generator/generator.model.js';
import { LiveSnapshots } from '../../subgraphs/registry/template/live-snapshots.js';
import { TemplateLists } from '../../subgraphs/registry/template/template.lists.js';
import {
  SafetyStatus,
  type TemplateDocument,
  TemplateStatus,
  type TemplateVersionDocument,
} from '../../subgraphs/registry/template/template.model.js';
import { type Draft, frozenPins, MAX_LIVE, TemplateStore } from '../../subgraphs/registry/template/template.store.js';
import { TEMPLATE_COLLECTIONS } from '../../subgraphs/registry/template/templates.js';
import { VersionedService } from '../../subgraphs/registry/versioned/versioned.service.js';
import { Bundles } from '../../subgraphs/registry/workflow/bundle.js';
import { readBundle } from '../../subgraphs/registry/workflow/bundle.rules.js';
import { interruptible } from '../accounts/support/interrupt.js';
import { scopeOf } from '../registry/support/registry.js';
import { openDatabase, stagesOf, type TestDatabase } from '../support/database.js';

const HOUR_MS = 3_600_000;

let database: TestDatabase;
let objects: ObjectStore;
let closeObjects: () => Promise<unknown>;
let store: TemplateStore;
let now = new Date();
let gone: string[] = [];
const ada = newId();

function open(db: Db = database.db): TemplateStore {
  const bundles = new Bundles(objects, 'templates');
  const drawers = generators(db);
  return new TemplateStore({
    db,
    bundles,
    gone: async (id) => void gone.push(id),
    told: async ({ pin }) => !deployed.has(thingOf(pin)) || drawers.claimed(thingOf(pin)),
    now: () => now,
  });
}

function generators(db: Db = database.db): VersionedService<GeneratorConfig> {
  return new VersionedService<GeneratorConfig>({
    db,
    noun: 'image generator',
    things: GENERATORS,
    versions: GENERATOR_VERSIONS,
    reservedNames: new Set(),
    references: new LiveSnapshots(db),
    eraseRuns: async () => true,
    now: () => now,
  });
}

/** Of those that are more than an id here. */
const deployed = new Set<string>();
const thingOf = (pin: string) => pin.slice(0, pin.indexOf('@'));
const config: GeneratorConfig = {
  model: 'local/atelier',
  provider: 'local',
  generationContract: 'text_to_image',
  defaultParams: {},
};
const ready = async () => {};

const templates = () => database.db.collection<TemplateDocument>('registry_templates');
const versions = () => database.db.collection<TemplateVersionDocument>('registry_template_versions');
const snapshots = () => database.db.collection<{ _id: string; templateId: string }>('registry_template_snapshots');

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-templates-'));
  const s3 = await openEmbeddedS3({ dataDir, bucket: 'test' });
  objects = new ObjectStore({
    endpoint: s3.endpoint,
    region: s3.region,
    bucket: 'test',
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
  });
  closeObjects = async () => {
    objects.close();
    await s3.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  database = await openDatabase();
  await ensureIndexes(database.db, [...TEMPLATE_COLLECTIONS, GENERATORS, GENERATOR_VERSIONS]);
  store = open();
});
afterAll(async () => {
  await database?.close();
  await closeObjects?.();
});
// The invariants are of the whole store: what earlier scenes left is only work to look through.
beforeEach(async () => {
  for (const collection of [templates(), versions(), snapshots()]) await collection.deleteMany({});
  gone = [];
});

let nth = 0;

function draftOf(workflowId: string, thing = newId()): Draft {
  const body = `body ${++nth}`;
  return {
    ownerId: ada,
    slug: `slug-${workflowId}`,
    files: readBundle([{ path: 'f.md', content: body }]),
    setups: [
      {
        kind: 'generator',
        pin: `${thing}@1`,
        name: 'drawer',
        description: '',
        config,
      },
    ],
    content: {
      workflowId,
      workflowVersion: 1,
      name: `name ${nth}`,
      description: 'described',
      outcome: 'out',
      tags: ['tag'],
      body,
      verifiers: [],
      imageGenerators: [{ name: 'drawer', generatorRef: `${thing}@1`, contract: 'text_to_image' }],
      releaseNotes: null,
      publishingHandle: 'ada',
      safetyStatus: SafetyStatus.CLEAN,
      advisoryReasoning: null,
      blockRunId: newId(),
      advisoryRunId: newId(),
    },
  };
}

async function publish(workflowId = newId(), thing?: string) {
  return (await store.publish(draftOf(workflowId, thing), ready)).template;
}

async function hashesOf(templateId: string): Promise<string[]> {
  const listed = await objects.client.send(
    new ListObjectsV2Command({ Bucket: objects.bucket, Prefix: `templates/${templateId}/` }),
  );
  return (listed.Contents ?? []).map(({ Key = '' }) => Key.slice(Key.lastIndexOf('/') + 1)).sort();
}

/** Long enough for all that was under way to be given up, and for tombstones to go. */
async function recover(rounds = 3): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    now = new Date(now.getTime() + 1.1 * HOUR_MS);
    for (const task of store.tasks) await task.run(new AbortController().signal);
  }
}

async function isThere(thing: string): Promise<boolean> {
  return (
    (await database.db.collection<{ _id: string; ownerId?: string }>(GENERATORS.name).findOne({ _id: thing }))
      ?.ownerId === ada
  );
}

/** Each broken rule in words; empty when all is well. */
async function broken(): Promise<string[]> {
  const found: string[] = [];
  const heads = await templates().find().toArray();
  const contents = await versions().find().toArray();
  const byId = new Map(contents.map((content) => [content._id, content]));
  for (const { _id, templateId, pendingUntil, claims } of contents) {
    if (pendingUntil || claims) found.push(`version ${_id} is never ended`);
    if (!heads.some((head) => head._id === templateId)) found.push(`version ${_id} is of no template`);
  }
  for (const head of heads) {
    if (head.ownerId === undefined) {
      found.push(`the tombstone ${head._id} stays`);
      continue;
    }
    const { _id, live, livePins, latest, listed, lastVersion, status } = head;
    const numbers = contents.filter(({ templateId }) => templateId === _id).map(({ version }) => version);
    if (new Set(numbers).size < numbers.length) found.push(`template ${_id} has two versions of one number`);
    if (numbers.some((number) => number > lastVersion || number < 1)) found.push(`template ${_id} has a wrong number`);
    if ((listed === true) !== (status === TemplateStatus.LIVE && live.length > 0))
      found.push(`${_id} is listed wrongly`);
    const newest = live.at(-1);
    if (newest && newest.contentId !== latest.contentId) found.push(`template ${_id} shows another than its newest`);
    const pins = live.flatMap((entry) => entry.pins.flatMap((pin) => [pin, thingOf(pin)]));
    for (const pin of pins) if (deployed.has(pin) && !(await isThere(pin))) found.push(`what ${_id} runs is gone`);
    if (new Set(pins).size !== livePins.length) found.push(`template ${_id} has other pins than its versions`);
    for (const entry of live) {
      const content = byId.get(entry.contentId);
      if (content?.version !== entry.version) found.push(`live version ${entry.version} of ${_id} is not there`);
    }
  }
  const kept = new Map<string, Set<string>>();
  for (const content of contents) {
    const { templateId, files } = content;
    const hashes = await hashesOf(templateId);
    if (!files.every(({ sha256 }) => hashes.includes(sha256))) found.push(`a file of ${templateId} is not there`);
    const needed = frozenPins(content).map((pin) => `${templateId}/${pin}`);
    kept.set(templateId, new Set([...(kept.get(templateId) ?? []), ...needed]));
    if ((await snapshots().countDocuments({ _id: { $in: needed } })) < needed.length)
      found.push('a snapshot is missing');
  }
  for (const { _id, templateId } of await snapshots().find().toArray()) {
    if (!kept.get(templateId)?.has(_id)) found.push(`the snapshot ${_id} is of no version`);
  }
  return found;
}

interface Cut {
  running: Promise<unknown>;
  resume(): void;
}

/** Fresh scenes, cut before call 0, 1, 2… until one runs through. Returns how many were cut. */
async function atEveryCall<S>(
  scene: () => Promise<S>,
  act: (on: TemplateStore, scene: S, db: Db) => Promise<unknown>,
  goOn: (scene: S, cut: Cut) => Promise<void>,
): Promise<number> {
  for (let call = 0; ; call++) {
    const made = await scene();
    const cut = interruptible(database.db);
    const { interrupted, resume } = cut.interruptBefore(call);
    const running = act(open(cut.db), made, cut.db);
    // What becomes of it is looked at once it goes on.
    running.catch(() => undefined);
    const ended = await Promise.race([interrupted.then(() => false), running.then(() => true)]);
    if (ended) return call;
    await goOn(made, { running, resume });
  }
}

const slugOf = (error: unknown) => (error as { slug?: string }).slug;

async function numbersOf(workflowId: string): Promise<{ live: number[]; all: number[] }> {
  const head = await templates().findOne({ workflowId });
  if (!head) return { live: [], all: [] };
  const all = await store.versions(head._id, head.live, true, null, 100);
  return { live: head.live.map(({ version }) => version), all: all.map(({ version }) => version).sort() };
}

describe.each([
  ['a first publish', async () => newId()],
  [
    'a publish after others',
    async () => {
      const workflowId = newId();
      await publish(workflowId);
      return workflowId;
    },
  ],
])('%s', (_what, scene) => {
  const act = (on: TemplateStore, workflowId: string) => on.publish(draftOf(workflowId), ready);

  it('that dies before any of its writes leaves a whole version or none, and the next one goes through', async () => {
    const cuts = await atEveryCall(scene, act, async (workflowId) => {
      const before = await numbersOf(workflowId);
      const template = await publish(workflowId);
      await recover();
      expect(await broken()).toEqual([]);
      const { live, all } = await numbersOf(workflowId);
      expect(all).toEqual(live);
      expect([...before.live, template.latest.version]).toEqual(live);
    });
    expect(cuts).toBeGreaterThan(4);
  });

  it('that sleeps while it is given up for dead fails, or has taken effect before', async () => {
    await atEveryCall(scene, act, async (workflowId, { running, resume }) => {
      const before = await numbersOf(workflowId);
      await recover();
      expect(await broken()).toEqual([]);
      const between = await numbersOf(workflowId);
      resume();
      const failure = await running.then(() => null, slugOf);
      const after = await numbersOf(workflowId);
      // Whatever it did before it fell asleep stands; afterwards it may only begin from nothing.
      if (failure !== null) expect([failure, after]).toEqual(['unavailable', between]);
      else expect(after.live.length).toBeGreaterThanOrEqual(before.live.length);
      await recover();
      expect(await broken()).toEqual([]);
    });
  });

  it('that sleeps while another goes through becomes the version after it', async () => {
    await atEveryCall(scene, act, async (workflowId, { running, resume }) => {
      const rival = await publish(workflowId);
      resume();
      await running;
      const { live } = await numbersOf(workflowId);
      expect(live).toEqual(live.map((_, i) => i + 1));
      expect(live).toContain(rival.latest.version);
      expect(await templates().countDocuments({ workflowId })).toBe(1);
      await recover();
      expect(await broken()).toEqual([]);
    });
  });
});

it('a first publish that sleeps while its mark is ended does not take its place', async () => {
  await atEveryCall(
    async () => newId(),
    (on, workflowId) => on.publish(draftOf(workflowId), ready),
    async (_workflowId, { running, resume }) => {
      await recover(1);
      resume();
      await running.catch((error) => expect(slugOf(error)).toBe('unavailable'));
      await recover();
      expect(await broken()).toEqual([]);
    },
  );
});

it('a publish that is not ready in the end leaves nothing', async () => {
  const refused = () => Promise.reject(new Problem('handle_not_claimed'));
  const [workflowId, before] = [newId(), await publish()];
  expect(await store.publish(draftOf(workflowId), refused).catch(slugOf)).toBe('handle_not_claimed');
  expect(await store.publish(draftOf(before.workflowId), refused).catch(slugOf)).toBe('handle_not_claimed');
  expect(await numbersOf(workflowId)).toEqual({ live: [], all: [] });
  expect((await numbersOf(before.workflowId)).all).toEqual([1]);
  await recover();
  expect(await broken()).toEqual([]);
});

describe('what a version is to run', () => {
  const drawn = async () => {
    const { _id } = await generators().deploy(ada, {
      name: `drawer ${newId()}`,
      description: '',
      config,
      expectedVersionToken: null,
    });
    deployed.add(_id);
    return { workflowId: newId(), thing: _id };
  };
  type Drawn = Awaited<ReturnType<typeof drawn>>;
  const after = async () => {
    const made = await drawn();
    await publish(made.workflowId);
    return made;
  };
  const publishing = (on: TemplateStore, { workflowId, thing }: Drawn) => on.publish(draftOf(workflowId, thing), ready);
  const erasing = (_on: TemplateStore, { thing }: Drawn, db: Db) => generators(db).erase(ada, thing);
  const endOf = (running: Promise<unknown>) => running.then(() => 'ok', slugOf);

  async function oneOf(published: unknown, erased: unknown, { thing, workflowId }: Drawn): Promise<void> {
    expect([published, erased].toSorted()).toEqual(['conflict', 'ok']);
    expect(await isThere(thing)).toBe(published === 'ok');
    expect(await templates().countDocuments({ workflowId, livePins: thing })).toBe(published === 'ok' ? 1 : 0);
  }

  // After all the scenes of a test.
  afterEach(async () => {
    await recover(6);
    expect(await broken()).toEqual([]);
  });

  it.each([
    ['a first publish', drawn],
    ['a publish after others', after],
  ])('is not erased within %s, or the publish fails', async (_what, scene) => {
    const cuts = await atEveryCall(scene, publishing, async (made, { running, resume }) => {
      const erased = await endOf(erasing(store, made, database.db));
      resume();
      await oneOf(await endOf(running), erased, made);
    });
    expect(cuts).toBeGreaterThan(5);
  });

  it('is not erased by who began before the publish did, or the publish fails', async () => {
    const cuts = await atEveryCall(drawn, erasing, async (made, { running, resume }) => {
      const published = await endOf(publishing(store, made));
      resume();
      await oneOf(published, await endOf(running), made);
    });
    expect(cuts).toBeGreaterThan(3);
  });

  it.each([
    ['a publish', 'an erasure', publishing, erasing],
    ['an erasure', 'a publish', erasing, publishing],
  ] as const)(
    'is there or not published when %s waits while %s begins, and ends before it',
    async (one, _other, outer, inner) => {
      let both = 0;
      // The outer one is cut; the inner one begins, and is cut; the outer one ends; the inner one ends.
      for (let cut = 0, more = true; more; cut++) {
        more = false;
        await atEveryCall(drawn, outer, async (made, first) => {
          const dying = interruptible(database.db);
          const { interrupted, resume } = dying.interruptBefore(cut);
          const second = inner(open(dying.db), made, dying.db);
          second.catch(() => undefined);
          await Promise.race([interrupted, second.catch(() => undefined)]);
          first.resume();
          const ended = await endOf(first.running);
          if (await Promise.race([interrupted.then(() => true), endOf(second).then(() => false)])) more = true;
          resume();
          const [published, erased] = one === 'a publish' ? [ended, await endOf(second)] : [await endOf(second), ended];
          both += 1;
          await oneOf(published, erased, made);
        });
      }
      expect(both).toBeGreaterThan(30);
    },
  );

  it('can be erased once a publish that died has been given up, unless it took effect', async () => {
    const outcomes = new Set<unknown>();
    await atEveryCall(drawn, publishing, async (made) => {
      await recover();
      const live = await templates().countDocuments({ workflowId: made.workflowId });
      const erased = await endOf(erasing(store, made, database.db));
      expect(erased).toBe(live > 0 ? 'conflict' : 'ok');
      outcomes.add(erased);
    });
    expect(outcomes.size).toBe(2);
  });

  it('is published after an erasure that died before it took effect, and not after one that took it', async () => {
    const outcomes = new Set<unknown>();
    await atEveryCall(drawn, erasing, async (made) => {
      const there = await isThere(made.thing);
      const published = await endOf(publishing(store, made));
      expect(published).toBe(there ? 'ok' : 'conflict');
      outcomes.add(published);
    });
    expect(outcomes.size).toBe(2);
  });
});

describe('unpublishing', () => {
  const scene = async () => {
    const workflowId = newId();
    await publish(workflowId);
    return publish(workflowId);
  };
  const act = (on: TemplateStore, template: TemplateDocument) => on.unpublish(template, 2);

  it('can be cut off before any of its writes, and done again', async () => {
    const cuts = await atEveryCall(scene, act, async (template) => {
      await recover();
      expect(await broken()).toEqual([]);
      const after = await store.unpublish(template, 2);
      expect([after.live.map(({ version }) => version), after.latest.version]).toEqual([[1], 1]);
      await recover();
      expect(await broken()).toEqual([]);
      expect(await store.version(after, 2)).not.toBeNull();
    });
    expect(cuts).toBeGreaterThan(2);
  });

  it('keeps a version whose publisher died before he could say that it was one', async () => {
    const workflowId = newId();
    await atEveryCall(
      async () => workflowId,
      (on) => on.publish(draftOf(workflowId), ready),
      async () => {
        for (const version of (await numbersOf(workflowId)).live) {
          const template = await templates().findOne({ workflowId });
          if (template) await store.unpublish(template, version);
        }
      },
    );
    const before = await numbersOf(workflowId);
    await recover();
    expect(await broken()).toEqual([]);
    expect((await numbersOf(workflowId)).all).toEqual(before.all);
  });

  it('sleeping, does not undo what others publish and unpublish', async () => {
    await atEveryCall(scene, act, async (template, { running, resume }) => {
      await publish(template.workflowId);
      await store.unpublish(template, 1);
      resume();
      await running;
      expect((await numbersOf(template.workflowId)).live).toEqual([3]);
      await recover();
      expect(await broken()).toEqual([]);
    });
  });
});

describe('erasing', () => {
  it('a version can be cut off before any of its writes, and done again', async () => {
    const scene = async () => store.unpublish(await publish(), 1);
    const act = (on: TemplateStore, template: TemplateDocument) => on.eraseVersion(template, 1);
    const cuts = await atEveryCall(scene, act, async (template) => {
      await recover();
      expect(await broken()).toEqual([]);
      await store.eraseVersion(template, 1).catch((error) => expect(slugOf(error)).toBe('not_found'));
      await recover();
      expect(await broken()).toEqual([]);
      const head = await store.find(template._id);
      expect([head?.latest.description, await versions().countDocuments({ templateId: template._id })]).toEqual([
        '',
        0,
      ]);
      expect(await hashesOf(template._id)).toEqual([]);
      expect(await snapshots().countDocuments({ templateId: template._id })).toBe(0);
    });
    expect(cuts).toBeGreaterThan(2);
  });

  it('a template can be cut off before any of its writes, and is finished by the sweeper or has not begun', async () => {
    const scene = async () => store.setStatus(await publish(), TemplateStatus.ARCHIVED, null);
    const act = (on: TemplateStore, template: TemplateDocument) => on.erase(template);
    const cuts = await atEveryCall(scene, act, async (template) => {
      await recover();
      expect(await broken()).toEqual([]);
      if (await store.find(template._id)) await store.erase(template);
      expect(gone).toContain(template._id);
      expect(await hashesOf(template._id)).toEqual([]);
      await recover();
      expect(await broken()).toEqual([]);
    });
    expect(cuts).toBeGreaterThan(2);
  });

  it('takes away what a publish under way still wrote', async () => {
    const scene = () => publish();
    const act = (on: TemplateStore, { workflowId }: TemplateDocument) => on.publish(draftOf(workflowId), ready);
    await atEveryCall(scene, act, async (template, { running, resume }) => {
      await store.erase(await store.setStatus(template, TemplateStatus.ARCHIVED, null));
      resume();
      const failure = await running.then(() => null, slugOf);
      // It makes a new template, or what it had written was taken away with the old one.
      expect([null, 'unavailable']).toContain(failure);
      await recover();
      expect(await broken()).toEqual([]);
      expect(await store.find(template._id)).toBeNull();
      expect(await hashesOf(template._id)).toEqual([]);
    });
  });

  it('is refused while something is served, also when that begins at the last moment', async () => {
    const template = await publish();
    expect(await store.erase(template).catch(slugOf)).toBe('conflict');
    const none = await store.unpublish(template, 1);
    await publish(template.workflowId);
    expect(await store.erase(none).catch(slugOf)).toBe('conflict');
    expect(await store.eraseVersion(none, 2).catch(slugOf)).toBe('conflict');
  });
});

describe('many at once', () => {
  it('publish of one new workflow make one template, with a version each', async () => {
    const workflowId = newId();
    await Promise.all(Array.from({ length: 8 }, () => open().publish(draftOf(workflowId), ready)));
    expect((await numbersOf(workflowId)).live).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    await recover();
    expect(await broken()).toEqual([]);
    expect(await templates().countDocuments()).toBe(1);
  });

  it('publish workflows of one slug under slugs of their own', async () => {
    const slugs = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const draft = { ...draftOf(newId()), slug: 'x'.repeat(100) };
        return (await store.publish(draft, ready)).template.slug;
      }),
    );
    expect(new Set(slugs).size).toBe(5);
    for (const slug of slugs) expect(slug.length).toBeLessThanOrEqual(100);
    expect(await broken()).toEqual([]);
  });

  it('publish, unpublish, archive and erase versions without losing any change', async () => {
    const template = await publish();
    const { workflowId } = template;
    const attempts = Array.from({ length: 24 }, async (_, i) => {
      const on = open();
      if (i % 4 === 0) return on.unpublish(template, 1 + (i % 3));
      if (i % 4 === 1) return on.setStatus(template, i % 8 === 1 ? TemplateStatus.ARCHIVED : TemplateStatus.LIVE, null);
      if (i % 4 === 2) return on.eraseVersion(template, 1 + (i % 3));
      return on.publish(draftOf(workflowId), ready);
    });
    const slugs = (await Promise.allSettled(attempts)).flatMap((end) =>
      end.status === 'rejected' ? [slugOf(end.reason)] : [],
    );
    expect(slugs.every((slug) => slug === 'conflict' || slug === 'not_found')).toBe(true);
    await recover();
    expect(await broken()).toEqual([]);
  });
});

describe('a template', () => {
  it(`can have ${MAX_LIVE} live versions, and no more`, async () => {
    const template = await publish();
    const [first] = template.live;
    const live = Array.from({ length: MAX_LIVE }, (_, i) => ({ ...first, version: i + 1 }));
    await templates().updateOne({ _id: template._id }, { $set: { live, lastVersion: MAX_LIVE } } as object);
    expect(await store.publish(draftOf(template.workflowId), ready).catch(slugOf)).toBe('quota_exceeded');
    expect(await versions().countDocuments({ templateId: template._id })).toBe(1);
  });
});

describe('what live templates run', () => {
  it('can be run by anybody, in the version of the newest, and not be erased', async () => {
    const live = new LiveSnapshots(database.db);
    const thing = newId();
    const draft = (version: number) => {
      const made = draftOf(newId(), thing);
      return { ...made, setups: made.setups.map((setup) => ({ ...setup, pin: `${thing}@${version}` })) };
    };
    expect([await live.include(thing), await live.publicVersion(thing, null)]).toEqual([null, null]);
    const { template: two } = await store.publish(draft(2), ready);
    now = new Date(now.getTime() + 1);
    const { template: one } = await store.publish(draft(1), ready);
    expect(await live.publicVersion(thing, null)).toBe(1);
    expect([await live.publicVersion(thing, 2), await live.publicVersion(thing, 3)]).toEqual([2, null]);
    await store.setStatus(one, TemplateStatus.ARCHIVED, null);
    expect([await live.publicVersion(thing, null), await live.publicVersion(thing, 1)]).toEqual([2, null]);
    await store.unpublish(two, 1);
    expect([await live.publicVersion(thing, null), await live.include(thing)]).toEqual([null, 'live']);
    await store.unpublish(one, 1);
    expect(await live.include(thing)).toBe(null);
  });
});

describe('every look-up', () => {
  it('has its index', async () => {
    const workflowId = newId();
    const template = await publish(workflowId);
    for (let i = 0; i < 30; i++) await publish();
    const lists = new TemplateLists(database.db);
    const live = new LiveSnapshots(database.db);
    const page = { first: 5, after: null };
    const cursor = (await lists.page(scopeOf(null), {}, page)).cursorOf(template);
    const commands = await database.commandsOf(async () => {
      await publish(workflowId);
      await store.find(template._id);
      await store.findBySlug(ada, template.slug);
      await store.newestVersion(template);
      await store.versions(template._id, template.live, true, 5, 3);
      await store.versions(template._id, template.live, false, null, 3);
      for (const list of [{}, { search: 'name desc' }, { mine: true }, { mine: true, search: 'name' }]) {
        for (const includeArchived of [false, true]) {
          await lists.page(scopeOf(ada), { ...list, includeArchived }, { first: 5, after: cursor });
        }
      }
      await live.include(newId());
      await live.publicVersion(newId(), null);
      await store.unpublish(template, 1);
      await store.eraseVersion(template, 1);
      await store.sweepPending();
      await store.sweepErased();
      await store.sweepLoose();
    });
    const queries = commands.filter((command) => 'find' in command || 'update' in command || 'delete' in command);
    expect(queries.length).toBeGreaterThan(20);
    for (const query of queries) {
      const { queryPlanner } = await database.explain(query);
      const stages = stagesOf(queryPlanner.winningPlan);
      expect([query, stages.includes('COLLSCAN')]).toEqual([query, false]);
      // A page of a list is read in its order, however long the list is.
      if (query['limit'] === 6) expect([query, stages.includes('SORT')]).toEqual([query, false]);
    }
  });
});
