/** Runs: what is refused and in which order, what is charged, and what is left when a process dies. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import type { Subgraph } from '../../platform/subgraph.js';
import { ProviderFailure } from '../../subgraphs/registry/provider/failure.js';
import type { RunDocument } from '../../subgraphs/registry/run/run.model.js';
import { interruptible } from '../accounts/support/interrupt.js';
import { openDatabase, stagesOf, type TestDatabase } from '../support/database.js';
import { openImages, openPurse, type TestImages, type TestPurse } from './support/peers.js';
import {
  type Answer,
  ask,
  openRegistry,
  pictures,
  scopeOf,
  type TestProvider,
  testProvider,
} from './support/registry.js';

const RUN = `mutation ($input: RunImageGeneratorInput!) { runImageGenerator(input: $input) { run {
  id status modelTierOrModel model imageUrl imageUrls width height numImages costUsd errorCode errorMessage
  generatorId generatorVersion hostedImages { id url visibility expiresAt } images { id }
  workflowId workflowVersion workflowRef runId promptHash
} } }`;
const DEPLOY = `mutation ($input: DeployImageGeneratorInput!) { deployImageGenerator(input: $input) {
  generator { id name versionToken currentVersion version { version configHash provider model } }
} }`;
const CENT = 10_000;

let database: TestDatabase;
let registry: Subgraph;
let purse: TestPurse;
let images: TestImages;
let provider: TestProvider;
let now = new Date('2026-05-05T00:00:00Z');
const owner = newId();
let nth = 0;

function open(db = database.db): Promise<Subgraph> {
  return openRegistry(db, { provider, peers: { billing: purse.billing, images }, now: () => now });
}

beforeAll(async () => {
  database = await openDatabase();
});
afterAll(() => database?.close());

beforeEach(async () => {
  purse = openPurse(500 * CENT);
  images = openImages();
  provider = testProvider();
  registry = await open();
});

async function run(input: object, userId: string | null = owner, to = registry): Promise<Answer> {
  const { data, problem } = await ask(to, RUN, { input: { prompt: 'a lake', ...input } }, scopeOf(userId));
  return { data: data?.runImageGenerator?.run, problem };
}

async function deploy(input: object = {}, userId = owner): Promise<Answer> {
  const wanted = { name: `g-${++nth}`, model: 'local/atelier', generationContract: 'TEXT_TO_IMAGE', ...input };
  const { data, problem } = await ask(registry, DEPLOY, { input: wanted }, scopeOf(userId));
  return { data: data?.deployImageGenerator?.generator, problem };
}

function records(): Promise<RunDocument[]> {
  return database.db.collection<RunDocument>('registry_generation_runs').find().sort({ _id: -1 }).toArray();
}

const fields = ({ problem }: Answer) => problem?.details?.map(({ field }: { field: string }) => field).sort();

describe('what a run is refused for', () => {
  it('is its shape first, with every bad field named', async () => {
    const refused = await run(
      { prompt: ' ', numImages: 5, seed: -1, referenceImageUrl: 'ftp://x', model: '', version: 0, workflowVersion: 0 },
      null,
    );
    expect(refused.problem.error).toBe('validation_error');
    expect(fields(refused)).toEqual([
      'model',
      'num_images',
      'prompt',
      'reference_image_url',
      'seed',
      'version',
      'workflow_version',
    ]);
    expect(fields(await run({ prompt: '𝔸'.repeat(4_001) }))).toEqual(['prompt']);
    expect((await run({ prompt: '𝔸'.repeat(4_000) })).data.status).toBe('COMPLETE');
  });

  it('is its caller next: no account, no generator and no model of one’s choice', async () => {
    expect((await run({ generator: newId() }, null)).problem.error).toBe('auth_required');
    expect((await run({ model: 'local/atelier' }, null)).problem.error).toBe('auth_required');
    expect((await run({}, null)).data.status).toBe('COMPLETE');
  });

  it('is its reference next, and then its money', async () => {
    purse.balance = 0;
    const foreign = await deploy({}, newId());
    for (const generator of [newId(), foreign.data.id, 'nonsense', 'system:image-nothing', `${foreign.data.id}@1`]) {
      expect((await run({ generator })).problem.error).toBe('not_found');
    }
    expect((await run({})).problem.error).toBe('budget_exhausted');
    expect(purse.calls).toEqual(['Reserve']);
    expect(provider.requests).toEqual([]);
  });

  it('leaves no record and holds no money', async () => {
    const before = (await records()).length;
    purse.balance = CENT;
    expect((await run({ numImages: 2 })).problem.error).toBe('budget_exhausted');
    expect((await run({ referenceImageUrl: 'https://example.com/missing.png' })).problem.error).toBe(
      'validation_error',
    );
    expect([(await records()).length, purse.held.size, purse.balance]).toEqual([before, 0, CENT]);
  });

  it('is a generator and a model at once', async () => {
    expect(fields(await run({ generator: newId(), model: 'local/atelier' }))).toEqual(['model']);
  });

  it('is parameters that the model does not take, all of them', async () => {
    const refused = await run({ params: { colour: 'red', strength: 7, image_size: '1x1' } });
    expect(fields(refused)).toEqual(['params.colour', 'params.image_size', 'params.strength']);
    expect(fields(await run({ params: ['x'] }))).toEqual(['params']);
    expect(fields(await run({ model: 'nobody/nothing' }))).toEqual(['model']);
  });
});

describe('what is drawn', () => {
  it('is the default parameters with those of the call over them', async () => {
    const { data } = await deploy({ defaultParams: { image_size: 'square', strength: 0.2 } });
    await run({ generator: data.id, params: { strength: 0.9 } });
    await run({ generator: data.id, params: { aspect_ratio: '16:9' } });
    expect(provider.requests.map(({ size, params }) => [size.slug, params['strength']])).toEqual([
      ['512x512', 0.9],
      [expect.not.stringContaining('512x512'), 0.2],
    ]);
  });

  it('is the version that is pinned, in the reference or beside it', async () => {
    const one = await deploy({ defaultParams: { image_size: '64x64' } });
    const again = { name: one.data.name, expectedVersionToken: one.data.versionToken };
    await deploy({ ...again, defaultParams: { image_size: '128x128' } });
    const { id } = one.data;
    const runs = [
      await run({ generator: id }),
      await run({ generator: `${id}@1` }),
      await run({ generator: id, version: 1 }),
    ];
    expect(runs.map(({ data }) => data.generatorVersion)).toEqual([2, 1, 1]);
    expect(provider.requests.map(({ size }) => size.width)).toEqual([128, 64, 64]);
    expect(fields(await run({ generator: `${id}@1`, version: 2 }))).toEqual(['version']);
    expect((await run({ generator: id, version: 3 })).problem.error).toBe('not_found');
  });

  it('follows the contract of the generator, and otherwise whether there is a reference', async () => {
    const text = await deploy();
    const image = await deploy({ generationContract: 'IMAGE_TO_IMAGE' });
    const referenceImageUrl = 'https://example.com/cat.png';
    expect(fields(await run({ generator: text.data.id, referenceImageUrl }))).toEqual(['reference_image_url']);
    expect(fields(await run({ generator: image.data.id }))).toEqual(['reference_image_url']);
    await run({ generator: image.data.id, referenceImageUrl });
    await run({ referenceImageUrl });
    await run({ model: 'local/atelier' });
    expect(provider.requests.map(({ references }) => references.length)).toEqual([1, 1, 0]);
    const cannot = { model: 'gpt-image-2', generationContract: 'IMAGE_TO_IMAGE' };
    expect((await deploy(cannot)).data.currentVersion).toBe(1);
    const never = await run({ model: '@cf/black-forest-labs/flux-1-schnell', referenceImageUrl });
    expect(fields(never)).toEqual(['reference_image_url']);
  });

  it('is filtered for tiers and callers without an account, and for one’s own generator as one says', async () => {
    const params = { enable_safety_checker: false };
    const { data } = await deploy({ defaultParams: params });
    await run({ params });
    await run({ params }, null);
    await run({ generator: data.id });
    await run({ model: 'local/atelier', params });
    await run({ generator: data.id, params: { enable_safety_checker: true } });
    expect(provider.requests.map(({ safety, params: sent }) => [safety, sent['enable_safety_checker']])).toEqual([
      [true, true],
      [true, true],
      [false, false],
      [false, false],
      [true, true],
    ]);
  });

  it('is named by tier or by model, and carries where it came from', async () => {
    const provenance = { workflowId: 'wf_1', workflowVersion: 3, workflowRef: '@a/b', runId: 'mine' };
    const { data } = await run({ ...provenance, seed: 7 });
    expect(data).toMatchObject({ modelTierOrModel: 'image-standard', model: 'local/atelier', ...provenance });
    expect((await run({ model: 'local/sketch' })).data.modelTierOrModel).toBe('local/sketch');
  });
});

describe('what is charged', () => {
  it('is each picture that came out, exactly', async () => {
    const { data } = await run({ numImages: 3 });
    expect(data).toMatchObject({ status: 'COMPLETE', costUsd: 0.03, numImages: 3, errorCode: null });
    expect(data.imageUrls).toEqual(data.hostedImages.map(({ url }: { url: string }) => url));
    expect(data.images).toEqual(data.hostedImages.map(({ id }: { id: string }) => ({ id })));
    expect([purse.balance, purse.held.size]).toEqual([497 * CENT, 0]);
  });

  it('is not a picture that failed or could not be stored', async () => {
    provider.answer = async () => [
      { kind: 'failure', failure: new ProviderFailure('refused') },
      ...pictures({ count: 1 } as never),
      { kind: 'bytes', bytes: Buffer.alloc(0), contentType: 'image/png', seedUsed: null },
      { kind: 'url', url: 'https://elsewhere.example/cat.png', width: 64, height: 32, seedUsed: null },
    ];
    const { data } = await run({ numImages: 4 });
    expect(data).toMatchObject({ status: 'COMPLETE', costUsd: 0.02, width: 512 });
    expect(data.imageUrls).toEqual([null, expect.any(String), null, 'https://elsewhere.example/cat.png']);
    expect(data.hostedImages).toEqual([null, expect.objectContaining({ visibility: 'PRIVATE' }), null, null]);
    expect(data.imageUrl).toBe(data.imageUrls[1]);
    expect(purse.balance).toBe(498 * CENT);
  });

  it('is nothing for a failure of the provider, which is a run all the same', async () => {
    for (const [reason, code] of [
      ['failed', 'PROVIDER_ERROR'],
      ['timeout', 'TIMEOUT'],
      ['internal', 'RUNTIME_ERROR'],
    ] as const) {
      provider.answer = () => Promise.reject(new ProviderFailure(reason));
      const { data } = await run({});
      expect(data).toMatchObject({ status: 'ERROR', errorCode: code, errorMessage: expect.any(String), costUsd: 0 });
      expect([data.imageUrl, data.imageUrls, data.hostedImages]).toEqual([null, [], []]);
    }
    expect([purse.balance, purse.held.size, purse.charged.size]).toEqual([500 * CENT, 0, 0]);
  });

  it('is nothing when no picture can be stored', async () => {
    provider.answer = async () => [{ kind: 'bytes', bytes: Buffer.alloc(0), contentType: 'image/png', seedUsed: null }];
    expect((await run({})).data).toMatchObject({ status: 'ERROR', errorCode: 'RUNTIME_ERROR', costUsd: 0 });
    expect(purse.balance).toBe(500 * CENT);
  });

  it('never exceeds what is left: five of twenty runs at once for five cents', async () => {
    purse.balance = 5 * CENT;
    const answers = await Promise.all(Array.from({ length: 20 }, () => run({})));
    expect(answers.filter(({ data }) => data?.status === 'COMPLETE')).toHaveLength(5);
    expect(answers.filter(({ problem }) => problem?.error === 'budget_exhausted')).toHaveLength(15);
    expect([purse.balance, images.hosted.size]).toEqual([0, 5]);
  });

  it('is settled later when billing cannot be reached, and answered now', async () => {
    purse.around = async (when, operation) => {
      if (when === 'before' && operation === 'Settle') throw new Error('billing is down');
    };
    const { data } = await run({});
    expect([data.status, purse.charged.size]).toEqual(['COMPLETE', 0]);
    purse.around = async () => {};
    await sweep();
    expect(purse.charged.get(data.id)).toBe(CENT);
  });
});

describe('a run whose record cannot be written', () => {
  const NAME = 'refusing';
  const runs = () => database.db.collection<RunDocument>('registry_generation_runs');
  const unlucky = newId();

  // The engine refuses to index a list in this way, and a record has one.
  beforeEach(() =>
    runs().createIndex({ outputs: 'hashed' }, { name: NAME, partialFilterExpression: { ownerId: unlucky } }),
  );
  afterEach(() => runs().dropIndex(NAME));

  it('is called off at its provider, holds no money and hosts nothing', async () => {
    const calledOff = new Promise<void>((resolve) => {
      provider.answer = (_request, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          signal.addEventListener('abort', () => resolve());
        });
    });
    await expect(run({}, unlucky)).rejects.toThrow('hashed');
    await calledOff;
    expect([purse.held.size, purse.balance, images.hosted.size]).toEqual([0, 500 * CENT, 0]);
  });

  it('hosts nothing that its provider drew faster than that', async () => {
    provider.answer = async (request) => pictures(request);
    await expect(run({}, unlucky)).rejects.toThrow('hashed');
    expect([purse.balance, images.hosted.size]).toEqual([500 * CENT, 0]);
  });

  it('because another attempt has it leaves the money to that one', async () => {
    purse.around = async (when, operation) => {
      if (when !== 'after' || operation !== 'Reserve') return;
      const [id = ''] = purse.held.keys();
      await runs().insertOne({ _id: id } as RunDocument);
    };
    const { problem } = await run({});
    expect([problem?.error, purse.calls]).toEqual(['conflict', ['Reserve']]);
    expect([purse.held.size, purse.charged.size, images.hosted.size]).toEqual([1, 0, 0]);
    await runs().deleteOne({ _id: [...purse.held.keys()][0] });
  });
});

describe('a request that its caller named', () => {
  const named = (idempotencyKey: string, input: object = {}, userId: string | null = owner, to = registry) =>
    run({ ...input, idempotencyKey }, userId, to);

  it('is done once, and answered alike', async () => {
    const first = await named('once');
    const again = await named('once');
    expect(again).toEqual(first);
    expect([provider.requests.length, purse.balance]).toEqual([1, 499 * CENT]);
    expect((await named('once', {}, newId())).data.id).not.toBe(first.data.id);
  });

  it('is refused with another body, and while it is under way', async () => {
    await named('other');
    expect((await named('other', { seed: 5 })).problem.error).toBe('conflict');
    const answers = await Promise.all(Array.from({ length: 5 }, () => named('at once')));
    const ids = new Set(answers.flatMap(({ data }) => data?.id ?? []));
    expect(ids.size).toBe(1);
    for (const { problem } of answers) if (problem) expect(problem.error).toBe('conflict');
  });

  it('may be tried again when it was refused', async () => {
    purse.balance = 0;
    expect((await named('poor')).problem.error).toBe('budget_exhausted');
    purse.balance = CENT;
    expect((await named('poor')).data.status).toBe('COMPLETE');
  });

  it('remembers nothing from which the prompt could be guessed', async () => {
    await named('secretive', { prompt: 'yes' });
    const kept = await database.db.collection('registry_named_runs').find().toArray();
    const { createHash } = await import('node:crypto');
    const request = JSON.stringify({ prompt: 'yes', reference: null });
    for (const text of ['yes', request]) {
      for (const encoding of ['base64url', 'hex'] as const) {
        expect(JSON.stringify(kept)).not.toContain(createHash('sha256').update(text).digest(encoding));
      }
    }
    expect(JSON.stringify(kept)).not.toContain('"yes"');
  });

  it('is finished by the next attempt when the process of the first one died', async () => {
    let hosted = () => {};
    const done = new Promise<void>((resolve) => {
      hosted = resolve;
    });
    images.around = async (when) => {
      if (when === 'before') return;
      hosted();
      await new Promise(() => {});
    };
    void named('dying', {}, owner, await open());
    await done;
    images.around = async () => {};
    now = new Date(now.getTime() + 31_000);
    const { data } = await named('dying', {}, owner, await open());
    expect(data).toMatchObject({ status: 'COMPLETE', costUsd: 0.01 });
    expect([provider.requests.length, purse.balance, purse.held.size]).toEqual([1, 499 * CENT, 0]);
    expect((await named('dying')).data.id).toBe(data.id);
  });
});

describe('the record', () => {
  it('holds a hash of the prompt, equal for equal prompts, and never the prompt', async () => {
    const prompt = 'zweiundvierzig blaue Elefanten';
    const hashes = [];
    for (const text of [prompt, prompt, `${prompt}!`]) hashes.push((await run({ prompt: text })).data.promptHash);
    expect([hashes[0] === hashes[1], hashes[0] === hashes[2]]).toEqual([true, false]);
    expect(JSON.stringify(await records())).not.toContain('Elefanten');
  });

  it('forgets whom to charge once that is done', async () => {
    const { data } = await run({}, null);
    await registry.close();
    const [record] = await database.db.collection('registry_generation_runs').find({ _id: data.id }).toArray();
    expect(record).not.toHaveProperty('payer');
    expect(record).not.toHaveProperty('openUntil');
  });

  it('is listed for the owner of a generator, also a revoked one, page by page, with one command a list', async () => {
    const { data } = await deploy();
    for (let i = 0; i < 5; i++) await run({ generator: data.id });
    const list =
      'query ($id: ID!, $after: String) { generationRuns(generatorId: $id, first: 2, after: $after) { nodes { id generator { id } } nextCursor } }';
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: Answer = await ask(registry, list, { id: data.id, after }, scopeOf(owner));
      seen.push(...page.data.generationRuns.nodes.map(({ id }: { id: string }) => id));
      after = page.data.generationRuns.nextCursor;
    } while (after !== null);
    expect(seen).toHaveLength(5);
    expect(seen).toEqual([...seen].sort().reverse());
    expect((await ask(registry, list, { id: data.id }, scopeOf(newId()))).problem.error).toBe('not_found');
    const revoke = 'mutation ($input: RevokeImageGeneratorInput!) { revokeImageGenerator(input: $input) { status } }';
    await ask(registry, revoke, { input: { id: data.id } }, scopeOf(owner));
    expect((await run({ generator: data.id })).problem.error).toBe('not_found');
    const kept = await ask(registry, list, { id: data.id }, scopeOf(owner));
    expect(kept.data.generationRuns.nodes[0]).toEqual({ id: seen[0], generator: null });
  });

  it('comes with its generators, and their versions, without a command for each', async () => {
    const someone = newId();
    for (let i = 0; i < 6; i++) {
      const { data } = await deploy({}, someone);
      await run({ generator: data.id }, someone);
      await run({ generator: data.id }, someone);
    }
    const nested = `{ imageGenerators(first: 10) { nodes { id versions(first: 2) { nodes { version } }
      runs(first: 1) { nodes { id generator { name } } pageInfo { hasNextPage } } } } }`;
    let answer: Answer | undefined;
    const commands = await database.commandsOf(async () => {
      answer = await ask(registry, nested, {}, scopeOf(someone));
    });
    for (const { runs, versions } of answer?.data.imageGenerators.nodes ?? []) {
      expect([runs.nodes.length, runs.pageInfo.hasNextPage, versions.nodes]).toEqual([1, true, [{ version: 1 }]]);
    }
    expect(commands.length).toBeLessThanOrEqual(5);
    for (const command of commands) {
      const plan = await database.explain(command);
      expect(stagesOf(plan)).not.toContain('COLLSCAN');
    }
  });

  it('is nobody else’s', async () => {
    const { data } = await run({});
    const one = 'query ($id: ID!) { generationRun(id: $id) { id } }';
    expect((await ask(registry, one, { id: data.id }, scopeOf(owner))).data.generationRun).toEqual({ id: data.id });
    expect((await ask(registry, one, { id: data.id }, scopeOf(newId()))).data.generationRun).toBeNull();
  });
});

async function sweep(subgraph = registry): Promise<void> {
  now = new Date(now.getTime() + 3_600_000);
  const signal = new AbortController().signal;
  for (const task of subgraph.tasks) await task.run(signal);
}

/** Nothing is held, nobody paid for what is not recorded, and nothing that is hosted went unpaid. */
async function expectSettled(start: number): Promise<void> {
  const runs = await records();
  const spent = runs.reduce((sum, { _id, costMicros }) => sum + (purse.charged.has(_id) ? costMicros : 0), 0);
  expect(purse.held.size).toBe(0);
  expect(purse.balance).toBe(start - spent);
  for (const [key] of images.hosted) {
    const [id] = key.split('/');
    const record = runs.find(({ _id }) => _id === id);
    expect([record?.status, purse.charged.get(id ?? '')]).toEqual(['complete', record?.costMicros]);
  }
  for (const [id, charged] of purse.charged) {
    const record = runs.find(({ _id }) => _id === id);
    expect([record?.status, record?.costMicros]).toEqual(['complete', charged]);
  }
  expect(runs.filter(({ openUntil, status }) => openUntil !== undefined || status === 'running')).toEqual([]);
}

