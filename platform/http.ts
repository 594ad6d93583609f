/** What every HTTP server here has in common: request ids, one log line and one metric a request, time limits. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, LogController } from 'fastify';
import type { Logger } from 'pino';
import { dropRest, LONGEST_UPLOAD_MS, limitBodyTime } from './body-time.js';
import { Problem, type ProblemOptions } from './errors.js';
import { type FrontAnswer, type FrontRequest, openFront } from './front.js';
import { newId } from './ids.js';
import type { Metrics } from './metrics.js';

export interface HttpOptions {
  log: Logger;
  metrics: Metrics;
  bodyLimit: number;
  requestTimeoutMs: number;
  trustProxy: number;
  /** What a request's path is taken for. */
  rewriteUrl?: (url: string) => string;
  /** Where whoever is refused learns how to sign in: what goes into the challenge beside the realm. */
  signInAt?: string;
}

const KEEP_ALIVE_MS = 72_000;
/** How long a client may take to read why its connection ends. */
const LAST_WORD_MS = 2_000;

function headersTimeout(requestTimeoutMs: number): number {
  return Math.min(requestTimeoutMs, 20_000);
}

const REQUEST_ID = /^[\w.:-]{1,64}$/;

function requestIdOf(given: unknown): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : newId();
}

const SIGN_IN_AT = 'signInAt';

export function createHttp(options: HttpOptions): FastifyInstance {
  const { log, metrics, bodyLimit, requestTimeoutMs, trustProxy, rewriteUrl } = options;
  const app = Fastify({
    // Fastify's own lines (listening, incoming request) would double ours.
    loggerInstance: log.child({}, { level: log.isLevelEnabled('warn') ? 'warn' : log.level }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    trustProxy: (_address: string, hop: number) => hop < trustProxy,
    // A body that trickles in, or never ends, is cut off long before; see limitBodyTime.
    requestTimeout: Math.max(requestTimeoutMs, LONGEST_UPLOAD_MS),
    connectionTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: {
      headersTimeout: headersTimeout(requestTimeoutMs),
      maxHeaderSize: 16_384,
      // How often Node looks for requests that are over their time.
      connectionsCheckingInterval: Math.min(requestTimeoutMs / 2, 5_000),
    },
    routerOptions: { maxParamLength: 512 },
    ...(rewriteUrl && { rewriteUrl: ({ url = '/' }: IncomingMessage) => rewriteUrl(url) }),
    requestIdHeader: false,
    genReqId: ({ headers }) => requestIdOf(headers['x-request-id']),
    clientErrorHandler: answerUnreadableRequest,
    frameworkErrors: (error, request, reply) => {
      reply.headers({ 'x-request-id': request.id, 'cache-control': 'no-store' });
      void sendProblem(reply, asProblem(error), request.id);
    },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
  }) as unknown as FastifyInstance;

  app.addHook('onRequest', (request, reply, next) => {
    reply.header('x-request-id', request.id);
    if (reply.raw.socket === null) closeWith(request.raw.socket, reply.raw);
    next();
  });
  app.decorate(SIGN_IN_AT, options.signInAt);
  limitBodyTime(app, requestTimeoutMs, cutLateBody);
  // A connection that is kept open after the last answer would hold up the end of the process.
  let closing = false;
  app.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  app.addHook('onSend', (_request, reply, _payload, next) => {
    if (closing) reply.header('connection', 'close');
    next();
  });
  app.addHook('onResponse', ({ raw }, _reply, next) => {
    // On a connection that is kept, what nobody read of a body would stand before the next request.
    dropRest(raw);
    next();
  });
  app.addHook('onResponse', (request, reply, next) => {
    const route = request.routeOptions.url ?? 'none';
    const seconds = reply.elapsedTime / 1000;
    metrics.requests.observe({ method: request.method, route, status: String(reply.statusCode) }, seconds);
    if (log.isLevelEnabled('info')) {
      const { id: requestId, method, url } = request;
      log.info(requestLine({ requestId, method, url, status: reply.statusCode, ms: reply.elapsedTime }), 'request');
    }
    next();
  });
  app.setErrorHandler((error, request, reply) => {
    const problem = asProblem(error);
    if (problem.slug === 'internal_error') log.error({ err: error, requestId: request.id }, 'request failed');
    metrics.problems.inc({ slug: problem.slug });
    return sendProblem(reply, problem, request.id);
  });
  app.setNotFoundHandler((request, reply) => {
    return sendProblem(reply, new Problem('not_found', 'There is nothing at this path.'), request.id);
  });
  // Fastify's own parser refuses an empty body; operations without input may have one.
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parseJson(request, body as string, done);
  });
  return app;
}

