/** Answers a GET or HEAD for bytes that are there: whole, in part, or not at all where the caller has them. */
import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../platform/errors.js';
import type { ByteRange } from '../../platform/s3.js';
import { type Representation, type Wanted, wantedOf } from './conditions.js';
import { EXPOSED, unchangedHeaders, wholeHeaders } from './picture.js';

export interface Served {
  contentType: string;
  representation: Representation;
  body(range: ByteRange | null): Promise<Buffer | Readable>;
}

// A reader that takes nothing for so long has left, and must not hold on to a connection to the bucket.
const STALLED_MS = 60_000;

export async function respond(request: FastifyRequest, reply: FastifyReply, served: Served) {
  const { contentType, representation } = served;
  const { size } = representation;
  const wanted = wantedOf(request.headers, representation);
  if (wanted.kind === 'unsatisfiable') {
    reply.headers({ 'content-range': `bytes */${size}`, 'cache-control': 'no-store' });
    throw new Problem('range_not_satisfiable');
  }
  const unchanged = wanted.kind === 'unchanged';
  const range = rangeOf(wanted);
  // Before anything is said of the bytes, which would be said of an error as well.
  const bytes = unchanged || request.method === 'HEAD' ? null : await bodyOf(served, range, reply);
  if (unchanged) {
    setPairs(reply, unchangedHeaders(representation));
    return reply.code(304).send();
  }
  setPairs(reply, wholeHeaders(contentType, representation));
  reply.code(range ? 206 : 200);
  reply.header('content-length', range ? range.end - range.start + 1 : size);
  if (range) reply.header('content-range', `bytes ${range.start}-${range.end}/${size}`);
  return bytes ? reply.send(bytes) : reply.send();
}

async function bodyOf({ body }: Served, range: ByteRange | null, reply: FastifyReply): Promise<Buffer | Readable> {
  try {
    return await body(range);
  } catch (error) {
    reply.header('cache-control', 'no-store');
    throw error;
  }
}

/** Whatever pages may call the API: what is public may be shown by all of them. */
export function openToPages(reply: FastifyReply): void {
  reply.headers({ 'access-control-allow-origin': '*', 'access-control-expose-headers': EXPOSED }).removeHeader('vary');
}

/** Bytes at the pace of their reader, whose leaving ends the read of the bucket. */
export async function streamTo(
  reply: FastifyReply,
  open: (signal: AbortSignal) => Promise<Readable>,
): Promise<Readable> {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  const stream = await open(gone.signal).catch((error) => {
    // Nobody is left to read why.
    throw gone.signal.aborted ? new Problem('unavailable') : error;
  });
  reply.raw.once('close', () => stream.destroy());
  reply.raw.setTimeout(STALLED_MS, () => reply.raw.destroy());
  return stream;
}

function rangeOf(wanted: Wanted): ByteRange | null {
  return wanted.kind === 'part' ? wanted.range : null;
}

function setPairs(reply: FastifyReply, pairs: readonly string[]): void {
  for (let i = 0; i < pairs.length; i += 2) reply.header(pairs[i] ?? '', pairs[i + 1]);
}
