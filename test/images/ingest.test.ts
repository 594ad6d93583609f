/** The quota is held beside the put of the object: whichever of the two fails, and whenever, both are undone. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { connectMongo } from '../../platform/mongo/store.js';
import { ObjectStore } from '../../platform/s3.js';
import { wholeAccount } from '../../platform/scope.js';
import type { HostedImage } from '../../subgraphs/images/client.js';
import { createImages } from '../../subgraphs/images/subgraph.js';
import { type Detour, openDetour } from '../support/detour.js';
import { imagesDeps } from './support/deps.js';
import { expectNothingLeft, expectNothingOf, keysOf, storageOf } from './support/leftovers.js';
import { smallPng } from './support/pictures.js';
import { openWorld, type World } from './support/world.js';

/** The store, and what became of the last object that was written to it. */
class WatchedStore extends ObjectStore {
  last: Promise<void> = Promise.resolve();

  override write(object: Parameters<ObjectStore['write']>[0]): Promise<void> {
    this.last = super.write(object);
    return this.last;
  }
}

/** Something that is waited for, and the means to say that it has happened. */
function moment() {
  let happens = () => {};
  const happened = new Promise<void>((resolve) => {
    happens = resolve;
  });
  return { happened, happens };
}

const isHold = (asked: string) => asked.includes('$push');
const isPut = (asked: string) => asked.startsWith('PUT ');

let world: World;
let png: Buffer;
let toDatabase: Detour;
let toBucket: Detour;
let store: WatchedStore;
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
  store = new WatchedStore({ ...s3, endpoint, bucket: 'darkroom', forcePathStyle: true, credentials: s3 });
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

it('a picture whose put fails while its bytes are still being counted is neither hosted nor counted', async () => {
  const owner = newId();
  const holding = moment();
  const released = moment();
  const held = moment();
  toDatabase.beforeAsking = async (asked) => {
    if (!isHold(asked)) return;
    holding.happens();
    await released.happened;
  };
  toDatabase.beforeAnswering = (asked) => {
    if (isHold(asked)) held.happens();
  };
  toBucket.beforeAnswering = (asked) => {
    // The object is there, but who wrote it does not hear of it.
    if (isPut(asked)) throw new Error('the answer is lost');
  };
  const refused = expect(upload(owner)).rejects.toThrow();
  await holding.happened;
  await expect(store.last).rejects.toThrow();
  expect(await keysOf(world)).toHaveLength(1);
  // As long as an upload takes that does not wait for its hold.
  await Promise.race([refused, pause(500)]);
  released.happens();
  await held.happened;
  await refused;
  await expectNothingOf(world, owner);
});

it('a picture for which there is no room is not hosted, although its object is written after that was found', async () => {
  const owner = newId();
  await upload(owner);
  await expect.poll(async () => (await storageOf(world).findOne({ _id: owner }))?.holds).toEqual([]);
  const before = await keysOf(world);
  const full = moment();
  toDatabase.beforeAnswering = (asked) => {
    // The last that is asked for an upload before it is known that nothing can be reclaimed.
    if (asked.includes('released')) full.happens();
  };
  toBucket.beforeAnswering = async (asked) => {
    if (!isPut(asked)) return;
    await full.happened;
    await pause(100);
  };
  await expect(upload(owner)).rejects.toMatchObject({ slug: 'quota_exceeded' });
  await expect(store.last).resolves.toBeUndefined();
  expect(await keysOf(world)).toEqual(before);
  expect(await world.images.countDocuments({ ownerId: owner })).toBe(1);
  expect(await storageOf(world).findOne({ _id: owner })).toMatchObject({ bytes: png.length, holds: [] });
  await expectNothingLeft(world);
});
