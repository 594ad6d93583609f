/** The model that generators and verifiers share: tokens, races, kills, revoking, erasing. */
import type { Document } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../platform/errors.js';
import { newId } from '../../platform/ids.js';
import type { PageRequest } from '../../platform/mongo/page.js';
import { ensureIndexes } from '../../platform/mongo/store.js';
import { canonicalJson, configHash } from '../../subgraphs/registry/versioned/canonical.js';
import { readReference } from '../../subgraphs/registry/versioned/reference.js';
import {
  type ThingDocument,
  thingsCollection,
  versionsCollection,
} from '../../subgraphs/registry/versioned/versioned.model.js';
import { VersionedService } from '../../subgraphs/registry/versioned/versioned.service.js';
import { interruptible } from '../accounts/support/interrupt.js';
import { openDatabase, stagesOf, type TestDatabase } from '../support/database.js';

interface Config {
  model: string;
}
type Service = VersionedService<Config>;

const THINGS = thingsCollection('test_things');
const VERSIONS = versionsCollection('test_versions');
const HOUR_MS = 3_600_000;

let database: TestDatabase;
let now = new Date('2026-05-05T00:00:00Z');
const published = new Set<string>();
const underWay = new Set<string>();

function open(db = database.db): Service {
  return new VersionedService<Config>({
    db,
    noun: 'thing',
    things: THINGS,
    versions: VERSIONS,
    reservedNames: new Set(['image-standard']),
    references: { include: async (id) => (published.has(id) ? 'live' : null) },
    async eraseRuns(thingId) {
      await db.collection('test_runs').deleteMany({ thingId });
      return !underWay.has(thingId);
    },
    now: () => now,
  });
}

let service: Service;
let nth = 0;
const name = () => `thing-${++nth}`;
const owner = newId();

beforeAll(async () => {
  database = await openDatabase();
  await ensureIndexes(database.db, [THINGS, VERSIONS]);
  service = open();
});
afterAll(() => database?.close());

function deploy(to: Service, called: string, token: string | null, model = 'a', by = owner) {
  return to.deploy(by, { name: called, description: model, config: { model }, expectedVersionToken: token });
}

async function refusal(action: Promise<unknown>): Promise<Problem> {
  const problem = await action.then(
    () => null,
    (error: unknown) => error,
  );
  expect(problem).toBeInstanceOf(Problem);
  return problem as Problem;
}

async function found(id: string): Promise<ThingDocument<Config>> {
  const thing = await service.loader().load(id);
  if (!thing) throw new Error('gone');
  return thing;
}

function versionsOf({ _id }: ThingDocument<Config>, page: PageRequest) {
  return service.versionPages(service.loader()).load({ ownerId: _id, ...page });
}

async function history(thing: ThingDocument<Config>): Promise<string[]> {
  const page = await versionsOf(thing, { first: 100 });
  return page.items.map(({ version, config }) => `${version}${config.model}`);
}

describe('deploys', () => {
  it('make version 1 without a token, and later versions with the latest one', async () => {
    const called = name();
    const one = await deploy(service, called, null, 'a');
    const two = await deploy(service, called, one.versionToken, 'b');
    expect([one.current.version, two.current.version, two._id]).toEqual([1, 2, one._id]);
    expect(two.versionToken).not.toBe(one.versionToken);
    expect(await history(two)).toEqual(['2b', '1a']);
    expect((await service.version(two, 1))?.config).toEqual({ model: 'a' });
    expect((await service.version(two, null))?.config).toEqual({ model: 'b' });
    expect(await service.version(two, 3)).toBeNull();
  });

  it('are refused with the current token when theirs is missing, old or made up', async () => {
    const called = name();
    const one = await deploy(service, called, null);
    const two = await deploy(service, called, one.versionToken);
    for (const token of [null, one.versionToken, 'made up']) {
      const problem = await refusal(deploy(service, called, token));
      expect(problem.toBody()).toMatchObject({ error: 'conflict', current_version_token: two.versionToken });
    }
    const fresh = await refusal(deploy(service, name(), 'a token'));
    expect(fresh.toBody()).toMatchObject({ error: 'conflict', current_version_token: null });
  });

  it('that race: 50 with one token, one wins and 49 are told the token that won', async () => {
    const called = name();
    const first = await deploy(service, called, null);
    const processes = [open(), open()];
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) =>
        deploy(processes[i % 2] ?? service, called, first.versionToken, `racer-${i}`),
      ),
    );
    const won = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
    const lost = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as Problem);
    expect([won.length, lost.length]).toEqual([1, 49]);
    for (const problem of lost) {
      expect(problem.toBody()).toMatchObject({ error: 'conflict', current_version_token: won[0]?.versionToken });
    }
    expect(await history(await found(first._id))).toEqual([`2${won[0]?.current.config.model}`, '1a']);
  });

  it('that race for a new name: one makes it', async () => {
    const called = name();
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => deploy(service, called, null)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') {
        expect(result.reason.toBody()).toMatchObject({ error: 'conflict', current_version_token: expect.any(String) });
      }
    }
  });

  it('share a name with another owner’s, but not with the platform’s', async () => {
    const called = name();
    await deploy(service, called, null);
    await deploy(service, called, null, 'a', newId());
    expect((await refusal(deploy(service, 'image-standard', null))).slug).toBe('conflict');
  });

  it('that die before any of their writes leave either the old version or the new one, whole', async () => {
    for (let call = 0; ; call++) {
      const called = name();
      const one = await deploy(service, called, null, 'a');
      const dying = interruptible(database.db);
      const { interrupted } = dying.interruptBefore(call);
      const attempt = deploy(open(dying.db), called, one.versionToken, 'b');
      const ended = await Promise.race([attempt.then(() => true), interrupted.then(() => false)]);
      if (ended) {
        expect(call).toBeGreaterThan(1);
        break;
      }
      const left = await found(one._id);
      expect(left).toEqual(one);
      expect(await history(left)).toEqual(['1a']);
      const next = await deploy(service, called, one.versionToken, 'c');
      expect(await history(next)).toEqual(['2c', '1a']);
    }
  });
});

