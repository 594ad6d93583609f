/** Bytes to and from a subgraph at its own address, at the pace of the slower end. */
import type { Readable } from 'node:stream';
import { Pool } from 'undici';
import { isErrorSlug, Problem, type ProblemBody } from './errors.js';
import { type Scope, ScopeSigner } from './scope.js';
import type { Secrets } from './secrets.js';
import { BodyFailed, postStream } from './streaming.js';
import type { SubgraphName } from './subgraph.js';

export interface ByteRequest {
  method: 'GET' | 'HEAD' | 'POST';
  path: string;
  headers?: Readonly<Record<string, string>>;
  /** Of a POST, sent at the pace of both ends. */
  body?: AsyncIterable<Uint8Array>;
  signal?: AbortSignal;
}

export interface ByteAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Must be read to its end or destroyed. */
  body: Readable;
}

const CONNECTIONS = 128;
// Between two chunks of a body, and until an answer begins: the other side may have a bucket to finish with.
const IDLE_MS = 60_000;

export class ByteTransport {
  readonly name: SubgraphName;
  readonly #signer: ScopeSigner;
  readonly #pool: Pool;
  readonly #base: string;
  readonly #idleMs: number;

  constructor(name: SubgraphName, url: string, secrets: Secrets, idleMs = IDLE_MS) {
    this.name = name;
    this.#idleMs = idleMs;
    this.#signer = new ScopeSigner(secrets, name);
    const { origin, pathname } = new URL(url);
    this.#base = pathname.replace(/\/+$/, '');
    this.#pool = new Pool(origin, {
      connections: CONNECTIONS,
      pipelining: 1,
      connect: { timeout: 3_000 },
      headersTimeout: idleMs,
      bodyTimeout: idleMs,
    });
  }

  /** Throws the Problem that the other side answered with, or what the body threw. */
  async send(request: ByteRequest, scope: Scope): Promise<ByteAnswer> {
    try {
      const answer = await this.#send(request, { ...request.headers, ...this.#signer.headers(scope) });
      if (answer.statusCode < 400) return { status: answer.statusCode, headers: answer.headers, body: answer.body };
      throw await refusal(answer.statusCode, answer.body);
    } catch (error) {
      if (error instanceof BodyFailed) throw error.reason;
      if (error instanceof Problem || request.signal?.aborted) throw error;
      throw new Problem('unavailable', `The ${this.name} service cannot be reached right now.`, { cause: error });
    }
  }

  #send({ method, path, body, signal }: ByteRequest, headers: Record<string, string>) {
    const to = this.#base + path;
    if (body) return postStream(this.#pool, { path: to, headers, body, answerMs: this.#idleMs, signal });
    return this.#pool.request({ method, path: to, headers, ...(signal && { signal }) });
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

async function refusal(status: number, body: { text(): Promise<string> }): Promise<Error> {
  const text = await body.text();
  const parsed = parse(text);
  if (!parsed) return new Error(`answered ${status}: ${text.slice(0, 200)}`);
  const { request_id: _, ...problem } = parsed;
  return Problem.fromBody(problem as ProblemBody);
}

function parse(text: string): ProblemBody | null {
  try {
    const body = JSON.parse(text) as ProblemBody;
    return isErrorSlug(body.error) ? body : null;
  } catch {
    return null;
  }
}
