/** The queue: who takes what when, what is held and charged, and what is left when a process dies. */
import type { Document } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { JOBS, type JobDocument } from '../../subgraphs/registry/job/job.model.js';
import { ProviderFailure } from '../../subgraphs/registry/provider/failure.js';
import type { RegistrySubgraph } from '../../subgraphs/registry/subgraph.js';
import { interruptible } from '../accounts/support/interrupt.js';
import { pictures } from '../registry/support/registry.js';
import { openDatabase, stagesOf, type TestDatabase } from '../support/database.js';
import {
  clear,
  create,
  drain,
  expectSound,
  job,
  letRunOut,
  openWorld,
  records,
  remove,
  scopeOf,
  sweep,
  vary,
  type World,
} from './support/world.js';

const BALANCE = 1_000;
const PICTURE = Buffer.from('a picture').toString('base64');

let database: TestDatabase;
let world: World;
let registry: RegistrySubgraph;
const owner = scopeOf(newId());

beforeAll(async () => {
  database = await openDatabase();
});
afterAll(() => database?.close());

beforeEach(async () => {
  await clear(database.db);
  world = openWorld(database.db, BALANCE);
  registry = await world.open();
  return () => registry.close();
});

/** What a command looks for among jobs. */
function readsOf(command: Document): Document[] {
  const plain = ['find', 'findAndModify', 'aggregate', 'update', 'delete'].some((name) => command[name] === JOBS.name);
  if (plain) return [command];
  const places: { ns: string }[] = command['nsInfo'] ?? [];
  return ((command['ops'] ?? []) as Document[])
    .filter((op) => 'update' in op && places[op['update']]?.ns.endsWith(`.${JOBS.name}`))
    .map(({ filter, updateMods }) => ({ update: JOBS.name, updates: [{ q: filter, u: updateMods }] }));
}

const later = (ms: number) => {
  world.ahead += ms;
};
const sound = () => expectSound(world, database.db, BALANCE);
const slug = ({ problem }: { problem: { error: string } | undefined }) => problem?.error;

