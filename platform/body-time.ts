/** How long a request's body may take to arrive. */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { Problem } from './errors.js';

/** Until here Node itself waits for any request, uploads included. */
export const LONGEST_UPLOAD_MS = 15 * 60_000;

/** How long a body may go on coming in while the process ends. */
const LAST_BODIES_MS = 10_000;

const LINGER_BYTES = 32 * 1024 * 1024;
const LINGER_MS = 10_000;

const timers = new WeakMap<IncomingMessage, NodeJS.Timeout>();

/**
 * Cuts bodies that are not here in time, but for those whose reader watches over the time itself. While the process
 * ends, nobody's body may take long: a client that sends nothing would hold up the end.
 */
export function limitBodyTime(app: FastifyInstance, ms: number, cut: (request: IncomingMessage) => void): void {
  const open = new Set<IncomingMessage>();
  app.addHook('preClose', (done) => {
    setTimeout(() => open.forEach(cutIncomplete), Math.min(ms, LAST_BODIES_MS)).unref();
    done();
  });

  function cutIncomplete(request: IncomingMessage): void {
    if (!request.complete) cut(request);
  }

  app.addHook('onRequest', (request, _reply, next) => {
    const { raw } = request;
    const { 'content-length': length, 'transfer-encoding': encoding } = raw.headers;
    if (encoding === undefined && (length === undefined || length === '0')) return next();
    const timer = setTimeout(() => cutIncomplete(raw), ms).unref();
    timers.set(raw, timer);
    open.add(raw);
    raw.once('close', () => {
      clearTimeout(timer);
      open.delete(raw);
    });
    next();
  });
}

/** From here on the reader of the body says when it takes too long. */
export function watchBodyTime(request: IncomingMessage): void {
  clearTimeout(timers.get(request));
}

/**
 * The body as it comes in. Throws request_timeout when nothing has come for a while; the time in which the reader itself
 * is busy does not count. Ended by the signal or early, it leaves the rest of the body where it is.
 */
export async function* arriving(request: IncomingMessage, idleMs: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  watchBodyTime(request);
  const chunks = new Arrivals(request, idleMs, signal);
  try {
    for (;;) {
      const chunk = await chunks.next();
      if (chunk === null) return;
      yield chunk;
    }
  } finally {
    chunks.leave();
  }
}

/** Listens once for the whole body: a listener and a timer for each chunk cost more than the chunk. */
class Arrivals {
  readonly #request: IncomingMessage;
  readonly #signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  /** Rarely more than one: the request is paused as soon as one is there. */
  readonly #chunks: Buffer[] = [];
  #ended = false;
  #failure: { error: unknown } | null = null;
  #wake: (() => void) | null = null;
  readonly #listeners = {
    data: (chunk: Buffer) => {
      this.#request.pause();
      this.#chunks.push(chunk);
      this.#wake?.();
    },
    end: () => {
      this.#ended = true;
      this.#wake?.();
    },
    error: () => this.#brokeOff(),
    close: () => this.#brokeOff(),
  };
  readonly #abort = () => this.#fail(this.#signal.reason);

  constructor(request: IncomingMessage, idleMs: number, signal: AbortSignal) {
    this.#request = request;
    this.#signal = signal;
    this.#timer = setTimeout(() => {
      // Only while somebody waits for the client.
      if (this.#wake) this.#fail(new Problem('request_timeout'));
    }, idleMs);
    this.#ended = request.readableEnded;
    if (signal.aborted) this.#abort();
    else if (request.destroyed) this.#brokeOff();
    for (const [event, listener] of Object.entries(this.#listeners)) request.on(event, listener);
    signal.addEventListener('abort', this.#abort);
  }

  /** Null at the end. */
  async next(): Promise<Buffer | null> {
    for (;;) {
      if (this.#failure) throw this.#failure.error;
      const chunk = this.#chunks.shift();
      if (chunk) return chunk;
      if (this.#ended) return null;
      await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
      this.#timer.refresh();
      this.#request.resume();
    });
  }

  #brokeOff(): void {
    if (!this.#ended) this.#fail(new Problem('validation_error', 'The request broke off.'));
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake?.();
  }

  leave(): void {
    clearTimeout(this.#timer);
    for (const [event, listener] of Object.entries(this.#listeners)) this.#request.off(event, listener);
    this.#signal.removeEventListener('abort', this.#abort);
    this.#request.pause();
  }
}

/**
 * For an answer that comes before its request has ended. Closing the connection at once would take the answer from a
 * client that is still sending, so what comes is read and dropped: some of it, for some time.
 */
export function dropRest(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  let left = LINGER_BYTES;
  const cut = () => request.destroy();
  const timer = setTimeout(cut, LINGER_MS).unref();
  request.once('close', () => clearTimeout(timer));
  request.on('error', () => undefined);
  // A reader that stopped half-way keeps the stream from flowing as long as it is told what can be read.
  request.removeAllListeners('readable');
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) cut();
  });
  request.resume();
}
