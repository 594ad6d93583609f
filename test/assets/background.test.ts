/** What is left of pictures whose subject is known to the pixel, when their background is taken out. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cutOut } from '../../subgraphs/images/asset/background/cut.js';
import type { KeptOutput } from '../../subgraphs/images/asset-client.js';
import type { ImagesSubgraph } from '../../subgraphs/images/subgraph.js';
import { overlap, plainScenes, type Scene, unevenScenes } from './support/cut-outs.js';
import { decode } from './support/decoders.js';
import { flaws, keep, openWorld, type World } from './support/world.js';

// Coprime to the number of subjects, so that all of them and all backdrops come up.
const EVERY = process.env['LONG'] ? 1 : 4;

let world: World;
let images: ImagesSubgraph;
let scene: Scene;

beforeAll(async () => {
  world = await openWorld();
  images = await world.open();
  [scene] = (await plainScenes(1000)) as [Scene];
});
afterAll(() => world?.close());

async function pixelsOf(picture: Buffer) {
  const { data, info } = await sharp(picture).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

function alphaOf(pixels: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: pixels.length / 4 }, (_, i) => pixels[4 * i + 3] ?? 0);
}

async function scores(scenes: readonly Scene[]): Promise<number[]> {
  const all: number[] = [];
  for (const { picture, mask } of scenes) all.push(overlap(alphaOf(cutOut(await pixelsOf(picture))), mask));
  return all;
}

function report(name: string, all: readonly number[]): number {
  const mean = all.reduce((sum, score) => sum + score, 0) / all.length;
  console.info(
    `${name}: mean IoU ${mean.toFixed(4)} over ${all.length} pictures, least ${Math.min(...all).toFixed(3)}`,
  );
  return mean;
}

async function cutOutOf(kept: KeptOutput, from = images) {
  const asset = await from.assets.find(kept.backgroundRemoved?.id ?? '', null, 'r');
  if (!asset) throw new Error('no cut-out');
  expect(asset.contentType).toBe('image/png');
  return decode('image/png', await buffer(await from.assets.open(asset.objectId, null, 'r')));
}

describe('the built-in remover', () => {
  it('finds the subject on plain backgrounds', async () => {
    expect(report('plain backgrounds', await scores(await plainScenes(EVERY)))).toBeGreaterThan(0.95);
  });

  it('finds most of it on gradients, vignettes, over shadows and floors', async () => {
    expect(report('uneven backgrounds', await scores(await unevenScenes(EVERY)))).toBeGreaterThan(0.8);
  });

  it('leaves a picture as it is in which nothing stands out', async () => {
    const data = new Uint8Array(64 * 48 * 4).fill(200);
    expect(cutOut({ data, width: 64, height: 48 })).toEqual(data);
  });

  it.each([
    [1, 1],
    [1, 40],
    [3, 2],
    [700, 2],
  ])('copes with %i by %i pixels', (width, height) => {
    const data = Uint8Array.from({ length: width * height * 4 }, (_, i) => (i * 37) % 256);
    expect(cutOut({ data, width, height }).length).toBe(data.length);
  });

  it('gives a job a transparent PNG beside its output, as large as that', async () => {
    const size = { width: 200, height: 200 };
    const kept = await keep(images, world.output(scene.picture, { removeBackground: true, size }));
    const picture = await cutOutOf(kept);
    expect([picture.width, picture.height, kept.image.contentType]).toEqual([200, 200, 'image/webp']);
    const mask = await sharp(scene.mask, { raw: { width: scene.width, height: scene.height, channels: 1 } })
      .resize(200, 200)
      .toColourspace('b-w')
      .raw()
      .toBuffer();
    expect(overlap(alphaOf(picture.data), mask)).toBeGreaterThan(0.95);
  });

  it('works on the output that the job has, also when another worker kept that and died', async () => {
    const output = world.output(scene.picture, { format: 'png' });
    const { image } = await keep(images, output);
    const [other] = (await unevenScenes(1000)) as [Scene];
    const again = { ...output, source: { bytes: other.picture }, removeBackground: true };
    const kept = await keep(images, again);
    expect(kept.image.id).toBe(image.id);
    expect(overlap(alphaOf((await cutOutOf(kept)).data), scene.mask)).toBeGreaterThan(0.95);
    expect((await keep(images, again)).backgroundRemoved?.id).toBe(kept.backgroundRemoved?.id);
    expect(await flaws(world.db, world.store)).toEqual([]);
  });
});

describe('a remover elsewhere', () => {
  let server: Server;
  let remote: ImagesSubgraph;
  let answer: { status: number; body: Buffer };
  const asked: { type: string; key: string; body: Buffer }[] = [];

  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const { authorization = '', 'content-type': type = '' } = request.headers;
      asked.push({ type, key: authorization, body: await buffer(request) });
      response.writeHead(answer.status, { 'content-type': 'image/png' }).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/api/remove?model=u2net`;
    remote = await world.open({ backgroundRemover: { url, apiKey: 'opensesame' } });
  });
  afterAll(() => new Promise((resolve) => server?.close(resolve)));

  it('is sent the picture as a form, and believed', async () => {
    const width = scene.width;
    const clear = sharp({
      create: { width, height: width, channels: 4, background: { r: 1, g: 2, b: 3, alpha: 0.5 } },
    });
    answer = { status: 200, body: await clear.png().toBuffer() };
    const kept = await keep(remote, world.output(scene.picture, { removeBackground: true }));
    expect(alphaOf((await cutOutOf(kept, remote)).data).every((alpha) => alpha === 128)).toBe(true);
    const [{ type, key, body } = { type: '', key: '', body: Buffer.alloc(0) }] = asked;
    expect(type).toMatch(/^multipart\/form-data; boundary=/);
    expect(key).toBe('Bearer opensesame');
    expect(body.includes('name="file"')).toBe(true);
    expect(body.includes(scene.picture)).toBe(true);
  });

  it.each([
    ['refuses', 422, Buffer.from('{"detail":"no"}')],
    ['answers with no picture', 200, Buffer.from('done!')],
  ])('that %s makes the output fail', async (_name, status, body) => {
    answer = { status, body };
    const output = world.output(scene.picture, { removeBackground: true });
    expect(await remote.assets.keepOutput(output, 'r')).toMatchObject({ failed: { step: 'background_removal' } });
    expect(await world.collections.references.countDocuments({ holder: `job:${output.jobId}` })).toBe(0);
  });

  it('that is down may be tried again', async () => {
    answer = { status: 502, body: Buffer.alloc(0) };
    const output = world.output(scene.picture, { removeBackground: true });
    await expect(remote.assets.keepOutput(output, 'r')).rejects.toMatchObject({ slug: 'unavailable' });
  });
});
