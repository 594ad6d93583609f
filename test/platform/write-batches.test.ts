/** Writes that go together: each is durable when it is acknowledged, and fails on its own. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isDuplicateKey } from '../../platform/mongo/store.js';
import { WriteBatches } from '../../platform/mongo/write-batches.js';
import { openDatabase, type TestDatabase } from '../support/database.js';

interface Thing {
  _id: string;
  weight: number;
}

let database: TestDatabase;
const things = () => database.db.collection<Thing>('things');
beforeAll(async () => {
  database = await openDatabase();
  await things().insertOne({ _id: 'taken', weight: 1 });
});
afterAll(() => database?.close());

const insert = (_id: string) => ({ insertOne: { document: { _id, weight: 0 } } });
const add = (_id: string) => ({ updateOne: { filter: { _id }, update: { $inc: { weight: 1 } } } });

it('sends what comes while others are under way in one command', async () => {
  const batches = new WriteBatches(things());
  const names = Array.from({ length: 40 }, (_, n) => `many-${n}`);
  const commands = await database.commandsOf(() => Promise.all(names.map((name) => batches.write(insert(name)))));
  expect(await things().countDocuments({ _id: { $in: names } })).toBe(40);
  // Two on their own, and the other 38 behind whichever is back first.
  expect(commands).toHaveLength(3);
});

it('refuses the one that the engine refuses, and no other', async () => {
  const batches = new WriteBatches(things());
  const results = await Promise.allSettled(['a', 'b', 'c', 'taken', 'd'].map((name) => batches.write(insert(name))));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(results.filter((result) => result.status === 'rejected' && isDuplicateKey(result.reason))).toHaveLength(1);
  expect(await things().countDocuments({ _id: { $in: ['a', 'b', 'c', 'd'] } })).toBe(4);
});

it('says that an update found nothing, at least that one in its batch did not', async () => {
  const batches = new WriteBatches(things());
  const [first, second, found, missed] = await Promise.all(
    ['taken', 'taken', 'taken', 'nobody'].map((name) => batches.write(add(name))),
  );
  expect([first, second]).toEqual([true, true]);
  expect([found, missed]).toEqual([false, false]);
  expect(await things().findOne({ _id: 'taken' })).toEqual({ _id: 'taken', weight: 4 });
});

it('fails the write whose command fails', async () => {
  const batches = new WriteBatches(things());
  const broken = { updateOne: { filter: { _id: 'taken' }, update: { $nonsense: { weight: 1 } } } } as never;
  const results = await Promise.allSettled([batches.write(broken), batches.write(add('taken'))]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});
