/** What runs host, and what is put into the store beside them: pictures of the built-in renderer, plain or with grain. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { renderPicture } from '../../subgraphs/registry/provider/local/render.js';

const SUBJECTS = ['a calm lake', 'a city at night', 'mountains', 'a forest', 'the sea', 'flowers', 'a desert', 'snow'];

/** How far a channel of a pixel may be off: a PNG of such a picture is as large as one of a photograph. */
export const GRAIN = 2;

/** Returns their mean size in bytes. */
export async function drawPictures(directory: string, grain = 0): Promise<number> {
  let bytes = 0;
  for (const [i, prompt] of SUBJECTS.entries()) {
    const picture = await renderPicture({ prompt, seed: i, width: 1024, height: 1024 });
    const png = grain === 0 ? picture.bytes : await grained(picture.bytes, grain, i);
    bytes += png.length;
    await writeFile(join(directory, `${i}.png`), png);
  }
  return Math.round(bytes / SUBJECTS.length);
}

async function grained(png: Buffer, grain: number, seed: number): Promise<Buffer> {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  let state = seed + 1;
  for (let i = 0; i < data.length; i++) {
    // A linear congruential generator, so that every run measures the same pictures.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const noise = (state >>> 16) % (2 * grain + 1);
    data[i] = Math.max(0, Math.min(255, (data[i] ?? 0) + noise - grain));
  }
  const { width, height } = info;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

export async function readPictures(directory: string): Promise<Buffer[]> {
  const names = (await readdir(directory)).sort();
  return Promise.all(names.map((name) => readFile(join(directory, name))));
}
