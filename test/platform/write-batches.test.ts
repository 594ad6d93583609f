/** Writes that go together: each is durable when it is acknowledged, and fails on its own. */
import { type Db, type Document, MongoError } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isDuplicateKey } from '../../platform/mongo/store.js';
import { WriteBatches } from '../../platform/mongo/write-batches.js';
import { openDatabase, type TestDatabase } from '../support/database.js';

interface Thing {
  _id: string;
  weight: number;
}

let database: TestDatabase;
const things = () => database.db.collection<Thing>('things');
const others = () => database.db.collection<Thing>('others');
beforeAll(async () => {
  database = await openDatabase();
});
afterAll(() => database?.close());
beforeEach(async () => {
  await Promise.all([things().deleteMany({}), others().deleteMany({})]);
  await things().insertOne({ _id: 'taken', weight: 1 });
});

/** A server that knows nothing of writing to many collections at once, as MongoDB before version 8. */
function older(db: Db): Db {
  const command = async (asked: Document) => {
    if (!('bulkWrite' in asked)) return db.admin().command(asked);
    const error = new MongoError('no such command: bulkWrite');
    error.code = 59;
    throw error;
  };
  return new Proxy(db, {
    get: (_, name) => (name === 'admin' ? () => ({ command }) : Reflect.get(db, name)),
  });
}

const thing = (_id: string) => ({ insert: { _id, weight: 0 } });
const heavier = (_id: string) => ({ filter: { _id }, update: { $inc: { weight: 1 } } });

it('sends what comes at once, and what comes while others are under way, in one command, whatever it is about', async () => {
  const batches = WriteBatches.of(database.db);
  expect(WriteBatches.of(database.db)).toBe(batches);
  const names = Array.from({ length: 40 }, (_, n) => `many-${n}`);
  const commands = await database.commandsOf(() =>
    Promise.all(names.map((name, n) => batches.write(n % 2 ? things() : others(), thing(name)))),
  );
  expect(await things().countDocuments({ _id: { $in: names } })).toBe(20);
  expect(await others().countDocuments({ _id: { $in: names } })).toBe(20);
  expect(commands).toHaveLength(1);
  const later = await database.commandsOf(async () => {
    const first = batches.write(things(), thing('first'));
    await new Promise((resolve) => setImmediate(resolve));
    const more = ['second', 'third'].map((name) => batches.write(things(), thing(name)));
    await Promise.all([first, ...more]);
  });
  expect(later.map(({ ops }) => ops.length)).toEqual([1, 2]);
});