describe('a process that dies', () => {
  beforeEach(() => database.db.collection('registry_generation_runs').deleteMany({}));

  /** Billing gives back by itself what nobody settled: its reservation runs out. */
  const letReservationsRunOut = async () => {
    const known = new Set((await records()).map(({ _id }) => _id));
    for (const [id, amount] of purse.held) {
      if (known.has(id)) continue;
      purse.held.delete(id);
      purse.balance += amount;
    }
  };

  it('before any call to its store is made up for', async () => {
    const { data: generator } = await deploy();
    for (let call = 0; ; call++) {
      purse = openPurse(9 * CENT);
      images = openImages();
      const dying = interruptible(database.db);
      const { interrupted } = dying.interruptBefore(call);
      const attempt = run({ generator: generator.id, numImages: 2 }, owner, await open(dying.db));
      const ended = await Promise.race([attempt.then(() => true), interrupted.then(() => false)]);
      await letReservationsRunOut();
      await sweep(await open());
      await expectSettled(9 * CENT);
      if (ended) {
        expect(call).toBeGreaterThan(1);
        break;
      }
    }
  });

  it.each(['before', 'after'] as const)(
    '%s anything it asks of billing, images or the provider is made up for',
    async (when) => {
      for (let step = 0; ; step++) {
        purse = openPurse(9 * CENT);
        images = openImages();
        provider = testProvider();
        let left = step;
        let reached = () => {};
        const interrupted = new Promise<void>((resolve) => {
          reached = resolve;
        });
        const hang = async (at: string) => {
          if (at !== when || left-- !== 0) return;
          reached();
          await new Promise(() => {});
        };
        purse.around = hang;
        images.around = hang;
        provider.answer = async (request) => {
          await hang('before');
          await hang('after');
          return pictures(request);
        };
        const attempt = run({ numImages: 2 }, owner, await open());
        const ended = await Promise.race([attempt.then(() => true), interrupted.then(() => false)]);
        purse.around = async () => {};
        images.around = async () => {};
        await letReservationsRunOut();
        await sweep(await open());
        await expectSettled(9 * CENT);
        if (ended) {
          expect(step).toBe(5);
          break;
        }
      }
    },
  );

  it('only seemed to: one that wakes up after it was given up charges nothing more and shows nothing', async () => {
    purse = openPurse(9 * CENT);
    images = openImages();
    let wake = () => {};
    let asleep = () => {};
    const sleeping = new Promise<void>((resolve) => {
      asleep = resolve;
    });
    const sleep = new Promise<void>((resolve) => {
      wake = resolve;
    });
    images.around = async (when) => {
      if (when !== 'after') return;
      asleep();
      await sleep;
    };
    const attempt = run({}, owner, await open());
    await sleeping;
    await sweep(await open());
    wake();
    const { data } = await attempt;
    expect(data).toMatchObject({ status: 'ERROR', errorCode: 'TIMEOUT', imageUrl: null, costUsd: 0 });
    await sweep(await open());
    await expectSettled(9 * CENT);
    expect(purse.charged.get(data.id)).toBe(CENT);
  });

  it('is made up for by two sweepers at once no differently', async () => {
    purse = openPurse(9 * CENT);
    images = openImages();
    let hosted = () => {};
    const done = new Promise<void>((resolve) => {
      hosted = resolve;
    });
    images.around = async (when) => {
      if (when === 'before') return;
      hosted();
      await new Promise(() => {});
    };
    void run({}, owner, await open());
    await done;
    images.around = async () => {};
    await Promise.all([sweep(await open()), sweep(await open())]);
    await expectSettled(9 * CENT);
  });
});

