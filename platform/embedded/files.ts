/** File operations that survive a kill at any moment and leave nothing for other local users to read. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

export async function privateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** For code that will be loaded: a directory that others can write to would let them run theirs as us. */
export async function trustedDirectory(path: string): Promise<void> {
  await privateDirectory(path);
  const { uid, mode } = await stat(path);
  if (uid !== process.geteuid?.()) throw new Error(`${path} belongs to another user`);
  if (mode & 0o022) throw new Error(`${path} is writable by other users`);
}

/** Readers see the old file or the new one, whole. */
export async function writeAtomically(path: string, data: string | Buffer): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}
