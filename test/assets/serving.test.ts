/** GET /v2/assets/{id} and the Asset of the graph, in one process and in several, and the door between these. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ByteTransport } from '../../platform/bytes.js';
import { newId } from '../../platform/ids.js';
import { Secrets } from '../../platform/secrets.js';
import type { AssetFacts, Assets, OutputToKeep } from '../../subgraphs/images/asset-client.js';
import { RemoteAssets } from '../../subgraphs/images/door/asset-door.client.js';
import { createImages } from '../../subgraphs/images/subgraph.js';
import { imagesDeps } from '../images/support/deps.js';
import { smallPng } from '../images/support/pictures.js';
import { openWorld, ownerOf, type World } from '../images/support/world.js';
import { type Account, clientOf } from '../support/client.js';
import { SECRET_KEY } from '../support/platform.js';
import { decode } from './support/decoders.js';

const DAY_MS = 24 * 60 * 60_000;

let world: World;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => {
  for (const close of closers) await close();
  await world?.close();
});

interface Opened {
  url: string;
  /** As a worker of that shape has it. */
  assets: Assets;
}

const SHAPES: [string, () => Promise<Opened>][] = [
  [
    'in one process',
    async () => {
      const { url } = await world.start({ kind: 'start' });
      const settings = { publicUrl: 'http://darkroom.test' };
      const images = await createImages(imagesDeps(world.db, world.store, () => new Date(), settings));
      closers.push(() => images.close());
      return { url, assets: images.assets };
    },
  ],
  [
    'with images in another process',
    async () => {
      const addresses = await world.subgraphs();
      const { url } = await world.start({ kind: 'gateway' }, addresses);
      const transport = new ByteTransport('images', addresses['SUBGRAPH_IMAGES_URL'] ?? '', new Secrets(SECRET_KEY));
      closers.push(() => transport.close());
      return { url, assets: new RemoteAssets(transport) };
    },
  ],
];

