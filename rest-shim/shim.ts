/** Serves the route table: reads a request by its row, runs the row's operation, and writes the documented answer. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLFormattedError } from 'graphql';
import type { z } from 'zod';
import type { Admit } from '../gateway/admission.js';
import type { Operations, PreparedOperation } from '../gateway/graphql/operations.js';
import { QUOTA_HEADER, type QuotaWarnings } from '../gateway/quota.js';
import { type FieldIssue, Problem } from '../platform/errors.js';
import { problemFromExtensions } from '../platform/graph/problems.js';
import { fieldIssue, invalidFields } from '../platform/rules.js';
import type { Caller, Scope } from '../platform/scope.js';
import { type AnswerShape, answerShape } from './answer.js';
import type { Method, Route, RouteInput } from './route.js';

export interface ShimDeps {
  routes: readonly Route[];
  operations: Operations;
  admit: Admit;
  onMutation(scope: Scope, changes: ReadonlySet<string>): void;
  quota: QuotaWarnings;
}

const METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Operations are read, checked and planned here, at start: a row that the graph cannot serve stops the start. */
export function mountShim(app: FastifyInstance, { routes, operations, admit, onMutation, quota }: ShimDeps): void {
  const methodsOf = new Map<string, Set<Method>>();
  for (const row of routes) {
    const url = fastifyPath(row.path);
    methodsOf.set(url, (methodsOf.get(url) ?? new Set()).add(row.method));
    if (row.own) continue;
    const prepared = operations.prepare(row.operation);
    const shape = answerShape(operations.schema, prepared.operation);
    const bodyLimit = row.bodyLimit === undefined ? {} : { bodyLimit: row.bodyLimit };
    app.route({ method: row.method, url, ...bodyLimit, handler: handler(row, prepared, shape) });
  }
  for (const [url, allowed] of methodsOf) refuseOtherMethods(app, url, allowed);

  function handler(row: Route, prepared: PreparedOperation, shape: AnswerShape) {
    const mutates = prepared.operation.operation === 'mutation';
    const warns = row.path.startsWith('/v2/');
    return async (request: FastifyRequest, reply: FastifyReply) => {
      const scope = await admit(request, reply).catch((error: unknown) => {
        if (row.shapeFirst && error instanceof Problem && error.slug === 'auth_required') readInput(row, request);
        throw error;
      });
      if (row.auth === 'required' && !scope.caller) throw new Problem('auth_required');
      const input = readInput(row, request);
      const refusal = row.refuse?.(input);
      if (refusal) return reply.code(refusal.status).send(refusal.body);
      const variables = row.variables ? withoutUndefined(row.variables(input)) : {};
      const { data, errors } = await operations.execute(prepared, variables, scope);
      if (mutates) onMutation(scope, prepared.changes);
      if (warns && scope.caller) await warn(scope.caller, scope.requestId, mutates, reply);
      if (errors?.[0]) throw fromGraph(errors[0], row);
      const value = data?.[shape.rootField];
      if (value === null || value === undefined) throw new Problem('not_found');
      reply.code(row.status);
      if (row.status === 204) return reply.send();
      const body = shape.transform ? shape.transform(value) : value;
      if (row.markdown) {
        reply.header('vary', 'Accept');
        if (prefersMarkdown(request)) {
          return reply.type('text/markdown; charset=utf-8').send(row.markdown(body as Record<string, unknown>));
        }
      }
      reply.type('application/json; charset=utf-8');
      return JSON.stringify(row.finish ? row.finish(body as Record<string, unknown>) : body);
    };
  }

  async function warn(caller: Caller, requestId: string, spent: boolean, reply: FastifyReply): Promise<void> {
    if (spent) quota.forget(caller);
    const warning = await quota.of(caller, requestId);
    if (warning !== null) reply.header(QUOTA_HEADER, warning);
  }
}

/** Named, and not after JSON: what does not care says it in another way. */
function prefersMarkdown({ headers }: FastifyRequest): boolean {
  const accepted = (headers.accept ?? '').toLowerCase().split(',');
  const place = (type: string) => accepted.findIndex((range) => range.trim().split(';', 1)[0]?.trim() === type);
  const [markdown, json] = [place('text/markdown'), place('application/json')];
  return markdown >= 0 && (json < 0 || markdown < json);
}

function fastifyPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

export function refuseOtherMethods(app: FastifyInstance, url: string, allowed: ReadonlySet<Method>): void {
  const allow = [...allowed, ...(allowed.has('GET') ? ['HEAD'] : [])].join(', ');
  app.route({
    method: METHODS.filter((method) => !allowed.has(method)),
    url,
    // The method is wrong whatever the body is, so the body is not looked at.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    onRequest: (_request, reply, next) => {
      reply.header('allow', allow);
      next(new Problem('method_not_allowed', `This path supports ${allow}.`));
    },
    handler: () => undefined,
  });
}

function fromGraph(error: GraphQLFormattedError, row: Route): Problem | Error {
  const problem = problemFromExtensions(error.message, error.extensions);
  return problem ?? new Error(`${row.id}: the graph answered without a known code: ${error.message}`);
}

/** A member that is undefined is not there, as on its way through JSON: executors may take it for null, which is a value. */
function withoutUndefined(variables: Record<string, unknown>): Record<string, unknown> {
  const { input } = variables;
  const isInput = typeof input === 'object' && input !== null;
  return given(isInput ? { ...variables, input: given(input as Record<string, unknown>) } : variables);
}

function given(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, member]) => member !== undefined));
}

/** Throws validation_error, with one entry for each bad field. */
export function checkInput<T extends z.ZodObject>(schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidFields(parsed.error.issues.map(fieldIssue));
}

function readInput(row: Route, request: FastifyRequest): RouteInput {
  const issues: FieldIssue[] = [];
  const part = (schema: z.ZodObject | undefined, value: unknown): Record<string, unknown> => {
    if (!schema) return {};
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) issues.push(fieldIssue(issue));
    return {};
  };
  const bodyGiven = request.body !== undefined && request.body !== null;
  const input: RouteInput = {
    params: part(row.params, request.params),
    query: part(row.query, request.query),
    body: part(row.body, bodyGiven || !row.bodyOptional ? (request.body ?? {}) : {}),
    idempotencyKey: row.idempotent ? request.headers['idempotency-key']?.toString() : undefined,
  };
  if (issues.length > 0) throw invalidFields(issues);
  return input;
}
