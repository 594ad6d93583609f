/** The front door: one HTTP app that serves the graph, the REST paths and the pages. It is built here, not opened. */
import cors from '@fastify/cors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { mountAgentDoors } from '../mcp/doors.js';
import type { Events } from '../platform/events.js';
import type { MultipartLimits } from '../platform/graph/multipart.js';
import { createHttp, type HttpOptions, openShortcut } from '../platform/http.js';
import type { RateLimits } from '../platform/limits.js';
import type { Scope } from '../platform/scope.js';
import type { Secrets } from '../platform/secrets.js';
import { clientConfig } from '../rest-shim/client-config.js';
import { inOneSegment } from '../rest-shim/identifiers.js';
import { INTRODUCTION } from '../rest-shim/introduction.js';
import { openApi } from '../rest-shim/openapi.js';
import { rowOf } from '../rest-shim/route.js';
import { ROUTES } from '../rest-shim/routes/index.js';
import { Rows } from '../rest-shim/rows.js';
import { mountShim } from '../rest-shim/shim.js';
import type { OAuthClient } from '../subgraphs/accounts/oauth-client.js';
import type { BillingClient } from '../subgraphs/billing/client.js';
import type { Assets } from '../subgraphs/images/asset-client.js';
import type { Images } from '../subgraphs/images/client.js';
import type { BundleFiles } from '../subgraphs/registry/workflow/files.js';
import { createAdmission } from './admission.js';
import { mountBillingPages } from './billing-pages.js';
import { mountGraph } from './graphql/http.js';
import type { Operations } from './graphql/operations.js';
import { PersistedQueries } from './graphql/persisted.js';
import { mountSubscriptions } from './graphql/subscriptions/mount.js';
import type { NewsSource } from './graphql/subscriptions/news.js';
import type { Identity } from './identity.js';
import { resourceMetadataPath } from './oauth/metadata.js';
import { mountOAuth } from './oauth/mount.js';
import { explorerPage, pages } from './pages.js';
import { QUOTA_HEADER, QuotaWarnings } from './quota.js';
import { ASSETS_DOCUMENT, mountAssets } from './serving/assets.js';
import { Bytes } from './serving/bytes.js';
import { Records } from './serving/records.js';
import { mountServing } from './serving/serve.js';
import { servingShortcut } from './serving/shortcut.js';
import { WarmImages } from './serving/warm.js';
import { countUpload, mountUpload } from './uploads/upload.js';
import { mountWebhook, WEBHOOK_DOCUMENT } from './webhook.js';
import { mountFiles } from './workflow-files.js';

export interface GatewayDeps {
  http: HttpOptions;
  operations: Operations;
  identity: Identity;
  images: Images;
  assets: Assets;
  /** Of workflows. */
  files: BundleFiles;
  templateFiles: BundleFiles;
  multipart: MultipartLimits;
  events: Events;
  /** Where subscriptions hear that there may be something new. */
  sources: readonly NewsSource[];
  limits: RateLimits;
  billing: BillingClient;
  oauth: OAuthClient;
  secrets: Secrets;
  log: Logger;
  now: () => Date;
  settings: GatewaySettings;
}

export interface GatewaySettings {
  publicUrl: string;
  version: string;
  corsOrigins: readonly string[];
  requestsPerMinute: number;
  maxBatch: number;
  uploadsPerMinute: number;
  connections: number;
  connectionsPerCaller: number;
  operationsPerConnection: number;
  /** Whether each request is to leave a span. */
  traced: boolean;
  /** Where the build left the pages for browsers. */
  assetsDir: string;
}

/** How long a subscriber may take nothing of what is sent to it. */
const STALL_MS = 10_000;

const READABLE_BY_PAGES = [
  'X-Request-Id',
  'Retry-After',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'WWW-Authenticate',
  'ETag',
  QUOTA_HEADER,
];

