/** Public images, put straight into the bucket and the collection. */
import { createHash, randomBytes } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { newId } from '../../platform/ids.js';
import { connectMongo } from '../../platform/mongo/store.js';
import type { ObjectStore } from '../../platform/s3.js';
import { Secrets } from '../../platform/secrets.js';
import { IMAGES, type ImageDocument, objectKey } from '../../subgraphs/images/image/image.model.js';
import { ServingTokens } from '../../subgraphs/images/serving/tokens.js';
import type { World } from '../support/world.js';
import { storeAt } from './store.js';

export interface Picture {
  bytes: Buffer;
  /** Where the object is in the bucket. */
  key: string;
  path: string;
  etag: string;
}

export function storeOf({ env }: World): ObjectStore {
  return storeAt(env);
}

export async function putPictures(world: World, count: number, size: number): Promise<Picture[]> {
  const store = storeOf(world);
  const tokens = ServingTokens.of(new Secrets(world.secretKey));
  const { client, close } = await connectMongo({
    url: world.mongoUrl,
    database: world.databases.one,
    appName: 'darkroom-bench',
  });
  try {
    const images = client.db(world.databases.one).collection<ImageDocument>(IMAGES.name);
    const pictures: Picture[] = [];
    for (let i = 0; i < count; i++) {
      const bytes = randomBytes(size);
      const image = imageOf(bytes, tokens);
      const key = objectKey(image._id);
      await store.client.send(new PutObjectCommand({ Bucket: store.bucket, Key: key, Body: bytes }));
      await images.insertOne(image);
      pictures.push({ bytes, key, path: `/v1/i/${image.token}.png`, etag: `"${image.sha256}"` });
    }
    return pictures;
  } finally {
    await close();
    store.close();
  }
}

function imageOf(bytes: Buffer, tokens: ServingTokens) {
  const id = newId();
  return {
    _id: id,
    state: 'live' as const,
    ownerId: null,
    source: 'generated' as const,
    createdAt: new Date(),
    token: tokens.make({ id, sizeBytes: bytes.length }),
    extension: 'png',
    visibility: 'public' as const,
    expiresAt: null,
    contentType: 'image/png' as const,
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('base64url'),
    width: 1,
    height: 1,
  };
}
