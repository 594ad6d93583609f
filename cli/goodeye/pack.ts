/** Files that came from the server, written below one folder and nowhere else. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { Failure } from '../failure.js';
import { type Terminal, write } from '../terminal/terminal.js';

export async function writePack(folder: string, body: Record<string, unknown>, terminal: Terminal): Promise<void> {
  const references = (body['references'] ?? {}) as Record<string, string>;
  const files = { 'SKILL.md': String(body['skill_md']), ...references };
  for (const [path, text] of Object.entries(files)) await writeBelow(folder, path, text);
  await write(terminal.stderr, `Wrote ${Object.keys(files).length} files to ${folder}.\n`);
}

/** A path that leads out of the folder is not one that the server should have sent. */
export async function writeBelow(folder: string, path: string, content: string | Uint8Array): Promise<void> {
  const root = resolve(folder);
  const target = resolve(join(root, path));
  const inside = relative(root, target);
  if (inside === '' || inside.startsWith(`..${sep}`) || inside === '..') throw new Failure(`refused to write ${path}`);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, content);
}