describe('the config hash', () => {
  it('is the same for the same configuration, whatever the order it was written in', async () => {
    expect(configHash({ a: 1, b: { d: [1, null], c: 'x' } })).toBe(configHash({ b: { c: 'x', d: [1, null] }, a: 1 }));
    expect(configHash({ a: 1 })).not.toBe(configHash({ a: 2 }));
    expect(canonicalJson({ b: undefined, a: 'é"' })).toBe('{"a":"é\\""}');
    expect(configHash({ model: 'a' })).toMatch(/^[0-9a-f]{64}$/);
  });

  it('tells a version from the one before only when they differ', async () => {
    const called = name();
    const one = await deploy(service, called, null, 'a');
    const two = await deploy(service, called, one.versionToken, 'a');
    const three = await deploy(service, called, two.versionToken, 'b');
    expect(two.current.configHash).toBe(one.current.configHash);
    expect(three.current.configHash).not.toBe(one.current.configHash);
  });
});

describe('revoking', () => {
  it('hides a thing for good and keeps its name taken', async () => {
    const called = name();
    const { _id, versionToken } = await deploy(service, called, null);
    await service.revoke(owner, _id);
    await service.revoke(owner, _id);
    expect(await service.byName(owner, called)).toBeNull();
    expect((await service.list(owner, { first: 100 })).items.map((thing) => thing._id)).not.toContain(_id);
    for (const token of [null, versionToken]) {
      expect((await refusal(deploy(service, called, token))).slug).toBe('conflict');
    }
  });

  it('is for the owner', async () => {
    const { _id } = await deploy(service, name(), null);
    expect((await refusal(service.revoke(newId(), _id))).slug).toBe('not_found');
    expect((await refusal(service.erase(newId(), _id))).slug).toBe('not_found');
    expect((await refusal(service.revoke(owner, newId()))).slug).toBe('not_found');
  });
});

