/** Calls of one outside service: pooled connections, bounded answers, no redirects, and retries only where none can do harm. */
import { type FormData, Pool } from 'undici';
import type { Room } from '../rooms.js';
import { AnswerTooLarge, requestWhole } from './whole.js';

export type OutboundProblem = 'unreachable' | 'broken' | 'too_large';

/** No answer, or half of one. What was sent, and the headers it was sent with, are not part of it. */
export class OutboundError extends Error {
  readonly problem: OutboundProblem;
  /** The code of the socket or of undici. */
  readonly code: string;

  constructor(problem: OutboundProblem, code: string) {
    super(`${problem} (${code || 'no code'})`);
    this.name = 'OutboundError';
    this.problem = problem;
    this.code = code;
  }
}

export interface OutboundRequest {
  method: 'GET' | 'POST';
  /** Behind the base address. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | FormData;
  maxBytes: number;
  /** Where the answer's body is put, see requestWhole(). */
  room?: Room;
}

export interface OutboundAnswer {
  status: number;
  /** Without its parameters, in lower case. */
  contentType: string;
  header(name: string): string | null;
  body: Buffer;
}

export interface OutboundOptions {
  baseUrl: string;
  /** For every call: credentials. */
  headers?: Readonly<Record<string, string>>;
  connections?: number;
}

const CONNECT_MS = 5_000;
const CONNECTIONS = 64;
const ATTEMPTS = 3;
const PAUSE_MS = 100;
/** A longer wait is the caller's to decide about. */
const LONGEST_PAUSE_MS = 3_000;
// The request never left this process.
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'UND_ERR_CONNECT_TIMEOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
// With these a service says that it has not begun.
const NOT_BEGUN = new Set([429, 503]);

export class Outbound {
  readonly #pool: Pool;
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly origin: string;

  constructor({ baseUrl, headers = {}, connections = CONNECTIONS }: OutboundOptions) {
    const { origin, pathname } = new URL(baseUrl);
    this.origin = origin;
    this.#base = pathname.replace(/\/+$/, '');
    this.#headers = headers;
    // The caller's signal is the one deadline; undici's own would only add a second kind of error.
    this.#pool = new Pool(origin, {
      connections,
      pipelining: 1,
      connect: { timeout: CONNECT_MS },
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** Throws OutboundError, or the signal's reason. Every status is an answer, redirects too. */
  async send(request: OutboundRequest, signal: AbortSignal): Promise<OutboundAnswer> {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.#once(request, signal);
        const pause = NOT_BEGUN.has(answer.status) ? pauseOf(answer.header('retry-after')) : null;
        if (pause === null || attempt === ATTEMPTS) return answer;
        await waiting(pause, signal);
      } catch (error) {
        signal.throwIfAborted();
        const code = codeOf(error);
        if (error instanceof OutboundError) throw error;
        if (!NEVER_SENT.has(code)) throw new OutboundError('broken', code);
        if (attempt === ATTEMPTS) throw new OutboundError('unreachable', code);
        await waiting(PAUSE_MS * attempt, signal);
      }
    }
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  async #once(
    { method, path, headers, body, maxBytes, room }: OutboundRequest,
    signal: AbortSignal,
  ): Promise<OutboundAnswer> {
    const {
      status,
      headers: given,
      body: read,
    } = await requestWhole(
      this.#pool,
      {
        method,
        path: this.#base + path,
        headers: { accept: 'application/json, image/*', ...this.#headers, ...headers },
        body: body ?? null,
      },
      { maxBytes, signal, room },
    ).catch((error: unknown) => {
      throw error instanceof AnswerTooLarge ? new OutboundError('too_large', '') : error;
    });
    return {
      status,
      contentType: (textOf(given['content-type']) ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '',
      header: (name) => textOf(given[name]),
      body: read,
    };
  }
}

function textOf(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Milliseconds of a Retry-After that is worth waiting for. */
function pauseOf(header: string | null): number | null {
  if (header === null) return null;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return ms >= 0 && ms <= LONGEST_PAUSE_MS ? ms : null;
}

async function waiting(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