/** A gate that a test opens. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('a job', () => {
  it('that is waited for comes back finished, and is charged', async () => {
    registry.workers.start(2);
    const { data } = await create(registry, { seed: 7, backgroundRemoval: true, outputPreset: 'HERO' }, owner);
    expect(data).toMatchObject({ state: 'COMPLETED', revision: 3, seedUsed: 7, credits: 2, modelId: 'local/atelier' });
    expect(data.presetUrl).toBe(`${data.assetUrl}?preset=hero`);
    expect(data.bgRemovedUrl).toMatch(/^http:\/\/here\/v2\/assets\/[0-9a-f]{64}$/);
    expect(data.image.id).toBe(data.assetUrl.slice(-64));
    await registry.close();
    await sound();
    expect(world.purse.charged.get(data.id)).toBe(2);
  });

  it('that nobody waits for is queued first, and goes through each state in turn', async () => {
    const { data } = await create(registry, { sync: false }, owner);
    expect(data).toMatchObject({ state: 'QUEUED', revision: 1, assetUrl: null, seedUsed: null, completedAt: null });
    expect(world.purse.held.get(data.id)).toBe(2);
    const { opened, open } = gate();
    world.provider.answer = async (request) => {
      await opened;
      return pictures(request);
    };
    registry.workers.start(1);
    await expect.poll(async () => (await job(registry, data.id, owner)).state).toBe('PROCESSING');
    open();
    await expect.poll(async () => (await job(registry, data.id, owner)).state).toBe('COMPLETED');
    expect((await job(registry, data.id, owner)).revision).toBe(3);
    await registry.close();
    await sound();
  });

  it.each([
    ['the provider refuses', () => Promise.reject(new ProviderFailure('refused')), 'FAILED', /safety filter/],
    ['the provider is over its time', () => Promise.reject(new ProviderFailure('timeout')), 'FAILED', /too long/],
    ['an adapter breaks', () => Promise.reject(new Error('oops')), 'FAILED', /could not be made on our side/],
  ] as const)('costs nothing when %s', async (_why, answer, state, words) => {
    world.provider.answer = answer;
    registry.workers.start(1);
    const { data } = await create(registry, {}, owner);
    expect(data).toMatchObject({ state, assetUrl: null, image: null, error: expect.stringMatching(words) });
    await registry.close();
    await sound();
    expect(world.purse.balance).toBe(BALANCE);
  });

  it.each([
    ['cannot be encoded', 'encoding', 'FAILED_ENCODING'],
    ['cannot be fetched from the provider', 'fetching', 'FAILED'],
  ] as const)('whose picture %s fails as such, and costs nothing', async (_what, outcome, state) => {
    world.assets.outcome = outcome;
    registry.workers.start(1);
    const { data } = await create(registry, {}, owner);
    expect(data).toMatchObject({ state, assetUrl: null, error: 'It cannot be done.' });
    await registry.close();
    await sound();
  });

  it('outlives a bucket that is away for a moment', async () => {
    world.assets.outcome = 'broken';
    registry.workers.start(1);
    const waiting = create(registry, {}, owner);
    await expect.poll(() => world.provider.requests.length).toBe(1);
    world.assets.outcome = 'kept';
    expect((await waiting).data.state).toBe('COMPLETED');
    expect(world.provider.requests).toHaveLength(1);
  });

  it('belongs to its tenant, or to the network that it was asked for from', async () => {
    const { data } = await create(registry, { sync: false }, owner);
    const anonymous = scopeOf(null, '198.51.100.7');
    const theirs = await create(registry, { sync: false }, anonymous);
    for (const [id, mine, others] of [
      [data.id, owner, [scopeOf(newId()), anonymous]],
      [theirs.data.id, anonymous, [owner, scopeOf(null, '198.51.100.8')]],
    ] as const) {
      expect((await job(registry, id, mine)).id).toBe(id);
      for (const other of others) {
        expect(await job(registry, id, other)).toBeNull();
        expect(slug(await remove(registry, id, other))).toBe('not_found');
        expect(slug(await create(registry, { inputJobId: id }, other))).toBe('not_found');
        expect(slug(await vary(registry, { jobId: id }, other))).toBe('not_found');
      }
    }
    const stored = JSON.stringify((await records(database.db)).map(({ payer: _, ...record }) => record));
    expect(stored).not.toContain('198.51.100');
  });

  it('takes one picture of a network’s month, whatever its tier', async () => {
    const { data } = await create(registry, { sync: false, qualityTier: 'PREMIUM' }, scopeOf(null));
    expect(world.purse.held.get(data.id)).toBe(1);
  });

  it('takes few commands of the database, and each asks an index', async () => {
    registry.workers.start(1);
    await create(registry, {}, owner);
    const commands = await database.commandsOf(() => create(registry, {}, owner));
    const ours = commands.filter((command) => JSON.stringify(command).includes(JOBS.name));
    // How many of the owner's wait, the record, the claim, the end. That it is paid for is noted with others, later.
    expect(ours.map((command) => Object.keys(command)[0])).toEqual([
      'aggregate',
      'bulkWrite',
      'findAndModify',
      'bulkWrite',
    ]);
    await registry.close();
    const all = await database.commandsOf(async () => {
      const { data } = await create(registry, { sync: false, idempotencyKey: 'k', inputImage: PICTURE }, owner);
      await create(registry, { sync: false, idempotencyKey: 'k', inputImage: PICTURE }, owner);
      await job(registry, data.id, owner);
      later(61_000);
      await sweep(registry);
      const fresh = await world.open();
      fresh.workers.start(1);
      await expect.poll(async () => (await job(registry, data.id, owner)).state).toBe('COMPLETED');
      await fresh.close();
      later(31 * 24 * 3_600_000);
      await sweep(registry);
    });
    const asked = all.flatMap(readsOf);
    expect(asked.length).toBeGreaterThan(12);
    for (const command of asked) {
      const plan = await database.explain(command);
      expect(stagesOf(plan), JSON.stringify(command)).not.toContain('COLLSCAN');
    }
  });
});

describe('a caller who waits', () => {
  it('is told how the job stands when it takes too long, or the server closes', async () => {
    const { data } = await create(registry, { sync: false }, owner);
    expect(await registry.waiters.end(data.id, 20)).toBeNull();
    const waiting = create(registry, { sync: true }, owner);
    await expect.poll(async () => (await records(database.db)).length).toBe(2);
    registry.waiters.close();
    expect((await waiting).data.state).toBe('QUEUED');
  });

  it('is told by a worker elsewhere as well, without any notice', async () => {
    const elsewhere = await world.open();
    elsewhere.workers.start(1);
    expect((await create(registry, { sync: true }, owner)).data.state).toBe('COMPLETED');
    await elsewhere.close();
  });
});

describe('a request with a name', () => {
  const named = { sync: false, idempotencyKey: 'order-7' };

  it('sent twenty times at once is one job, charged once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(registry, named, owner)));
    expect(new Set(answers.map(({ data }) => data.id)).size).toBe(1);
    await drain(world, database.db);
    await sound();
    expect(world.purse.charged.size).toBe(1);
  });

  it('sent again is the same job as it stands, and costs nothing more', async () => {
    const first = await create(registry, named, owner);
    await drain(world, database.db);
    const again = await create(registry, named, owner);
    expect(again.data).toMatchObject({ id: first.data.id, state: 'COMPLETED' });
    expect(world.purse.balance).toBe(BALANCE - 2);
  });

  it('with another body is a conflict', async () => {
    await create(registry, named, owner);
    for (const other of [{ prompt: 'another' }, { seed: 1 }, { inputImage: PICTURE }, { sync: true }]) {
      expect(slug(await create(registry, { ...named, ...other }, owner))).toBe('conflict');
    }
    expect(await records(database.db)).toHaveLength(1);
  });

  it('means nothing to other tenants, nor after a day', async () => {
    const first = await create(registry, named, owner);
    const theirs = await create(registry, named, scopeOf(newId()));
    expect(theirs.data.id).not.toBe(first.data.id);
    later(24 * 3_600_000 - 60_000);
    expect((await create(registry, named, owner)).data.id).toBe(first.data.id);
    later(120_000);
    const anew = await create(registry, { ...named, prompt: 'another' }, owner);
    expect([anew.problem, anew.data.id === first.data.id]).toEqual([undefined, false]);
  });

  it('is free again when its job was deleted', async () => {
    const first = await create(registry, named, owner);
    await remove(registry, first.data.id, owner);
    expect((await create(registry, named, owner)).data.id).not.toBe(first.data.id);
  });

  it('that is refused for money leaves nothing, and may be sent again', async () => {
    world.purse.balance = 1;
    expect(slug(await create(registry, { ...named, qualityTier: 'PREMIUM' }, owner))).toBe('budget_exhausted');
    expect(await records(database.db)).toEqual([]);
    world.purse.balance = BALANCE;
    expect((await create(registry, { ...named, qualityTier: 'PREMIUM' }, owner)).data.state).toBe('QUEUED');
  });
});

describe('the queue', () => {
  const drawn = () => world.provider.requests.map(({ prompt }) => prompt.split(',')[0]);

  it('gives each job to one worker, however many ask at once', async () => {
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => create(registry, { prompt: `job ${i}`, sync: false }, owner)),
    );
    const others = await Promise.all(Array.from({ length: 3 }, () => world.open()));
    for (const { workers } of others) workers.start(5);
    await expect.poll(() => database.db.collection(JOBS.name).countDocuments({ state: 'completed' })).toBe(60);
    expect(new Set(drawn()).size).toBe(60);
    expect(world.provider.requests).toHaveLength(60);
    for (const other of others) await other.close();
    await sound();
  });

  it('takes the oldest first, and those of a plan with priority before them', async () => {
    for (const name of ['one', 'two']) await create(registry, { prompt: name, sync: false }, owner);
    world.purse.allowance = { ...world.purse.allowance, plan: 'agency', priorityQueue: true };
    await create(registry, { prompt: 'agency', sync: false }, scopeOf(newId()));
    registry.workers.start(1);
    await expect.poll(drawn).toEqual(['agency', 'one', 'two']);
  });

  it('lets nobody starve: who has waited a minute longer goes before a plan with priority', async () => {
    await create(registry, { prompt: 'patient', sync: false }, owner);
    later(61_000);
    world.purse.allowance = { ...world.purse.allowance, plan: 'agency', priorityQueue: true };
    await create(registry, { prompt: 'agency', sync: false }, scopeOf(newId()));
    registry.workers.start(1);
    await expect.poll(drawn).toEqual(['patient', 'agency']);
  });

  it('is not filled by one tenant’s heap: a single job of another goes before most of it', async () => {
    for (let i = 0; i < 10; i++) await create(registry, { prompt: `heap ${i}`, sync: false }, owner);
    await create(registry, { prompt: 'single', sync: false }, scopeOf(newId()));
    registry.workers.start(1);
    await expect.poll(() => drawn().length, { timeout: 5_000 }).toBe(11);
    expect(drawn().indexOf('single')).toBeLessThan(5);
  });

  it('holds no more of a tenant than it may, also when all come at once, and says so before anything is held', async () => {
    const small = await world.open({ queuePerTenant: 5 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(small, { sync: false }, owner)));
    const refused = answers.filter(({ problem }) => problem);
    expect(refused.map(slug)).toEqual(Array(15).fill('rate_limited'));
    expect(refused[0]?.problem).toMatchObject({ retryable: true, retry_after: 5 });
    expect([world.purse.held.size, (await records(database.db)).length]).toEqual([5, 5]);
    expect((await create(small, { sync: false }, scopeOf(newId()))).data.state).toBe('QUEUED');
    await drain(world, database.db);
    expect((await create(small, { sync: false }, owner)).data.state).toBe('QUEUED');
    await small.close();
  });

  it('holds on to the money of a job that waits for longer than a reservation lasts', async () => {
    await create(registry, { sync: false, inputImage: PICTURE }, owner);
    const [before] = await records(database.db);
    later(61_000);
    world.purse.calls = [];
    await sweep(registry);
    const [after] = await records(database.db);
    expect(world.purse.calls).toEqual(['Reserve']);
    expect(Number(after?.openUntil)).toBeGreaterThan(Number(before?.openUntil) + 50_000);
    world.purse.calls = [];
    await sweep(registry);
    expect(world.purse.calls).toEqual([]);
    const [input] = world.assets.inputs.values();
    expect(Number(input?.expiresAt)).toBeGreaterThan(world.now().getTime() + 23.9 * 3_600_000);
  });
});

describe('a worker that dies', () => {
  it('loses its lease, and another finishes the job, without a step back', async () => {
    const { data } = await create(registry, { sync: false }, owner);
    const dying = interruptible(database.db);
    const dead = await world.open({}, dying.db);
    // It has claimed the job, and cannot end it.
    const { interrupted } = dying.interruptBefore(1);
    dead.workers.start(1);
    await interrupted;
    later(20_000);
    await drain(world, database.db);
    expect(await job(registry, data.id, owner)).toMatchObject({ state: 'COMPLETED', revision: 3 });
    const [record] = await records(database.db);
    expect([record?.attempts, record?.changes.length]).toEqual([2, 3]);
    await sound();
  });

  it('keeps its lease for as long as it gives signs of life', async () => {
    const quick = await world.open({ leaseSeconds: 1 });
    await create(quick, { sync: false }, owner);
    const { opened, open } = gate();
    world.provider.answer = async (request) => {
      await opened;
      return pictures(request);
    };
    quick.workers.start(1);
    const other = await world.open({ leaseSeconds: 1 });
    other.workers.start(1);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(world.provider.requests).toHaveLength(1);
    open();
    await quick.close();
    await other.close();
    await sound();
  });

  it('only seemed to: one that wakes up ends nothing and charges nothing more', async () => {
    const { data } = await create(registry, { sync: false }, owner);
    const { opened, open } = gate();
    const asleep = gate();
    world.provider.answer = async (request) => {
      asleep.open();
      await opened;
      return pictures(request).map((output) => ({ ...output, bytes: Buffer.from('another picture') }));
    };
    registry.workers.start(1);
    await asleep.opened;
    world.provider.answer = async (request) => pictures(request);
    later(20_000);
    await drain(world, database.db);
    const before = await job(registry, data.id, owner);
    open();
    await registry.close();
    expect(await job(registry, data.id, owner)).toEqual(before);
    await sound();
  });

  it('over the same job again and again takes the job with it: it is given up, and costs nothing', async () => {
    const { data } = await create(registry, { sync: false }, owner);
    const jobs = database.db.collection<JobDocument>(JOBS.name);
    await jobs.updateOne({ _id: data.id }, { $set: { attempts: 8 } });
    await drain(world, database.db);
    expect(await job(registry, data.id, owner)).toMatchObject({
      state: 'FAILED',
      error: expect.stringMatching(/given up/),
    });
    expect(world.provider.requests).toHaveLength(0);
    await sound();
  });

  it('is told to end: it finishes what it has, and takes nothing more', async () => {
    const { opened, open } = gate();
    const drawing = gate();
    world.provider.answer = async (request) => {
      drawing.open();
      await opened;
      return pictures(request);
    };
    for (let i = 0; i < 3; i++) await create(registry, { sync: false }, owner);
    registry.workers.start(1);
    await drawing.opened;
    const closing = registry.close();
    open();
    await closing;
    const states = (await records(database.db)).map(({ state }) => state).sort();
    expect(states).toEqual(['completed', 'queued', 'queued']);
  });
});

/** Everything that a job goes through, with a picture to go by. */
async function life(subgraph: RegistrySubgraph): Promise<void> {
  await create(subgraph, { sync: false, inputImage: PICTURE, idempotencyKey: 'life' }, owner);
  subgraph.workers.start(1);
  const ended = { state: { $in: ['completed', 'failed'] }, openUntil: { $exists: false } };
  await expect
    .poll(() => database.db.collection(JOBS.name).countDocuments(ended), { timeout: 5_000, interval: 10 })
    .toBe(1);
}