describe('erasing', () => {
  const leftOf = async (thingId: string) => [
    ...(await database.db.collection(VERSIONS.name).find({ thingId }).toArray()),
    ...(await database.db.collection('test_runs').find({ thingId }).toArray()),
  ];
  const withRuns = async (called: string) => {
    const one = await deploy(service, called, null, 'a');
    await deploy(service, called, one.versionToken, 'b');
    await database.db.collection('test_runs').insertMany([{ thingId: one._id }, { thingId: one._id }]);
    return one._id;
  };
  const head = (id: string): Promise<Document | null> =>
    database.db.collection<{ _id: string }>(THINGS.name).findOne({ _id: id });

  it('takes the thing, its versions and its runs at once, and frees the name', async () => {
    const called = name();
    const id = await withRuns(called);
    await service.erase(owner, id);
    expect(await leftOf(id)).toEqual([]);
    expect(await service.loader().load(id)).toBeNull();
    expect((await refusal(service.erase(owner, id))).slug).toBe('not_found');
    expect((await refusal(service.revoke(owner, id))).slug).toBe('not_found');
    const again = await deploy(service, called, null);
    expect([again._id === id, again.current.version]).toEqual([false, 1]);
  });

  it('also works on what is revoked', async () => {
    const called = name();
    const id = await withRuns(called);
    await service.revoke(owner, id);
    await service.erase(owner, id);
    expect(await leftOf(id)).toEqual([]);
    expect((await deploy(service, called, null)).current.version).toBe(1);
  });

  it('is refused while a live template refers to the thing, and nothing is lost', async () => {
    const id = await withRuns(name());
    published.add(id);
    expect((await refusal(service.erase(owner, id))).slug).toBe('conflict');
    expect(await leftOf(id)).toHaveLength(3);
    published.delete(id);
    await service.erase(owner, id);
    expect(await leftOf(id)).toEqual([]);
  });

  it('that dies half-way is finished by the sweeper, or has not begun', async () => {
    for (let call = 0; ; call++) {
      const id = await withRuns(name());
      const dying = interruptible(database.db);
      const { interrupted } = dying.interruptBefore(call);
      const attempt = open(dying.db).erase(owner, id);
      if (await Promise.race([attempt.then(() => true), interrupted.then(() => false)])) {
        expect(call).toBeGreaterThan(2);
        break;
      }
      await service.sweepErased();
      const thing = await service.loader().load(id);
      if (thing) expect(await history(thing)).toEqual(['2b', '1a']);
      else expect(await leftOf(id)).toEqual([]);
    }
  });

  it('takes away what a deploy or a run under way still wrote, and then forgets the thing itself', async () => {
    const id = await withRuns(name());
    await service.erase(owner, id);
    await database.db.collection(VERSIONS.name).insertOne({ _id: `${id}@2`, thingId: id, version: 2 } as never);
    await database.db.collection('test_runs').insertOne({ thingId: id });
    underWay.add(id);
    await service.sweepErased();
    expect(await leftOf(id)).toEqual([]);
    expect(Object.keys((await head(id)) ?? {}).sort()).toEqual(['_id', 'erasedAt', 'status']);
    now = new Date(now.getTime() + 2 * HOUR_MS);
    await service.sweepErased();
    expect(await head(id)).not.toBeNull();
    underWay.delete(id);
    await service.sweepErased();
    expect(await head(id)).toBeNull();
  });

  it('that races deploys leaves nothing of either', async () => {
    for (let round = 0; round < 5; round++) {
      const called = name();
      const one = await deploy(service, called, null, 'a');
      const [deployed] = await Promise.allSettled([
        deploy(service, called, one.versionToken, 'b'),
        service.erase(owner, one._id),
      ]);
      if (deployed.status === 'rejected') expect(deployed.reason.slug).toBe('conflict');
      await service.sweepErased();
      expect(await leftOf(one._id)).toEqual([]);
      expect(await service.loader().load(one._id)).toBeNull();
    }
  });
});

describe('queries', () => {
  it('list versions page by page, each once', async () => {
    let thing = await deploy(service, name(), null, 'a');
    for (let i = 0; i < 6; i++) thing = await deploy(service, thing.name, thing.versionToken, 'b');
    const seen: number[] = [];
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof versionsOf>> = await versionsOf(thing, { first: 2, after });
      seen.push(...page.items.map(({ version }) => version));
      const last = page.items.at(-1);
      after = page.hasNextPage && last ? page.cursorOf(last) : null;
    } while (after !== null);
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });

  it('stand on an index, all of them', async () => {
    const thing = await deploy(service, name(), null, 'a');
    const commands = await database.commandsOf(async () => {
      const two = await deploy(service, thing.name, thing.versionToken, 'b');
      await service.byName(owner, thing.name);
      await service.loader().load(thing._id);
      await service.list(owner, {});
      await service.version(two, 1);
      await versionsOf(two, {});
      await service.revoke(owner, thing._id);
      await service.erase(owner, thing._id);
      await service.sweepErased();
    });
    const explainable = commands.filter((command) =>
      ['find', 'update', 'delete', 'findAndModify', 'aggregate'].some((kind) => kind in command),
    );
    expect(explainable.length).toBeGreaterThan(8);
    for (const command of explainable) {
      if (Object.values(command)[0] === 'test_runs') continue;
      const stages = stagesOf((await database.explain(command))['queryPlanner']);
      expect([stages.includes('COLLSCAN'), stages.includes('SORT'), command], JSON.stringify(command)).toEqual([
        false,
        false,
        command,
      ]);
    }
  });
});

describe('references', () => {
  const id = newId();
  it.each([
    [id, { kind: 'id', id, version: null }],
    [`${id}@2`, { kind: 'id', id, version: 2 }],
    [id.toUpperCase(), { kind: 'id', id, version: null }],
    ['system:image-standard', { kind: 'system', name: 'image-standard' }],
    ['my-verifier', { kind: 'name', name: 'my-verifier', version: null }],
    ['my-verifier@3', { kind: 'name', name: 'my-verifier', version: 3 }],
    [`${id}@0`, null],
    [`${id}@x`, null],
    [`${id}@2@3`, null],
    ['No Such', null],
    ['', null],
  ])('%s', (text, expected) => {
    expect(readReference(text)).toEqual(expected);
  });
});
