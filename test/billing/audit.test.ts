/** That the audit finds what does not add up, and that operators can run it wherever the data is. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { lockDataDir } from '../../platform/embedded/lock.js';
import { newId } from '../../platform/ids.js';
import type { Holder } from '../../subgraphs/billing/account/payers.js';
import { launch } from '../support/process.js';
import { openWorld, somebody, type World } from './support/world.js';

const PROGRAM = resolve(import.meta.dirname, '../../dist/tools/audit-ledger.js');

let world: World;
let person: Holder;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

/** Somebody who was charged, and holds something. */
beforeEach(async () => {
  await Promise.all([world.store.accounts.deleteMany({}), world.store.entries.deleteMany({})]);
  const { payer, ...holder } = somebody(world.clock.now());
  person = holder;
  const { spending } = world.engine;
  for (const runId of [newId(), newId()]) {
    await spending.reserve({ runId, payer, unit: 'usd_micros', amount: 1_000, purpose: 'generation' });
    if ((await world.store.entries.countDocuments({ kind: 'charge' })) > 0) continue;
    await spending.settle(payer, runId, 1_500);
    await world.engine.ledger.flush();
  }
  await world.recover();
  expect(await world.audit()).toEqual([]);
});

const change = (update: object) => world.store.accounts.updateOne({ _id: person.userId }, update);

it.each<[string, () => Promise<unknown>, RegExp]>([
  [
    'money from nowhere',
    () => change({ $inc: { 'pots.0.remaining': 1 } }),
    /pots and reservations are 4999001 .* 4999000/,
  ],
  ['a reservation that nobody made', () => change({ $set: { reservations: [] } }), /reservations are 0 .* 1000/],
  ['a debt that was forgotten', () => change({ $set: { 'owed.usd_micros': 0 } }), /owed is 0 .* 500/],
  ['a part of a reservation', () => change({ $inc: { 'reservations.0.parts.0.amount': -1 } }), /not held in full/],
  ['a pot below zero', () => change({ $set: { 'pots.1.remaining': -1 } }), /has -1/],
  ['an entry that is lost', () => world.store.entries.deleteOne({ kind: 'hold' }), /of 5 entries/],
  [
    'a charge that was altered',
    () => world.store.entries.updateOne({ kind: 'charge' }, { $inc: { amount: 1 } }),
    /4999001/,
  ],
])('finds %s', async (_name, tamper, finding) => {
  await tamper();
  expect((await world.audit()).join('\n')).toMatch(finding);
});

it('an account whose entries the ledger refuses keeps no other waiting', async () => {
  const { payer, ...other } = somebody(world.clock.now());
  await world.engine.spending.reserve({ runId: newId(), payer, unit: 'credits', amount: 1, purpose: 'job' });
  await world.engine.ledger.flush();
  // A second charge of one run, as only a defect could make it.
  const charge = await world.store.entries.findOne({ kind: 'charge' });
  const twice = { ...charge, _id: newId() };
  await change({ $set: { outbox: [twice], outboxSince: new Date(0) }, $inc: { seq: 1 } });
  await world.engine.ledger.tidy(new AbortController().signal, 0);
  expect(await world.store.accounts.findOne({ _id: other.userId })).toMatchObject({ outbox: [] });
  expect(await world.store.accounts.findOne({ _id: person.userId })).toMatchObject({ outbox: [{ _id: twice._id }] });
  expect((await world.audit()).join('\n')).toMatch(person.userId);
});

async function run(env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const { exited, output } = launch([], { MONGODB_DATABASE: 'billing', ...env }, PROGRAM);
  return { code: await exited, output: output() };
}

it('runs against an address, and says by its exit code whether all is well', async () => {
  const env = { MONGODB_URL: world.mongoUrl };
  expect(await run(env)).toEqual({ code: 0, output: '1 accounts, all of which add up\n' });
  await world.store.accounts.updateOne({ _id: person.userId }, { $inc: { 'pots.0.remaining': 1 } });
  const { code, output } = await run(env);
  expect([code, output]).toEqual([1, expect.stringContaining(person.userId)]);
});

it('runs against a data directory, in use or not', async () => {
  // As the process does that runs the platform.
  const lock = await lockDataDir(world.dataDir);
  expect(await run({ DATA_DIR: world.dataDir })).toEqual({ code: 0, output: '1 accounts, all of which add up\n' });
  await lock.release();
  await world.closeEngine();
  expect(await run({ DATA_DIR: world.dataDir })).toEqual({ code: 0, output: '1 accounts, all of which add up\n' });
});
