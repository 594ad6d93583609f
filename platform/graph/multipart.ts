/** GraphQL multipart requests: read with their files spooled, and sent on to a subgraph as their files come in. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback, Writable } from 'node:stream';
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
  cut(request: IncomingMessage): void;
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
  // A client that left while it was asked who it is has closed the answer already, and would never give back its room.
  if (reply.raw.destroyed) throw new Problem('validation_error', 'The request broke off.');
  const share = spool.share();
  let most = MAX_FILES * maxFileBytes + MAX_OPERATIONS + OVERHEAD;
  const take = (bytes: number) => {
    if (bytes > most) throw new Problem('file_too_large', `A request may hold ${MAX_FILES} files.`);
    share.take(bytes);
    most -= bytes;
  };
  const { 'content-length': stated } = request.headers;
  // The HTTP server lets no more in than is stated.
  if (stated !== undefined) take(Number(stated));
  const body = stated === undefined ? new CountedBody(request.raw, take) : request.raw;
  reply.raw.once('close', () => {
    // The reader stands still once its files are gone, and a client that still sends would never come to the answer.
    request.raw.unpipe();
    request.raw.resume();
    // Nothing of what is still buffered may take room that nobody would give back.
    if (body !== request.raw) body.destroy();
    share.giveBack();
  });
  carriers.add(scope);
  watchBodyTime(request.raw);
  watchArrival(request.raw, idleMs, cut);
  try {
    return await processRequest(body, reply.raw, {
      maxFieldSize: MAX_OPERATIONS,
      // The parser refuses a file that is exactly as large as it may be.
      maxFileSize: maxFileBytes + 1,
      maxFiles: MAX_FILES,
    });
  } catch (error) {
    throw multipartProblem(error);
  }
}

/** A body of a length that nobody states, as gateways send it: what comes in takes its room before it is read. */
class CountedBody extends Transform {
  readonly headers: IncomingMessage['headers'];
  readonly #take: (bytes: number) => void;
  #reader: Writable | null = null;
  #refused = false;

  constructor(request: IncomingMessage, take: (bytes: number) => void) {
    super();
    this.headers = request.headers;
    this.#take = take;
    request.once('close', () => request.readableEnded || this.destroy());
    request.pipe(this);
  }

  override pipe<T extends NodeJS.WritableStream>(reader: T): T {
    if (reader instanceof Writable) this.#reader = reader;
    return super.pipe(reader);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (!this.#refused) this.#count(chunk.length);
    // What follows a refusal is dropped, so that the client can read the answer.
    if (this.#refused) done();
    else done(null, chunk);
  }

  #count(bytes: number): void {
    try {
      this.#take(bytes);
    } catch (error) {
      this.#refused = true;
      // It tells all files.
      this.#reader?.destroy(error as Error);
    }
  }
}

/** Reading waits for the disk alone, so a client is late when nothing arrives. */
function watchArrival(request: IncomingMessage, idleMs: number, cut: MultipartLimits['cut']): void {
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
  if (error instanceof Problem) return error;
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