async function recover(): Promise<void> {
  later(120_000);
  await letRunOut(world, database.db);
  await drain(world, database.db, () => later(120_000));
}

describe('a process that dies', () => {
  it('before any call to its store is made up for', { timeout: 60_000 }, async () => {
    let points = 0;
    for (let call = 0; ; call++) {
      await clear(database.db);
      world = openWorld(database.db, BALANCE);
      const dying = interruptible(database.db);
      const subgraph = await world.open({}, dying.db);
      const { interrupted } = dying.interruptBefore(call);
      const ended = await Promise.race([life(subgraph).then(() => true), interrupted.then(() => false)]);
      if (ended) {
        await subgraph.close();
        break;
      }
      points += 1;
      await recover();
      await sound();
      expect((await records(database.db)).length).toBeLessThanOrEqual(1);
    }
    expect(points).toBeGreaterThan(4);
  });

  it.each(['before', 'after'] as const)(
    '%s anything it asks of billing, images or the provider is made up for',
    { timeout: 60_000 },
    async (when) => {
      let points = 0;
      for (let step = 0; ; step++) {
        await clear(database.db);
        world = openWorld(database.db, BALANCE);
        let left = step;
        const dead = gate();
        const hang = async (at: string) => {
          if (at !== when || left-- !== 0) return;
          dead.open();
          await new Promise(() => {});
        };
        world.purse.around = hang;
        world.assets.around = hang;
        world.provider.answer = async (request) => {
          await hang('before');
          const output = pictures(request);
          await hang('after');
          return output;
        };
        const subgraph = await world.open();
        const ended = await Promise.race([life(subgraph).then(() => true), dead.opened.then(() => false)]);
        world.purse.around = async () => {};
        world.assets.around = async () => {};
        if (ended) {
          await subgraph.close();
          break;
        }
        points += 1;
        await recover();
        await sound();
      }
      expect(points).toBe(6);
    },
  );
});

