/** The built-in renderer: what it draws is a real picture, always the same, and about the prompt. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { draw } from '../../subgraphs/registry/provider/local/draw.js';
import { renderPicture } from '../../subgraphs/registry/provider/local/render.js';
import { readWords } from '../../subgraphs/registry/provider/local/words.js';

const SQUARE = { width: 256, height: 256 };

async function pixels(bytes: Uint8Array) {
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  return { data, info };
}

/** The mean colour, and how far a picture is from being of one colour. */
async function colors(bytes: Uint8Array) {
  const { channels } = await sharp(bytes).stats();
  const [red = 0, green = 0, blue = 0] = channels.map(({ mean }) => mean);
  return { red, green, blue, spread: Math.max(...channels.map(({ stdev }) => stdev)) };
}

const render = (prompt: string, seed = 1, size = SQUARE) => renderPicture({ prompt, seed, ...size });

describe('the built-in renderer', () => {
  it('draws the same bytes for the same prompt, seed and size', async () => {
    const [one, two] = await Promise.all([render('a harbour at dawn'), render('a harbour at dawn')]);
    expect(one.bytes.equals(two.bytes)).toBe(true);
  });

  it('draws something else for another seed, and for another prompt of unknown words', async () => {
    const pictures = await Promise.all([render('qwertz', 1), render('qwertz', 2), render('zxcvb', 1)]);
    const distinct = new Set(pictures.map(({ bytes }) => bytes.toString('base64')));
    expect(distinct.size).toBe(3);
  });

  it.each([
    [1024, 1024],
    [1536, 640],
    [640, 1536],
    [2048, 2048],
    [64, 64],
    [333, 77],
  ])('makes a PNG of %i × %i without transparency', async (width, height) => {
    const { bytes, ...size } = await render('a city by the sea at night', 7, { width, height });
    expect(size).toEqual({ width, height });
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png', width, height, channels: 3 });
    expect((await colors(bytes)).spread).toBeGreaterThan(10);
  });

  it.each([
    ['mountains', 'A calm mountain lake at dawn, photorealistic'],
    ['sea', 'waves on a beach'],
    ['forest', 'tall pines'],
    ['city', 'the skyline of a metropolis'],
    ['space', 'a ringed planet'],
    ['desert', 'dunes and a cactus'],
    ['flowers', 'a bouquet of tulips'],
    ['still', 'A minimalist product hero shot on a white background'],
    ['portrait', 'portrait of a king'],
    ['geometry', 'bauhaus pattern'],
    ['flow', 'abstract silk'],
    ['contours', 'topographic map'],
    ['animal', 'two kittens'],
    ['arches', 'a temple gate'],
  ] as const)('draws %s for "%s"', (motif, prompt) => {
    expect(readWords(prompt).motif).toBe(motif);
    expect(draw(prompt, 1, 512, 512).svg).toMatch(/^<svg .+<\/svg>$/);
  });

  it('takes its colours from the words', async () => {
    const [red, blue, green] = await Promise.all(
      ['red hills', 'navy blue hills', 'green hills'].map(async (prompt) => colors((await render(prompt)).bytes)),
    );
    const warmth = (picture?: { red: number; blue: number }) => (picture?.red ?? 0) - (picture?.blue ?? 0);
    expect(warmth(red)).toBeGreaterThan(10);
    expect(warmth(blue)).toBeLessThan(-20);
    expect(green?.green ?? 0).toBeGreaterThan(Math.max(green?.red ?? 0, green?.blue ?? 0));
    const [day, night] = await Promise.all(
      ['mountains at noon', 'mountains at night'].map(async (prompt) => colors((await render(prompt)).bytes)),
    );
    expect(day?.green ?? 0).toBeGreaterThan((night?.green ?? 0) + 60);
  });

  it('lets no text of a prompt into what it draws from', () => {
    const { svg } = draw('<script>alert(1)</script> " onload="x" & <image href="file:///etc/passwd"/>', 1, 256, 256);
    expect(svg).not.toMatch(/script|alert|onload|image|passwd/);
  });

  it('survives prompts of any shape', async () => {
    for (const prompt of ['', '\u0000\uffff', '🦊'.repeat(500), 'a'.repeat(4000), 'мост ночью', '山と湖']) {
      expect((await render(prompt, 2 ** 31 - 1, { width: 64, height: 64 })).bytes.length).toBeGreaterThan(100);
    }
  });
});

describe('a reference picture', () => {
  const reference = () => render('portrait of a woman', 3, { width: 200, height: 300 });

  it('is restyled: its shapes stay, its colours are the prompt’s', async () => {
    const { bytes } = await reference();
    const restyled = await renderPicture({ prompt: 'neon', seed: 1, ...SQUARE, reference: { bytes }, strength: 1 });
    const plain = await renderPicture({ prompt: 'neon', seed: 1, ...SQUARE, reference: { bytes }, strength: 0 });
    expect(restyled).toMatchObject(SQUARE);
    const grey = async (picture: Uint8Array) => (await pixels(await sharp(picture).greyscale().png().toBuffer())).data;
    expect(correlation(await grey(restyled.bytes), await grey(plain.bytes))).toBeGreaterThan(0.5);
    expect(restyled.bytes.equals(plain.bytes)).toBe(false);
    const fresh = await render('neon');
    expect(restyled.bytes.equals(fresh.bytes)).toBe(false);
  });

  it('is changed the more the stronger', async () => {
    const { bytes } = await reference();
    const at = async (strength: number) =>
      (
        await pixels(
          (
            await renderPicture({ prompt: 'ocean', seed: 1, ...SQUARE, reference: { bytes }, strength })
          ).bytes,
        )
      ).data;
    const [none, half, full] = await Promise.all([at(0), at(0.5), at(1)]);
    expect(distance(none, half)).toBeGreaterThan(1);
    expect(distance(none, full)).toBeGreaterThan(distance(none, half) * 1.5);
  });

  it('that is no picture is refused', async () => {
    await expect(
      renderPicture({ prompt: 'x', seed: 1, ...SQUARE, reference: { bytes: Buffer.from('no') } }),
    ).rejects.toThrow();
  });
});

function distance(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum / a.length;
}

function correlation(a: Uint8Array, b: Uint8Array): number {
  const mean = (values: Uint8Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [da, db] = [(a[i] ?? 0) - ma, (b[i] ?? 0) - mb];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return ab / Math.sqrt(aa * bb);
}
