/** The bytes of bundles, in the object store by hash below the workflow, or the template, that holds them. */
import { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { Problem } from '../../../platform/errors.js';
import type { ObjectStore } from '../../../platform/s3.js';
import type { ReadFile } from './bundle.rules.js';
import type { BundleFile } from './workflow.model.js';

const AT_ONCE = 8;

const TYPES: Readonly<Record<string, string>> = {
  md: 'text/markdown',
  txt: 'text/plain',
  json: 'application/json',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  csv: 'text/csv',
  html: 'text/html',
  css: 'text/css',
  js: 'text/javascript',
  ts: 'text/plain',
  py: 'text/x-python',
  sh: 'text/x-shellscript',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  pdf: 'application/pdf',
};

export function contentTypeOf(path: string): string {
  const extension = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  return TYPES[extension] ?? 'application/octet-stream';
}

export function describedFiles(files: readonly ReadFile[]): BundleFile[] {
  return files.map(({ path, sha256, bytes }) => ({
    path,
    sha256,
    sizeBytes: bytes.length,
    contentType: contentTypeOf(path),
  }));
}

export class Bundles {
  readonly #store: ObjectStore;
  readonly #folder: 'workflows' | 'templates';

  constructor(store: ObjectStore, folder: 'workflows' | 'templates' = 'workflows') {
    this.#store = store;
    this.#folder = folder;
  }

  /** Writes all files, those too that may be there: what is being cleared away at this moment must be there after it. */
  async put(holderId: string, files: readonly ReadFile[]): Promise<BundleFile[]> {
    const distinct = [...new Map(files.map((file) => [file.sha256, file])).values()];
    for (let i = 0; i < distinct.length; i += AT_ONCE) {
      await Promise.all(distinct.slice(i, i + AT_ONCE).map((file) => this.#put(holderId, file)));
    }
    return describedFiles(files);
  }

  async #put(holderId: string, { sha256, bytes, path }: ReadFile): Promise<void> {
    const { client, bucket } = this.#store;
    const ContentType = contentTypeOf(path);
    await client.send(
      new PutObjectCommand({ Bucket: bucket, Key: this.#keyOf(holderId, sha256), Body: bytes, ContentType }),
    );
  }

  /** A file is small enough to be held: rules.ts sees to that. */
  async read(holderId: string, sha256: string): Promise<Buffer> {
    const { client, bucket } = this.#store;
    const wanted = new GetObjectCommand({ Bucket: bucket, Key: this.#keyOf(holderId, sha256) });
    const { Body } = await client.send(wanted).catch((error: unknown) => {
      if (!(error instanceof Error && error.name === 'NoSuchKey')) throw error;
      // Its holder was erased since it was looked up.
      throw new Problem('not_found', 'file not found', { cause: error });
    });
    if (!Body) throw new Error(`the store gave no body for a file of ${this.#keyOf(holderId, sha256)}`);
    return Buffer.from(await Body.transformToByteArray());
  }

  async readAll(holderId: string, files: readonly BundleFile[]): Promise<ReadFile[]> {
    const read = new Map<string, Buffer>();
    const hashes = [...new Set(files.map(({ sha256 }) => sha256))];
    for (let i = 0; i < hashes.length; i += AT_ONCE) {
      const batch = hashes.slice(i, i + AT_ONCE);
      const bytes = await Promise.all(batch.map((sha256) => this.read(holderId, sha256)));
      for (const [j, sha256] of batch.entries()) read.set(sha256, bytes[j] ?? Buffer.alloc(0));
    }
    return files.map(({ path, sha256 }) => ({ path, sha256, bytes: read.get(sha256) ?? Buffer.alloc(0) }));
  }

  async clearAll(holderId: string): Promise<void> {
    await this.#clear(holderId, () => true);
  }

  /** What `keep` does not name, but for what was written since `before`: a save may be about to name it. */
  async clearUnused(holderId: string, keep: ReadonlySet<string>, before: Date): Promise<void> {
    await this.#clear(holderId, (sha256, written) => !keep.has(sha256) && written !== undefined && written <= before);
  }

  async #clear(holderId: string, goes: (sha256: string, written: Date | undefined) => boolean): Promise<void> {
    const { client, bucket } = this.#store;
    const Prefix = this.#keyOf(holderId, '');
    let ContinuationToken: string | undefined;
    do {
      const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix, ContinuationToken }));
      const gone = (page.Contents ?? []).flatMap(({ Key, LastModified }) => {
        return Key !== undefined && goes(Key.slice(Prefix.length), LastModified) ? [{ Key }] : [];
      });
      if (gone.length > 0) {
        await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: gone, Quiet: true } }));
      }
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  #keyOf(holderId: string, sha256: string): string {
    return `${this.#folder}/${holderId}/${sha256}`;
  }
}
