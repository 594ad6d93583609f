/** How an operation reaches a subgraph: called in this process, or sent to its port. The semantics are the same. */
import { Pool } from 'undici';
import { Problem } from '../errors.js';
import type { Histogram } from '../histogram.js';
import { type Scope, ScopeSigner, systemScope } from '../scope.js';
import type { Secrets } from '../secrets.js';
import { BodyFailed, postStream } from '../streaming.js';
import type { Subgraph, SubgraphName } from '../subgraph.js';
import type { Follow, FollowListener } from './changes.js';
import type { GraphRequest, GraphResponse, PullRequest, PullResponse, SubgraphExecutor } from './execute.js';
import { carriesFiles, type MultipartBody, uploadsIn, writeMultipart } from './multipart.js';
import { followRemote } from './notices.js';

export interface SubgraphTransport {
  readonly name: SubgraphName;
  send(request: GraphRequest, scope: Scope): Promise<GraphResponse>;
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** As the gateway needs it. */
export interface GatewayTransport extends SubgraphTransport {
  /** The events of a subscription after a cursor. */
  pull(request: PullRequest, scope: Scope): Promise<PullResponse>;
  /** Where there may be news for its subscriptions. */
  readonly follow: Follow;
}

/** On the scope itself: a WeakMap with an entry per request is what the garbage collector would be busiest with. */
const CONTEXTS = Symbol('contexts');

function contextsOf(scope: Scope & { [CONTEXTS]?: Map<LocalTransport, object> }): Map<LocalTransport, object> {
  const known = scope[CONTEXTS];
  if (known) return known;
  const contexts = new Map<LocalTransport, object>();
  // Not for those who copy a scope: a copy is another request's.
  Object.defineProperty(scope, CONTEXTS, { value: contexts });
  return contexts;
}

/** All fetches of one request share a context, and so a subgraph's DataLoaders. */
export class LocalTransport implements GatewayTransport {
  readonly name: SubgraphName;
  readonly #subgraph: Subgraph;
  readonly #executor: SubgraphExecutor;

  constructor(subgraph: Subgraph, executor: SubgraphExecutor) {
    this.name = subgraph.name;
    this.#subgraph = subgraph;
    this.#executor = executor;
  }

  send(request: GraphRequest, scope: Scope): Promise<GraphResponse> {
    const contexts = contextsOf(scope);
    let context = contexts.get(this);
    if (!context) {
      context = this.#subgraph.context(scope);
      contexts.set(this, context);
    }
    return this.#executor.execute(request, context, scope.requestId);
  }

  pull(request: PullRequest, scope: Scope): Promise<PullResponse> {
    return this.#executor.pull(request, () => this.#subgraph.context(scope), scope.requestId);
  }

  follow(listener: FollowListener): () => void {
    return this.#subgraph.follow?.(listener) ?? (() => {});
  }

  ready(): Promise<void> {
    return this.#subgraph.ready();
  }

