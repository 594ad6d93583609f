/** What is kept of a provider's picture, read by decoders that have nothing to do with what encoded it. */
import { buffer } from 'node:stream/consumers';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { PRESET_NAMES, PRESETS } from '../../subgraphs/images/asset/presets.js';
import type { AssetFormat } from '../../subgraphs/images/asset-client.js';
import type { ImagesSubgraph } from '../../subgraphs/images/subgraph.js';
import { pngChunk, smallPng } from '../images/support/pictures.js';
import { type Decoded, decode, likeness } from './support/decoders.js';
import { flaws, keep, openWorld, type World } from './support/world.js';

const FORMATS: readonly AssetFormat[] = ['png', 'webp', 'avif'];
const WIDTH = 320;
const HEIGHT = 200;
const SECRET = 'taken at 52.5200 north';

let world: World;
let images: ImagesSubgraph;

beforeAll(async () => {
  world = await openWorld();
  images = await world.open();
});
afterAll(() => world?.close());

/** A smooth picture, red to the right and green downwards, with a bright corner that tells which way up it is. */
function scene(width = WIDTH, height = HEIGHT): Decoded {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const corner = x < width / 4 && y < height / 4;
      data.set(corner ? [250, 250, 40, 255] : [(200 * x) / width, (200 * y) / height, 90, 255], 4 * (y * width + x));
    }
  }
  return { width, height, data };
}

function encoded({ width, height, data }: Decoded) {
  return sharp(data, { raw: { width, height, channels: 4 } }).removeAlpha();
}

/** With everything in it that says more than how it looks. */
async function provided(): Promise<Buffer> {
  const exif = { IFD0: { Copyright: SECRET, ImageDescription: SECRET }, IFD3: { GPSLatitude: '52/1 31/1 12/1' } };
  const jpeg = encoded(scene()).withExif(exif).withXmp(`<x:xmpmeta xmlns:x="adobe:ns:meta/">${SECRET}</x:xmpmeta>`);
  return jpeg.withIccProfile('p3').jpeg({ quality: 98 }).toBuffer();
}

async function served(id: string, preset: (typeof PRESET_NAMES)[number] | null = null) {
  const asset = await images.assets.find(id, preset, 'r');
  if (!asset) throw new Error('not found');
  return { asset, bytes: await buffer(await images.assets.open(asset.objectId, null, 'r')) };
}

describe.each(FORMATS)('an output as %s', (format) => {
  it('decodes as what it claims, as large as it claims, and looks as it was', async () => {
    const { image } = await keep(images, world.output(await provided(), { format, quality: 90 }));
    const { asset, bytes } = await served(image.id);
    expect(asset).toMatchObject({ contentType: `image/${format}`, width: WIDTH, height: HEIGHT });
    expect(bytes.length).toBe(asset.sizeBytes);
    const picture = await decode(asset.contentType, bytes);
    expect([picture.width, picture.height]).toEqual([WIDTH, HEIGHT]);
    expect(likeness(picture, scene())).toBeGreaterThan(28);
  });

  it('has nothing left of what described it', async () => {
    const given = await provided();
    expect(given.includes(SECRET)).toBe(true);
    const { image } = await keep(images, world.output(given, { format }));
    const { bytes } = await served(image.id);
    for (const trace of [SECRET, 'Exif', 'EXIF', 'http://ns.adobe.com/xap', 'xmpmeta', 'ICC_PROFILE', 'iCCP', 'tEXt']) {
      expect(bytes.includes(trace), trace).toBe(false);
    }
    const { exif, xmp, icc, orientation } = await sharp(bytes).metadata();
    expect({ exif, xmp, icc, orientation }).toEqual({});
  });

  it('stands upright whatever its camera thought', async () => {
    const lying = await encoded(scene()).rotate(270).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const { image } = await keep(images, world.output(lying, { format }));
    const { asset, bytes } = await served(image.id);
    const picture = await decode(asset.contentType, bytes);
    expect([picture.width, picture.height]).toEqual([WIDTH, HEIGHT]);
    expect(likeness(picture, scene())).toBeGreaterThan(25);
  });

  it('has the size that was asked for, whatever the provider gave', async () => {
    const size = { width: 192, height: 256 };
    const { image } = await keep(images, world.output(await provided(), { format, size }));
    const { asset, bytes } = await served(image.id);
    const picture = await decode(asset.contentType, bytes);
    expect([asset.width, asset.height, picture.width, picture.height]).toEqual([192, 256, 192, 256]);
  });

  it.each(PRESET_NAMES)('is there as %s', async (preset) => {
    const given = await encoded(scene(1400, 1050)).png().toBuffer();
    const { image, presetUrl } = await keep(images, world.output(given, { format, preset }));
    expect(presetUrl).toBe(`http://here.test/v2/assets/${image.id}?preset=${preset}`);
    const { asset, bytes } = await served(image.id, preset);
    const picture = await decode(`image/${format}`, bytes);
    const { width, height, fit } = PRESETS[preset];
    const expected = fit === 'cover' ? [width, height] : [1024, 768];
    expect([asset.contentType, picture.width, picture.height]).toEqual([`image/${format}`, ...expected]);
  });
});

