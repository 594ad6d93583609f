/** kill -9 during uploads, again and again: what was acknowledged is whole, and nothing else is left once it was swept. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EmbeddedMongo, openEmbeddedMongo } from '../../platform/embedded/mongo.js';
import { type EmbeddedS3, openEmbeddedS3 } from '../../platform/embedded/s3.js';
import { connectMongo } from '../../platform/mongo/store.js';
import { ObjectStore } from '../../platform/s3.js';
import { type ImageDocument, OBJECT_PREFIX, objectKey } from '../../subgraphs/images/image/image.model.js';
import type { StorageDocument } from '../../subgraphs/images/storage/storage.model.js';
import { pngOfSize, smallPng } from '../images/support/pictures.js';
import { type Account, clientOf } from '../support/client.js';
import { type Mailbox, openMailbox } from '../support/mailbox.js';
import { SECRET_KEY } from '../support/platform.js';
import { type Program, startProgram } from '../support/process.js';
import { sendForm } from '../support/uploads.js';

const KILLS = process.env['LONG'] ? 60 : 4;
const WRITERS = 5;
const MIB = 1024 * 1024;
/** Within one part of the bucket's and beyond. */
const SIZES = [20_000, 2 * MIB, 7 * MIB, 12 * MIB];
const BUCKET = 'darkroom';

let dataDir: string;
let mongo: EmbeddedMongo;
let s3: EmbeddedS3;
let mailbox: Mailbox;
let store: ObjectStore;
let database: Awaited<ReturnType<typeof connectMongo>>;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'darkroom-images-kill-'));
  mongo = await openEmbeddedMongo({ dataDir });
  s3 = await openEmbeddedS3({ dataDir, bucket: BUCKET });
  mailbox = await openMailbox();
  store = new ObjectStore({ ...s3, bucket: BUCKET, forcePathStyle: true, credentials: s3 });
  database = await connectMongo({ url: mongo.url, database: 'darkroom', appName: 'test' });
});
afterAll(async () => {
  store?.close();
  await database?.close();
  await mailbox?.close();
  await s3?.close();
  await mongo?.close();
  await rm(dataDir, { recursive: true, force: true });
});

/** Only the server is killed: the stores are machines of their own. */
function start(): Promise<Program> {
  return startProgram(['start'], {
    DATA_DIR: dataDir,
    SECRET_KEY,
    SMTP_URL: mailbox.url,
    MONGODB_URL: mongo.url,
    S3_ENDPOINT: s3.endpoint,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    RATE_LIMIT_UPLOADS_PER_MINUTE: '0',
    RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
  });
}

/** Uploads and deletes until the server dies, and notes what it confirmed. */
async function write(url: string, { key }: Account, pictures: readonly Buffer[], acknowledged: Map<string, string>) {
  const client = clientOf({ url, mailbox });
  for (let i = 0; ; i++) {
    const bytes = pictures[Math.floor(Math.random() * pictures.length)] as Buffer;
    const { status, body } = await sendForm(url, key, [['file', bytes]]);
    if (status !== 201) throw new Error(`answered ${status}`);
    acknowledged.set(body.id, createHash('sha256').update(bytes).digest('base64url'));
    if (i % 3 !== 2) continue;
    // Until the answer is here, the image may be there or not.
    acknowledged.delete(body.id);
    await client.rest('DELETE', `/v1/images/${body.id}`, key);
  }
}

it(`${KILLS} kills leave nothing that is not swept`, { timeout: KILLS * 60_000 }, async () => {
  const images = database.db.collection<ImageDocument>('images_images');
  const storage = database.db.collection<StorageDocument>('images_storage');
  const small = await smallPng();
  const pictures = SIZES.map((size) => pngOfSize(small, size));
  const acknowledged = new Map<string, string>();
  let account: Account | undefined;
  let interrupted = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const server = await start();
    account ??= await clientOf({ url: server.url, mailbox }).account('ada@example.com');
    const { url } = server;
    const owner = account;
    const before = acknowledged.size;
    const writers = Array.from({ length: WRITERS }, () => write(url, owner, pictures, acknowledged).catch(() => {}));
    await expect.poll(() => acknowledged.size, { timeout: 30_000, interval: 20 }).toBeGreaterThan(before);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 500));
    await server.kill();
    await Promise.all(writers);
    interrupted += await images.countDocuments({ state: { $ne: 'live' } });
    // What happens in a minute happens now: nobody renews the leases of the dead.
    await images.updateMany({ state: 'uploading' }, { $set: { leaseUntil: new Date() } });
    await storage.updateMany({}, { $set: { 'holds.$[].at': new Date(0) } });
    await database.db.collection('platform_leases').deleteMany({});
  }

  const last = await start();
  await expect
    .poll(
      async () => {
        const [all, live] = await Promise.all([keys(), images.find().toArray()]);
        const wanted = new Set(live.map(({ _id }) => objectKey(_id)));
        const { Uploads = [] } = await store.client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
        const accounts = await storage.find().toArray();
        return {
          unfinished: live.filter(({ state }) => state !== 'live').length,
          orphans: all.filter((key) => !wanted.has(key)),
          missing: live.length - all.length,
          parts: Uploads.length,
          holds: accounts.flatMap(({ holds }) => holds).length,
        };
      },
      { timeout: 60_000, interval: 500 },
    )
    .toEqual({ unfinished: 0, orphans: [], missing: 0, parts: 0, holds: 0 });
  const live = await images.find().toArray();
  const sum = live.reduce((bytes, image) => bytes + (image.state === 'live' ? image.sizeBytes : 0), 0);
  expect((await storage.find().toArray()).map(({ bytes }) => bytes)).toEqual([sum]);
  const found = new Map(live.map((image) => [image._id, image.state === 'live' ? image.sha256 : '']));
  for (const [id, sha256] of acknowledged) expect([id, found.get(id)]).toEqual([id, sha256]);
  await last.stop();
  expect(interrupted).toBeGreaterThan(0);
  console.info(
    `${KILLS} kills: ${interrupted} uploads and deletions interrupted, ${acknowledged.size} images all there`,
  );
});

async function keys(): Promise<string[]> {
  const all: string[] = [];
  for (let after: string | null = null; ; ) {
    const page: { keys: string[]; next: string | null } = await store.list(OBJECT_PREFIX, after, 1000);
    all.push(...page.keys);
    after = page.next;
    if (after === null) return all;
  }
}
