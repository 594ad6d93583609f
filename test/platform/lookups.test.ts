/** Look-ups of many requests that go together: few commands, and each is answered as if it had asked alone. */
import { type Collection, type Db, type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Lookups } from '../../platform/mongo/lookups.js';
import { openDatabase, type TestDatabase } from '../support/database.js';

interface Thing {
  _id: string;
  hash: string;
  weight: number;
}

const COUNT = 450;
const thing = (n: number): Thing => ({ _id: `t${n}`, hash: `h${n}`, weight: n });
const everyId = Array.from({ length: COUNT }, (_, n) => `t${n}`);

let database: TestDatabase;
const things = () => database.db.collection<Thing>('things');
beforeAll(async () => {
  database = await openDatabase();
  await things().insertMany(Array.from({ length: COUNT }, (_, n) => thing(n)));
  await things().createIndex({ hash: 1 }, { unique: true });
});
afterAll(() => database?.close());

const turn = () => new Promise((resolve) => setImmediate(resolve));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const findAll = <T extends Document>(lookups: Lookups<Thing, T>, keys: readonly string[]) =>
  Promise.all(keys.map((key) => lookups.find(key)));

/** What `keys` found, and how many keys each command asked for. */
async function ask<T extends Document>(lookups: Lookups<Thing, T>, keys: readonly string[], field = '_id') {
  let found: (T | null)[] = [];
  const commands = await database.commandsOf(async () => {
    found = await findAll(lookups, keys);
  });
  const sizes = commands.map(({ filter }) => Number(filter[field].$in?.length ?? 1));
  // Those that are under way at the same time may start in any order.
  return { found, sizes: sizes.sort((a, b) => b - a) };
}

it('many at once are asked for with few commands, and each finds its own', async () => {
  const { found, sizes } = await ask(new Lookups(things()), everyId);
  expect(found).toEqual(Array.from({ length: COUNT }, (_, n) => thing(n)));
  expect(sizes).toEqual([200, 200, 50]);
});

it('no command asks for more than the largest number', async () => {
  const { found, sizes } = await ask(new Lookups(things(), { largest: 3 }), everyId.slice(0, 8));
  expect(found.map((each) => each?._id)).toEqual(everyId.slice(0, 8));
  expect(sizes).toEqual([3, 3, 2]);
});

it('what is asked for twice is fetched once, and what is not there is null', async () => {
  const { found, sizes } = await ask(new Lookups(things()), ['t1', 'nobody', 't2', 't1', 'nobody', 't1']);
  expect(found).toEqual([thing(1), null, thing(2), thing(1), null, thing(1)]);
  expect(found[3]).toBe(found[0]);
  expect(sizes).toEqual([3]);
  expect(await new Lookups(things()).find('nobody')).toBeNull();
  expect((await ask(new Lookups(things()), ['t1', 't1'])).sizes).toEqual([1]);
});

it('a key that looks like a condition or like a property of objects is only a key', async () => {
  const keys = ['$ne', '__proto__', 'constructor', '', 't1'];
  expect(await findAll(new Lookups(things()), keys)).toEqual([null, null, null, null, thing(1)]);
});

it('documents are found by another field, and cut to what is asked for', async () => {
  const lookups = new Lookups<Thing, Pick<Thing, 'hash' | 'weight'>>(things(), {
    field: 'hash',
    projection: { _id: 0, hash: 1, weight: 1 },
  });
  const { found, sizes } = await ask(lookups, ['h2', 't1', 'h1', 'h2'], 'hash');
  const [first, second] = [1, 2].map((n) => ({ hash: `h${n}`, weight: n }));
  expect(found).toEqual([second, null, first, second]);
  expect(sizes).toEqual([3]);
  expect(await lookups.find('h1')).toEqual(first);
});

it('nothing is remembered', async () => {
  const lookups = new Lookups(things());
  expect(await lookups.find('fresh')).toBeNull();
  await things().insertOne({ _id: 'fresh', hash: 'fresh', weight: 1 });
  expect(await lookups.find('fresh')).toMatchObject({ weight: 1 });
  await things().updateOne({ _id: 'fresh' }, { $set: { weight: 2 } });
  expect(await lookups.find('fresh')).toMatchObject({ weight: 2 });
  await things().deleteOne({ _id: 'fresh' });
  expect(await lookups.find('fresh')).toBeNull();
});

it('all who wait for a database that is away are told so, and those who come once it is back are answered', async () => {
  const client = await MongoClient.connect(database.url);
  const lookups = new Lookups(client.db('test').collection<Thing>('things'), { largest: 2 });
  expect(await lookups.find('t1')).toEqual(thing(1));
  await client.close();
  const results = await Promise.allSettled(['t1', 't2', 't3', 't1', 'nobody'].map((key) => lookups.find(key)));
  expect(results.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
  await client.connect();
  expect(await findAll(lookups, ['t1', 'nobody', 't3'])).toEqual([thing(1), null, thing(3)]);
  await client.close();
});

/** A collection whose commands wait until they are let through. */
function held(isHeld: (nth: number) => boolean) {
  const { db } = database;
  const waiting: (() => void)[] = [];
  let sent = 0;
  const command = async (...args: Parameters<Db['command']>) => {
    if (isHeld(sent++)) await new Promise<void>((resolve) => waiting.push(resolve));
    return db.command(...args);
  };
  const collection: Collection<Thing> = new Proxy(things(), {
    get: (target, name) => (name === 'db' ? { command } : Reflect.get(target, name)),
  });
  return {
    collection,
    sent: () => sent,
    release: () => {
      for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

it('what comes while a command is under way goes with the next', async () => {
  const { collection, sent, release } = held((nth) => nth === 0);
  const lookups = new Lookups(collection);
  // However long this takes here, the command has not become slow.
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const found: Promise<Thing | null>[] = [];
    const commands = await database.commandsOf(async () => {
      for (const key of ['t1', 't2', 't3']) {
        found.push(lookups.find(key));
        await turn();
      }
      await pause(60);
      expect(sent()).toBe(1);
      release();
      expect(await Promise.all(found)).toEqual([thing(1), thing(2), thing(3)]);
    });
    expect(commands.map(({ filter }) => filter)).toEqual([{ _id: 't1' }, { _id: { $in: ['t2', 't3'] } }]);
  } finally {
    vi.useRealTimers();
  }
});

it('a slow command does not hold up what comes after it', async () => {
  const { collection, release } = held((nth) => nth === 0);
  const lookups = new Lookups(collection);
  let arrived = false;
  const stuck = lookups.find('t1').finally(() => {
    arrived = true;
  });
  await turn();
  expect(await findAll(lookups, ['t2', 't3'])).toEqual([thing(2), thing(3)]);
  expect(await lookups.find('t4')).toEqual(thing(4));
  expect(arrived).toBe(false);
  release();
  expect(await stuck).toEqual(thing(1));
});

it('a database where all is slow is not flooded, and answers everybody once it can', async () => {
  const { collection, sent, release } = held((nth) => nth < 8);
  const lookups = new Lookups(collection, { largest: 1 });
  const found = findAll(lookups, everyId.slice(0, 20));
  await expect.poll(sent).toBe(8);
  await pause(100);
  expect(sent()).toBe(8);
  release();
  expect(await found).toEqual(Array.from({ length: 20 }, (_, n) => thing(n)));
  expect(sent()).toBe(20);
});