describe.each([
  ['a server', (db: Db) => db],
  ['an older server', older],
])('%s', (_, serverOf) => {
  const open = () => new WriteBatches(serverOf(database.db));

  it('refuses the one that it refuses, and no other', async () => {
    const batches = open();
    const names = ['a', 'b', 'c', 'taken', 'd'];
    const results = await Promise.allSettled(names.map((name) => batches.write(things(), thing(name))));
    const [, , , taken] = results;
    expect(results.map(({ status }) => status)).toEqual(names.map((n) => (n === 'taken' ? 'rejected' : 'fulfilled')));
    expect(taken?.status === 'rejected' && isDuplicateKey(taken.reason)).toBe(true);
    expect(await things().countDocuments({ _id: { $in: names } })).toBe(5);
  });

  it('says of each update whether it found its document', async () => {
    const batches = open();
    const names = ['taken', 'nobody', 'taken', 'taken', 'nobody'];
    const found = await Promise.all(names.map((name) => batches.write(things(), heavier(name))));
    expect(found).toEqual(names.map((name) => name === 'taken'));
    expect(await things().find().toArray()).toEqual([{ _id: 'taken', weight: 4 }]);
  });

  it('makes one update of what many want of one document at the same time, which finds it for all of them or for none', async () => {
    const batches = open();
    const asked: number[][] = [];
    const heavierBy = (of: string, part: number, most: number) =>
      batches.share<Thing, number>(things(), {
        of,
        part,
        update: (parts) => {
          asked.push([...parts]);
          const sum = parts.reduce((a, b) => a + b, 0);
          return { filter: { _id: of, weight: { $lte: most - sum } }, update: { $inc: { weight: sum } } };
        },
      });
    await things().insertOne({ _id: 'other', weight: 0 });
    const found = await Promise.all([
      heavierBy('taken', 1, 10),
      heavierBy('other', 20, 30),
      heavierBy('taken', 2, 10),
      heavierBy('other', 20, 30),
      heavierBy('taken', 3, 10),
    ]);
    expect(asked).toEqual([
      [1, 2, 3],
      [20, 20],
    ]);
    expect(found).toEqual([true, false, true, false, true]);
    expect(
      await things()
        .find({}, { sort: { _id: 1 } })
        .toArray(),
    ).toEqual([
      { _id: 'other', weight: 0 },
      { _id: 'taken', weight: 7 },
    ]);
  });

  it('tells everybody who shares an update that it failed, and nobody else', async () => {
    const batches = open();
    const upserted = (of: string) =>
      batches.share<Thing, number>(things(), {
        of,
        part: 1,
        update: () => ({ filter: { _id: of, weight: -1 }, update: { $inc: { weight: 1 } }, upsert: true }),
      });
    const results = await Promise.allSettled([
      upserted('taken'),
      batches.write(things(), thing('a')),
      upserted('taken'),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected']);
    for (const result of [results[0], results[2]])
      expect(result?.status === 'rejected' && isDuplicateKey(result.reason)).toBe(true);
  });

  it('puts a whole document in the place of another, under its condition', async () => {
    const batches = open();
    const replace = (weight: number) => ({ filter: { _id: 'taken', weight }, update: { _id: 'taken', weight: 9 } });
    expect(await batches.write(things(), replace(2))).toBe(false);
    expect(await batches.write(things(), replace(1))).toBe(true);
    expect(await things().findOne()).toEqual({ _id: 'taken', weight: 9 });
  });

  it('makes what it does not find, where that is asked for', async () => {
    const batches = open();
    expect(await batches.write(things(), { ...heavier('fresh'), upsert: true })).toBe(true);
    expect(await things().findOne({ _id: 'fresh' })).toEqual({ _id: 'fresh', weight: 1 });
    const elsewhere = { filter: { _id: 'taken', weight: 7 }, update: { $inc: { weight: 1 } }, upsert: true };
    const refused = await batches.write(things(), elsewhere).catch((error: unknown) => error);
    expect(isDuplicateKey(refused)).toBe(true);
  });

  it('fails what it does not understand, and goes on', async () => {
    const batches = open();
    const broken = { filter: { _id: 'taken' }, update: { $nonsense: { weight: 1 } } };
    const results = await Promise.allSettled([
      batches.write(things(), broken),
      batches.write(things(), heavier('taken')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(await batches.write(things(), heavier('taken'))).toBe(true);
  });
});

it('does not let a slow command hold up what comes after it', async () => {
  const { db } = database;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let first = true;
  const command = async (...args: Parameters<Db['command']>) => {
    if (first) {
      first = false;
      await held;
    }
    return db.admin().command(...args);
  };
  const slow = new Proxy(db, { get: (_, name) => (name === 'admin' ? () => ({ command }) : Reflect.get(db, name)) });
  const batches = new WriteBatches(slow);
  const stuck = batches.write(things(), thing('stuck'));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await batches.write(things(), thing('quick'));
  expect(await things().countDocuments({ _id: { $in: ['stuck', 'quick'] } })).toBe(1);
  release();
  await stuck;
  expect(await things().countDocuments({ _id: { $in: ['stuck', 'quick'] } })).toBe(2);
});

it('fails all that went together when the command fails as a whole', async () => {
  const { db } = database;
  const command = async () => {
    throw new MongoError('connection lost');
  };
  const lost = new Proxy(db, { get: (_, name) => (name === 'admin' ? () => ({ command }) : Reflect.get(db, name)) });
  const batches = new WriteBatches(lost);
  const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => batches.write(things(), thing(name))));
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(await things().countDocuments()).toBe(1);
});
