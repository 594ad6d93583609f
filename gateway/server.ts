/** The front door: one HTTP app that serves the graph, the REST paths and the pages. It is built here, not opened. */
import cors from '@fastify/cors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { createHttp, type HttpOptions } from '../platform/http.js';
import type { RateLimits } from '../platform/limits.js';
import type { Scope } from '../platform/scope.js';
import { CLIENT_CONFIG } from '../rest-shim/client-config.js';
import { INTRODUCTION } from '../rest-shim/introduction.js';
import { openApi } from '../rest-shim/openapi.js';
import { ROUTES } from '../rest-shim/routes/index.js';
import { mountShim } from '../rest-shim/shim.js';
import { createAdmission } from './admission.js';
import { mountGraph } from './graphql/http.js';
import type { Operations } from './graphql/operations.js';
import { PersistedQueries } from './graphql/persisted.js';
import type { Identity } from './identity.js';
import { explorerPage, pages } from './pages.js';

export interface GatewayDeps {
  http: HttpOptions;
  operations: Operations;
  identity: Identity;
  limits: RateLimits;
  log: Logger;
  settings: GatewaySettings;
}

export interface GatewaySettings {
  publicUrl: string;
  version: string;
  corsOrigins: readonly string[];
  requestsPerMinute: number;
  maxBatch: number;
  /** Where the build left the pages for browsers. */
  assetsDir: string;
}

const READABLE_BY_PAGES = [
  'X-Request-Id',
  'Retry-After',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'WWW-Authenticate',
  'ETag',
];

export async function createGateway(deps: GatewayDeps): Promise<FastifyInstance> {
  const { operations, identity, settings } = deps;
  const app = createHttp(deps.http);
  app.addHook('onRequest', securityHeaders(settings.publicUrl));
  await app.register(cors, {
    origin: settings.corsOrigins.includes('*') ? '*' : [...settings.corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: READABLE_BY_PAGES,
    maxAge: 86_400,
  });

  const admit = createAdmission({ identity, limiter: deps.limits.limiter('requests', settings.requestsPerMinute, 60) });
  // A change may be about the caller's own profile or keys: the next request must see it.
  const onMutation = ({ caller }: Scope) => caller && identity.forget(caller.userId);

  mountGraph(app, {
    operations,
    persisted: new PersistedQueries(),
    admit,
    maxBatch: settings.maxBatch,
    onMutation,
    explorer: explorerPage,
  });
  mountShim(app, { routes: ROUTES, operations, admit, onMutation });
  mountDocuments(app, operations, settings);
  await app.register(pages({ assetsDir: settings.assetsDir }));
  return app;
}

/** For answers that are data: a browser that is shown one as a page must do nothing with it. */
function securityHeaders(publicUrl: string) {
  const headers: Record<string, string> = {
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'cross-origin',
    'cache-control': 'no-store',
    ...(publicUrl.startsWith('https:') && { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }),
  };
  return (_request: FastifyRequest, reply: FastifyReply, next: () => void) => {
    reply.headers(headers);
    next();
  };
}

function mountDocuments(app: FastifyInstance, operations: Operations, settings: GatewaySettings): void {
  const document = openApi(ROUTES, operations.schema, {
    title: 'Darkroom',
    description: INTRODUCTION,
    version: settings.version,
    publicUrl: settings.publicUrl,
    extraPaths: EXTRA_PATHS,
  });
  const openApiJson = JSON.stringify(document);
  app.get('/v1/openapi.json', (_request, reply) => reply.type('application/json; charset=utf-8').send(openApiJson));
  app.get('/.well-known/goodeye-client-config', () => CLIENT_CONFIG);
}

const EXTRA_PATHS = {
  '/healthz': {
    get: {
      operationId: 'health',
      tags: ['Health'],
      summary: 'Whether the server is up',
      responses: { 200: { description: '`{"status": "ok"}`' } },
    },
  },
  '/.well-known/goodeye-client-config': {
    get: {
      operationId: 'clientConfig',
      tags: ['Registration'],
      summary: 'What a fresh client needs to know',
      responses: { 200: { description: 'The default ignore list for pushing a workflow directory.' } },
    },
  },
};
