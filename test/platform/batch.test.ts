/** Reads by one bare command: what they return, and what they leave to a cursor. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findBatch } from '../../platform/mongo/batch.js';
import { openDatabase, type TestDatabase } from '../support/database.js';

interface Thing {
  _id: string;
  owner: string;
  weight: number;
  text?: string;
}

let database: TestDatabase;
const things = () => database.db.collection<Thing>('things');
beforeAll(async () => {
  database = await openDatabase();
  await things().insertMany(
    Array.from({ length: 8 }, (_, n) => ({ _id: `t${n}`, owner: n % 2 === 0 ? 'a' : 'b', weight: n })),
  );
});
afterAll(() => database?.close());

it('gives what a cursor would, in order, cut to the fields and the number asked for', async () => {
  const options = { sort: { _id: -1 }, projection: { weight: 1 }, limit: 3 } as const;
  const expected = await things().find({ owner: 'a' }, options).toArray();
  let found: unknown;
  const commands = await database.commandsOf(async () => {
    found = await findBatch(things(), { owner: 'a' }, options);
  });
  expect(found).toEqual(expected);
  expect(commands).toHaveLength(1);
  expect(commands[0]).toMatchObject({ find: 'things', limit: 3 });
});

it('leaves out conditions that are undefined, as the rest of the connection does', async () => {
  const ignoring = database.db.collection<Thing>('things', { ignoreUndefined: true });
  const filter = { owner: 'b', weight: undefined as unknown as number };
  expect(await findBatch(ignoring, filter, { limit: 10 })).toHaveLength(4);
});

it('fetches an answer that does not fit into one message, whole', async () => {
  const text = 'x'.repeat(7_000_000);
  await things().insertMany([1, 2, 3].map((n) => ({ _id: `large${n}`, owner: 'large', weight: n, text })));
  let found: Thing[] = [];
  const commands = await database.commandsOf(async () => {
    found = await findBatch(things(), { owner: 'large' }, { limit: 10 });
  });
  expect(found.map(({ weight }) => weight).sort()).toEqual([1, 2, 3]);
  // Nothing stays open on the server.
  expect(commands.some((command) => 'killCursors' in command)).toBe(true);
});

it('fails as a cursor does', async () => {
  const wrong = { weight: { $no: 1 } } as never;
  await expect(findBatch(things(), wrong, { limit: 1 })).rejects.toThrow(/\$no/);
});
