import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { ensureIndexes } from '../../platform/mongo/store.js';
import { JOBS, type JobDocument } from '../../subgraphs/registry/job/job.model.js';
import { jobTotalsLoader } from '../../subgraphs/registry/tenant/job-totals.js';
import { openDatabase, stagesOf, type TestDatabase } from '../support/database.js';

const mine = newId();
const idle = newId();
let database: TestDatabase;

beforeAll(async () => {
  database = await openDatabase();
  await ensureIndexes(database.db, [JOBS]);
  const states = ['queued', 'processing', 'processing', 'completed', 'completed', 'completed', 'failed_encoding'];
  const jobs = [...states.map((state) => ({ owner: mine, state })), { owner: newId(), state: 'completed' }];
  await database.db
    .collection<JobDocument>(JOBS.name)
    .insertMany(jobs.map((job) => ({ _id: newId(), changedAt: new Date(), ...job })) as unknown as JobDocument[]);
});
afterAll(() => database?.close());

it('counts the jobs of several tenants by state with one command, and reads none of them', async () => {
  const loader = jobTotalsLoader(database.db);
  let totals: unknown;
  const commands = await database.commandsOf(async () => {
    totals = await loader.loadMany([mine, idle]);
  });
  expect(totals).toEqual([
    { total: 7, queued: 1, processing: 2, completed: 3, failed: 0, failedEncoding: 1 },
    { total: 0, queued: 0, processing: 0, completed: 0, failed: 0, failedEncoding: 0 },
  ]);
  expect(commands).toHaveLength(1);
  const plan = await database.explain(commands[0] ?? {});
  expect(stagesOf(plan)).toContain('IXSCAN');
  expect(stagesOf(plan)).not.toContain('COLLSCAN');
  expect(stagesOf(plan)).not.toContain('FETCH');
});
