/** What uploads that failed must not leave behind. */
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { OBJECT_PREFIX, objectKey } from '../../../subgraphs/images/image/image.model.js';
import { STORAGE, type StorageDocument } from '../../../subgraphs/images/storage/storage.model.js';
import type { World } from './world.js';

export const storageOf = ({ db }: World) => db.collection<StorageDocument>(STORAGE.name);

export const keysOf = async ({ store }: World) => (await store.list(OBJECT_PREFIX, null, 1000)).keys;

/** In parts, begun and neither put together nor aborted. */
export async function unfinishedUploads({ store: { client, bucket: Bucket } }: World): Promise<number> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
  return Uploads.length;
}

/** Every object has a live image, and every image its object. */
export async function expectNothingLeft(world: World): Promise<void> {
  await expect
    .poll(async () => {
      const [keys, images] = await Promise.all([keysOf(world), world.images.find().toArray()]);
      const unfinished = images.filter(({ state }) => state !== 'live').length;
      const wanted = new Set(images.map(({ _id }) => objectKey(_id)));
      return { unfinished, keys: keys.filter((key) => !wanted.has(key)), missing: wanted.size - keys.length };
    })
    .toEqual({ unfinished: 0, keys: [], missing: 0 });
}

/** Nor is anything left of an account that has hosted nothing: no record, no part of an object, nothing that is counted. */
export async function expectNothingOf(world: World, ownerId: string): Promise<void> {
  await expect.poll(() => world.images.countDocuments({ ownerId })).toBe(0);
  await expectNothingLeft(world);
  expect(await unfinishedUploads(world)).toBe(0);
  await expect
    .poll(async () => {
      const { bytes = 0, holds = [] } = (await storageOf(world).findOne({ _id: ownerId })) ?? {};
      return { bytes, holds };
    })
    .toEqual({ bytes: 0, holds: [] });
}
