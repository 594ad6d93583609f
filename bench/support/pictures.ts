/** Pictures as the built-in renderer draws them: what runs host, and what is put into the store beside them. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderPicture } from '../../subgraphs/registry/provider/local/render.js';

const SUBJECTS = ['a calm lake', 'a city at night', 'mountains', 'a forest', 'the sea', 'flowers', 'a desert', 'snow'];

export async function drawPictures(directory: string): Promise<number> {
  let bytes = 0;
  for (const [i, prompt] of SUBJECTS.entries()) {
    const picture = await renderPicture({ prompt, seed: i, width: 1024, height: 1024 });
    bytes += picture.bytes.length;
    await writeFile(join(directory, `${i}.png`), picture.bytes);
  }
  return Math.round(bytes / SUBJECTS.length);
}

export async function readPictures(directory: string): Promise<Buffer[]> {
  const names = (await readdir(directory)).sort();
  return Promise.all(names.map((name) => readFile(join(directory, name))));
}
