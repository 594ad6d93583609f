/**
 * A door for agents: the Model Context Protocol over Streamable HTTP. Every request stands for itself, whatever revision of
 * the protocol its client speaks: a server is built for it, answers, and is gone, so any process may answer any request.
 */
import {
  type CallToolResult,
  createMcpHandler,
  type Tool as ListedTool,
  type McpServerFactory,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Admit } from '../gateway/admission.js';
import { Cancellations } from '../platform/cancellations.js';
import { Problem } from '../platform/errors.js';
import { type Events, MCP_CANCELLED } from '../platform/events.js';
import { newId } from '../platform/ids.js';
import type { Scope } from '../platform/scope.js';

export interface McpOptions {
  path: string;
  name: string;
  title: string;
  version: string;
  instructions: string;
  bodyLimit: number;
  /** Messages of one request: it is counted as one. */
  maxBatch: number;
  /** Where a client learns how to sign in to this door. */
  resourceMetadataUrl: string;
  /** Of browsers' pages that may call, beside those of this machine. */
  origins: ReadonlySet<string>;
}

/** What the door needs to know of the tools behind it. */
export interface Tools {
  listed: readonly ListedTool[];
  has(name: string): boolean;
  isSlow(name: string): boolean;
  call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    scope: Scope,
    signal: AbortSignal,
  ): Promise<CallToolResult>;
}

export interface McpDeps {
  tools: Tools;
  admit: Admit;
  /** Between the processes that clients reach. */
  events: Events;
}

/**
 * Nothing is kept of a session: its id only tells apart the calls of two clients of one key, so that one can call off its
 * own. A client that does without cannot.
 */
const SESSION = 'mcp-session-id';
const MAX_SESSION = 100;
const PROGRESS_MS = 500;
/** The list of tools changes with the version of the server, and not before. */
const LIST_TTL_MS = 300_000;

export function mountMcp(app: FastifyInstance, options: McpOptions, { tools, admit, events }: McpDeps): void {
  const { path, name, title, version, instructions, bodyLimit } = options;
  const scopes = new WeakMap<Request, Scope>();
  const cancellations = new Cancellations(events, MCP_CANCELLED);
  app.addHook('onClose', async () => cancellations.close());
  const factory: McpServerFactory = ({ requestInfo, era }) => {
    const scope = requestInfo && scopes.get(requestInfo);
    const server = new Server(
      { name, title, version },
      {
        capabilities: { tools: {} },
        instructions,
        cacheHints: { 'tools/list': { ttlMs: LIST_TTL_MS, cacheScope: 'public' } },
      },
    );
    server.setRequestHandler('tools/list', () => ({ tools: [...tools.listed] }));
    server.setRequestHandler('tools/call', async ({ params }, context) => {
      if (!scope) throw new Error('a call came without the scope of its request');
      const { name: tool, arguments: args = {} } = params;
      if (!tools.has(tool)) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool ${tool}.`);
      const stop = tools.isSlow(tool) ? reportProgress(context) : () => undefined;
      // Of the older revisions a client that goes away has not called anything off, and says so in a request of its own.
      const name = era === 'legacy' ? nameOf(scope, requestInfo.headers.get(SESSION), context.mcpReq.id) : null;
      const called = name === null ? null : cancellations.open(name);
      try {
        return await tools.call(tool, args, scope, called?.signal ?? context.mcpReq.signal);
      } finally {
        stop();
        called?.close();
      }
    });
    return server;
  };
  const handler = createMcpHandler(factory);
  app.addHook('onClose', () => handler.close());

  const admitted = new WeakMap<FastifyRequest, Scope>();
  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: path,
    bodyLimit,
    // Whoever may not come in is told before the body is read.
    onRequest: async (request, reply) => {
      refuseForeignPages(request, options.origins);
      const scope = await admit(request, reply).catch((error: unknown) => {
        challenge(reply, options, 'invalid_token');
        throw error;
      });
      if (!scope.caller) {
        challenge(reply, options, null);
        throw new Problem('auth_required');
      }
      admitted.set(request, scope);
    },
    handler: async (request, reply) => {
      const scope = admitted.get(request);
      if (!scope) throw new Problem('auth_required');
      if (Array.isArray(request.body) && request.body.length > options.maxBatch) {
        throw new Problem('validation_error', `A batch may hold ${options.maxBatch} messages.`);
      }
      const asked = toWebRequest(request, reply);
      scopes.set(asked, scope);
      const called = cancelled(request.body);
      const off = called === null ? null : nameOf(scope, asked.headers.get(SESSION), called);
      if (off !== null) cancellations.cancel(off);
      const answer = await handler.fetch(asked, { parsedBody: request.body });
      if (isInitialize(request.body) && answer.ok) answer.headers.set(SESSION, newId());
      return answer;
    },
  });
}

function nameOf({ caller }: Scope, session: string | null, requestId: string | number): string | null {
  return caller && session && session.length <= MAX_SESSION ? JSON.stringify([caller.keyId, session, requestId]) : null;
}

function isInitialize(body: unknown): boolean {
  return methodOf(body) === 'initialize';
}

/** The call that a notification calls off. */
function cancelled(body: unknown): string | number | null {
  if (methodOf(body) !== 'notifications/cancelled') return null;
  const { params } = body as { params?: { requestId?: unknown } };
  const id = params?.requestId;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}

function methodOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'method' in body ? body.method : undefined;
}

/** A page that a name server has pointed at this machine comes with its own origin. */
function refuseForeignPages({ headers: { origin } }: FastifyRequest, origins: ReadonlySet<string>): void {
  if (origin !== undefined && !origins.has(origin) && !isLoopback(origin)) throw new Problem('forbidden');
}

function isLoopback(origin: string): boolean {
  const { hostname } = URL.canParse(origin) ? new URL(origin) : { hostname: '' };
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
}

function challenge(reply: FastifyReply, { resourceMetadataUrl }: McpOptions, error: string | null): void {
  const parts = [`resource_metadata="${resourceMetadataUrl}"`, ...(error === null ? [] : [`error="${error}"`])];
  reply.header('www-authenticate', `Bearer ${parts.join(', ')}`);
}

/** Its signal ends what was asked for when the client goes away before it is answered. */
function toWebRequest(request: FastifyRequest, reply: FastifyReply): Request {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, [value].flat().join(', '));
  }
  const { method } = request;
  // Nothing looks at where it was sent, and a Host header may hold what no URL can.
  return new Request(new URL(request.url, 'http://localhost'), {
    method,
    headers,
    signal: gone.signal,
  });
}

/** How long it has been under way, in seconds: no provider says how far it is. */
function reportProgress({ mcpReq }: ServerContext): () => void {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return () => undefined;
  const start = performance.now();
  const report = () => {
    const progress = (performance.now() - start) / 1_000;
    const params = { progressToken, progress, message: `Under way for ${Math.round(progress)} s` };
    // A client that is gone does not want to hear of it.
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
  report();
  const timer = setInterval(report, PROGRESS_MS);
  return () => clearInterval(timer);
}
