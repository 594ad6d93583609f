import { access, mkdir, readlink, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MongoClient } from 'mongodb';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { lockDataDir } from '../../platform/embedded/lock.js';
import { openEmbeddedMongo } from '../../platform/embedded/mongo.js';
import { compileEmbedded, startChild, temporaryDirectory } from './support.js';

let compiled: string;
let cacheDir: string;
beforeAll(async () => {
  compiled = await compileEmbedded();
  cacheDir = await temporaryDirectory();
});

interface Item {
  _id: string;
  handle?: string;
  used?: number;
}

/** Opens the engine and a client, and closes both whatever happens in between. */
async function withItems<T>(
  dataDir: string,
  use: (items: ReturnType<typeof itemsOf>, url: string, client: MongoClient) => Promise<T>,
): Promise<T> {
  const mongo = await openEmbeddedMongo({ dataDir, cacheDir });
  const client = new MongoClient(mongo.url);
  try {
    return await use(itemsOf(client), mongo.url, client);
  } finally {
    await client.close();
    await mongo.close();
  }
}

function itemsOf(client: MongoClient) {
  return client.db('test').collection<Item>('items');
}

describe('openEmbeddedMongo', () => {
  it('serves unique indexes, findAndModify and aggregation, and acknowledges from the journal', async () => {
    await withItems(await temporaryDirectory(), async (items) => {
      await items.createIndex({ handle: 1 }, { unique: true, partialFilterExpression: { handle: { $exists: true } } });
      const { acknowledged } = await items.insertMany([{ _id: 'a', handle: 'ada' }, { _id: 'b' }, { _id: 'c' }]);
      expect(acknowledged).toBe(true);
      await expect(items.insertOne({ _id: 'd', handle: 'ada' })).rejects.toMatchObject({ code: 11000 });
      const racers = Array.from({ length: 20 }, () =>
        items.findOneAndUpdate(
          { _id: 'b', $or: [{ used: { $exists: false } }, { used: { $lt: 5 } }] },
          { $inc: { used: 1 } },
          { returnDocument: 'after' },
        ),
      );
      const granted = (await Promise.all(racers)).filter((item) => item !== null);
      expect(granted.map(({ used }) => used).sort()).toEqual([1, 2, 3, 4, 5]);
      const [total] = await items.aggregate([{ $group: { _id: null, used: { $sum: '$used' } } }]).toArray();
      expect(total).toEqual({ _id: null, used: 5 });
    });
  });

  it('keeps documents and indexes when it is closed and opened again', async () => {
    const dataDir = await temporaryDirectory();
    await withItems(dataDir, async (items) => {
      await items.createIndex({ handle: 1 }, { unique: true });
      await items.insertOne({ _id: 'a', handle: 'ada' });
    });
    await withItems(dataDir, async (items) => {
      expect(await items.find().toArray()).toEqual([{ _id: 'a', handle: 'ada' }]);
      await expect(items.insertOne({ _id: 'b', handle: 'ada' })).rejects.toMatchObject({ code: 11000 });
    });
    expect((await stat(join(dataDir, 'mongo'))).mode & 0o777).toBe(0o700);
  });

  it('keeps its address between starts, and takes it away when it closes', async () => {
    const dataDir = await temporaryDirectory();
    const first = await withItems(dataDir, async (_, url) => url);
    await expect(readlink(join(dataDir, 'mongo.sock'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await withItems(dataDir, async (_, url) => url)).toBe(first);
    expect(first).toContain(encodeURIComponent(join(dataDir, 'mongo.sock')));
  });

  it('serves other processes of this machine', async () => {
    await withItems(await temporaryDirectory(), async (_, url, client) => {
      const visitor = startChild('insert', compiled, url, 'from-another-process');
      await visitor.received(1);
      expect(await client.db('test').collection('visitors').countDocuments()).toBe(1);
    });
  });

  it('works in a directory too deep for the path of a socket', async () => {
    const dataDir = join(await temporaryDirectory(), 'd'.repeat(60), 'e'.repeat(60));
    await mkdir(dataDir, { recursive: true });
    await withItems(dataDir, async (items) => {
      await items.insertOne({ _id: 'a' });
      expect(await items.countDocuments()).toBe(1);
    });
  });

  it('says so when the temporary directory is too deep for the path of a socket', async () => {
    const dataDir = await temporaryDirectory();
    vi.stubEnv('TMPDIR', join(dataDir, 'd'.repeat(100)));
    await expect(openEmbeddedMongo({ dataDir, cacheDir })).rejects.toThrow('TMPDIR is too long');
  });

  it('names the directory that it could not open', async () => {
    const dataDir = await temporaryDirectory();
    const other = await temporaryDirectory();
    await withItems(dataDir, async () => {
      await expect(openEmbeddedMongo({ dataDir: other, cacheDir })).rejects.toThrow(
        `could not open ${join(other, 'mongo')}`,
      );
    });
  });

  it('has its clients wait for the journal', async () => {
    await withItems(await temporaryDirectory(), async (_, _url, client) => {
      expect(client.options.writeConcern).toMatchObject({ w: 1, journal: true });
    });
  });

  it('is closed once, however often it is asked to', async () => {
    const mongo = await openEmbeddedMongo({ dataDir: await temporaryDirectory(), cacheDir });
    await Promise.all([mongo.close(), mongo.close()]);
    await mongo.close();
  });
});

describe('a second process', () => {
  it('cannot open the directory, lock or no lock, and is told the address to share', async () => {
    const dataDir = await temporaryDirectory();
    const lockHolder = startChild('lock', compiled, dataDir);
    await lockHolder.received(1);
    const engineHolder = startChild('serve', compiled, dataDir, cacheDir);
    await engineHolder.received(1);
    await expect(openEmbeddedMongo({ dataDir, cacheDir })).rejects.toThrow(`could not open ${join(dataDir, 'mongo')}`);
    await expect(lockDataDir(dataDir)).rejects.toThrow(
      `to share its database, set MONGODB_URL=${engineHolder.lines[0]}`,
    );
  });
});

describe('a process that is killed', () => {
  it('loses no write that was acknowledged, and leaves no temporary directory for good', async () => {
    const dataDir = await temporaryDirectory();
    const acknowledged = new Set<number>();
    for (let round = 0; round < 3; round++) {
      const writer = startChild('write', compiled, dataDir, cacheDir, String(round * 1_000_000));
      await writer.received(200 + 150 * round);
      const leftBehind = dirname(await readlink(join(dataDir, 'mongo.sock')));
      await writer.kill();
      for (const line of writer.lines) acknowledged.add(Number(line));
      await access(leftBehind);

      const mongo = await openEmbeddedMongo({ dataDir, cacheDir });
      const client = new MongoClient(mongo.url);
      try {
        const writes = client.db('test').collection<{ _id: number | string; value?: number }>('writes');
        const found = new Set((await writes.find({}, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id));
        expect([...acknowledged].filter((id) => !found.has(id))).toEqual([]);
        const counter = await writes.findOne({ _id: 'counter' });
        expect(counter?.value).toBeGreaterThanOrEqual(acknowledged.size);
        expect((await writes.find().hint({ _id: 1 }).toArray()).length).toBe(found.size);
      } finally {
        await client.close();
        await mongo.close();
      }
      await expect(access(leftBehind)).rejects.toMatchObject({ code: 'ENOENT' });
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(1050);
  });
});
