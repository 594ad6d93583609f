/** What s3rver keeps on disk, made safe against uploads that break off and deletions that meet them. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import S3Error from '@20minutes/s3rver/lib/models/error.js';
import type Store from '@20minutes/s3rver/lib/stores/filesystem.js';
import { type Bytes, joinParts, type Saved, save, savePart } from './s3-parts.js';

// Its modules require each other in a circle. Required, and not imported, they load in one order however many imports are
// under way at the same time.
const require = createRequire(import.meta.url);
require('@20minutes/s3rver');
const FilesystemStore: typeof Store = require('@20minutes/s3rver/lib/stores/filesystem.js');

/** It becomes the name of a directory. */
const UPLOAD_ID = /^[0-9a-f]{32}$/;
/** S3's own limit. */
const MOST_PARTS = 10_000;

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
    if (UPLOAD_ID.test(uploadId)) {
      await rm(join(this.#uploadsOf(bucket), uploadId), { recursive: true, force: true });
    }
  }

  override async putPart(
    bucket: string,
    uploadId: string,
    partNumber: string,
    content: Buffer | Readable,
  ): Promise<Saved> {
    const number = Number(partNumber);
    if (!(Number.isInteger(number) && number >= 1 && number <= MOST_PARTS)) {
      throw new S3Error('InvalidArgument', `Part numbers go from 1 to ${MOST_PARTS}.`);
    }
    try {
      return await savePart(this.#directoryOf(bucket, uploadId), number, bytesOf(content));
    } catch (error) {
      return noSuchUploadIfGone(error as NodeJS.ErrnoException);
    }
  }

  /** s3rver sends all bytes through a hash once more; S3 makes this ETag of the hashes of the parts. */
  override async putObjectMultipart(bucket: string, uploadId: string, parts: readonly Part[]): Promise<Saved> {
    const directory = this.#directoryOf(bucket, uploadId);
    const key = await readFile(join(directory, 'key'), 'utf8').catch(noSuchUploadIfGone);
    const metadata = JSON.parse(
      await readFile(join(directory, 'metadata'), 'utf8').catch(noSuchUploadIfGone),
    ) as Record<string, string>;
    const numbers = parts.map(({ number }) => number).sort((a, b) => a - b);
    const draft = join(this.#incoming, randomUUID());
    try {
      const path = this.getResourcePath(bucket, key, 'object');
      await mkdir(dirname(path), { recursive: true });
      const joined = await joinParts(directory, numbers, draft, path);
      if (!joined) throw new S3Error('InvalidPart', 'One of the parts was not uploaded.');
      await this.putMetadata(bucket, key, { 'content-type': 'binary/octet-stream', ...metadata }, joined.md5);
      await rm(directory, { recursive: true, force: true });
      return joined;
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  #directoryOf(bucket: string, uploadId: string): string {
    if (!UPLOAD_ID.test(uploadId)) throw noSuchUpload();
    return join(this.#uploadsOf(bucket), uploadId);
  }

  #uploadsOf(bucket: string): string {
    return this.getResourcePath(bucket, undefined, 'uploads');
  }

  override async putContent(path: string, content: Buffer | Readable): Promise<[number, string]> {
    const draft = join(this.#incoming, randomUUID());
    try {
      const file = await open(draft, 'wx');
      let saved: Saved;
      try {
        saved = await save(bytesOf(content), file);
        await file.datasync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
      return [saved.size, saved.md5];
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }
}

function bytesOf(content: Buffer | Readable): Bytes {
  return Buffer.isBuffer(content) ? [content] : content;
}

function noSuchUpload(): Error {
  return new S3Error('NoSuchUpload', 'There is no such upload: it was completed or aborted.');
}

function noSuchUploadIfGone(error: NodeJS.ErrnoException): never {
  throw error.code === 'ENOENT' ? noSuchUpload() : error;
}

function nothingIfGone(error: NodeJS.ErrnoException): never[] {
  if (error.code !== 'ENOENT') throw error;
  return [];
}
