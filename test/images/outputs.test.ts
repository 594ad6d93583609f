/** Hosting what runs made and reading what callers refer to: in the process of images, and over its byte door. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ByteTransport } from '../../platform/bytes.js';
import { Problem } from '../../platform/errors.js';
import { newId } from '../../platform/ids.js';
import { ObjectStore } from '../../platform/s3.js';
import { Secrets } from '../../platform/secrets.js';
import type { Images, StoredOutput } from '../../subgraphs/images/client.js';
import { RemoteImages } from '../../subgraphs/images/door/door.client.js';
import { createImages } from '../../subgraphs/images/subgraph.js';
import { SECRET_KEY } from '../support/platform.js';
import { imagesDeps } from './support/deps.js';
import { openWorld, pathOf, type World } from './support/world.js';

const PUBLIC_URL = 'http://darkroom.test';
const HOUR = 3_600_000;
const QUOTA = 100_000;
const log = pino({ level: 'silent' });

let world: World;
let png: Buffer;
let host: Server;
let hostUrl: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let asked: string[] = [];
const doors: Record<string, Images> = {};
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  world = await openWorld();
  png = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
  host = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((done) => host.listen(0, '127.0.0.1', done));
  hostUrl = `http://127.0.0.1:${(host.address() as AddressInfo).port}`;
  const settings = {
    publicUrl: PUBLIC_URL,
    maxUploadBytes: 50_000,
    storageQuota: QUOTA,
    outputHosts: ['127.0.0.1'],
    allowPrivateFetch: true,
  };
  doors['in process'] = (await createImages(imagesDeps(world.db, world.store, () => new Date(), settings))).door;
  const { url } = await world.start(
    { kind: 'subgraph', name: 'images' },
    {
      PUBLIC_URL,
      MAX_UPLOAD_BYTES: '50000',
      STORAGE_QUOTA_BYTES: String(QUOTA),
      MEDIA_FETCH_ALLOWLIST: '127.0.0.1',
      ALLOW_PRIVATE_FETCH: 'on',
    },
  );
  const transport = new ByteTransport('images', url, new Secrets(SECRET_KEY));
  closers.push(() => transport.close());
  doors['over HTTP'] = new RemoteImages(transport, log);
});
afterAll(async () => {
  for (const close of closers) await close();
  await world?.close();
  await new Promise((done) => host.close(done));
});
beforeEach(() => {
  asked = [];
  answer = (_request, response) => response.end(png);
});

async function bytesOf(images: Images, { id }: StoredOutput): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of await images.open(id, null, 'test')) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

describe.each(['in process', 'over HTTP'])('outputs, %s', (shape) => {
  const images = () => doors[shape] as Images;
  const store = (source: { bytes: Uint8Array } | { url: string }, ownerId: string | null = newId(), runId = newId()) =>
    images().storeOutput({ runId, index: 0, ownerId, source }, 'test');

  it('of an account are private and stay', async () => {
    const ownerId = newId();
    const stored = await store({ bytes: png }, ownerId);
    expect(stored).toEqual({
      id: expect.any(String),
      url: expect.stringMatching(/^http:\/\/darkroom\.test\/v1\/i\/[0-9A-Za-z]{43}\.png$/),
      visibility: 'private',
      expiresAt: null,
      contentType: 'image/png',
      sizeBytes: png.length,
      width: 40,
      height: 30,
    });
    if (!stored) throw new Error('not stored');
    expect((await bytesOf(images(), stored)).equals(png)).toBe(true);
    expect(await world.images.findOne({ _id: stored.id })).toMatchObject({ ownerId, source: 'generated' });
  });

  it('of nobody are public for a day', async () => {
    const stored = await store({ bytes: png }, null);
    expect(stored?.visibility).toBe('public');
    const left = (stored?.expiresAt?.getTime() ?? 0) - Date.now();
    expect(left).toBeGreaterThan(23 * HOUR);
    expect(left).toBeLessThanOrEqual(24 * HOUR);
  });

  it('are hosted once, however often and however much at once they are stored', async () => {
    const [runId, ownerId] = [newId(), newId()];
    const all = await Promise.all(Array.from({ length: 8 }, () => store({ bytes: png }, ownerId, runId)));
    const again = await store({ url: `${hostUrl}/other.png` }, ownerId, runId);
    expect(new Set([...all, again].map((stored) => stored?.id)).size).toBe(1);
    expect(asked).toEqual([]);
    expect(await world.images.countDocuments({ ownerId, state: 'live' })).toBe(1);
  });

  it('are fetched from a host on the list', async () => {
    const stored = await store({ url: `${hostUrl}/a.png` });
    expect(stored).toMatchObject({ contentType: 'image/png', sizeBytes: png.length, width: 40 });
    expect(asked).toEqual(['/a.png']);
  });

  it.each<[string, () => string, () => void, number]>([
    ['a host off the list', () => hostUrl.replace('127.0.0.1', 'localhost'), () => {}, 0],
    ['no URL', () => 'nonsense', () => {}, 0],
    ['another scheme', () => 'file:///etc/passwd', () => {}, 0],
    [
      'a redirect off the list',
      () => hostUrl,
      () => {
        answer = (_q, response) => response.writeHead(302, { location: 'http://localhost:1/' }).end();
      },
      1,
    ],
    [
      'what is not there',
      () => hostUrl,
      () => {
        answer = (_q, response) => response.writeHead(404).end();
      },
      1,
    ],
    [
      'no picture',
      () => hostUrl,
      () => {
        answer = (_q, response) => response.end('<html>'.repeat(10));
      },
      1,
    ],
    [
      'half a picture',
      () => hostUrl,
      () => {
        answer = (_q, response) => response.end(png.subarray(0, -10));
      },
      1,
    ],
    [
      'too much',
      () => hostUrl,
      () => {
        answer = (_q, response) => response.end(Buffer.alloc(50_001));
      },
      1,
    ],
  ])('are not hosted from %s', async (_name, url, prepare, requests) => {
    prepare();
    const [runId, ownerId] = [newId(), newId()];
    expect(await store({ url: url() }, ownerId, runId)).toBeNull();
    expect(asked).toHaveLength(requests);
    expect(await world.images.countDocuments({ ownerId, state: { $ne: 'dead' } })).toBe(0);
    expect(await images().outputsOf(runId, 'test')).toEqual([]);
  });

  it('are tried again when their host has a bad moment, and given up when it lasts', async () => {
    answer = (_q, response) => {
      if (asked.length < 3) response.writeHead(503).end();
      else response.end(png);
    };
    expect(await store({ url: hostUrl })).not.toBeNull();
    expect(asked).toHaveLength(3);
    asked = [];
    answer = (_q, response) => {
      response.writeHead(200, { 'content-length': String(png.length) });
      response.write(png.subarray(0, 50));
      setTimeout(() => response.destroy(), 20);
    };
    expect(await store({ url: hostUrl })).toBeNull();
    expect(asked).toHaveLength(3);
  });

  it('are null when their bytes are no picture, too many, or over the quota of their account', async () => {
    expect(await store({ bytes: Buffer.from('no picture at all') })).toBeNull();
    expect(await store({ bytes: Buffer.alloc(60_000) })).toBeNull();
    const ownerId = newId();
    const noise = (seed: number) =>
      sharp(Buffer.alloc(120 * 120 * 3, seed), RAW)
        .png({ compressionLevel: 0 })
        .toBuffer();
    for (const seed of [1, 2]) expect(await store({ bytes: await noise(seed) }, ownerId)).not.toBeNull();
    expect(await store({ bytes: await noise(3) }, ownerId)).toBeNull();
  });

  it('are found by their run, in order', async () => {
    const [runId, ownerId] = [newId(), newId()];
    for (const index of [10, 2, 0]) {
      await images().storeOutput({ runId, index, ownerId, source: { bytes: png } }, 'test');
    }
    const found = await images().outputsOf(runId, 'test');
    expect(found.map(({ index }) => index)).toEqual([0, 2, 10]);
    const { index: _, ...second } = found[1] ?? { index: 0 };
    expect(await images().storeOutput({ runId, index: 2, ownerId, source: { bytes: png } }, 'test')).toEqual(second);
    expect(await images().outputsOf(newId(), 'test')).toEqual([]);
  });
});

const RAW = { raw: { width: 120, height: 120, channels: 3 } } as const;

describe('outputs that cannot be kept', () => {
  it('are null when the bucket stays away', async () => {
    const gone = new ObjectStore({
      endpoint: 'http://127.0.0.1:1',
      region: 'us-east-1',
      bucket: 'none',
      forcePathStyle: true,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    const { door } = await createImages(imagesDeps(world.db, gone, () => new Date()));
    const ownerId = newId();
    const output = { runId: newId(), index: 0, ownerId, source: { bytes: png } };
    expect(await door.storeOutput(output, 'test')).toBeNull();
    expect(await world.images.countDocuments({ ownerId, state: 'live' })).toBe(0);
    gone.close();
  });

  it('are null when the process of images stays away', async () => {
    const transport = new ByteTransport('images', 'http://127.0.0.1:1', new Secrets(SECRET_KEY));
    const away = new RemoteImages(transport, log);
    const output = { runId: newId(), index: 0, ownerId: null, source: { bytes: png } };
    expect(await away.storeOutput(output, 'test')).toBeNull();
    await transport.close();
  });

  it('are not asked for over http, nor from inside, without the setting that tests have', async () => {
    const settings = { outputHosts: ['127.0.0.1', 'localhost'] };
    const { door } = await createImages(imagesDeps(world.db, world.store, () => new Date(), settings));
    for (const url of [hostUrl, hostUrl.replace('http:', 'https:'), 'https://localhost/']) {
      const output = { runId: newId(), index: 0, ownerId: null, source: { url } };
      expect(await door.storeOutput(output, 'test'), url).toBeNull();
    }
    expect(asked).toEqual([]);
  });
});

describe.each(['in process', 'over HTTP'])('references, %s', (shape) => {
  const read = (url: string, userId: string | null = null) =>
    (doors[shape] as Images).readReference({ url, userId }, 'test');
  const refusalOf = (url: string, userId: string | null = null) =>
    read(url, userId).then(
      () => Promise.reject(new Error(`${url} was read`)),
      (error: Problem) => [error.slug, error.message],
    );

  it('elsewhere are fetched', async () => {
    const { bytes, ...facts } = await read(`${hostUrl}/b.png`);
    expect(facts).toEqual({ contentType: 'image/png', width: 40, height: 30 });
    expect(Buffer.from(bytes).equals(png)).toBe(true);
  });

  it('here are read with the rights of the caller, and never fetched', async () => {
    const ownerId = newId();
    const open = await world.put(png, { width: 40, height: 30 });
    const own = await world.put(png, { ownerId, visibility: 'private' });
    const past = await world.put(png, { ownerId, expiresAt: new Date(Date.now() - 1_000) });
    const url = (path: string) => PUBLIC_URL + path;
    expect(await read(url(pathOf(open)))).toMatchObject({ contentType: 'image/png', width: 40 });
    expect((await read(url(`/v1/i/${open.token}`), newId())).bytes).toHaveLength(png.length);
    expect((await read(url(pathOf(own)), ownerId)).bytes).toHaveLength(png.length);
    const other = [
      await refusalOf(url(pathOf(own))),
      await refusalOf(url(pathOf(own)), newId()),
      await refusalOf(url(pathOf(past)), ownerId),
      await refusalOf(url('/v1/i/unknown.png'), ownerId),
      await refusalOf(url('/v1/me'), ownerId),
      await refusalOf(url(`/x/..${pathOf(own)}`)),
      await refusalOf(`https://user:pass@DARKROOM.test:443${pathOf(own)}`),
      await refusalOf(`http://darkroom.test.${pathOf(own)}`),
    ];
    for (const refusal of other) expect(refusal).toEqual(other[0]);
    expect(other[0]?.[0]).toBe('validation_error');
  });

  it('elsewhere that lead back here are not followed', async () => {
    const open = await world.put(png);
    answer = (_q, response) => response.writeHead(302, { location: PUBLIC_URL + pathOf(open) }).end();
    expect((await refusalOf(hostUrl))[0]).toBe('validation_error');
  });

  it.each<[string, RegExp, () => void]>([
    [
      'no picture',
      /cannot be used/,
      () => {
        answer = (_q, response) => response.end('<html>'.repeat(10));
      },
    ],
    [
      'half a picture',
      /cannot be used/,
      () => {
        answer = (_q, response) => response.end(png.subarray(0, -10));
      },
    ],
    [
      'too much',
      /larger than 50000 bytes/,
      () => {
        answer = (_q, response) => response.end(Buffer.concat([png, Buffer.alloc(60_000)]));
      },
    ],
    [
      'a refusal',
      /status 403/,
      () => {
        answer = (_q, response) => response.writeHead(403).end();
      },
    ],
    [
      'redirects without end',
      /redirects too often/,
      () => {
        answer = (_q, response) => response.writeHead(302, { location: '/again' }).end();
      },
    ],
  ])('that hold %s are refused in words', async (_name, words, prepare) => {
    prepare();
    expect(await refusalOf(hostUrl)).toEqual(['validation_error', expect.stringMatching(words)]);
  });
});

it('what a refused reference says is the same for every place inside, there or not', async () => {
  const { door } = await createImages(imagesDeps(world.db, world.store, () => new Date()));
  const refusals = new Set<string>();
  for (const url of [
    hostUrl,
    'http://127.0.0.1:1/',
    'http://10.0.0.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::1]/',
    'http://localhost/',
    'http://no-such-name.invalid/',
    'file:///etc/passwd',
    'nonsense',
  ]) {
    const error = await door.readReference({ url, userId: null }, 'test').catch((refusal: unknown) => refusal);
    if (!(error instanceof Problem)) throw new Error(`${url} was not refused`);
    refusals.add(JSON.stringify(error.toBody()));
  }
  expect([...refusals]).toHaveLength(1);
  expect(asked).toEqual([]);
});