const waiting = new WeakMap<Socket, Set<ServerResponse>>();

/**
 * An answer that waits behind another one of its connection (pipelining) has no socket yet, and Node does not tell it when
 * that closes: what is held for it would be held for good.
 */
function closeWith(socket: Socket, response: ServerResponse): void {
  const known = waiting.get(socket);
  const answers = known ?? new Set();
  if (!known) {
    waiting.set(socket, answers);
    socket.once('close', () => answers.forEach(closeIfWaiting));
  }
  answers.add(response);
  response.once('close', () => answers.delete(response));
}

function closeIfWaiting(response: ServerResponse): void {
  // Its turn came, and Node tells it by itself.
  if (response.socket !== null) return;
  response.destroy();
  response.emit('close');
}

export interface Shortcut {
  /** Of the framework: /v1/i/:file. */
  route: string;
  /** False: the framework is to answer. */
  answer(request: IncomingMessage, response: ServerResponse, requestId: string): boolean;
  /** The same without Node's HTTP server. Null: that is to answer. */
  answerEarly(request: FrontRequest, requestId: string): FrontAnswer | null | Promise<FrontAnswer | null>;
}

/**
 * Asks for an answer before the framework, for a route whose answers often cost less than the framework does. They have
 * their metric and log line all the same; the time that these tell ends when the answer is handed to the socket.
 */
export function openShortcut(
  app: FastifyInstance,
  { log, metrics, requestTimeoutMs }: HttpOptions,
  { route, answer, answerEarly }: Shortcut,
): void {
  const prefix = route.slice(0, route.indexOf(':'));
  const { server } = app;
  const [framework, ...others] = server.listeners('request') as ((...args: unknown[]) => void)[];
  if (!framework || others.length > 0) throw new Error('the HTTP server is not as the framework makes it');
  const note = (start: number, method: string, url: string, status: number, requestId: string) => {
    const ms = performance.now() - start;
    metrics.requests.observe({ method, route, status: String(status) }, ms / 1000);
    if (log.isLevelEnabled('info')) log.info(requestLine({ requestId, method, url, status, ms }), 'request');
  };
  let closing = false;
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const { url = '', method = '' } = request;
    // While the process ends, the framework closes the connections on which it answers.
    if (closing || !url.startsWith(prefix)) return framework.call(server, request, response);
    const start = performance.now();
    const requestId = requestIdOf(request.headers['x-request-id']);
    if (answer(request, response, requestId)) note(start, method, url, response.statusCode, requestId);
    else framework.call(server, request, response);
  });
  const closeFront = openFront(server, {
    prefix,
    firstMs: headersTimeout(requestTimeoutMs),
    idleMs: KEEP_ALIVE_MS,
    answer(request) {
      const start = performance.now();
      const requestId = requestIdOf(request.requestId);
      const noted = (found: FrontAnswer | null) => {
        if (found) note(start, 'GET', request.target, found.status, requestId);
        return found;
      };
      const found = answerEarly(request, requestId);
      return found instanceof Promise ? found.then(noted) : noted(found);
    },
  });
  app.addHook('preClose', (done) => {
    closing = true;
    closeFront();
    done();
  });
}

/** Query strings stay out of the log: they may hold what a caller searched for. */
function requestLine({ url, ms, ...rest }: RequestFacts) {
  return { ...rest, path: url.split('?', 1)[0], ms: Math.round(ms * 10) / 10 };
}

