/** A picture is recorded and counted before its object is put, and all of that is undone if it comes to nothing. */
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { connectMongo } from '../../platform/mongo/store.js';
import { ObjectStore } from '../../platform/s3.js';
import { wholeAccount } from '../../platform/scope.js';
import type { HostedImage } from '../../subgraphs/images/client.js';
import { StorageService } from '../../subgraphs/images/storage/storage.service.js';
import { createImages } from '../../subgraphs/images/subgraph.js';
import { type Detour, openDetour } from '../support/detour.js';
import { imagesDeps } from './support/deps.js';
import { expectNothingLeft, expectNothingOf, keysOf, storageOf } from './support/leftovers.js';
import { smallPng } from './support/pictures.js';
import { openWorld, type World } from './support/world.js';

const isHold = (asked: string) => asked.includes('$push');
const isPut = (asked: string) => asked.startsWith('PUT ');

let world: World;
let png: Buffer;
let toDatabase: Detour;
let toBucket: Detour;
let store: ObjectStore;
let connection: Awaited<ReturnType<typeof connectMongo>>;
let upload: (owner: string) => Promise<HostedImage>;

beforeAll(async () => {
  world = await openWorld();
  png = await smallPng();
});
afterAll(() => world?.close());

beforeEach(async () => {
  const { mongo, s3 } = world;
  const [, socket = ''] = /^mongodb:\/\/([^/?]+)/.exec(mongo.url) ?? [];
  toDatabase = await openDetour({ path: decodeURIComponent(socket) });
  toBucket = await openDetour({ host: '127.0.0.1', port: Number(new URL(s3.endpoint).port) });
  const url = mongo.url.replace(socket, toDatabase.address);
  connection = await connectMongo({ url, database: 'darkroom', appName: 'test' });
  const endpoint = `http://${toBucket.address}`;
  store = new ObjectStore({ ...s3, endpoint, bucket: 'darkroom', forcePathStyle: true, credentials: s3 });
  const settings = { storageQuota: 1.5 * png.length };
  const { door } = await createImages(imagesDeps(connection.db, store, () => new Date(), settings));
  upload = (userId) => {
    const named = { userId, keyId: newId(), email: 'a@example.com', handle: null, handleClaimedAt: null };
    const caller = { ...named, ...wholeAccount(userId), createdAt: new Date(), suspended: false };
    async function* bytes() {
      yield png;
    }
    return door.upload(
      { bytes: bytes(), settings: async () => ({ visibility: 'private', ttlSeconds: null }), idempotencyKey: null },
      { requestId: 'r', network: 'n', caller, internal: false },
    );
  };
});
afterEach(async () => {
  store.close();
  await connection.close();
  await toDatabase.close();
  await toBucket.close();
});

function openStorage(): StorageService {
  const parts = { db: connection.db, storage: storageOf(world), images: world.images, quota: 0, now: () => new Date() };
  return new StorageService({ ...parts, log: pino({ level: 'silent' }) });
}

it('a picture whose put fails is neither hosted nor counted', async () => {
  const owner = newId();
  const order: string[] = [];
  toDatabase.beforeAnswering = (asked) => {
    if (isHold(asked)) order.push('held');
  };
  toBucket.beforeAsking = (asked) => {
    if (isPut(asked)) order.push('put');
  };
  toBucket.beforeAnswering = (asked) => {
    // The object is there, but who wrote it does not hear of it.
    if (isPut(asked)) throw new Error('the answer is lost');
  };
  await expect(upload(owner)).rejects.toThrow();
  expect(order.slice(0, 2)).toEqual(['held', 'put']);
  await expectNothingOf(world, owner);
});

it('a picture of which nobody hears whether it was counted is neither put nor counted', async () => {
  const owner = newId();
  let puts = 0;
  toBucket.beforeAsking = (asked) => {
    if (isPut(asked)) puts += 1;
  };
  toDatabase.beforeAnswering = (asked) => {
    if (isHold(asked)) throw new Error('the answer is lost');
  };
  await expect(upload(owner)).rejects.toThrow();
  expect(puts).toBe(0);
  await expectNothingOf(world, owner);
});

it('a picture for which there is no room is never put', async () => {
  const owner = newId();
  await upload(owner);
  await expect.poll(async () => (await storageOf(world).findOne({ _id: owner }))?.holds).toEqual([]);
  const before = await keysOf(world);
  let puts = 0;
  toBucket.beforeAsking = (asked) => {
    if (isPut(asked)) puts += 1;
  };
  await expect(upload(owner)).rejects.toMatchObject({ slug: 'quota_exceeded' });
  expect(puts).toBe(0);
  expect(await keysOf(world)).toEqual(before);
  expect(await world.images.countDocuments({ ownerId: owner })).toBe(1);
  expect(await storageOf(world).findOne({ _id: owner })).toMatchObject({ bytes: png.length, holds: [] });
  await expectNothingLeft(world);
});

it('of the first pictures of an account, which come at the same time, as many are hosted as there is room for', async () => {
  const owner = newId();
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => upload(owner)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  await expect.poll(() => storageOf(world).findOne({ _id: owner })).toMatchObject({ bytes: png.length, holds: [] });
  await expectNothingLeft(world);
});

it('an object that comes after its upload was taken for dead and cleared away does not stay', async () => {
  const owner = newId();
  toBucket.beforeAsking = async (asked) => {
    if (isPut(asked)) await world.images.deleteMany({ ownerId: owner });
  };
  await expect(upload(owner)).rejects.toMatchObject({ slug: 'unavailable' });
  await expectNothingOf(world, owner);
});

it('an image that ends before its hold is settled is not counted by it afterwards', async () => {
  const owner = newId();
  const image = { _id: newId(), sizeBytes: 10 };
  const storage = openStorage();
  await storage.hold(owner, image._id, image.sizeBytes);
  storage.settle(owner, image._id);
  await storage.release(owner, image, 0);
  await storage.count(owner);
  await storage.flush();
  expect(await storageOf(world).findOne({ _id: owner })).toMatchObject({ bytes: 0, holds: [] });
});

it('a count that comes between a hold and its record leaves the hold as it is', async () => {
  const owner = newId();
  const storage = storageOf(world);
  const hold = (age: number) => ({ imageId: newId(), bytes: 10, at: new Date(Date.now() - age) });
  const [early, left] = [hold(0), hold(120_000)];
  await storage.insertOne({ _id: owner, bytes: 20, holds: [early, left], version: 1, counts: 0 });
  await openStorage().count(owner);
  expect(await storage.findOne({ _id: owner })).toMatchObject({ bytes: 10, holds: [early] });
});
