/** The bytes of bundles, in the object store by hash below the workflow that holds them. */
import { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
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

export class Bundles {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  /** Writes all files, those too that may be there: what is being cleared away at this moment must be there after it. */
  async put(workflowId: string, files: readonly ReadFile[]): Promise<BundleFile[]> {
    const distinct = [...new Map(files.map((file) => [file.sha256, file])).values()];
    for (let i = 0; i < distinct.length; i += AT_ONCE) {
      await Promise.all(distinct.slice(i, i + AT_ONCE).map((file) => this.#put(workflowId, file)));
    }
    return files.map(({ path, sha256, bytes }) => ({
      path,
      sha256,
      sizeBytes: bytes.length,
      contentType: contentTypeOf(path),
    }));
  }

  async #put(workflowId: string, { sha256, bytes, path }: ReadFile): Promise<void> {
    const { client, bucket } = this.#store;
    const ContentType = contentTypeOf(path);
    await client.send(
      new PutObjectCommand({ Bucket: bucket, Key: keyOf(workflowId, sha256), Body: bytes, ContentType }),
    );
  }

  /** A file is small enough to be held: rules.ts sees to that. */
  async read(workflowId: string, sha256: string): Promise<Buffer> {
    const { client, bucket } = this.#store;
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keyOf(workflowId, sha256) }));
    if (!Body) throw new Error(`the store gave no body for a file of workflow ${workflowId}`);
    return Buffer.from(await Body.transformToByteArray());
  }

  async clearAll(workflowId: string): Promise<void> {
    await this.#clear(workflowId, () => true);
  }

  /** What `keep` does not name, but for what was written since `before`: a save may be about to name it. */
  async clearUnused(workflowId: string, keep: ReadonlySet<string>, before: Date): Promise<void> {
    await this.#clear(workflowId, (sha256, written) => !keep.has(sha256) && written !== undefined && written <= before);
  }

  async #clear(workflowId: string, goes: (sha256: string, written: Date | undefined) => boolean): Promise<void> {
    const { client, bucket } = this.#store;
    const Prefix = keyOf(workflowId, '');
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
}

function keyOf(workflowId: string, sha256: string): string {
  return `workflows/${workflowId}/${sha256}`;
}
