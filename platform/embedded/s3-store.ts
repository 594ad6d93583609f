/** What s3rver keeps on disk, made safe against uploads that break off and deletions that meet them. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { Readable } from 'node:stream';
import type Store from '@20minutes/s3rver/lib/stores/filesystem.js';

// Its modules require each other in a circle. Required, and not imported, they load in one order however many imports are
// under way at the same time.
const require = createRequire(import.meta.url);
require('@20minutes/s3rver');
const FilesystemStore: typeof Store = require('@20minutes/s3rver/lib/stores/filesystem.js');

const BLOCK = 1024 * 1024;
const PARTS = `${sep}._S3rver_uploads${sep}`;

interface Part {
  number: number;
  /** MD5 in hex. */
  etag: string;
}

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

  /** s3rver also removes directories that it finds empty, and with them what another request is just putting there. */
  override async deleteObject(bucket: string, key: string): Promise<void> {
    const object = this.getResourcePath(bucket, key, 'object');
    for (const path of [object, `${object}.md5`, this.getResourcePath(bucket, key, 'metadata.json')]) {
      await rm(path, { force: true });
    }
  }

  /** Uploads in parts that were neither completed nor aborted. */
  async uploads(bucket: string): Promise<{ key: string; uploadId: string }[]> {
    const directory = this.#uploadsOf(bucket);
    const found: { key: string; uploadId: string }[] = [];
    for (const uploadId of await readdir(directory).catch(nothingIfGone)) {
      const key = await readFile(join(directory, uploadId, 'key'), 'utf8').catch(nothingIfGone);
      if (typeof key === 'string') found.push({ key, uploadId });
    }
    return found;
  }

  async abortUpload(bucket: string, uploadId: string): Promise<void> {
    // It becomes the name of a directory.
    if (/^[0-9a-f]{32}$/.test(uploadId)) {
      await rm(join(this.#uploadsOf(bucket), uploadId), { recursive: true, force: true });
    }
  }

  /** s3rver sends all bytes through a hash once more; S3 makes this ETag of the hashes of the parts. */
  override async putObjectMultipart(
    bucket: string,
    uploadId: string,
    parts: readonly Part[],
  ): Promise<{ size: number; md5: string }> {
    const directory = join(this.#uploadsOf(bucket), uploadId);
    const key = await readFile(join(directory, 'key'), 'utf8');
    const metadata = JSON.parse(await readFile(join(directory, 'metadata'), 'utf8')) as Record<string, string>;
    const sorted = parts.toSorted((a, b) => a.number - b.number);
    const draft = join(this.#incoming, randomUUID());
    try {
      const size = await concatenate(
        sorted.map(({ number }) => join(directory, String(number))),
        draft,
      );
      const path = this.getResourcePath(bucket, key, 'object');
      await mkdir(dirname(path), { recursive: true });
      await rename(draft, path);
      const hash = createHash('md5').update(Buffer.from(sorted.map(({ etag }) => etag).join(''), 'hex'));
      const md5 = `${hash.digest('hex')}-${sorted.length}`;
      await this.putMetadata(bucket, key, { 'content-type': 'binary/octet-stream', ...metadata }, md5);
      await rm(directory, { recursive: true, force: true });
      return { size, md5 };
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  #uploadsOf(bucket: string): string {
    return this.getResourcePath(bucket, undefined, 'uploads');
  }

  override async putContent(path: string, content: Buffer | Readable): Promise<[number, string]> {
    const draft = join(this.#incoming, randomUUID());
    try {
      // Given a Buffer, s3rver resolves before the file is written.
      const result = await super.putContent(draft, Buffer.isBuffer(content) ? Readable.from([content]) : content);
      // A part that a crash takes is a part of an upload that the crash ends.
      if (!path.includes(PARTS)) await sync(draft);
      await rename(draft, path);
      return result;
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }
}

function nothingIfGone(error: NodeJS.ErrnoException): never[] {
  if (error.code !== 'ENOENT') throw error;
  return [];
}

/** Into a file of its own, which is on disk at the end. The parts stay as they are: the request may come again. */
async function concatenate(paths: readonly string[], target: string): Promise<number> {
  const block = Buffer.allocUnsafe(BLOCK);
  const file = await open(target, 'wx');
  let size = 0;
  try {
    for (const path of paths) {
      const part = await open(path, 'r');
      try {
        for (;;) {
          const { bytesRead } = await part.read(block, 0, BLOCK, null);
          if (bytesRead === 0) break;
          await file.write(block, 0, bytesRead, size);
          size += bytesRead;
        }
      } finally {
        await part.close();
      }
    }
    await file.sync();
    return size;
  } finally {
    await file.close();
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
