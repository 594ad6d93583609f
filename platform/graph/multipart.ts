/** GraphQL multipart requests: read with their files spooled, and sent on to a subgraph as their files come in. */
import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import processRequest from 'graphql-upload/processRequest.mjs';
import Upload from 'graphql-upload/Upload.mjs';
import { LONGEST_UPLOAD_MS, watchBodyTime } from '../body-time.js';
import { Problem } from '../errors.js';
import type { Scope } from '../scope.js';
import type { Spool } from './spool.js';
import { bytesOf } from './upload.js';

export const MULTIPART = 'multipart/form-data';
const MAX_FILES = 10;
const MAX_OPERATIONS = 1_000_000;
const OVERHEAD = 100_000;
const MAX_DEPTH = 32;

export interface MultipartLimits {
  maxFileBytes: number;
  spool: Spool;
  /** How long a client may send nothing. */
  idleMs: number;
  /** Ends a request whose client does. */
  cut(request: FastifyRequest['raw']): void;
}

export function isMultipart({ headers }: FastifyRequest): boolean {
  return headers['content-type']?.toLowerCase().startsWith(MULTIPART) ?? false;
}

/** Scopes whose operations may name files: all others need not be searched for them. */
const carriers = new WeakSet<Scope>();

export function carriesFiles(scope: Scope): boolean {
  return carriers.has(scope);
}

/** Resolves to the operations, with an Upload in place of each file. Files go on coming in after that. */
export async function readMultipart(
  request: FastifyRequest,
  reply: FastifyReply,
  scope: Scope,
  { maxFileBytes, spool, idleMs, cut }: MultipartLimits,
): Promise<unknown> {
  const most = MAX_FILES * maxFileBytes + MAX_OPERATIONS + OVERHEAD;
  const stated = Number(request.headers['content-length'] ?? most);
  if (stated > most) throw new Problem('file_too_large', `A request may hold ${MAX_FILES} files.`);
  const giveBack = spool.take(stated);
  reply.raw.once('close', () => {
    giveBack();
    // The reader stands still once its files are gone, and a client that still sends would never come to the answer.
    request.raw.unpipe();
    request.raw.resume();
  });
  carriers.add(scope);
  watchBodyTime(request.raw);
  watchArrival(request.raw, idleMs, cut);
  try {
    return await processRequest(request.raw, reply.raw, {
      maxFieldSize: MAX_OPERATIONS,
      // The parser refuses a file that is exactly as large as it may be.
      maxFileSize: maxFileBytes + 1,
      maxFiles: MAX_FILES,
    });
  } catch (error) {
    throw multipartProblem(error);
  }
}

/** Reading waits for the disk alone, so a client is late when nothing arrives. */
function watchArrival(request: FastifyRequest['raw'], idleMs: number, cut: MultipartLimits['cut']): void {
  const begun = Date.now();
  let read = request.socket.bytesRead;
  const timer = setInterval(() => {
    if (request.complete || request.destroyed) return clearInterval(timer);
    const { bytesRead } = request.socket;
    if (bytesRead === read || Date.now() - begun > LONGEST_UPLOAD_MS) {
      clearInterval(timer);
      cut(request);
    }
    read = bytesRead;
  }, idleMs).unref();
  request.once('close', () => clearInterval(timer));
}

function multipartProblem(error: unknown): unknown {
  const { status, message } = error as { status?: unknown; message?: unknown };
  if (typeof status !== 'number' && !(error instanceof Error && /boundary|multipart|form/i.test(error.message))) {
    return error;
  }
  const slug = status === 413 ? 'payload_too_large' : 'validation_error';
  return new Problem(slug, typeof message === 'string' ? message : undefined, { cause: error });
}

interface PlacedUpload {
  path: string;
  upload: Upload;
}

/** The files that variables stand for, with where they stand. */
export function uploadsIn(value: unknown, path: string, depth = 0): PlacedUpload[] {
  if (value instanceof Upload) return [{ path, upload: value }];
  if (typeof value !== 'object' || value === null) return [];
  if (depth > MAX_DEPTH) throw new Problem('validation_error', 'A request with files may not nest this deeply.');
  return Object.entries(value).flatMap(([name, member]) => uploadsIn(member, `${path}.${name}`, depth + 1));
}

export interface MultipartBody {
  contentType: string;
  bytes: AsyncGenerator<Uint8Array>;
}

/** The same request for another process. */
export function writeMultipart(operations: object, uploads: readonly PlacedUpload[]): MultipartBody {
  const boundary = `darkroom-${randomUUID()}`;
  const json = JSON.stringify(operations, (_name, value) => (value instanceof Upload ? null : value));
  // One file may stand in several places.
  const paths = new Map<Upload, string[]>();
  for (const { path, upload } of uploads) paths.set(upload, [...(paths.get(upload) ?? []), path]);
  const map = JSON.stringify(Object.fromEntries([...paths.values()].map((places, i) => [String(i), places])));
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="operations"\r\n\r\n${json}\r\n` +
        `--${boundary}\r\ncontent-disposition: form-data; name="map"\r\n\r\n${map}\r\n`,
    );
    for (const [i, upload] of [...paths.keys()].entries()) {
      yield Buffer.from(
        `--${boundary}\r\ncontent-disposition: form-data; name="${i}"; filename="${i}"\r\n` +
          'content-type: application/octet-stream\r\n\r\n',
      );
      yield* bytesOf(upload.promise);
      yield Buffer.from('\r\n');
    }
    yield Buffer.from(`--${boundary}--\r\n`);
  }
  return { contentType: `${MULTIPART}; boundary=${boundary}`, bytes: bytes() };
}