it('a process that is told to end finishes the runs that it began', async () => {
  let go = () => {};
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  let started = () => {};
  const drawing = new Promise<void>((resolve) => {
    started = resolve;
  });
  provider.answer = async (request) => {
    started();
    await held;
    return pictures(request);
  };
  const attempt = run({ seed: 1234 });
  await drawing;
  const closed = registry.close();
  go();
  await closed;
  const { data } = await attempt;
  const record = (await records()).find(({ _id }) => _id === data.id);
  expect([record?.status, record?.openUntil, purse.charged.get(data.id)]).toEqual(['complete', undefined, CENT]);
});

describe('erasing a generator', () => {
  it('takes its runs, and one that is under way once it is paid for', async () => {
    const { data } = await deploy();
    await run({ generator: data.id });
    await registry.close();
    let go = () => {};
    const held = new Promise<void>((resolve) => {
      go = resolve;
    });
    let started = () => {};
    const drawing = new Promise<void>((resolve) => {
      started = resolve;
    });
    provider.answer = async (request) => {
      started();
      await held;
      return pictures(request);
    };
    const attempt = run({ generator: data.id });
    await drawing;
    const erase = 'mutation ($input: DeleteImageGeneratorInput!) { deleteImageGenerator(input: $input) { deleted } }';
    expect(
      (await ask(registry, erase, { input: { id: data.id } }, scopeOf(owner))).data.deleteImageGenerator.deleted,
    ).toBe(true);
    go();
    expect((await attempt).data.status).toBe('COMPLETE');
    await registry.close();
    await sweep();
    const left = await database.db.collection('registry_generation_runs').countDocuments({ generatorId: data.id });
    expect(left).toBe(0);
  });
});

