/** Serves the route table: reads a request by its row, runs the row's operation, and writes the documented answer. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Admit } from '../gateway/admission.js';
import { QUOTA_HEADER, type QuotaWarnings } from '../gateway/quota.js';
import { Problem } from '../platform/errors.js';
import { type Caller, requireKeyScope } from '../platform/scope.js';
import type { Method, Route, RouteInput } from './route.js';
import { checkRowInput, keyScopeOf, type ReadyRow, type Rows } from './rows.js';

export interface ShimDeps {
  routes: readonly Route[];
  rows: Rows;
  admit: Admit;
  quota: QuotaWarnings;
}

const METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Rows are made ready here, at start: one that the graph cannot serve stops the start. */
export function mountShim(app: FastifyInstance, { routes, rows, admit, quota }: ShimDeps): void {
  const methodsOf = new Map<string, Set<Method>>();
  for (const row of routes) {
    const url = fastifyPath(row.path);
    methodsOf.set(url, (methodsOf.get(url) ?? new Set()).add(row.method));
    if (row.own) continue;
    const bodyLimit = row.bodyLimit === undefined ? {} : { bodyLimit: row.bodyLimit };
    app.route({ method: row.method, url, ...bodyLimit, handler: handler(rows.ready(row)) });
  }
  for (const url of methodsOf.keys()) refuseOtherMethods(app, url, servedAt(url, methodsOf));

  function handler(ready: ReadyRow) {
    const { row, mutates } = ready;
    const warns = row.path.startsWith('/v2/');
    return async (request: FastifyRequest, reply: FastifyReply) => {
      const scope = await admit(request, reply).catch((error: unknown) => {
        if (row.shapeFirst && error instanceof Problem && error.slug === 'auth_required') readInput(row, request);
        throw error;
      });
      if (row.auth === 'required' && !scope.caller) throw new Problem('auth_required');
      requireKeyScope(scope, keyScopeOf(row));
      const input = readInput(row, request);
      const refusal = row.refuse?.(input);
      if (refusal) return reply.code(refusal.status).send(refusal.body);
      const running = rows.run(ready, input, scope);
      if (warns && scope.caller) await warnAfter(running, scope.caller, scope.requestId, mutates, reply);
      const body = await running;
      const elsewhere = row.redirect?.(body as Record<string, unknown>, input);
      if (elsewhere) return reply.redirect(elsewhere, 307);
      reply.code(statusOf(row, body));
      if (row.status === 204) return reply.send();
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

  /** Whether it came to something or not: what was refused may have been refused for the quota. */
  async function warnAfter(
    running: Promise<unknown>,
    caller: Caller,
    requestId: string,
    spent: boolean,
    reply: FastifyReply,
  ): Promise<void> {
    await running.catch(() => undefined);
    if (spent) quota.forget(caller);
    const warning = await quota.of(caller, requestId);
    if (warning !== null) reply.header(QUOTA_HEADER, warning);
  }
}

function statusOf({ status, otherStatus }: Route, body: unknown): number {
  return otherStatus?.when(body as Record<string, unknown>) ? otherStatus.status : status;
}

/** Named, and not after JSON: what does not care says it in another way. */
function prefersMarkdown({ headers }: FastifyRequest): boolean {
  const accepted = (headers.accept ?? '').toLowerCase().split(',');
  const place = (type: string) => accepted.findIndex((range) => range.trim().split(';', 1)[0]?.trim() === type);
  const [markdown, json] = [place('text/markdown'), place('application/json')];
  return markdown >= 0 && (json < 0 || markdown < json);
}

/** Those too that a path with a name in that place serves: a workflow may be called `search`. */
function servedAt(url: string, methodsOf: ReadonlyMap<string, ReadonlySet<Method>>): ReadonlySet<Method> {
  const parts = url.split('/');
  const covers = (other: string) => {
    const pattern = other.split('/');
    return pattern.length === parts.length && pattern.every((part, i) => part === parts[i] || part.startsWith(':'));
  };
  return new Set([...methodsOf].flatMap(([other, methods]) => (covers(other) ? [...methods] : [])));
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

function readInput(row: Route, { params, query, body, headers }: FastifyRequest): RouteInput {
  return checkRowInput(row, { params, query, body, idempotencyKey: headers['idempotency-key']?.toString() });
}
