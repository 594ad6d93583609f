/** GraphQL over HTTP: how a request is read and an answer written. Everything between is Operations. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLFormattedError } from 'graphql';
import { Problem } from '../../platform/errors.js';
import {
  isMultipart,
  MULTIPART,
  type MultipartLimits,
  readMultipart,
  uploadsIn,
} from '../../platform/graph/multipart.js';
import { problemToGraphQL } from '../../platform/graph/problems.js';
import { asProblem, setProblemHeaders } from '../../platform/http.js';
import { type Caller, requireOwnKey, type Scope } from '../../platform/scope.js';
import type { Admit } from '../admission.js';
import { negotiate, RESPONSE_JSON } from './media.js';
import type { OperationResult, Operations } from './operations.js';
import { type GraphParams, readGet, readPost } from './params.js';
import { type PersistedQueries, PersistedQueryNotFound } from './persisted.js';

export interface GraphRouteDeps {
  operations: Operations;
  persisted: PersistedQueries;
  admit: Admit;
  maxBatch: number;
  multipart: MultipartLimits;
  /** Throws when the caller has uploaded too many files. */
  countUpload(caller: Caller, reply: FastifyReply): Promise<void>;
  /** What a caller may see of itself is no longer what is remembered. */
  onMutation(scope: Scope, changes: ReadonlySet<string>): void;
  /** Answers a person's browser. */
  explorer(request: FastifyRequest, reply: FastifyReply): FastifyReply | Promise<FastifyReply>;
}

type Answer = OperationResult & { status: number };

export async function mountGraph(app: FastifyInstance, deps: GraphRouteDeps): Promise<void> {
  const { operations, persisted, admit, maxBatch, onMutation } = deps;

  async function run(params: GraphParams, scope: Scope, viaGet: boolean): Promise<Answer> {
    try {
      const source = persisted.source(params);
      const prepared = operations.prepare(source, params.operationName);
      if (viaGet && prepared.operation.operation === 'mutation') {
        throw new Problem('method_not_allowed', 'Mutations must be sent by POST.');
      }
      const result = await operations.execute(prepared, params.variables, scope);
      if (prepared.operation.operation === 'mutation') onMutation(scope, prepared.changes);
      return { ...result, status: 200 };
    } catch (error) {
      if (error instanceof PersistedQueryNotFound) return { errors: [error.toJSON()], status: 200 };
      const problem = asProblem(error);
      if (problem.slug === 'internal_error') app.log.error({ err: error, requestId: scope.requestId }, 'graph failed');
      return { errors: [problemToGraphQL(problem)], status: problem.status };
    }
  }

  app.route({
    method: 'GET',
    url: '/graphql',
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      reply.header('vary', 'Accept');
      if (prefersHtml(request)) return deps.explorer(request, reply);
      const media = negotiate(request.headers.accept);
      refuseForgery(request);
      const params = readGet(request.query as Record<string, unknown>);
      const answer = await run(params, await admit(request, reply), true);
      if (answer.status === 405) reply.header('allow', 'POST');
      // A wrong method is no GraphQL answer: it has its own status in every media type.
      return send(reply, media, answer.status === 405 || media === RESPONSE_JSON ? answer.status : 200, answer);
    },
    errorHandler: graphErrors,
  });

  /** Who may not upload is told before the files are read. */
  async function readFiles(request: FastifyRequest, reply: FastifyReply) {
    const scope = await admit(request, reply);
    // Files are for hosting, which needs an account: nobody else may fill the disk.
    const caller = requireOwnKey(scope);
    const body = await readMultipart(request, reply, scope, deps.multipart);
    for (const _ of uploadsIn(body, '')) await deps.countUpload(caller, reply);
    return { scope, params: readPost(body, maxBatch) };
  }

  async function readJson(request: FastifyRequest, reply: FastifyReply) {
    const params = readPost(request.body, maxBatch);
    return { scope: await admit(request, reply), params };
  }

  // Within a scope of its own, so that other routes go on refusing forms.
  await app.register(async (posts) => {
    posts.addContentTypeParser(MULTIPART, (_request, payload, done) => done(null, payload));
    posts.route({
      method: 'POST',
      url: '/graphql',
      handler: async (request, reply) => {
        const media = negotiate(request.headers.accept);
        refuseForgery(request);
        const { params, scope } = await (isMultipart(request) ? readFiles : readJson)(request, reply);
        if (Array.isArray(params)) {
          const answers = await Promise.all(params.map((one) => run(one, scope, false)));
          return send(reply, media, 200, ...answers);
        }
        const answer = await run(params, scope, false);
        return send(reply, media, media === RESPONSE_JSON ? answer.status : 200, answer);
      },
      errorHandler: graphErrors,
    });
  });

  app.route({
    method: ['PUT', 'PATCH', 'DELETE', 'HEAD'],
    url: '/graphql',
    handler: async (_request, reply) => {
      reply.header('allow', 'GET, POST');
      throw new Problem('method_not_allowed');
    },
    errorHandler: graphErrors,
  });
}

function send(reply: FastifyReply, media: string, status: number, ...answers: Answer[]): FastifyReply {
  const [first] = answers;
  const bodies = answers.map(({ status: _, ...body }) => body);
  return reply
    .code(status)
    .type(`${media}; charset=utf-8`)
    .send(JSON.stringify(answers.length === 1 && first ? bodies[0] : bodies));
}

/** For what stops a request before it is an operation: credentials, limits, a body that cannot be read. */
export function graphErrors(error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = asProblem(error);
  if (problem.slug === 'internal_error') request.log.error({ err: error, requestId: request.id }, 'graph failed');
  setProblemHeaders(reply, problem);
  const errors: GraphQLFormattedError[] = [problemToGraphQL(problem)];
  const media = mediaOrDefault(request.headers.accept);
  return reply.code(problem.status).type(`${media}; charset=utf-8`).send(JSON.stringify({ errors }));
}

function mediaOrDefault(accept: string | undefined): string {
  try {
    return negotiate(accept);
  } catch {
    return 'application/json';
  }
}

function prefersHtml(request: FastifyRequest): boolean {
  const { query } = request.query as { query?: unknown };
  return query === undefined && /\btext\/html\b/.test(request.headers.accept ?? '');
}

/**
 * A page of another site can make a browser send "simple" requests without asking first. Such a request cannot carry
 * one of these headers or this media type, so what carries none may have been forged.
 */
export function refuseForgery(request: FastifyRequest): void {
  const { headers } = request;
  if (headers['apollo-require-preflight'] !== undefined || headers['x-apollo-operation-name'] !== undefined) return;
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== undefined && !SIMPLE_TYPES.has(type)) return;
  throw new Problem('validation_error', 'This request could have been forged by a web page, so it is not run.', {
    hint: 'Send Content-Type: application/json, or the header apollo-require-preflight: 1.',
  });
}

const SIMPLE_TYPES = new Set(['', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']);