describe('a deploy', () => {
  it('of a model without a price, or that cannot do it, is refused before anything is written', async () => {
    const before = await database.db.collection('registry_generators').countDocuments();
    expect(fields(await deploy({ model: 'nobody/nothing' }))).toEqual(['model']);
    expect(
      fields(await deploy({ model: '@cf/black-forest-labs/flux-1-schnell', generationContract: 'IMAGE_TO_IMAGE' })),
    ).toEqual(['generation_contract']);
    expect(fields(await deploy({ defaultParams: { nonsense: 1, strength: 5 } }))).toEqual([
      'default_params.nonsense',
      'default_params.strength',
    ]);
    expect(fields(await deploy({ name: 'Not Good', description: 'x'.repeat(2_001), defaultParams: [] }))).toEqual([
      'default_params',
      'description',
      'name',
    ]);
    const retired = await deploy({ model: 'gpt-image-1' });
    now = new Date('2026-10-23T00:00:00Z');
    expect([retired.data.currentVersion, fields(await deploy({ model: 'gpt-image-1' }))]).toEqual([1, ['model']]);
    expect(await database.db.collection('registry_generators').countDocuments()).toBe(before + 1);
  });

  it('needs a caller, after its shape was looked at', async () => {
    const anonymous = (input: object) =>
      ask(
        registry,
        DEPLOY,
        { input: { name: 'a', model: 'local/atelier', generationContract: 'TEXT_TO_IMAGE', ...input } },
        scopeOf(null),
      );
    expect((await anonymous({ name: 'A' })).problem.error).toBe('validation_error');
    expect((await anonymous({})).problem.error).toBe('auth_required');
  });
});