describe('deleting', () => {
  it.each([
    ['that waits', async () => {}],
    ['that is done', () => drain(world, database.db)],
  ])('a job %s takes it and all it holds, at once', async (_when, before) => {
    const { data } = await create(registry, { sync: false, inputImage: PICTURE }, owner);
    await before();
    const charged = world.purse.charged.get(data.id);
    expect((await remove(registry, data.id, owner)).data.deleteJob).toEqual({ id: data.id, deleted: true });
    expect(await records(database.db)).toEqual([]);
    expect([world.assets.kept.size, world.assets.inputs.size, world.purse.held.size]).toEqual([0, 0, 0]);
    expect(world.purse.charged.get(data.id)).toBe(charged);
    expect(await job(registry, data.id, owner)).toBeNull();
    expect(slug(await remove(registry, data.id, owner))).toBe('not_found');
  });

  it('a job that is being drawn makes it invisible at once; the worker clears away what is left', async () => {
    const { opened, open } = gate();
    const drawing = gate();
    world.provider.answer = async (request) => {
      drawing.open();
      await opened;
      return pictures(request);
    };
    const { data } = await create(registry, { sync: false, inputImage: PICTURE }, owner);
    registry.workers.start(1);
    await drawing.opened;
    await remove(registry, data.id, owner);
    expect(await job(registry, data.id, owner)).toBeNull();
    expect(world.assets.inputs.size).toBe(0);
    expect(JSON.stringify(await records(database.db))).not.toContain('a lake');
    open();
    await registry.close();
    expect(await records(database.db)).toEqual([]);
    expect([world.assets.kept.size, world.purse.held.size, world.purse.charged.size]).toEqual([0, 0, 0]);
  });

  it('by a process that dies anywhere is finished', { timeout: 30_000 }, async () => {
    for (let call = 0; ; call++) {
      const { data } = await create(registry, { sync: false, inputImage: PICTURE }, owner);
      const dying = interruptible(database.db);
      const subgraph = await world.open({}, dying.db);
      const { interrupted } = dying.interruptBefore(call);
      const attempt = remove(subgraph, data.id, owner).then(() => true);
      const ended = await Promise.race([attempt, interrupted.then(() => false)]);
      const [left] = await records(database.db);
      if (left && !left.erasing) await remove(registry, data.id, owner);
      await sweep(registry);
      expect(await records(database.db)).toEqual([]);
      expect([world.assets.kept.size, world.assets.inputs.size, world.purse.held.size]).toEqual([0, 0, 0]);
      if (ended) break;
    }
  });
});

