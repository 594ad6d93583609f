/** A request whose answer is taken as a whole, without the streams that its client would put around it. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Room } from '../rooms.js';

export interface WholeAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export class AnswerTooLarge extends Error {}

export interface WholeLimits {
  maxBytes: number;
  signal?: AbortSignal | undefined;
  /** Where a body that is announced is put. */
  room?: Room | undefined;
}

/** What is made room for before it has come. */
const MOST_AHEAD = 16 * 1024 * 1024;

/** Throws AnswerTooLarge, the signal's reason, or what the client throws. */
export function requestWhole(
  to: Dispatcher,
  options: Dispatcher.DispatchOptions,
  { maxBytes, signal, room }: WholeLimits,
): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let status = 0;
    let headers: IncomingHttpHeaders = {};
    let body = new Body(0);
    const abort = () => {
      controller?.abort(signal?.reason);
      end(() => reject(signal?.reason));
    };
    const end = (settle: () => void) => {
      signal?.removeEventListener('abort', abort);
      settle();
    };
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort, { once: true });
    to.dispatch(options, {
      onRequestStart(given) {
        controller = given;
        if (signal?.aborted) given.abort(signal.reason);
      },
      onResponseStart(given, statusCode, fields) {
        status = statusCode;
        headers = fields;
        const announced = Number(fields['content-length'] ?? 0);
        if (announced > maxBytes) given.abort(new AnswerTooLarge());
        else body = new Body(announced, room);
      },
      onResponseData(given, chunk) {
        if (body.length + chunk.length > maxBytes) given.abort(new AnswerTooLarge());
        else body.add(chunk);
      },
      onResponseEnd: () => end(() => resolve({ status, headers, body: body.take() })),
      onResponseError: (_, error) => end(() => reject(error)),
    });
  });
}

/** Filled while what comes is still in the processor's cache, where it was announced how much that will be. */
class Body {
  readonly #room: Buffer | null;
  readonly #chunks: Buffer[] = [];
  length = 0;

  constructor(announced: number, room?: Room) {
    const isExpected = announced > 0 && announced <= MOST_AHEAD;
    this.#room = isExpected ? (room?.take(announced) ?? Buffer.allocUnsafeSlow(announced)) : null;
  }

  /** The client fails an answer that is longer than it announced. */
  add(chunk: Buffer): void {
    if (this.#room) this.#room.set(chunk, this.length);
    else this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  take(): Buffer {
    return this.#room?.subarray(0, this.length) ?? Buffer.concat(this.#chunks, this.length);
  }
}
