/** Pictures that are in no memory: the bucket is asked while the database is, and on the word of the database alone shown. */
import type { RequestOptions } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { connectMongo } from '../../platform/mongo/store.js';
import { randomToken } from '../../platform/secrets.js';
import { type LiveImage, objectKey } from '../../subgraphs/images/image/image.model.js';
import { createImages } from '../../subgraphs/images/subgraph.js';
import type { Account } from '../support/client.js';
import { ask } from './support/ask.js';
import { imagesDeps } from './support/deps.js';
import { type HeldAnswers, openHeldAnswers } from './support/held.js';
import { smallPng } from './support/pictures.js';
import { openWorld, ownerOf, pathOf, someBytes, type World } from './support/world.js';

const SMALL = 50_000;
const LARGE = 400_000;
const SIZES = [
  ['small', SMALL],
  ['large', LARGE],
] as const;
/** As long as it takes to be sure that something is not done. */
const A_WHILE_MS = 150;

let world: World;
let held: HeldAnswers;

beforeAll(async () => {
  world = await openWorld();
  held = await openHeldAnswers(world);
});
afterAll(async () => {
  await world?.close();
  await held?.close();
});
afterEach(() => held.reset());

async function dropObject({ _id }: LiveImage): Promise<void> {
  const { client, bucket: Bucket } = world.store;
  await client.send(new DeleteObjectCommand({ Bucket, Key: objectKey(_id) }));
}

const SHAPES: [string, (env?: Record<string, string>) => Promise<string>][] = [
  ['in one process', async (env) => (await world.start({ kind: 'start' }, through(env))).url],
  [
    'with images in another process',
    async (env) =>
      (await world.start({ kind: 'gateway' }, { ...through(env), ...(await world.subgraphs(through(env))) })).url,
  ],
];

function through(env: Record<string, string> = {}): Record<string, string> {
  return { MONGODB_URL: held.mongoUrl, S3_ENDPOINT: held.endpoint, ...env };
}