describe('the quality', () => {
  it.each(['webp', 'avif'] as const)('of %s says how much is thrown away', async (format) => {
    const noise = await sharp({
      create: { width: 200, height: 200, channels: 3, background: '#777', noise: { type: 'gaussian', sigma: 40 } },
    })
      .png()
      .toBuffer();
    const sizes: number[] = [];
    for (const quality of [1, 40, 85, 100]) {
      sizes.push((await keep(images, world.output(noise, { format, quality }))).image.sizeBytes);
    }
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    expect(new Set(sizes).size).toBe(4);
  });

  it('of png changes nothing', async () => {
    const given = await encoded(scene()).png().toBuffer();
    const [low, high] = await Promise.all(
      [1, 100].map((quality) => keep(images, world.output(given, { format: 'png', quality }))),
    );
    expect(low?.image.id).toBe(high?.image.id);
    const { bytes } = await served(low?.image.id ?? '');
    expect(likeness(await decode('image/png', bytes), scene())).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a small picture', () => {
  it('is not blown up where a shape only bounds it, and is where a shape is exact', async () => {
    const { image } = await keep(images, world.output(await provided(), { format: 'png' }));
    const [standard, hero] = [await served(image.id, 'standard'), await served(image.id, 'hero')];
    expect([standard.asset.width, standard.asset.height]).toEqual([WIDTH, HEIGHT]);
    expect([hero.asset.width, hero.asset.height]).toEqual([1600, 900]);
  });
});

describe('what cannot be encoded is told, and leaves nothing', () => {
  function bomb(): Buffer {
    const header = Buffer.alloc(13);
    header.writeUInt32BE(60_000, 0);
    header.writeUInt32BE(60_000, 4);
    header.set([8, 2, 0, 0, 0], 8);
    const data = Buffer.from('789c030000000001', 'hex');
    const chunks = [pngChunk('IHDR', header), pngChunk('IDAT', data), pngChunk('IEND', Buffer.alloc(0))];
    return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...chunks]);
  }

  async function scrambled(): Promise<Buffer> {
    const png = await smallPng(64, 64);
    // The frame holds, the pixels do not.
    const header = png.subarray(8, 33);
    const chunks = [pngChunk('IDAT', Buffer.from('no deflated pixels')), pngChunk('IEND', Buffer.alloc(0))];
    return Buffer.concat([png.subarray(0, 8), header, ...chunks]);
  }

  it.each([
    ['no bytes', async () => Buffer.alloc(0)],
    ['text', async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><rect width="9" height="9"/></svg>')],
    ['half a picture', async () => (await provided()).subarray(0, 2000)],
    ['3,600 megapixels in 90 bytes', async () => bomb()],
    ['a picture without pixels', scrambled],
  ])('%s', async (_name, bytes) => {
    const output = world.output(await bytes());
    expect(await images.assets.keepOutput(output, 'r')).toMatchObject({ failed: { step: 'encoding' } });
    expect(await world.collections.references.countDocuments({ holder: `job:${output.jobId}` })).toBe(0);
  });

  it('an address outside of the allowlist', async () => {
    const output = { ...world.output(Buffer.alloc(0)), source: { url: 'https://elsewhere.test/a.png' } };
    expect(await images.assets.keepOutput(output, 'r')).toMatchObject({ failed: { step: 'fetching' } });
    expect(await flaws(world.db, world.store)).toEqual([]);
  });
});

describe('an asset as a source of other work', () => {
  it('is read at its own address, with a preset too, and as a PNG where providers take no AVIF', async () => {
    const { image } = await keep(images, world.output(await provided(), { jobId: newId(), format: 'avif' }));
    const whole = await images.door.readReference({ url: image.url, userId: null }, 'r');
    expect([whole.contentType, whole.width, whole.height]).toEqual(['image/png', WIDTH, HEIGHT]);
    expect((await decode('image/png', whole.bytes)).width).toBe(WIDTH);
    const small = await images.door.readReference({ url: `${image.url}?preset=thumbnail`, userId: null }, 'r');
    expect([small.width, small.height]).toEqual([256, 256]);
  });

  it.each(['?preset=poster', ''])('is refused where there is none: %s', async (query) => {
    const id = query === '' ? 'ab'.repeat(32) : (await keep(images, world.output(await provided()))).image.id;
    const reading = images.door.readReference({ url: `http://here.test/v2/assets/${id}${query}`, userId: null }, 'r');
    await expect(reading).rejects.toMatchObject({ slug: 'validation_error' });
  });
});
