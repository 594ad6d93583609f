/** What uploads must not do: leave something behind, or exceed the quota. */
import { connect } from 'node:net';
import { CreateMultipartUploadCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { systemScope, wholeAccount } from '../../platform/scope.js';
import { type Checked, KEYS, RECORDS } from '../../subgraphs/images/check/check.service.js';
import type { ImagesContext } from '../../subgraphs/images/context.js';
import {
  type ImageDocument,
  type LiveImage,
  OBJECT_PREFIX,
  objectKey,
} from '../../subgraphs/images/image/image.model.js';
import { createImages } from '../../subgraphs/images/subgraph.js';
import type { Account } from '../support/client.js';
import { clientOf } from '../support/client.js';
import { sendForm, sendGraph } from '../support/uploads.js';
import { imagesDeps } from './support/deps.js';
import { expectNothingLeft, keysOf, storageOf, unfinishedUploads } from './support/leftovers.js';
import { pngOfSize, smallPng } from './support/pictures.js';
import { openWorld, ownerOf, type Running, type World } from './support/world.js';

const MIB = 1024 * 1024;
const QUOTA = 16 * MIB;
const LARGEST = 12 * MIB;

let world: World;
let server: Running;
let client: ReturnType<typeof clientOf>;
let png: Buffer;
let travelled = 0;
let numbered = 0;

beforeAll(async () => {
  world = await openWorld(() => new Date(Date.now() + travelled));
  server = await world.start(
    { kind: 'start' },
    {
      STORAGE_QUOTA_BYTES: String(QUOTA),
      MAX_UPLOAD_BYTES: String(LARGEST),
      RATE_LIMIT_UPLOADS_PER_MINUTE: '0',
    },
  );
  client = clientOf({ url: server.url, mailbox: world.mailbox });
  png = await smallPng();
});
afterAll(() => world?.close());

const somebody = (): Promise<Account> => client.account(`somebody-${++numbered}@example.com`);
const storage = () => storageOf(world);
const bytesOf = async (account: Account) => (await storage().findOne({ _id: ownerOf(account) }))?.bytes ?? 0;
const send = (account: Account, bytes: Buffer, fields: Record<string, string> = {}) =>
  sendForm(server.url, account.key, [['file', bytes], ...Object.entries(fields)]);

describe('the storage quota', () => {
  it('holds however many uploads race, and leaves nothing of those that lose', async () => {
    const ada = await somebody();
    const picture = pngOfSize(png, 2.5 * MIB);
    const answers = await Promise.all(Array.from({ length: 12 }, () => send(ada, picture)));
    const slugs = answers.map(({ status, body }) => (status === 201 ? 'ok' : body.error)).sort();
    expect(slugs).toEqual([...Array(6).fill('ok'), ...Array(6).fill('quota_exceeded')]);
    await expect.poll(() => bytesOf(ada)).toBe(15 * MIB);
    await expectNothingLeft(world);
  });

  it('is given back by deleting and by expiry, at once', async () => {
    const ada = await somebody();
    const picture = pngOfSize(png, 8 * MIB);
    const first = await send(ada, picture);
    await send(ada, picture, { ttl_seconds: '3600' });
    expect((await send(ada, png)).body.error).toBe('quota_exceeded');
    await client.rest('DELETE', `/v1/images/${first.body.id}`, ada.key);
    expect((await send(ada, picture)).status).toBe(201);
    expect((await send(ada, png)).body.error).toBe('quota_exceeded');
    travelled += 3_600_000;
    expect((await send(ada, picture)).status).toBe(201);
    expect(await bytesOf(ada)).toBe(QUOTA);
    await expectNothingLeft(world);
  });

  it('refuses a picture that is larger than what is left while it still comes in', async () => {
    const ada = await somebody();
    await send(ada, pngOfSize(png, 7 * MIB));
    expect((await send(ada, pngOfSize(png, 9.5 * MIB))).body.error).toBe('quota_exceeded');
    expect((await send(ada, pngOfSize(png, 9 * MIB))).status).toBe(201);
    await expectNothingLeft(world);
  });

  it('is right again after the deaths of processes, whatever they had done', async () => {
    const ada = await somebody();
    const ownerId = ownerOf(ada);
    const { body } = await send(ada, png);
    await expect.poll(async () => (await storage().findOne({ _id: ownerId }))?.holds).toEqual([]);
    const long = new Date(Date.now() + travelled - 3_600_000);
    const base = { ownerId, source: 'upload' as const, createdAt: long };
    const held = (image: ImageDocument) => ({ imageId: image._id, bytes: 100, at: long });
    // Died between the hold and the live image, before its end was found.
    const uploading: ImageDocument = { ...base, _id: newId(), state: 'uploading', leaseUntil: long };
    // Died after the image went live and before the hold was settled.
    const found = (await world.images.findOne({ _id: body.id })) as LiveImage;
    const live: LiveImage = { ...found, _id: newId(), token: newId(), sizeBytes: 100 };
    // Died after an image ended and before its bytes were given back.
    const dead: ImageDocument = { ...base, _id: newId(), state: 'dead', purgeAt: long, released: false };
    // Died with everything of the image cleared away, but for the hold.
    const gone: ImageDocument = { ...uploading, _id: newId() };
    await world.store.write({ key: objectKey(live._id), bytes: once(png), contentType: () => 'image/png' });
    await world.images.insertMany([uploading, live, dead]);
    await storage().updateOne(
      { _id: ownerId },
      { $inc: { bytes: 400, version: 1 }, $push: { holds: { $each: [held(uploading), held(live), held(gone)] } } },
    );
    await expect
      .poll(async () => {
        const now = await storage().findOne({ _id: ownerId });
        return [now?.bytes, now?.holds.length];
      })
      .toEqual([png.length + 100, 0]);
    await expectNothingLeft(world);
  });
});

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

describe('a client', () => {
  it('is told what is wrong with its picture whatever follows it, and goes on by the same connection', async () => {
    const ada = await somebody();
    const { hostname, port } = new URL(server.url);
    const head = (length: number) =>
      `POST /v1/images HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${ada.key}\r\n` +
      `content-type: multipart/form-data; boundary=x\r\ncontent-length: ${length}\r\n\r\n`;
    const file = (bytes: Buffer) =>
      Buffer.concat([
        Buffer.from('--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'),
        bytes,
        Buffer.from('\r\n--x'),
      ]);
    const rest = Buffer.from(
      `\r\ncontent-disposition: form-data; name="more"\r\n\r\n${'a'.repeat(2 * MIB)}\r\n--x--\r\n`,
    );
    for (const cut of [png.subarray(0, -20), Buffer.alloc(0), Buffer.from('no')]) {
      const socket = connect(Number(port), hostname);
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      const start = file(cut);
      socket.write(head(start.length + rest.length));
      socket.write(start);
      await expect.poll(() => text, { timeout: 10_000 }).toMatch(/^HTTP\/1\.1 4\d\d /);
      text = '';
      socket.write(rest);
      socket.write(`GET /healthz HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
      await expect.poll(() => text, { timeout: 5_000 }).toContain('HTTP/1.1 200 ');
      socket.destroy();
    }
    await expectNothingLeft(world);
  });

  it('is hosted once, in however many fields of an operation it stands', async () => {
    const ada = await somebody();
    const query = `mutation ($f: Upload!) {
      a: uploadImage(input: { file: $f }) { image { id } }
      b: uploadImage(input: { file: $f }) { image { id } }
    }`;
    const { body } = await sendGraph(server.url, ada.key, query, { f: null }, { 'variables.f': png });
    expect([body.data.a, body.data.b].filter(Boolean)).toHaveLength(1);
    expect(body.errors).toMatchObject([{ extensions: { code: 'validation_error' } }]);
  });

  it('is told that it uploads too much, and how much it may', async () => {
    const limited = await world.start(
      { kind: 'gateway' },
      { ...(await world.subgraphs()), RATE_LIMIT_UPLOADS_PER_MINUTE: '3' },
    );
    const ada = await world.account(limited.url, `limited-${++numbered}@example.com`);
    const statuses: number[] = [];
    for (let i = 0; i < 2; i++) statuses.push((await sendForm(limited.url, ada.key, [['file', png]])).status);
    const query = 'mutation ($f: Upload!) { uploadImage(input: { file: $f }) { image { id } } }';
    statuses.push((await sendGraph(limited.url, ada.key, query, { f: null }, { 'variables.f': png })).status);
    const refused = await sendForm(limited.url, ada.key, [['file', png]]);
    expect([...statuses, refused.status, refused.body.error]).toEqual([201, 201, 200, 429, 'rate_limited']);
    const headers = ['retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'];
    expect(headers.map((name) => Number(refused.headers.get(name)))).toEqual([
      expect.any(Number),
      3,
      0,
      expect.any(Number),
    ]);
    const graph = await sendGraph(limited.url, ada.key, query, { f: null }, { 'variables.f': png });
    expect(graph.body.errors[0].extensions.code).toBe('rate_limited');
  });
});

describe('a request with an Idempotency-Key', () => {
  it('whose process died after hosting the picture is answered with that picture', async () => {
    const ada = await somebody();
    const named = { 'idempotency-key': 'k' };
    const first = await sendForm(server.url, ada.key, [['file', png]], named);
    const requests = world.db.collection('images_upload_requests');
    const long = new Date(0);
    const { modifiedCount } = await requests.updateMany(
      { 'answer.id': first.body.id },
      { $set: { done: false, leaseUntil: long, fingerprint: null }, $unset: { answer: 1 } },
    );
    expect(modifiedCount).toBe(1);
    const again = await sendForm(server.url, ada.key, [['file', png]], named);
    expect(again.body).toEqual(first.body);
    expect((await client.rest('GET', '/v1/images', ada.key)).body.items).toHaveLength(1);
  });

  it('that was refused may be sent again', async () => {
    const ada = await somebody();
    const named = { 'idempotency-key': 'k' };
    expect((await sendForm(server.url, ada.key, [['file', png.subarray(0, 40)]], named)).status).toBe(400);
    expect((await sendForm(server.url, ada.key, [['file', png]], named)).status).toBe(201);
  });
});

describe('a suspended account', () => {
  it('may host private pictures, and make none public', async () => {
    const images = await createImages(imagesDeps(world.db, world.store, () => new Date(Date.now() + travelled)));
    const named = { userId: newId(), keyId: newId(), email: 'a@example.com', handle: null, handleClaimedAt: null };
    const caller = { ...named, ...wholeAccount(named.userId), createdAt: new Date(), suspended: true };
    const scope = { requestId: 'r', network: 'n', caller, internal: false };
    const upload = (visibility: 'public' | 'private') =>
      images.door.upload(
        { bytes: once(png), settings: async () => ({ visibility, ttlSeconds: null }), idempotencyKey: null },
        scope,
      );
    await expect(upload('public')).rejects.toMatchObject({ slug: 'account_suspended' });
    const { id } = await upload('private');
    const { images: service } = images.context(scope) as ImagesContext;
    await expect(service.update(caller, id, { visibility: 'public' })).rejects.toMatchObject({
      slug: 'account_suspended',
    });
    expect(await service.delete(caller, id)).toBe(id);
    await expectNothingLeft(world);
  });
});

describe('an output of a run', () => {
  it('is hosted once, however often and at once it is stored', async () => {
    const { door } = await createImages(imagesDeps(world.db, world.store, () => new Date(Date.now() + travelled)));
    const output = { runId: newId(), index: 0, ownerId: null, source: { bytes: png } };
    const stored = await Promise.all(Array.from({ length: 8 }, () => door.storeOutput(output, 'r')));
    expect(new Set(stored.map((one) => one?.id)).size).toBe(1);
    await expectNothingLeft(world);
  });
});

describe('a check of the bucket and the records', () => {
  it('finds what is in one and not in the other, and mends it when asked to', async () => {
    const ada = await somebody();
    const { body } = await send(ada, png);
    const lost = body.id;
    await world.store.delete(objectKey(lost));
    const stray = newId();
    const foreign = `${OBJECT_PREFIX}somebody-else`;
    for (const key of [objectKey(stray), foreign]) {
      await world.store.write({ key, bytes: once(png), contentType: () => 'image/png' });
    }
    const images = await createImages(imagesDeps(world.db, world.store, () => new Date(Date.now() + travelled)));
    const { checks } = images.context(systemScope('r')) as ImagesContext;
    const found = async (mend: boolean) => [
      (await checks.objects(null, mend)).found.sort(),
      (await checks.records(null, mend)).found,
    ];
    const wrong = [[objectKey(stray), foreign].sort(), [lost]];
    expect(await found(false)).toEqual(wrong);
    expect(await found(true)).toEqual(wrong);
    expect(await found(false)).toEqual([[foreign], []]);
    expect((await client.rest('GET', `/v1/images/${lost}`, ada.key)).status).toBe(404);
    expect(await bytesOf(ada)).toBe(0);
    await world.store.delete(foreign);
    await expectNothingLeft(world);
  });
});

describe('a check of more than a page', () => {
  it('goes on where the page before ended, and finds what is behind it', async () => {
    const createdAt = new Date(Date.now() + travelled);
    const lost = Array.from(
      { length: RECORDS + 50 },
      (): LiveImage => ({
        _id: newId(),
        state: 'live',
        ownerId: null,
        token: newId(),
        extension: 'png',
        visibility: 'private',
        source: 'upload',
        contentType: 'image/png',
        sizeBytes: png.length,
        sha256: 'x',
        width: 8,
        height: 6,
        createdAt,
        expiresAt: null,
      }),
    );
    await world.images.insertMany(lost);
    const keys = Array.from({ length: KEYS + 50 }, () => objectKey(newId()));
    const { client: s3, bucket: Bucket } = world.store;
    for (let i = 0; i < keys.length; i += 16) {
      await Promise.all(keys.slice(i, i + 16).map((Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body: png }))));
    }
    const images = await createImages(imagesDeps(world.db, world.store, () => new Date(Date.now() + travelled)));
    const { checks } = images.context(systemScope('r')) as ImagesContext;
    const pages = async (of: 'objects' | 'records', mend: boolean) => {
      const sizes: number[] = [];
      const found: string[] = [];
      for (let after: string | null = null; ; ) {
        const page: Checked = await checks[of](after, mend);
        sizes.push(page.checked);
        found.push(...page.found);
        after = page.next;
        if (after === null) return { pages: sizes.length, first: sizes[0], found: found.sort() };
      }
    };
    const missing = lost.map(({ _id }) => _id).sort();
    const strays = keys.sort();
    for (const mend of [false, true]) {
      expect(await pages('objects', mend)).toEqual({ pages: 2, first: KEYS, found: strays });
      const { pages: count, found } = await pages('records', mend);
      expect([count >= 2, found]).toEqual([true, missing]);
    }
    expect((await pages('objects', false)).found).toEqual([]);
    expect((await pages('records', false)).found).toEqual([]);
    await expectNothingLeft(world);
  });
});

describe('an upload whose process died', () => {
  it('is cleared away, object and unfinished parts included, and a living one is not', async () => {
    const past = new Date(Date.now() + travelled - 1_000);
    const base = { ownerId: null, source: 'upload' as const, createdAt: past, state: 'uploading' as const };
    const left: ImageDocument = { ...base, _id: newId(), leaseUntil: past };
    const living: ImageDocument = { ...base, _id: newId(), leaseUntil: new Date(past.getTime() + 3_600_000) };
    for (const { _id } of [left, living]) {
      await world.store.write({ key: objectKey(_id), bytes: once(png), contentType: () => 'image/png' });
    }
    const { bucket: Bucket, client: s3 } = world.store;
    await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: objectKey(left._id) }));
    await world.images.insertMany([left, living]);
    await expect.poll(() => world.images.countDocuments({ _id: left._id })).toBe(0);
    const keys = await keysOf(world);
    expect([keys.includes(objectKey(left._id)), keys.includes(objectKey(living._id))]).toEqual([false, true]);
    expect(await unfinishedUploads(world)).toBe(0);
    await world.images.deleteOne({ _id: living._id });
    await world.store.delete(objectKey(living._id));
  });
});