describe.each(SHAPES)('served %s', (_shape, open) => {
  let url: string;

  beforeAll(async () => {
    url = await open();
  });

  const get = (image: LiveImage, options: RequestOptions = {}) => ask(url + pathOf(image), options);

  it.each(SIZES)('a %s picture is asked for before the database has answered', async (_size, size) => {
    const bytes = someBytes(size);
    const image = await world.put(bytes);
    held.hold('database', image);
    const answer = get(image);
    await expect.poll(() => held.readsOf(image)).toBe(1);
    held.release('database');
    expect((await answer).bytes.equals(bytes)).toBe(true);
    expect((await get(image)).bytes.equals(bytes)).toBe(true);
    // What is large is read again to be kept.
    expect(held.readsOf(image)).toBe(size === SMALL ? 1 : 2);
    expect(held.isGivenUp(image)).toBe(false);
  });

  it('an upload is asked for in the same way', async () => {
    const ada = await world.account(url, `ada@${new URL(url).port}.test`);
    const form = new FormData();
    form.set('file', new Blob([new Uint8Array(await smallPng())]), 'a.png');
    form.set('visibility', 'public');
    const headers = { authorization: `Bearer ${ada.key}` };
    expect((await fetch(`${url}/v1/images`, { method: 'POST', headers, body: form })).status).toBe(201);
    const image = (await world.images.findOne({}, { sort: { _id: -1 } })) as LiveImage;
    held.hold('database', image);
    const answer = get(image);
    await expect.poll(() => held.readsOf(image)).toBe(1);
    held.release('database');
    expect((await answer).status).toBe(200);
  });

  it.each(SIZES)('a %s picture whose token does not say which it is is asked for after that', async (_size, size) => {
    const bytes = someBytes(size);
    const image = await world.put(bytes, { token: randomToken() });
    held.hold('database', image);
    const answer = get(image);
    await pause(A_WHILE_MS);
    expect(held.readsOf(image)).toBe(0);
    held.release('database');
    expect((await answer).bytes.equals(bytes)).toBe(true);
  });

  it.each<[string, number, (image: LiveImage) => Promise<unknown>]>([
    ['deleted', 404, ({ _id }) => world.images.updateOne({ _id }, { $set: { state: 'dead' }, $unset: { token: 1 } })],
    ['expired', 404, ({ _id }) => world.images.updateOne({ _id }, { $set: { expiresAt: new Date() } })],
    ['not there', 404, ({ _id }) => world.images.deleteOne({ _id })],
    [
      'private',
      401,
      ({ _id }) => world.images.updateOne({ _id }, { $set: { visibility: 'private', ownerId: newId() } }),
    ],
    [
      'another',
      200,
      ({ _id, token }) => world.images.updateOne({ _id }, { $set: { token: randomToken() } }).then(() => twin(token)),
    ],
  ])('of a picture that is %s nothing is shown, and its read is given up', async (_name, status, change) => {
    for (const [size, isWaitedFor] of [
      [SMALL, true],
      [LARGE, true],
      [LARGE, false],
    ] as const) {
      const image = await world.put(someBytes(size));
      await change(image);
      if (isWaitedFor) held.hold('bucket', image);
      held.hold('database', image);
      const asking = get(image);
      await expect.poll(() => held.readsOf(image)).toBe(1);
      if (!isWaitedFor) await pause(A_WHILE_MS);
      held.release('database');
      const { bytes, ...answer } = await asking;
      expect(answer.status).toBe(status);
      expect(bytes.length).toBeLessThan(1_000);
      expect(held.readsOf(image)).toBe(1);
      await expect.poll(() => held.isGivenUp(image)).toBe(true);
    }
  });

  /** Another image that has a token by which it is not named. */
  const twin = (token: string) => world.put(someBytes(10), { token });

  it.each(SIZES)('a %s picture that is not in the bucket is missed as ever', async (_size, size) => {
    const answers = [];
    for (const fields of [{}, { token: randomToken() }]) {
      const image = await world.put(someBytes(size), fields);
      await dropObject(image);
      const { status, bytes } = await get(image);
      answers.push([status, { ...JSON.parse(bytes.toString()), request_id: '' }]);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject([404, { error: 'image_not_found' }]);
  });

  it('a burst for one picture reads it once', async () => {
    const bytes = someBytes(SMALL);
    const image = await world.put(bytes);
    held.hold('bucket', image);
    const answers = Array.from({ length: 20 }, () => get(image));
    await expect.poll(() => held.readsOf(image)).toBe(1);
    await pause(A_WHILE_MS);
    held.release('bucket');
    for (const answer of await Promise.all(answers)) expect(answer.bytes.equals(bytes)).toBe(true);
    expect(held.readsOf(image)).toBe(1);
  });

  it.each(SIZES)(
    'at most sixteen %s pictures are read before their records, and all are right',
    async (_size, size) => {
      const all = await Promise.all(
        Array.from({ length: 40 }, async () => {
          const bytes = someBytes(size);
          return { bytes, image: await world.put(bytes) };
        }),
      );
      for (const { image } of all) held.hold('database', image);
      const answers = all.map(({ image }) => get(image));
      await expect.poll(() => held.reads().length).toBe(16);
      await pause(A_WHILE_MS);
      expect(held.reads().length).toBe(16);
      held.release('database');
      for (const [i, answer] of (await Promise.all(answers)).entries()) {
        expect(answer.bytes.equals(all[i]?.bytes ?? Buffer.alloc(0))).toBe(true);
      }
      expect(new Set(held.reads()).size).toBe(40);
      // None of them counts any more.
      const image = await world.put(someBytes(size));
      held.hold('database', image);
      const last = get(image);
      await expect.poll(() => held.readsOf(image)).toBe(1);
      held.release('database');
      expect((await last).status).toBe(200);
    },
  );

  it.each<[string, number, (image: LiveImage) => RequestOptions]>([
    ['its head', 200, () => ({ method: 'HEAD' })],
    ['a part of it', 206, () => ({ headers: { range: 'bytes=0-9' } })],
    ['what has changed', 304, ({ sha256 }) => ({ headers: { 'if-none-match': `"${sha256}"` } })],
    ['what is newer', 304, () => ({ headers: { 'if-modified-since': new Date().toUTCString() } })],
  ])('who asks for %s has the record looked up first', async (_name, status, init) => {
    const image = await world.put(someBytes(SMALL));
    held.hold('database', image);
    const answer = get(image, init(image));
    await pause(A_WHILE_MS);
    expect(held.readsOf(image)).toBe(0);
    held.release('database');
    expect((await answer).status).toBe(status);
  });

  it('who asks for its head does not wait for bytes that somebody else waits for', async () => {
    const image = await world.put(someBytes(SMALL));
    held.hold('bucket', image);
    const answer = get(image);
    await expect.poll(() => held.readsOf(image)).toBe(1);
    expect((await get(image, { method: 'HEAD' })).status).toBe(200);
    held.release('bucket');
    expect((await answer).status).toBe(200);
  });

  async function setVisibility({ _id }: LiveImage, { key }: Account, visibility: string): Promise<void> {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ visibility });
    expect((await fetch(`${url}/v1/images/${_id}`, { method: 'PATCH', headers, body })).status).toBe(200);
  }

  it('of a picture whose bytes are in memory and whose record is not, the read is given up', async () => {
    const cyd = await world.account(url, `cyd@${new URL(url).port}.test`);
    const image = await world.put(someBytes(LARGE), { ownerId: ownerOf(cyd) });
    // It is kept the second time.
    for (let i = 0; i < 2; i++) await get(image);
    await setVisibility(image, cyd, 'public');
    expect((await get(image)).status).toBe(200);
    expect(held.readsOf(image)).toBe(3);
    await expect.poll(() => held.isGivenUp(image)).toBe(true);
  });

  it.each(SIZES)('a %s picture that ends while its bytes come is not shown', async (_size, size) => {
    const image = await world.put(someBytes(size), { expiresAt: new Date(Date.now() + 400) });
    held.hold('bucket', image);
    const answer = get(image);
    await expect.poll(() => held.readsOf(image)).toBe(1);
    await pause(450);
    held.release('bucket');
    expect((await answer).status).toBe(404);
  });

  it.each(SIZES)('a %s picture that becomes private while its bytes come is not shown', async (size, length) => {
    const ben = await world.account(url, `ben-${size}@${new URL(url).port}.test`);
    const image = await world.put(someBytes(length), { ownerId: ownerOf(ben) });
    held.hold('bucket', image);
    const answer = get(image);
    await expect.poll(() => held.readsOf(image)).toBe(1);
    await setVisibility(image, ben, 'private');
    held.release('bucket');
    expect((await answer).status).toBe(401);
  });

  it('readers who leave before the database has answered hold on to no connection to the bucket', async () => {
    // Four times sixteen are more than there are.
    for (let round = 0; round < 4; round++) {
      const images = await Promise.all(Array.from({ length: 16 }, () => world.put(someBytes(LARGE))));
      for (const image of images) held.hold('database', image);
      const readers = images.map(() => new AbortController());
      const answers = images.map((image, i) => get(image, { signal: readers[i]?.signal }));
      await expect.poll(() => images.every((image) => held.readsOf(image) === 1)).toBe(true);
      for (const reader of readers) reader.abort();
      await Promise.allSettled(answers);
      held.release('database');
    }
    const bytes = someBytes(LARGE);
    expect((await get(await world.put(bytes))).bytes.equals(bytes)).toBe(true);
  });

  it('is served also after a change of SECRET_KEY', async () => {
    const bytes = someBytes(SMALL);
    const image = await world.put(bytes);
    const other = await open({ SECRET_KEY: 'another secret key, of at least 32 characters' });
    held.hold('database', image);
    const answer = ask(other + pathOf(image));
    await pause(A_WHILE_MS);
    expect(held.readsOf(image)).toBe(0);
    held.release('database');
    expect((await answer).bytes.equals(bytes)).toBe(true);
  });
});

it.each(SIZES)('the read of a %s picture is given up where the database fails', async (_size, size) => {
  const { db, close } = await connectMongo({ url: held.mongoUrl, database: 'darkroom', appName: 'test' });
  const store = held.openStore();
  const { door } = await createImages(imagesDeps(db, store, () => new Date()));
  const image = await world.put(someBytes(size));
  held.hold('bucket', image);
  const { beforeAnswering } = held.toDatabase;
  held.toDatabase.beforeAnswering = async (asked) => {
    if (!asked.includes(image._id) && !asked.includes(image.token)) return;
    await expect.poll(() => held.readsOf(image)).toBe(1);
    expect(held.isGivenUp(image)).toBe(false);
    throw new Error('lost');
  };
  await expect(door.findAhead(image.token, 'r')).rejects.toThrow();
  held.toDatabase.beforeAnswering = beforeAnswering;
  await expect.poll(() => held.isGivenUp(image)).toBe(true);
  store.close();
  await close();
});