describe('retention', () => {
  it('keeps a job, and its picture, for as long as it is told, and inputs for a while after its end', async () => {
    const { data } = await create(registry, { sync: false, inputImage: PICTURE }, owner);
    await drain(world, database.db);
    const [input] = world.assets.inputs.values();
    const hours = (Number(input?.expiresAt) - world.now().getTime()) / 3_600_000;
    expect(hours).toBeGreaterThan(23.9);
    expect(hours).toBeLessThanOrEqual(24);
    const kept = world.assets.kept.get(data.id);
    const days = (Number(kept?.expiresAt) - world.now().getTime()) / 86_400_000;
    expect(days).toBeGreaterThan(29.9);
    later(29.9 * 86_400_000);
    await sweep(registry);
    expect((await job(registry, data.id, owner)).state).toBe('COMPLETED');
    later(0.2 * 86_400_000);
    await sweep(registry);
    expect(await records(database.db)).toEqual([]);
    expect(world.assets.kept.size).toBe(0);
  });
});

describe('variations', () => {
  it('are jobs of their own with seeds one after the other, each for a credit, taken up front', async () => {
    const { data } = await create(registry, { sync: false, prompt: 'a harbour', aspectRatio: '16:9' }, owner);
    expect((await vary(registry, { jobId: data.id }, owner)).problem).toMatchObject({ error: 'validation_error' });
    await drain(world, database.db);
    const before = world.purse.balance;
    const varied = await vary(
      registry,
      { jobId: data.id, count: 4, seed: 2_147_483_646, variationStrength: 0.3 },
      owner,
    );
    expect(varied.data).toHaveLength(4);
    expect(world.purse.balance).toBe(before - 4);
    await drain(world, database.db);
    const seeds = await Promise.all(
      varied.data.map(async ({ id }: { id: string }) => (await job(registry, id, owner)).seedUsed),
    );
    expect(seeds).toEqual([2_147_483_646, 2_147_483_647, 0, 1]);
    const asked = world.provider.requests.slice(-4);
    expect(asked.map(({ references, params }) => [references.length, params['strength']])).toEqual(
      Array(4).fill([1, 0.3]),
    );
    await sound();
  });

  it('without a word are one, at 0.7, with a seed of our choice', async () => {
    const { data } = await create(registry, { sync: false }, owner);
    await drain(world, database.db);
    const varied = await vary(registry, { jobId: data.id }, owner);
    expect(varied.data).toHaveLength(1);
    await drain(world, database.db);
    expect(world.provider.requests.at(-1)?.params['strength']).toBe(0.7);
    expect((await job(registry, varied.data[0].id, owner)).seedUsed).toEqual(expect.any(Number));
  });

  it('that cannot all be paid for are none, and what fails is given back', async () => {
    const { data } = await create(registry, { sync: false }, owner);
    await drain(world, database.db);
    world.purse.balance = 3;
    expect(slug(await vary(registry, { jobId: data.id, count: 4 }, owner))).toBe('budget_exhausted');
    expect([world.purse.balance, world.purse.held.size, (await records(database.db)).length]).toEqual([3, 0, 1]);
    const varied = await vary(registry, { jobId: data.id, count: 3 }, owner);
    expect(world.purse.balance).toBe(0);
    // Whoever takes the same job over fails too: a lease of a second may run out on a busy machine.
    let nth = 0;
    let unlucky: number | null | undefined;
    world.provider.answer = async (request) => {
      if (nth++ === 1) unlucky = request.seed;
      if (unlucky !== undefined && request.seed === unlucky) throw new ProviderFailure('failed');
      return pictures(request);
    };
    await drain(world, database.db);
    expect(varied.data).toHaveLength(3);
    expect(world.purse.balance).toBe(1);
  });
});