describe.each(SHAPES)('served %s', (_shape, open) => {
  let url: string;
  let assets: Assets;
  let ada: Account;
  let ben: Account;

  beforeAll(async () => {
    ({ url, assets } = await open());
    ada = await world.account(url, `ada@${new URL(url).port}.test`);
    ben = await world.account(url, `ben@${new URL(url).port}.test`);
  });

  let large: Promise<AssetFacts> | undefined;
  let side = 40;
  async function keep(more: Partial<OutputToKeep> = {}): Promise<AssetFacts> {
    const result = await assets.keepOutput(
      {
        jobId: newId(),
        ownerId: ownerOf(ada),
        expiresAt: new Date(Date.now() + DAY_MS),
        source: { bytes: await smallPng(side++, 30 + (new URL(url).port.charCodeAt(0) % 7)) },
        format: 'webp',
        quality: 85,
        size: null,
        preset: null,
        removeBackground: false,
        ...more,
      },
      'r',
    );
    if ('failed' in result) throw new Error(result.failed.message);
    return result.kept.image;
  }

  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`${url}${path}`, { method, headers });
  const errorOf = async (response: Response) => [response.status, ((await response.json()) as { error: string }).error];

  it('the bytes go to anybody, and may be kept for an hour', async () => {
    const { id, url: address, sizeBytes } = await keep();
    expect(address).toBe(`http://darkroom.test/v2/assets/${id}`);
    const response = await get(`/v2/assets/${id}`);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'public, max-age=3600',
      etag: `"${id}"`,
      'content-type': 'image/webp',
      'content-length': String(sizeBytes),
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'content-disposition': 'inline',
      'access-control-allow-origin': '*',
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(id);
    const [head, body] = await Promise.all([
      get(`/v2/assets/${id}`, {}, 'HEAD'),
      get(`/v2/assets/${id.toUpperCase()}`),
    ]);
    expect([head.status, head.headers.get('content-length'), body.status]).toEqual([200, String(sizeBytes), 200]);
  });

  it('conditions and ranges work', async () => {
    const { id, sizeBytes } = await keep();
    const whole = Buffer.from(await (await get(`/v2/assets/${id}`)).arrayBuffer());
    const unchanged = await get(`/v2/assets/${id}`, { 'if-none-match': `"${id}"` });
    expect([unchanged.status, (await unchanged.arrayBuffer()).byteLength]).toEqual([304, 0]);
    const part = await get(`/v2/assets/${id}`, { range: 'bytes=4-11' });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 4-11/${sizeBytes}`]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(4, 12));
    const beyond = await get(`/v2/assets/${id}`, { range: `bytes=${sizeBytes}-` });
    expect(beyond.headers.get('cache-control')).toBe('no-store');
    expect(await errorOf(beyond)).toEqual([416, 'range_not_satisfiable']);
  });

  it.each([
    ['thumbnail', 256, 256],
    ['standard', 1024, 731],
    ['hero', 1600, 900],
    ['portrait', 900, 1200],
  ])('preset %s', async (preset, width, height) => {
    large ??= keep({ source: { bytes: await smallPng(1400, 1000) } });
    const { id } = await large;
    const [first, again] = [
      await get(`/v2/assets/${id}?preset=${preset}`),
      await get(`/v2/assets/${id}?preset=${preset}`),
    ];
    const bytes = Buffer.from(await first.arrayBuffer());
    const picture = await decode('image/webp', bytes);
    expect([first.status, picture.width, picture.height]).toEqual([200, width, height]);
    expect(first.headers.get('etag')).toBe(`"${createHash('sha256').update(bytes).digest('hex')}"`);
    expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
  });

  it('what does not exist is not found, and a shape that does not exist is said to be none', async () => {
    const { id } = await keep();
    for (const path of [`/v2/assets/${'0'.repeat(64)}`, '/v2/assets/nothing', `/v2/assets/${id}a`]) {
      expect(await errorOf(await get(path))).toEqual([404, 'not_found']);
    }
    for (const preset of ['poster', '', 'toString', 'hero&preset=hero']) {
      expect(await errorOf(await get(`/v2/assets/${id}?preset=${preset}`))).toEqual([400, 'validation_error']);
    }
    expect(await errorOf(await get(`/v2/assets/${id}`, {}, 'DELETE'))).toEqual([405, 'method_not_allowed']);
  });

  it('is gone at the next request once its job is', async () => {
    const jobId = newId();
    const { id } = await keep({ jobId });
    expect((await get(`/v2/assets/${id}?preset=thumbnail`)).status).toBe(200);
    await assets.drop(jobId, 'r');
    expect(await errorOf(await get(`/v2/assets/${id}`))).toEqual([404, 'not_found']);
    expect(await errorOf(await get(`/v2/assets/${id}?preset=thumbnail`))).toEqual([404, 'not_found']);
    await expect(keep({ jobId })).rejects.toMatchObject({ slug: 'not_found' });
  });

  it('inputs pass through the door as they are', async () => {
    const jobId = newId();
    const bytes = await smallPng();
    const input = { jobId, role: 'mask' as const, ownerId: null, expiresAt: new Date(Date.now() + DAY_MS), bytes };
    const facts = { contentType: 'image/png', sizeBytes: bytes.length, width: 8, height: 6 };
    expect(await assets.keepInput(input, 'r')).toEqual(facts);
    await assets.keepInputsUntil(jobId, new Date(Date.now() + DAY_MS), 'r');
    const read = await assets.readInput(jobId, 'mask', 'r');
    expect([read?.width, Buffer.from(read?.bytes ?? [])]).toEqual([8, bytes]);
    expect(await assets.readInput(jobId, 'image', 'r')).toBeNull();
    await expect(assets.keepInput({ ...input, role: 'image', bytes: Buffer.from('no') }, 'r')).rejects.toMatchObject({
      slug: 'unsupported_image_type',
    });
    expect(await assets.keepOutput({ ...failing(), jobId: newId() }, 'r')).toMatchObject({
      failed: { step: 'fetching' },
    });
  });

  const failing = (): OutputToKeep => ({
    jobId: newId(),
    ownerId: null,
    expiresAt: new Date(Date.now() + DAY_MS),
    source: { url: 'https://elsewhere.test/picture.png' },
    format: 'png',
    quality: 85,
    size: { width: 10, height: 10 },
    preset: 'hero',
    removeBackground: true,
  });

  it('the graph says what it is, and whose to nobody but its owner', async () => {
    const { id, sizeBytes } = await keep();
    const query = `query ($id: ID!) { asset(id: $id) { id url bytes contentType width height
      presetUrls { thumbnail standard hero portrait } owner { id email } } }`;
    const ask = (key?: string) => clientOf({ url, mailbox: world.mailbox }).graph(query, { id }, key);
    const address = `http://darkroom.test/v2/assets/${id}`;
    const asset = {
      id,
      url: address,
      bytes: sizeBytes,
      contentType: 'image/webp',
      presetUrls: Object.fromEntries(
        ['thumbnail', 'standard', 'hero', 'portrait'].map((preset) => [preset, `${address}?preset=${preset}`]),
      ),
    };
    expect((await ask(ada.key)).body.data.asset).toMatchObject({ ...asset, owner: { id: ada.id } });
    expect((await ask(ben.key)).body.data.asset).toMatchObject({ ...asset, owner: null });
    expect((await ask()).body.data.asset).toMatchObject({ ...asset, owner: null });
    const missing = await clientOf({ url, mailbox: world.mailbox }).graph(query, { id: '1'.repeat(64) });
    expect(missing.body.errors[0].extensions.code).toBe('not_found');
  });
});