interface RequestFacts {
  requestId: string;
  method: string;
  url: string;
  status: number;
  ms: number;
}

export function sendProblem(reply: FastifyReply, problem: Problem, requestId: string): FastifyReply {
  setProblemHeaders(reply, problem);
  return reply
    .code(problem.status)
    .type('application/json; charset=utf-8')
    .send({ ...problem.toBody(), request_id: requestId });
}

export function setProblemHeaders(reply: FastifyReply, problem: Problem): void {
  // A door may have said already how to sign in to it.
  if (!reply.hasHeader('www-authenticate')) {
    const challenge = challengeOf(reply, problem);
    if (challenge !== null) reply.header('www-authenticate', challenge);
  }
  const { retryAfterSeconds } = problem.options;
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
}

/** RFC 6750 §3, and RFC 9728 §5.1 for where to go from here. */
function challengeOf({ request, server }: FastifyReply, { status, options }: Problem): string | null {
  const needed = options.extra?.['required_scope'];
  if (status === 403 && typeof needed === 'string') return `${REALM}, error="insufficient_scope", scope="${needed}"`;
  if (status !== 401) return null;
  const tried = request.headers.authorization === undefined ? '' : ', error="invalid_token"';
  const at = server.hasDecorator(SIGN_IN_AT) ? server.getDecorator<string | undefined>(SIGN_IN_AT) : undefined;
  return `${REALM}${tried}${at === undefined ? '' : `, resource_metadata="${at}"`}`;
}

const REALM = 'Bearer realm="darkroom"';

const FASTIFY_PROBLEMS: Readonly<Record<string, () => Problem>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => new Problem('unsupported_media_type', undefined, jsonHint),
  FST_ERR_CTP_BODY_TOO_LARGE: () => new Problem('payload_too_large'),
  FST_ERR_CTP_INVALID_JSON_BODY: () => new Problem('validation_error', 'The body is not valid JSON.'),
  FST_ERR_CTP_EMPTY_JSON_BODY: () => new Problem('validation_error', 'The body is empty.'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => new Problem('validation_error', 'Content-Length does not match the body.'),
  FST_ERR_MAX_PARAM_LENGTH: () => new Problem('not_found', 'There is nothing at this path.'),
  FST_ERR_BAD_URL: () => new Problem('validation_error', 'The path is not a valid URL.'),
};
const jsonHint: ProblemOptions = { hint: 'Send Content-Type: application/json.' };

/** Whatever was thrown, as the one thing that may be shown. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' ? FASTIFY_PROBLEMS[code] : undefined;
  if (known) return known();
  if (statusCode === 400) return new Problem('validation_error', 'The body could not be read.');
  return new Problem('internal_error', undefined, { cause: error });
}

const CLIENT_ERRORS: Readonly<Record<string, Problem>> = {
  ERR_HTTP_REQUEST_TIMEOUT: new Problem('request_timeout'),
  HPE_HEADER_OVERFLOW: new Problem('headers_too_large'),
};

const TIMED_OUT = Object.assign(new Error('the body took too long'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });

/** Ends a request whose body is not here in time, with an answer where none has begun. */
export function cutLateBody({ socket }: IncomingMessage): void {
  answerUnreadableRequest(TIMED_OUT, socket);
}

/** For requests that never became one: there is no reply object yet, so the answer is written by hand. */
function answerUnreadableRequest(error: Error & { code?: string }, socket: import('node:net').Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const problem = CLIENT_ERRORS[error.code ?? ''] ?? new Problem('validation_error', 'The request is not valid HTTP.');
  if (socket.writable) {
    const body = JSON.stringify({ ...problem.toBody(), request_id: newId() });
    socket.end(
      `HTTP/1.1 ${problem.status} Error\r\nContent-Type: application/json; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
    // Whoever keeps its own half open is not waited for.
    const timer = setTimeout(() => socket.destroy(), LAST_WORD_MS).unref();
    socket.once('close', () => clearTimeout(timer));
  } else {
    socket.destroy();
  }
}
