/** An S3 store inside this process, for those who have not set S3_ENDPOINT. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import S3rver from '@20minutes/s3rver';
import S3Error from '@20minutes/s3rver/lib/models/error.js';
import type { Logger } from 'pino';
import { EmbeddedError } from './error.js';
import { privateDirectory, writeAtomically } from './files.js';
import { listObjectsV2, listUploads } from './s3-list.js';
import { type KeyPair, refusalOf } from './s3-signature.js';
import { AtomicStore } from './s3-store.js';

export interface EmbeddedS3Options {
  dataDir: string;
  bucket: string;
  log?: Logger;
}

export interface EmbeddedS3 extends KeyPair {
  endpoint: string;
  region: string;
  /** Lets requests in flight finish, for a while. */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 5_000;

/**
 * Listens on the loopback interface, which every user of the machine reaches: only requests signed with the key pair
 * are answered. Presigned URLs are not, as nobody but this process could use them.
 */
export async function openEmbeddedS3({ dataDir, bucket, log }: EmbeddedS3Options): Promise<EmbeddedS3> {
  // It becomes the name of a directory.
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw new EmbeddedError(`S3_BUCKET "${bucket}" is not the name of a bucket, for example S3_BUCKET=darkroom`);
  }
  const root = resolve(dataDir);
  const directory = join(root, 's3');
  await privateDirectory(directory);
  const keys = await keyPairOf(join(root, 's3-credentials.json'));
  const store = new AtomicStore(directory);
  await store.prepare();
  const server = createServer(bucket, store, keys);
  server.on('error', (error) => {
    // `expose` marks the answers that S3 gives to wrong requests. The rest is ours, or a client that went away.
    if (!error.expose) log?.warn({ err: error }, 'embedded S3 store');
  });
  const { port } = await server.run();
  // An idle connection that we end just as the client sends its next request fails that request, and an upload that
  // comes in slowly is for the API in front of us to cut off.
  server.httpServer.keepAliveTimeout = 0;
  server.httpServer.requestTimeout = 0;
  const endpoint = `http://127.0.0.1:${port}`;
  log?.info({ directory, endpoint }, 'embedded S3 store open');
  let closed: Promise<void> | undefined;
  return {
    endpoint,
    region: 'us-east-1',
    ...keys,
    close() {
      closed ??= close(server);
      return closed;
    },
  };
}

function createServer(bucket: string, store: AtomicStore, keys: KeyPair): S3rver {
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: store.rootDirectory,
    vhostBuckets: false,
    configureBuckets: [{ name: bucket }],
  });
  server.store = store;
  server.context.store = store;
  server.logger = QUIET;
  server.context.logger = QUIET;
  const [, toXml, ...rest] = server.middleware;
  if (!toXml) throw new Error('s3rver has changed');
  server.middleware = [
    toXml,
    authenticate(keys),
    stayInside,
    simpleRanges,
    list(bucket, store),
    unfinished(bucket, store),
    ...rest,
  ];
  return server;
}

/** In place of a logger that complains on the console about requests that outlive it; `silent` does not help there. */
const QUIET = { info() {}, warn() {}, error() {}, close() {}, exceptions: { unhandle() {} } };

function authenticate(keys: KeyPair): S3rver.Middleware {
  return async ({ req }, next) => {
    const refusal = refusalOf(req, keys);
    if (refusal) throw new S3Error(refusal, 'The request is not signed with the key pair of this store.');
    // s3rver would check again, in its own way.
    delete req.headers.authorization;
    await next();
  };
}

/** s3rver makes paths of what a request names, and ".." would lead to the files of other parts. */
const stayInside: S3rver.Middleware = async ({ req }, next) => {
  const named = `${req.url}\n${req.headers['x-amz-copy-source'] ?? ''}`;
  if (/(^|[/=\n])\.\.?([/?&\n]|$)/.test(decoded(named))) {
    throw new S3Error('InvalidArgument', 'Keys with "." or ".." as a segment are not supported here.');
  }
  await next();
};

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidURI', 'The request is not correctly encoded.');
  }
}

/** s3rver takes "bytes=-5" for the first bytes. A server may ignore a range that it does not support (RFC 9110, 14.2). */
const simpleRanges: S3rver.Middleware = async ({ req }, next) => {
  if (!/^bytes=\d+-\d*$/.test(req.headers.range ?? '')) delete req.headers.range;
  await next();
};

function list(bucket: string, store: AtomicStore): S3rver.Middleware {
  return async (context, next) => {
    const { method, path, query } = context;
    const matches = method === 'GET' && query['list-type'] === '2' && path.replace(/\/$/, '') === `/${bucket}`;
    if (!matches) return next();
    context.body = await listObjectsV2(store, bucket, query);
    context.type = 'application/xml';
  };
}

/** Finding and aborting uploads in parts, which s3rver cannot. */
function unfinished(bucket: string, store: AtomicStore): S3rver.Middleware {
  return async (context, next) => {
    const { method, path, query } = context;
    const { uploadId, prefix } = query;
    if (method === 'GET' && query['uploads'] !== undefined && path.replace(/\/$/, '') === `/${bucket}`) {
      context.body = listUploads(bucket, typeof prefix === 'string' ? prefix : '', await store.uploads(bucket));
      context.type = 'application/xml';
    } else if (method === 'DELETE' && typeof uploadId === 'string' && path.startsWith(`/${bucket}/`)) {
      await store.abortUpload(bucket, uploadId);
      context.status = 204;
    } else {
      await next();
    }
  };
}

/** Kept between starts, so that other processes of this user can be given them. */
async function keyPairOf(path: string): Promise<KeyPair> {
  const existing = parseKeyPair(await readFile(path, 'utf8').catch(ifMissing));
  if (existing) return existing;
  const keys = {
    accessKeyId: `DARKROOM${randomBytes(6).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(32).toString('base64url'),
  };
  await writeAtomically(path, JSON.stringify(keys));
  return keys;
}

/** Undefined for a damaged file too: new keys do no harm, the objects are not bound to them. */
function parseKeyPair(text: string): KeyPair | undefined {
  try {
    const { accessKeyId, secretAccessKey } = JSON.parse(text) as { accessKeyId?: unknown; secretAccessKey?: unknown };
    if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string') return undefined;
    if (accessKeyId === '' || secretAccessKey.length < 32) return undefined;
    return { accessKeyId, secretAccessKey };
  } catch {
    return undefined;
  }
}

function ifMissing(error: NodeJS.ErrnoException): string {
  if (error.code !== 'ENOENT') throw error;
  return '';
}

async function close(server: S3rver): Promise<void> {
  const timer = setTimeout(() => server.httpServer.closeAllConnections(), CLOSE_GRACE_MS);
  try {
    const closing = server.close();
    // Clients keep their connections open for the next request, which would hold up the close.
    server.httpServer.closeIdleConnections();
    await closing;
  } finally {
    clearTimeout(timer);
  }
}
