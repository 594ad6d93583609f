/** Pictures that are in no memory: the bucket is asked while the database is, and on the word of the database alone shown. */
import { Agent, request as httpRequest, type RequestOptions } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { connectMongo } from '../../platform/mongo/store.js';
import { ObjectStore } from '../../platform/s3.js';
import { randomToken } from '../../platform/secrets.js';
import { type LiveImage, objectKey } from '../../subgraphs/images/image/image.model.js';
import { createImages } from '../../subgraphs/images/subgraph.js';
import { type Detour, openDetour } from '../support/detour.js';
import { imagesDeps } from './support/deps.js';
import { smallPng } from './support/pictures.js';
import { openWorld, pathOf, someBytes, type World } from './support/world.js';

const SMALL = 50_000;
const LARGE = 400_000;
const SIZES = [
  ['small', SMALL],
  ['large', LARGE],
] as const;
/** As long as it takes to be sure that something is not done. */
const A_WHILE_MS = 150;

let world: World;
let toDatabase: Detour;
let toBucket: Detour;
let mongoUrl: string;
let bucket: { endpoint: string };
/** Of objects that the bucket was asked for, the keys in their order. */
let reads: string[];
/** Of those whose connection was closed before the next one was asked for on it. */
let givenUp: Set<string>;
type Place = 'database' | 'bucket';
/** What answers of either are about that are held back, and how to let them go. */
let held: Record<Place, { about: string[]; until: Promise<void>; release: () => void }>;

beforeAll(async () => {
  world = await openWorld();
  held = { database: nothing(), bucket: nothing() };
  const { mongo, s3 } = world;
  const [, socket = ''] = /^mongodb:\/\/([^/?]+)/.exec(mongo.url) ?? [];
  toDatabase = await openDetour({ path: decodeURIComponent(socket) });
  toBucket = await openDetour({ host: '127.0.0.1', port: Number(new URL(s3.endpoint).port) });
  mongoUrl = mongo.url.replace(socket, toDatabase.address);
  bucket = { endpoint: `http://${toBucket.address}` };
  const turn = (place: Place) => (asked: string, left: Promise<void>) => {
    const { about, until } = held[place];
    if (about.some((text) => asked.includes(text))) return Promise.race([until, left]);
  };
  toDatabase.beforeAnswering = turn('database');
  toBucket.beforeAnswering = turn('bucket');
  toBucket.beforeAsking = (asked, left) => {
    const key = keyOf(asked);
    if (key === null) return;
    reads.push(key);
    void left.then(() => givenUp.add(key));
  };
});
afterAll(async () => {
  await world?.close();
  await toDatabase?.close();
  await toBucket?.close();
});

beforeEach(() => {
  reads = [];
  givenUp = new Set();
  held = { database: nothing(), bucket: nothing() };
});
afterEach(() => {
  held.database.release();
  held.bucket.release();
});

function nothing() {
  let release = () => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { about: [], until, release };
}

const keyOf = (asked: string) => /^GET \/darkroom\/(images\/\S+) /.exec(asked)?.[1] ?? null;
const keyIn = ({ _id }: Pick<LiveImage, '_id'>) => objectKey(_id);
const readsOf = (image: LiveImage) => reads.filter((key) => key === keyIn(image)).length;

function hold(place: Place, { _id, token }: LiveImage): void {
  held[place].about.push(...(place === 'database' ? [_id, token] : [objectKey(_id)]));
}

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
  return { MONGODB_URL: mongoUrl, S3_ENDPOINT: bucket.endpoint, ...env };
}

