import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from './ids.js';

/** The key that was made at the first start with this data directory. Losing it voids every hash made with it. */
export async function secretKeyOf(dataDir: string): Promise<string> {
  const path = join(dataDir, 'secret.key');
  const existing = await readFile(path, 'utf8').catch(ifMissing);
  if (existing !== null) return existing;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // Written whole under another name and then linked: a kill leaves no half key, and of two starters one wins.
  const draft = `${path}.${newId()}`;
  const file = await open(draft, 'wx', 0o600);
  await file.writeFile(randomBytes(32).toString('base64'));
  await file.sync();
  await file.close();
  await link(draft, path).catch(ifExists);
  await unlink(draft);
  return readFile(path, 'utf8');
}

function ifMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}

function ifExists(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