export async function createGateway(deps: GatewayDeps): Promise<FastifyInstance> {
  const { operations, identity, settings } = deps;
  const signInAt = settings.publicUrl + resourceMetadataPath('');
  const app = createHttp({ ...deps.http, rewriteUrl: inOneSegment, signInAt });
  app.addHook('onRequest', securityHeaders(settings.publicUrl));
  await app.register(cors, {
    origin: settings.corsOrigins.includes('*') ? '*' : [...settings.corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: READABLE_BY_PAGES,
    maxAge: 86_400,
    // An OPTIONS that is no preflight is a question too, and gets the same answer.
    strictPreflight: false,
  });

  const limiter = deps.limits.limiter('requests', settings.requestsPerMinute, 60);
  const admission = createAdmission({ identity, limiter });
  const { admit } = admission;
  const records = new Records({ images: deps.images, events: deps.events });
  app.addHook('onClose', async () => records.close());
  // A change may be about the caller's own profile, keys or images: the next request must see it.
  const onMutation = ({ caller }: Scope, changes: ReadonlySet<string>) => {
    if (caller && changes.has('accounts')) identity.forget(caller.userId);
    if (caller && changes.has('images')) records.forgetOwner(caller.userId);
  };

  const uploadLimiter = deps.limits.limiter('uploads', settings.uploadsPerMinute, 60);
  const persisted = new PersistedQueries();
  await mountGraph(app, {
    operations,
    persisted,
    admit,
    maxBatch: settings.maxBatch,
    multipart: deps.multipart,
    countUpload: (caller, reply) => countUpload(uploadLimiter, caller, reply),
    onMutation,
    explorer: explorerPage,
  });
  mountSubscriptions(app, {
    operations,
    persisted,
    identity,
    admission,
    sources: deps.sources,
    metrics: deps.http.metrics,
    onMutation,
    log: deps.log,
    settings: {
      connections: settings.connections,
      connectionsPerCaller: settings.connectionsPerCaller,
      operationsPerConnection: settings.operationsPerConnection,
      maxMessageBytes: deps.http.bodyLimit,
      stallMs: STALL_MS,
      origins: settings.corsOrigins,
      trustProxy: deps.http.trustProxy,
    },
  });
  await mountUpload(app, {
    images: deps.images,
    admit,
    limiter: uploadLimiter,
    idleMs: deps.http.requestTimeoutMs,
  });
  const bytes = new Bytes(deps);
  mountAssets(app, { assets: deps.assets, admission });
  mountServing(app, { images: deps.images, records, bytes, admission, now: deps.now });
  // Spans begin in the framework.
  if (!settings.traced)
    openShortcut(app, deps.http, servingShortcut(new WarmImages({ records, bytes, now: deps.now })));
  const rows = new Rows({ operations, onMutation });
  mountShim(app, { routes: ROUTES, rows, admit, quota: new QuotaWarnings(deps.billing, deps.log) });
  mountFiles(app, { files: deps.files, admit, row: rowOf(ROUTES, 'getWorkflowFiles') });
  mountFiles(app, { files: deps.templateFiles, admit, row: rowOf(ROUTES, 'getTemplateFiles') });
  mountAgentDoors(app, {
    routes: ROUTES,
    rows,
    operations,
    admit,
    images: deps.images,
    assets: deps.assets,
    files: deps.files,
    templateFiles: deps.templateFiles,
    events: deps.events,
    log: deps.log,
    publicUrl: settings.publicUrl,
    version: settings.version,
    corsOrigins: settings.corsOrigins,
    maxBatch: settings.maxBatch,
  });
  mountWebhook(app, { admit, billing: deps.billing });
  mountBillingPages(app);
  await mountOAuth(app, {
    accounts: deps.oauth,
    admission,
    secrets: deps.secrets,
    issuer: settings.publicUrl,
    forget: (userId) => identity.forget(userId),
    now: deps.now,
  });
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
  const { version, publicUrl } = settings;
  const config = clientConfig(publicUrl);
  let openApiJson: string | undefined;
  app.get('/v1/openapi.json', (_request, reply) => {
    // Made when it is first wanted, so that the start does not wait for it.
    openApiJson ??= JSON.stringify(
      openApi(ROUTES, operations.schema, {
        title: 'Darkroom',
        description: INTRODUCTION,
        version,
        publicUrl,
        extraPaths: EXTRA_PATHS,
      }),
    );
    return reply.type('application/json; charset=utf-8').send(openApiJson);
  });
  app.get('/.well-known/goodeye-client-config', () => config);
  app.get('/v2/health', () => ({ status: 'ok', version }));
}

const EXTRA_PATHS = {
  '/v1/i/{token}.{ext}': {
    get: {
      operationId: 'serveImage',
      tags: ['Images'],
      summary: 'The bytes of a hosted image',
      description:
        'Public images: for anyone, with cache headers. Private ones: for their owner. The extension is decoration. ' +
        '`If-None-Match`, `If-Modified-Since`, `Range` (one range) and `If-Range` work as in RFC 9110.',
      parameters: ['token', 'ext'].map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      responses: {
        200: { description: 'The bytes.', content: { 'image/*': { schema: { type: 'string', format: 'binary' } } } },
        206: { description: 'The part that `Range` asked for.' },
        304: { description: 'What the caller has is still right.' },
        401: { description: '`auth_required`: a private image, and no good credentials.' },
        404: { description: '`image_not_found`: there is none, it has expired, or it is somebody else’s.' },
        416: { description: '`range_not_satisfiable`' },
      },
    },
  },
  ...ASSETS_DOCUMENT,
  ...WEBHOOK_DOCUMENT,
  '/healthz': {
    get: {
      operationId: 'health',
      tags: ['Health'],
      summary: 'Whether the server is up',
      responses: { 200: { description: '`{"status": "ok"}`' } },
    },
  },
  '/v2/health': {
    get: {
      operationId: 'healthV2',
      tags: ['Health'],
      summary: 'Whether the server is up, and its version',
      responses: { 200: { description: '`{"status": "ok", "version": "…"}`' } },
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
