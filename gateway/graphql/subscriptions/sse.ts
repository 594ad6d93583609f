/** GraphQL over server-sent events, in the protocol graphql-sse, a connection for each operation. */
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Problem } from '../../../platform/errors.js';
import { problemToGraphQL } from '../../../platform/graph/problems.js';
import { asProblem } from '../../../platform/http.js';
import type { Scope } from '../../../platform/scope.js';
import type { Admit } from '../../admission.js';
import { credentialOf } from '../../identity.js';
import { graphErrors, refuseForgery } from '../http.js';
import type { OperationResult } from '../operations.js';
import { type GraphParams, readGet, readPost } from '../params.js';
import { PersistedQueryNotFound } from '../persisted.js';
import type { Conversations } from './conversation.js';
import type { EventStream } from './event-stream.js';
import type { Session, Sessions } from './sessions.js';
import type { Stalls } from './stalls.js';

export interface EventStreamDeps {
  conversations: Conversations;
  sessions: Sessions;
  stalls: Stalls;
  admit: Admit;
  log: Logger;
}

type Run = (session: Session) => Promise<OperationResult | EventStream>;

const PATH = '/graphql/stream';
const MEDIA = 'text/event-stream';
/** A comment, so that what stands between does not take the connection for dead. */
const BEAT = ':\n\n';
const BEAT_MS = 12_000;

export function mountEventStreams(app: FastifyInstance, deps: EventStreamDeps): void {
  const { conversations, sessions, stalls, admit, log } = deps;
  const open = new Set<ServerResponse>();

  async function handle(request: FastifyRequest, reply: FastifyReply, params: GraphParams): Promise<FastifyReply> {
    if (!(request.headers.accept ?? '').includes(MEDIA)) {
      throw new Problem('not_acceptable', `This path answers ${MEDIA}.`);
    }
    const scope = await admit(request, reply);
    const run = prepare(params, scope, request.method === 'GET');
    const { raw } = reply;
    // As it was admitted: what was checked for one caller is not run for another.
    const credential = credentialOf(request.headers, false);
    const session = sessions.open({ credential, scope, end: () => raw.destroy() });
    if (raw.destroyed) session.close();
    else stream(reply, session, run);
    return reply;
  }

  function prepare(params: GraphParams, scope: Scope, viaGet: boolean): Run {
    try {
      const prepared = conversations.prepare(params, scope);
      if (viaGet && prepared.operation.operation === 'mutation') {
        throw new Problem('method_not_allowed', 'Mutations must be sent by POST.');
      }
      return (session) => conversations.run(prepared, params.variables, session, 'sse');
    } catch (error) {
      if (!(error instanceof PersistedQueryNotFound)) throw error;
      // No mistake: the client is to send the document whole.
      return async () => ({ errors: [error.toJSON()] });
    }
  }

  function stream(reply: FastifyReply, session: Session, run: Run): void {
    const { raw } = reply;
    reply.hijack();
    raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': `${MEDIA}; charset=utf-8`,
      'cache-control': 'no-cache, no-transform',
      // Proxies of the nginx kind would collect events before they pass them on.
      'x-accel-buffering': 'no',
    });
    raw.write(BEAT);
    const beat = setInterval(() => raw.write(BEAT), BEAT_MS);
    const unwatch = raw.socket
      ? stalls.watch(raw.socket, () => {
          conversations.dropped('sse', 'stalled');
          raw.destroy();
        })
      : () => {};
    open.add(raw);
    let end = () => {};
    raw.once('close', () => {
      clearInterval(beat);
      unwatch();
      open.delete(raw);
      session.close();
      end();
    });
    const say = (event: string, data: string) =>
      // Settled when the system has taken it: who reads slowly is sent the next event later.
      new Promise<void>((resolve) => raw.write(`event: ${event}\ndata: ${data}\n\n`, () => resolve()));
    void converse().catch((error: unknown) => {
      const problem = asProblem(error);
      if (problem.slug === 'internal_error') log.error({ err: error }, 'event stream failed');
      if (raw.destroyed) return;
      raw.write(`event: next\ndata: ${JSON.stringify({ errors: [problemToGraphQL(problem)] })}\n\n`);
      raw.end('event: complete\ndata:\n\n');
    });

    async function converse(): Promise<void> {
      const result = await run(session);
      if ('next' in result) {
        end = () => void result.return();
        if (raw.destroyed) end();
        for await (const event of result) await say('next', JSON.stringify(event));
      } else {
        await say('next', JSON.stringify(result));
      }
      raw.end('event: complete\ndata:\n\n');
    }
  }

  app.route({
    method: 'GET',
    url: PATH,
    exposeHeadRoute: false,
    handler: (request, reply) => {
      refuseForgery(request);
      return handle(request, reply, readGet(request.query as Record<string, unknown>));
    },
    errorHandler: graphErrors,
  });
  app.route({
    method: 'POST',
    url: PATH,
    handler: (request, reply) => {
      refuseForgery(request);
      const params = readPost(request.body, 0);
      if (Array.isArray(params)) throw new Problem('validation_error', 'One stream takes one operation.');
      return handle(request, reply, params);
    },
    errorHandler: graphErrors,
  });
  app.route({
    method: ['PUT', 'PATCH', 'DELETE', 'HEAD'],
    url: PATH,
    handler: async (_request, reply) => {
      reply.header('allow', 'GET, POST');
      throw new Problem('method_not_allowed');
    },
    errorHandler: graphErrors,
  });
  // Cut off without the word that ends an operation, so that clients come again.
  app.addHook('preClose', (done) => {
    for (const raw of open) raw.end();
    done();
  });
}