  async close(): Promise<void> {}
}

export const PULL_PATH = '/graphql/changes';
export const NOTICES_PATH = '/graphql/notices';
export const CALL_TIMEOUT_MS = 30_000;
// Callers who wait for a run or a job hold one each.
const CONNECTIONS = 256;
const CONNECT_ATTEMPTS = 3;
const RETRY_AFTER_MS = 50;
// The request never left this process, so sending it again cannot do anything twice.
const NEVER_SENT = new Set(['ECONNREFUSED', 'UND_ERR_CONNECT_TIMEOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

export class HttpTransport implements GatewayTransport {
  readonly name: SubgraphName;
  readonly #signer: ScopeSigner;
  readonly #pool: Pool;
  readonly #origin: string;
  readonly #base: string;

  constructor(name: SubgraphName, url: string, secrets: Secrets, timeoutMs = CALL_TIMEOUT_MS) {
    this.name = name;
    this.#signer = new ScopeSigner(secrets, name);
    const { origin, pathname } = new URL(url);
    this.#origin = origin;
    this.#base = pathname.replace(/\/+$/, '');
    this.#pool = new Pool(origin, {
      connections: CONNECTIONS,
      pipelining: 1,
      connect: { timeout: 3_000 },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
  }

  async send({ query, variables, operationName }: GraphRequest, scope: Scope): Promise<GraphResponse> {
    const uploads = carriesFiles(scope) ? uploadsIn(variables, 'variables') : [];
    if (uploads.length > 0) return this.#sendFiles(writeMultipart({ query, variables, operationName }, uploads), scope);
    return this.#call<GraphResponse>('/graphql', { query, variables, operationName }, scope);
  }

  pull({ query, variables, operationName, after }: PullRequest, scope: Scope): Promise<PullResponse> {
    return this.#call<PullResponse>(PULL_PATH, { query, variables, operationName, after }, scope);
  }

  follow(listener: FollowListener): () => void {
    const { name } = this;
    const headers = () => this.#signer.headers(systemScope(`follow-${name}`));
    return followRemote({ origin: this.#origin, path: this.#base + NOTICES_PATH, headers }, listener);
  }

  async #call<T>(path: string, request: object, scope: Scope): Promise<T> {
    const body = JSON.stringify(request);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#post<T>(path, body, scope);
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : '';
        if (!NEVER_SENT.has(code) || attempt === CONNECT_ATTEMPTS) {
          throw new Problem('unavailable', `The ${this.name} service cannot be reached right now.`, { cause: error });
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS * attempt));
      }
    }
  }

  async #post<T>(path: string, body: string, scope: Scope): Promise<T> {
    const headers = { 'content-type': 'application/json', ...this.#signer.headers(scope) };
    const { status, text } = await post(this.#pool, this.#base + path, headers, body);
    if (status === 200) return JSON.parse(text) as T;
    throw new Error(`subgraph ${this.name} answered ${status}: ${text.slice(0, 200)}`);
  }

  /** Once: files that are coming in cannot be sent again. */
  async #sendFiles({ contentType, bytes: body }: MultipartBody, scope: Scope): Promise<GraphResponse> {
    const headers = { 'content-type': contentType, ...this.#signer.headers(scope) };
    try {
      const path = `${this.#base}/graphql`;
      const answer = await postStream(this.#pool, { path, headers, body, answerMs: CALL_TIMEOUT_MS });
      if (answer.statusCode === 200) return (await answer.body.json()) as GraphResponse;
      throw new Error(
        `subgraph ${this.name} answered ${answer.statusCode}: ${(await answer.body.text()).slice(0, 200)}`,
      );
    } catch (error) {
      if (error instanceof BodyFailed) throw error.reason;
      throw new Problem('unavailable', `The ${this.name} service cannot be reached right now.`, { cause: error });
    }
  }

  async ready(): Promise<void> {
    const { statusCode, body } = await this.#pool.request({ path: `${this.#base}/readyz`, method: 'GET' });
    await body.dump();
    if (statusCode !== 200) throw new Error(`subgraph ${this.name} is not ready (${statusCode})`);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

/** A request whose answer is short: undici's streams cost more than what goes through them here. */
function post(pool: Pool, path: string, headers: Record<string, string>, body: string) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    pool.dispatch(
      { path, method: 'POST', headers, body },
      {
        onRequestStart() {},
        onResponseStart(_controller, statusCode) {
          status = statusCode;
        },
        onResponseData(_controller, chunk) {
          chunks.push(chunk);
        },
        onResponseEnd() {
          const [first, ...others] = chunks;
          const whole = first && others.length === 0 ? first : Buffer.concat(chunks);
          resolve({ status, text: whole.toString('utf8') });
        },
        onResponseError(_controller, error) {
          reject(error);
        },
      },
    );
  });
}

/** The same transport, with the time that each call took on record. */
export function measured(transport: GatewayTransport, calls: Histogram<'subgraph'>): GatewayTransport {
  const { name } = transport;
  async function timed<T>(call: Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await call;
    } finally {
      calls.observe({ subgraph: name }, (performance.now() - start) / 1000);
    }
  }
  return {
    name,
    send: (request, scope) => timed(transport.send(request, scope)),
    pull: (request, scope) => timed(transport.pull(request, scope)),
    follow: (listener) => transport.follow(listener),
    ready: () => transport.ready(),
    close: () => transport.close(),
  };
}