/** On a connection of its own: one that was once handed to the HTTP server stays there, and that does not read ahead. */
function ask(url: string, options: RequestOptions = {}): Promise<{ status: number; bytes: Buffer }> {
  const agent = new Agent({ keepAlive: true });
  return new Promise<{ status: number; bytes: Buffer }>((resolve, reject) => {
    const request = httpRequest(url, { ...options, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, bytes: Buffer.concat(chunks) }));
    });
    request.on('error', reject);
    request.end();
  }).finally(() => agent.destroy());
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
    hold('database', image);
    const answer = get(image);
    await expect.poll(() => readsOf(image)).toBe(1);
    held.database.release();
    expect((await answer).bytes.equals(bytes)).toBe(true);
    expect((await get(image)).bytes.equals(bytes)).toBe(true);
    // What is large is read again to be kept.
    expect(readsOf(image)).toBe(size === SMALL ? 1 : 2);
    expect(givenUp.has(keyIn(image))).toBe(false);
  });

  it('an upload is asked for in the same way', async () => {
    const ada = await world.account(url, `ada@${new URL(url).port}.test`);
    const form = new FormData();
    form.set('file', new Blob([new Uint8Array(await smallPng())]), 'a.png');
    form.set('visibility', 'public');
    const headers = { authorization: `Bearer ${ada.key}` };
    expect((await fetch(`${url}/v1/images`, { method: 'POST', headers, body: form })).status).toBe(201);
    const image = (await world.images.findOne({}, { sort: { _id: -1 } })) as LiveImage;
    hold('database', image);
    const answer = get(image);
    await expect.poll(() => readsOf(image)).toBe(1);
    held.database.release();
    expect((await answer).status).toBe(200);
  });

  it.each(SIZES)('a %s picture whose token does not say which it is is asked for after that', async (_size, size) => {
    const bytes = someBytes(size);
    const image = await world.put(bytes, { token: randomToken() });
    hold('database', image);
    const answer = get(image);
    await pause(A_WHILE_MS);
    expect(readsOf(image)).toBe(0);
    held.database.release();
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
    for (const [, size] of SIZES) {
      const image = await world.put(someBytes(size));
      await change(image);
      hold('bucket', image);
      hold('database', image);
      const asking = get(image);
      await expect.poll(() => readsOf(image)).toBe(1);
      held.database.release();
      held.database = nothing();
      const { bytes, ...answer } = await asking;
      expect(answer.status).toBe(status);
      expect(bytes.length).toBeLessThan(1_000);
      expect(readsOf(image)).toBe(1);
      await expect.poll(() => givenUp.has(keyIn(image))).toBe(true);
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
    hold('bucket', image);
    const answers = Array.from({ length: 20 }, () => get(image));
    await expect.poll(() => readsOf(image)).toBe(1);
    await pause(A_WHILE_MS);
    held.bucket.release();
    for (const answer of await Promise.all(answers)) expect(answer.bytes.equals(bytes)).toBe(true);
    expect(readsOf(image)).toBe(1);
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
      for (const { image } of all) hold('database', image);
      const answers = all.map(({ image }) => get(image));
      await expect.poll(() => reads.length).toBe(16);
      await pause(A_WHILE_MS);
      expect(reads.length).toBe(16);
      held.database.release();
      for (const [i, answer] of (await Promise.all(answers)).entries()) {
        expect(answer.bytes.equals(all[i]?.bytes ?? Buffer.alloc(0))).toBe(true);
      }
      expect(new Set(reads).size).toBe(40);
      expect(reads.length).toBe(40);
      // None of them counts any more.
      const image = await world.put(someBytes(size));
      held.database = nothing();
      hold('database', image);
      const last = get(image);
      await expect.poll(() => readsOf(image)).toBe(1);
      held.database.release();
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
    hold('database', image);
    const answer = get(image, init(image));
    await pause(A_WHILE_MS);
    expect(readsOf(image)).toBe(0);
    held.database.release();
    expect((await answer).status).toBe(status);
    expect(readsOf(image)).toBe(status === 206 ? 1 : 0);
  });

  it('a picture that ends, or becomes private, while its bytes come is not shown', async () => {
    for (const [, size] of SIZES) {
      const image = await world.put(someBytes(size), { expiresAt: new Date(Date.now() + 400) });
      hold('bucket', image);
      const answer = get(image);
      await expect.poll(() => readsOf(image)).toBe(1);
      await pause(450);
      held.bucket.release();
      expect((await answer).status).toBe(404);
      held.bucket = nothing();
    }
  });

  it('is served also after a change of SECRET_KEY', async () => {
    const bytes = someBytes(SMALL);
    const image = await world.put(bytes);
    const other = await open({ SECRET_KEY: 'another secret key, of at least 32 characters' });
    hold('database', image);
    const answer = ask(other + pathOf(image));
    await pause(A_WHILE_MS);
    expect(readsOf(image)).toBe(0);
    held.database.release();
    expect((await answer).bytes.equals(bytes)).toBe(true);
  });
});

it.each(SIZES)('the read of a %s picture is given up where the database fails', async (_size, size) => {
  const { db, close } = await connectMongo({ url: mongoUrl, database: 'darkroom', appName: 'test' });
  const store = new ObjectStore({
    ...world.s3,
    ...bucket,
    bucket: 'darkroom',
    forcePathStyle: true,
    credentials: world.s3,
  });
  const { door } = await createImages(imagesDeps(db, store, () => new Date()));
  const image = await world.put(someBytes(size));
  hold('bucket', image);
  const { beforeAnswering } = toDatabase;
  toDatabase.beforeAnswering = async (asked) => {
    if (!asked.includes(image._id) && !asked.includes(image.token)) return;
    await expect.poll(() => readsOf(image)).toBe(1);
    expect(givenUp.has(keyIn(image))).toBe(false);
    throw new Error('lost');
  };
  await expect(door.findAhead(image.token, 'r')).rejects.toThrow();
  toDatabase.beforeAnswering = beforeAnswering;
  await expect.poll(() => givenUp.has(keyIn(image))).toBe(true);
  store.close();
  await close();
});
