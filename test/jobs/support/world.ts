/** Jobs over a real engine: peers in memory, a provider that tests direct, and as many workers as a test starts. */
import type { Db } from 'mongodb';
import { expect } from 'vitest';
import { LocalEvents } from '../../../platform/events.js';
import type { Scope } from '../../../platform/scope.js';
import { JOBS, type JobDocument, JobState } from '../../../subgraphs/registry/job/job.model.js';
import type { JobSettings } from '../../../subgraphs/registry/job/jobs.js';
import type { RegistrySubgraph } from '../../../subgraphs/registry/subgraph.js';
import { openAssets, openPurse, type TestAssets, type TestPurse } from '../../registry/support/peers.js';
import {
  type Answer,
  ask,
  openRegistry,
  scopeOf,
  type TestProvider,
  testProvider,
} from '../../registry/support/registry.js';

const FIELDS = `id state revision qualityTier modelId originalPrompt finalPrompt enhancementLogic assetUrl presetUrl
  bgRemovedUrl image { id } outputFormat seedUsed error credits createdAt completedAt`;
const CREATE = `mutation ($input: CreateJobInput!) { createJob(input: $input) { job { ${FIELDS} } } }`;
const VARY = `mutation ($input: CreateVariationsInput!) { createVariations(input: $input) { jobs { ${FIELDS} } } }`;
const DELETE = 'mutation ($input: DeleteJobInput!) { deleteJob(input: $input) { id deleted } }';
const JOB = `query ($id: ID!) { job(id: $id) { ${FIELDS} } }`;

export const SETTINGS: JobSettings = {
  publicUrl: 'http://here',
  retentionDays: 30,
  inputsHours: 24,
  queuePerTenant: 100,
  leaseSeconds: 15,
  lookEveryMs: 1_000,
};

export interface World {
  purse: TestPurse;
  assets: TestAssets;
  provider: TestProvider;
  /** How far the clock of everything that is opened is ahead. */
  ahead: number;
  open(settings?: Partial<JobSettings>, db?: Db): Promise<RegistrySubgraph>;
  now(): Date;
}

export function openWorld(db: Db, balance = 1_000): World {
  const world: World = {
    purse: openPurse(balance),
    assets: openAssets(),
    provider: testProvider(),
    ahead: 0,
    open: (settings = {}, of = db) =>
      openRegistry(of, {
        provider: world.provider,
        peers: { billing: world.purse.billing, assets: world.assets },
        events: new LocalEvents(),
        jobSettings: { ...SETTINGS, ...settings },
        now: world.now,
      }),
    now: () => new Date(Date.now() + world.ahead),
  };
  // As billing holds: for two minutes.
  world.purse.expiresAt = () => new Date(world.now().getTime() + 120_000);
  return world;
}

export async function create(to: RegistrySubgraph, input: object, scope: Scope): Promise<Answer> {
  const { data, problem } = await ask(to, CREATE, { input: { prompt: 'a lake', ...input } }, scope);
  return { data: data?.createJob?.job, problem };
}

export async function vary(to: RegistrySubgraph, input: object, scope: Scope): Promise<Answer> {
  const { data, problem } = await ask(to, VARY, { input }, scope);
  return { data: data?.createVariations?.jobs, problem };
}

export function remove(to: RegistrySubgraph, id: string, scope: Scope): Promise<Answer> {
  return ask(to, DELETE, { input: { id } }, scope);
}

export async function job(to: RegistrySubgraph, id: string, scope: Scope): Promise<Answer['data']> {
  return (await ask(to, JOB, { id }, scope)).data.job;
}

export function records(db: Db): Promise<JobDocument[]> {
  return db.collection<JobDocument>(JOBS.name).find().sort({ _id: 1 }).toArray();
}

export function clear(db: Db): Promise<unknown> {
  return db.collection(JOBS.name).deleteMany({});
}

export async function sweep(subgraph: RegistrySubgraph): Promise<void> {
  const { signal } = new AbortController();
  for (const task of subgraph.tasks) if (/job/.test(task.name)) await task.run(signal);
}

/** A new process draws everything that waits or was left, and then looks after what is left to do. */
export async function drain(world: World, db: Db, then: () => void = () => undefined): Promise<void> {
  const registry = await world.open({ leaseSeconds: 1 });
  registry.workers.start(4);
  const open = { state: { $in: [JobState.QUEUED, JobState.PROCESSING] }, erasing: { $exists: false } };
  await expect.poll(() => db.collection(JOBS.name).countDocuments(open), { timeout: 20_000, interval: 20 }).toBe(0);
  then();
  await sweep(registry);
  await registry.close();
}

/** Each job charged once and with its picture, or free and without; nothing held, nothing kept for nobody. */
export async function expectSound({ purse, assets }: World, db: Db, start: number): Promise<void> {
  const jobs = await records(db);
  const byId = new Map(jobs.map((record) => [record._id, record]));
  expect(jobs.filter(({ openUntil, payer, leaseUntil, rank }) => openUntil ?? payer ?? leaseUntil ?? rank)).toEqual([]);
  expect([...purse.held]).toEqual([]);
  const charged = [...purse.charged.values()].reduce((sum, amount) => sum + amount, 0);
  expect(purse.balance).toBe(start - charged);
  for (const { _id, state, cost, result, failure, changes } of jobs) {
    const states = changes.map((change) => change.state);
    if (state === JobState.COMPLETED) {
      expect([purse.charged.get(_id), result !== null, failure]).toEqual([cost, true, null]);
      expect([assets.kept.has(_id), states]).toEqual([true, ['queued', 'processing', 'completed']]);
    } else {
      expect([purse.charged.get(_id), result, failure !== null]).toEqual([undefined, null, true]);
      expect(states.at(-1)).toBe(state);
    }
  }
  for (const id of assets.kept.keys()) expect(byId.get(id)?.state, `what is kept of ${id}`).toBe('completed');
  for (const key of assets.inputs.keys()) expect(byId.has(key.slice(0, 36)), `input ${key}`).toBe(true);
}

/** What ran out by itself since: reservations and inputs of jobs that were never put on record. */
export async function letRunOut({ purse, assets }: World, db: Db): Promise<void> {
  const known = new Set((await records(db)).map(({ _id }) => _id));
  for (const [id, amount] of purse.held) {
    if (known.has(id)) continue;
    purse.held.delete(id);
    purse.balance += amount;
  }
  for (const key of assets.inputs.keys()) if (!known.has(key.slice(0, 36))) assets.inputs.delete(key);
}

export { scopeOf };
