/** What s3rver keeps on disk, made safe against uploads that break off. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type Store from '@20minutes/s3rver/lib/stores/filesystem.js';

// Its modules require each other in a circle. Required, and not imported, they load in one order however many imports are
// under way at the same time.
const require = createRequire(import.meta.url);
require('@20minutes/s3rver');
const FilesystemStore: typeof Store = require('@20minutes/s3rver/lib/stores/filesystem.js');

/**
 * s3rver writes an object in place, so an upload that breaks off would leave its first half under the key, or over the
 * object that was there. S3 promises all or nothing: here the bytes are on disk before they take the object's name.
 */
export class AtomicStore extends FilesystemStore {
  readonly #incoming: string;

  constructor(directory: string) {
    super(directory);
    // Within the store's directory, because a rename cannot leave the file system, and that may be a mount of its own.
    this.#incoming = join(directory, '.incoming');
  }

  /** Clears away what a kill left half-written. */
  async prepare(): Promise<void> {
    await rm(this.#incoming, { recursive: true, force: true });
    await mkdir(this.#incoming, { recursive: true, mode: 0o700 });
  }

  override async putContent(path: string, content: Buffer | Readable): Promise<[number, string]> {
    const draft = join(this.#incoming, randomUUID());
    try {
      // Given a Buffer, s3rver resolves before the file is written.
      const result = await super.putContent(draft, Buffer.isBuffer(content) ? Readable.from([content]) : content);
      await sync(draft);
      await rename(draft, path);
      return result;
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
