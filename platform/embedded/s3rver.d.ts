// The package has no types. These are the parts that we use.

declare module '@20minutes/s3rver' {
  import type { IncomingMessage, Server } from 'node:http';
  import type { AddressInfo } from 'node:net';
  import type FilesystemStore from '@20minutes/s3rver/lib/stores/filesystem.js';

  interface Options {
    address: string;
    port: number;
    silent: boolean;
    directory: string;
    vhostBuckets: boolean;
    configureBuckets: { name: string }[];
  }

  /** A winston logger. */
  interface Log {
    info(...args: unknown[]): void;
    warn(...args: unknown[]): void;
    error(...args: unknown[]): void;
    close(): void;
    exceptions: { unhandle(): void };
  }

  /** A Koa application. */
  class S3rver {
    constructor(options: Options);
    /** The prototype of every request's context. */
    readonly context: { logger: Log; store: FilesystemStore };
    middleware: S3rver.Middleware[];
    logger: Log;
    store: FilesystemStore;
    httpServer: Server;
    on(event: 'error', listener: (error: Error & { expose?: boolean }) => void): this;
    run(): Promise<AddressInfo>;
    close(): Promise<void>;
  }

  namespace S3rver {
    interface Context {
      readonly req: IncomingMessage;
      readonly method: string;
      readonly path: string;
      readonly query: Readonly<Record<string, string | string[] | undefined>>;
      body: unknown;
      type: string;
      status: number;
    }

    type Middleware = (context: Context, next: () => Promise<void>) => Promise<void>;
  }

  export default S3rver;
}

declare module '@20minutes/s3rver/lib/models/error.js' {
  export default class S3Error extends Error {
    constructor(code: string, message: string);
  }
}

declare module '@20minutes/s3rver/lib/stores/filesystem.js' {
  import type { Readable } from 'node:stream';

  export default class FilesystemStore {
    constructor(directory: string);
    readonly rootDirectory: string;
    /** The file that holds a part of what is kept of a key; without a key, of the bucket. */
    getResourcePath(bucket: string, key: string | undefined, resource: string): string;
    putMetadata(bucket: string, key: string, metadata: Record<string, string>, etag: string): Promise<void>;
    putPart(
      bucket: string,
      uploadId: string,
      partNumber: string,
      content: Buffer | Readable,
    ): Promise<{ size: number; md5: string }>;
    putObjectMultipart(
      bucket: string,
      uploadId: string,
      parts: readonly { number: number; etag: string }[],
    ): Promise<{ size: number; md5: string }>;
    deleteObject(bucket: string, key: string): Promise<void>;
    getMetadata(
      bucket: string,
      key: string,
    ): Promise<{ etag: string; 'last-modified': string; 'content-length': number }>;
    /** Resolves to the size and the MD5 in hex. */
    putContent(path: string, content: Buffer | Readable): Promise<[number, string]>;
  }
}
