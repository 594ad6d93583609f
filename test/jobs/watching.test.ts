/** What subscriptions about jobs are read from, on the real engine. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalEvents } from '../../platform/events.js';
import type { ChangeSource } from '../../platform/graph/changes.js';
import { newId } from '../../platform/ids.js';
import type { JobEvent } from '../../subgraphs/registry/job/job.event.js';
import { JobState } from '../../subgraphs/registry/job/job.model.js';
import type { RegistrySubgraph } from '../../subgraphs/registry/subgraph.js';
import { openRegistry, scopeOf } from '../registry/support/registry.js';
import { openDatabase, stagesOf, type TestDatabase } from '../support/database.js';
import { COMPLETED, type JobWriter, jobWriter, PROCESSING, resultOf } from '../support/jobs.js';

let database: TestDatabase;
let events: LocalEvents;
let registry: RegistrySubgraph;
let jobs: JobWriter;
let quiet: JobWriter;

beforeAll(async () => {
  database = await openDatabase();
  events = new LocalEvents();
  registry = await openRegistry(database.db, { events });
  jobs = jobWriter(database.db, events);
  quiet = jobWriter(database.db);
});

afterAll(async () => {
  await registry?.close();
  await database?.close();
});

async function pull(field: 'jobUpdated' | 'jobsUpdated', owner: string, after: string | null, args = {}) {
  const source = registry.sources?.[field] as unknown as ChangeSource<object>;
  const changes = await source(args, registry.context(scopeOf(owner)), after);
  const values = changes.values as JobEvent[];
  return { ...changes, seen: values.map(({ job, revision }) => `${job.id.slice(-12)} ${revision} ${job.state}`) };
}

const seenAs = (id: string, revision: number, state: JobState) => `${id.slice(-12)} ${revision} ${state}`;

describe('one job', () => {
  it('is shown as it was at each change, without what came later', async () => {
    const owner = newId();
    const id = await jobs.add(owner);
    const first = await pull('jobUpdated', owner, null, { id });
    await jobs.move(id, PROCESSING);
    await jobs.move(id, COMPLETED, resultOf({}));
    const rest = await pull('jobUpdated', owner, first.cursor, { id });
    expect(rest).toMatchObject({ ended: true, topic: `job:${id}` });
    expect(rest.seen).toEqual([seenAs(id, 2, PROCESSING), seenAs(id, 3, COMPLETED)]);
    const [processing, completed] = rest.values as JobEvent[];
    expect(processing?.job).toMatchObject({ image: null, assetUrl: null, completedAt: null, seedUsed: null });
    expect(completed?.job.image).not.toBeNull();
  });

  it('has nothing new after its cursor, and no end, while nothing changes', async () => {
    const owner = newId();
    const id = await jobs.add(owner);
    const { cursor } = await pull('jobUpdated', owner, null, { id });
    expect(await pull('jobUpdated', owner, cursor, { id })).toMatchObject({ values: [], cursor, ended: false });
  });
});

describe('all jobs of an owner', () => {
  it('are each shown every change exactly once, in order, whenever one looks', async () => {
    const owner = newId();
    const ended = await jobs.add(owner);
    await jobs.move(ended, COMPLETED, resultOf({}));
    const under = await jobs.add(owner);
    let { cursor, seen } = await pull('jobsUpdated', owner, null);
    expect(seen).toEqual([seenAs(under, 1, JobState.QUEUED)]);
    const all: string[] = [];
    let writing = true;
    const looking = (async () => {
      for (;;) {
        const last = !writing;
        ({ cursor, seen } = await pull('jobsUpdated', owner, cursor));
        all.push(...seen);
        if (last) return;
        await pause(3);
      }
    })();
    const made = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const id = await jobs.add(owner);
        await jobs.move(id, PROCESSING);
        if (Math.random() < 0.5) await pause(2);
        await jobs.move(id, COMPLETED, resultOf({}));
        return id;
      }),
    );
    await jobs.move(under, COMPLETED, resultOf({}));
    writing = false;
    await looking;
    const of = (id: string) => all.filter((line) => line.startsWith(id.slice(-12)));
    for (const id of made) {
      expect(of(id)).toEqual([JobState.QUEUED, PROCESSING, COMPLETED].map((state, i) => seenAs(id, i + 1, state)));
    }
    expect(of(under)).toEqual([seenAs(under, 2, COMPLETED)]);
    expect(of(ended)).toEqual([]);
    // What ended longer ago than is looked at again is not carried along.
    expect(cursor.length).toBeLessThan(3_000);
  });

  it('leave out what is deleted', async () => {
    const owner = newId();
    const id = await jobs.add(owner);
    const { cursor } = await pull('jobsUpdated', owner, null);
    await jobs.move(id, PROCESSING);
    await jobs.remove(id);
    expect((await pull('jobsUpdated', owner, cursor)).seen).toEqual([]);
    expect((await pull('jobsUpdated', owner, null)).seen).toEqual([]);
  });
});

it('news is told of at once here, soon when another process said nothing, and once', async () => {
  const heard: string[] = [];
  const stop = registry.follow?.({ heard: (topic) => heard.push(topic), missed: () => heard.push('missed') });
  const owner = newId();
  const told = await jobs.add(owner);
  expect(heard).toEqual([`job:${told}`, `jobs:${owner}`]);
  const untold = await quiet.add(owner);
  await expect.poll(() => heard.includes(`job:${untold}`), { timeout: 5_000 }).toBe(true);
  await pause(1_500);
  expect(heard.filter((topic) => topic === `job:${untold}`)).toHaveLength(1);
  expect(heard.filter((topic) => topic === `job:${told}`)).toHaveLength(1);
  stop?.();
  const before = heard.length;
  await quiet.move(untold, PROCESSING);
  await pause(200);
  expect(heard.length).toBe(before);
});

it('nothing of it goes through a whole collection', async () => {
  const owner = newId();
  const id = await jobs.add(owner);
  const one = await pull('jobUpdated', owner, null, { id });
  const all = await pull('jobsUpdated', owner, null);
  await jobs.move(id, PROCESSING);
  const commands = await database.commandsOf(async () => {
    await pull('jobUpdated', owner, null, { id });
    await pull('jobUpdated', owner, one.cursor, { id });
    await pull('jobsUpdated', owner, null);
    await pull('jobsUpdated', owner, all.cursor);
    const stop = registry.follow?.({ heard: () => {}, missed: () => {} });
    await pause(200);
    stop?.();
  });
  const finds = commands.filter((command) => 'find' in command);
  expect(finds.length).toBeGreaterThan(6);
  for (const find of finds) {
    const stages = stagesOf(await database.explain(find));
    expect(stages, JSON.stringify(find)).not.toContain('COLLSCAN');
    expect(stages, JSON.stringify(find)).not.toContain('SORT');
  }
});
