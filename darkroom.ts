/** The one composition root: builds the parts that a role needs, opens them, and closes them in reverse. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createAdmin } from './gateway/admin.js';
import { Operations } from './gateway/graphql/operations.js';
import { Identity } from './gateway/identity.js';
import { joinRoster } from './gateway/roster.js';
import { createGateway } from './gateway/server.js';
import { openAdminSocket } from './platform/admin.js';
import { TaskRunner } from './platform/background.js';
import { type Config, ConfigError, requireSharedSecret } from './platform/config.js';
import { Connections } from './platform/connections.js';
import { type Events, LocalEvents } from './platform/events.js';
import { SubgraphExecutor } from './platform/graph/execute.js';
import type { MultipartLimits } from './platform/graph/multipart.js';
import { mountSubgraph } from './platform/graph/server.js';
import { clearSpool, Spool } from './platform/graph/spool.js';
import type { GatewayTransport } from './platform/graph/transport.js';
import { type Check, mountHealth } from './platform/health.js';
import { createHttp, cutLateBody, type HttpOptions } from './platform/http.js';
import { newId } from './platform/ids.js';
import { createRateLimits } from './platform/limits.js';
import { Metrics } from './platform/metrics.js';
import { Circuits } from './platform/outbound/circuit.js';
import { secretKeyOf } from './platform/secret-key.js';
import { Secrets } from './platform/secrets.js';
import { type Closers, openStores, type Stores } from './platform/stores.js';
import { SUBGRAPH_NAMES, type Subgraph, type SubgraphName } from './platform/subgraph.js';
import { startTracing, traceRequests } from './platform/tracing.js';
import { VERSION } from './platform/version.js';
import { ROUTES } from './rest-shim/routes/index.js';
import { AccountsClient } from './subgraphs/accounts/client.js';
import { OAuthClient } from './subgraphs/accounts/oauth-client.js';
import { createAccounts } from './subgraphs/accounts/subgraph.js';
import { BillingClient } from './subgraphs/billing/client.js';
import { BillingOperatorClient } from './subgraphs/billing/operator-client.js';
import { type BillingSettings, microsOf, type SalesSettings } from './subgraphs/billing/settings.js';
import { createBilling } from './subgraphs/billing/subgraph.js';
import { type Assets, lateAssets } from './subgraphs/images/asset-client.js';
import type { Images } from './subgraphs/images/client.js';
import { RemoteAssets } from './subgraphs/images/door/asset-door.client.js';
import { lateImages, RemoteImages } from './subgraphs/images/door/door.client.js';
import { ImagesOperatorClient } from './subgraphs/images/operator-client.js';
import { createImages, type ImagesSubgraph } from './subgraphs/images/subgraph.js';
import { RegistryClient } from './subgraphs/registry/client.js';
import { GrantedVerifiers } from './subgraphs/registry/grant/granted-verifiers.js';
import { CurrentMemberships } from './subgraphs/registry/grant/memberships.js';
import type { JobSettings } from './subgraphs/registry/job/jobs.js';
import { Judges } from './subgraphs/registry/judge/judges.js';
import { configuredEncoder, configuredJudges } from './subgraphs/registry/judge/settings.js';
import { Models } from './subgraphs/registry/model/models.js';
import { Providers } from './subgraphs/registry/provider/providers.js';
import { compatibleServer, configuredProviders, outputHosts } from './subgraphs/registry/provider/settings.js';
import { createRegistry, type RegistrySubgraph } from './subgraphs/registry/subgraph.js';
import { lateFiles, RemoteBundleFiles } from './subgraphs/registry/workflow/files.door.js';
import type { BundleFiles, Holder } from './subgraphs/registry/workflow/files.js';

export type Role = { kind: 'start' | 'gateway' | 'worker' } | { kind: 'subgraph'; name: SubgraphName };

export interface Darkroom {
  app: FastifyInstance;
  /** What runs inside this process rather than at an address, for the greeting. */
  embedded: readonly string[];
  mongoUrl: string | undefined;
  listen(): Promise<string>;
  /** The operator's socket in DATA_DIR, in processes that can serve it. */
  openAdmin(): Promise<void>;
  callAdmin(path: string, body: object): Promise<{ statusCode: number; payload: string }>;
  close(): Promise<void>;
}

export interface DarkroomOptions {
  config: Config;
  role: Role;
  log: Logger;
  /** The clock of everything that keeps time, so that tests can travel. */
  now?: () => Date;
}

// A subgraph receives what a gateway let in, inside an envelope.
const SUBGRAPH_BODY_FACTOR = 2;
const LARGEST_ROUTE_BODY = Math.max(...ROUTES.map(({ bodyLimit }) => bodyLimit ?? 0));

export async function createDarkroom(options: DarkroomOptions): Promise<Darkroom> {
  const closers: Closers = [];
  const close = async () => {
    while (closers.length > 0) await closers.pop()?.();
  };
  try {
    return await compose(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function compose(
  { config, role, log, now = () => new Date() }: DarkroomOptions,
  closers: Closers,
  close: () => Promise<void>,
): Promise<Darkroom> {
  requireSharedSecret(config);
  const metrics = new Metrics();
  if (config.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined) {
    const tracing = await startTracing(config.OTEL_EXPORTER_OTLP_ENDPOINT, role.kind, VERSION);
    closers.push(() => tracing.close());
  }
  const serves = role.kind === 'start' || role.kind === 'gateway';
  const appName = `darkroom-${role.kind}`;
  const stores =
    role.kind === 'gateway'
      ? null
      : await openStores({ config, appName, allowEmbedded: role.kind === 'start', log, closers });
  const secrets = new Secrets(config.SECRET_KEY ?? (await secretKeyOf(config.DATA_DIR)));
  const events = await openEvents(config.REDIS_URL, log);
  closers.push(() => events.close());

  const connections = new Connections({ config, secrets, metrics, log });
  closers.push(() => connections.close());
  const byteDoor = connections.bytesTo('images');
  const images = byteDoor ? new RemoteImages(byteDoor, log) : lateImages(() => imagesOf(local).door);
  const assets = byteDoor ? new RemoteAssets(byteDoor) : lateAssets(() => imagesOf(local).assets);
  const filesDoor = connections.bytesTo('registry');
  const filesOf = (holder: Holder) =>
    filesDoor ? new RemoteBundleFiles(filesDoor, holder) : lateFiles(() => registryOf(local).files[`${holder}s`]);
  const files = { workflows: filesOf('workflow'), templates: filesOf('template') };
  const peers: Peers = {
    accounts: new AccountsClient(connections.to('accounts')),
    billing: new BillingClient(connections.to('billing')),
    images,
    registry: new RegistryClient(connections.to('registry')),
    assets,
  };
  const circuits = new Circuits(metrics.circuits);
  const parts = { config, role, secrets, events, metrics, circuits, peers, log, now };
  const local: readonly Subgraph[] = stores
    ? await createSubgraphs(namesFor(role, config), { ...stores, ...parts })
    : [];
  connections.attach(local);
  requirePeers(role, connections);
  for (const subgraph of local) closers.push(() => subgraph.close());
  if (stores && (role.kind === 'start' || role.kind === 'worker')) {
    const tasks = new TaskRunner(stores.db, 'platform_leases', log);
    closers.push(() => tasks.stop());
    tasks.start(local.flatMap((subgraph) => subgraph.tasks));
    registryOf(local).workers.start(config.WORKERS);
    closers.push(() => registryOf(local).workers.close());
  }

  const http: HttpOptions = {
    log,
    metrics,
    bodyLimit: config.MAX_BODY_BYTES,
    requestTimeoutMs: config.REQUEST_TIMEOUT_SECONDS * 1000,
    trustProxy: config.TRUST_PROXY,
  };
  const checks: Check[] = [];
  const multipart = multipartLimits(config);
  if (role.kind !== 'worker') await clearSpool().catch((error) => log.warn({ err: error }, 'left uploads not removed'));
  const transports = serves ? transportsOf(connections, checks) : null;
  const app = transports
    ? await gatewayApp({
        config,
        secrets,
        http,
        multipart,
        metrics,
        events,
        images,
        assets,
        files,
        log,
        transports,
        closers,
        now,
      })
    : await subgraphApp({ role, http, multipart, secrets, log, local, checks });
  if (config.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined) traceRequests(app);
  mountHealth(app, checks, metrics, config.METRICS_TOKEN);
  const accounts = transports && new AccountsClient(transports.accounts);
  const admin =
    transports &&
    accounts &&
    createAdmin({
      http,
      accounts,
      billing: new BillingOperatorClient(transports.billing),
      images: new ImagesOperatorClient(transports.images),
      log,
    });
  if (admin) closers.push(() => admin.close());
  // Requests in flight are finished before anything that they use is closed.
  closers.push(() => app.close());
  // Nor do those keep it open who wait for a job.
  closers.push(async () => local.some(({ name }) => name === 'registry') && registryOf(local).waiters.close());
  return {
    app,
    embedded: stores?.embedded ?? [],
    mongoUrl: stores?.mongoUrl,
    async listen() {
      // On an embedded engine there is no second gateway: the data directory is locked.
      if (accounts && (config.MONGODB_URL ?? config.subgraphUrls.accounts) !== undefined) {
        const roster = await joinRoster({ accounts, shared: config.REDIS_URL !== undefined, log });
        closers.push(() => roster.leave());
      }
      return app.listen({ port: config.PORT, host: config.HOST });
    },
    async openAdmin() {
      // Gateways of one machine may share a data directory; the process that runs everything has it to itself.
      if (admin && role.kind === 'start') await openAdminSocket(admin, config.DATA_DIR);
    },
    async callAdmin(path, body) {
      if (!admin) throw new ConfigError('this role has no operator’s door');
      return admin.inject({ method: 'POST', url: path, payload: body });
    },
    close,
  };
}

async function openEvents(redisUrl: string | undefined, log: Logger): Promise<Events> {
  if (redisUrl === undefined) return new LocalEvents();
  const { RedisEvents } = await import('./platform/redis-events.js');
  return new RedisEvents(redisUrl, newId(), log);
}

function namesFor(role: Role, config: Config): readonly SubgraphName[] {
  if (role.kind === 'subgraph') return [role.name];
  if (role.kind === 'worker') return SUBGRAPH_NAMES;
  return SUBGRAPH_NAMES.filter((name) => config.subgraphUrls[name] === undefined);
}

function registryOf(local: readonly Subgraph[]): RegistrySubgraph {
  const registry = local.find(({ name }) => name === 'registry');
  if (!registry) throw new ConfigError('SUBGRAPH_REGISTRY_URL must be set');
  return registry as RegistrySubgraph;
}

function imagesOf(local: readonly Subgraph[]): ImagesSubgraph {
  const images = local.find(({ name }) => name === 'images');
  if (!images) throw new ConfigError('SUBGRAPH_IMAGES_URL must be set');
  return images as ImagesSubgraph;
}

/** Whom subgraphs may ask things of. */
export interface Peers {
  accounts: AccountsClient;
  billing: BillingClient;
  images: Images;
  registry: RegistryClient;
  assets: Assets;
}

/** Which others a subgraph that runs alone cannot do without. */
const PEERS: Readonly<Record<SubgraphName, readonly SubgraphName[]>> = {
  accounts: ['registry'],
  registry: ['accounts', 'images', 'billing'],
  images: [],
  billing: [],
};

function requirePeers(role: Role, connections: Connections): void {
  if (role.kind === 'gateway') for (const name of SUBGRAPH_NAMES) connections.require(name, 'a gateway process');
  if (role.kind === 'subgraph') for (const name of PEERS[role.name]) connections.require(name, `subgraph ${role.name}`);
}

interface SubgraphDeps extends Stores {
  config: Config;
  role: Role;
  secrets: Secrets;
  events: Events;
  metrics: Metrics;
  /** Of all outside services that this process calls. */
  circuits: Circuits;
  peers: Peers;
  log: Logger;
  now: () => Date;
}

function createSubgraphs(names: readonly SubgraphName[], deps: SubgraphDeps): Promise<Subgraph[]> {
  const { config } = deps;
  const create: Record<SubgraphName, () => Promise<Subgraph>> = {
    accounts: () => createAccounts({ ...deps, ownerships: deps.peers.registry, settings: accountsSettings(config) }),
    registry: () =>
      createRegistry({
        ...deps,
        ...imageModels(deps),
        ...verifierRuntime(deps),
        jobSettings: jobSettings(config, deps.role),
        sharing: new GrantedVerifiers({ db: deps.db, memberships: new CurrentMemberships(deps.peers.accounts) }),
      }),
    images: () => createImages({ ...deps, settings: imagesSettings(config) }),
    billing: () => createBilling({ ...deps, settings: billingSettings(config), sales: salesSettings(config) }),
  };
  return Promise.all(names.map((name) => create[name]()));
}

function imageModels({ config, circuits, log, now }: SubgraphDeps) {
  const timeoutMs = config.PROVIDER_TIMEOUT_MS;
  const providers = new Providers({ providers: configuredProviders(config), circuits, timeoutMs, log });
  const models = new Models({ configured: providers.configured, compatible: compatibleServer(config), now });
  return { models, providers, providerTimeoutMs: timeoutMs };
}

function verifierRuntime({ config, circuits, log }: SubgraphDeps) {
  const encoder = configuredEncoder(config);
  const timeoutMs = config.JUDGE_TIMEOUT_MS;
  const judges = new Judges({ judges: configuredJudges(config, encoder), circuits, timeoutMs, log });
  return { encoder, judges, verifierRunMicros: microsOf(config.VERIFIER_RUN_USD) };
}

/** How often to look for what other processes changed without telling; there are none beside the one that runs everything. */
function lookEveryMs({ REDIS_URL }: Config, { kind }: Role): number {
  if (REDIS_URL !== undefined) return 1_000;
  return kind === 'start' ? 250 : 20;
}

function jobSettings(config: Config, role: Role): JobSettings {
  return {
    lookEveryMs: lookEveryMs(config, role),
    publicUrl: config.PUBLIC_URL,
    retentionDays: config.RETENTION_JOBS_DAYS,
    inputsHours: config.RETENTION_INPUTS_HOURS,
    queuePerTenant: config.QUEUE_PER_TENANT,
    leaseSeconds: config.JOB_LEASE_SECONDS,
  };
}

function imagesSettings(config: Config) {
  return {
    publicUrl: config.PUBLIC_URL,
    maxUploadBytes: config.MAX_UPLOAD_BYTES,
    storageQuota: config.STORAGE_QUOTA_BYTES,
    anonymousTtlHours: config.ANONYMOUS_IMAGE_TTL_HOURS,
    outputHosts: outputHosts(config),
    allowPrivateFetch: config.ALLOW_PRIVATE_FETCH === 'on',
    backgroundRemover: backgroundRemover(config),
  };
}

function backgroundRemover({ BACKGROUND_REMOVER, BACKGROUND_REMOVER_URL, BACKGROUND_REMOVER_API_KEY }: Config) {
  if (BACKGROUND_REMOVER === 'local' || BACKGROUND_REMOVER_URL === undefined) return null;
  return { url: BACKGROUND_REMOVER_URL, apiKey: BACKGROUND_REMOVER_API_KEY };
}

function accountsSettings(config: Config) {
  return {
    publicUrl: config.PUBLIC_URL,
    codeTtlSeconds: config.CODE_TTL_SECONDS,
    codesPerEmail: config.RATE_LIMIT_CODES_PER_EMAIL,
    codesPerAddress: config.RATE_LIMIT_CODES_PER_ADDRESS,
    invitationTtlDays: config.INVITATION_TTL_DAYS,
    reservedHandles: config.RESERVED_HANDLES,
    oauthClientsPerHour: config.RATE_LIMIT_OAUTH_CLIENTS_PER_HOUR,
    userLookupsPerMinute: config.RATE_LIMIT_USER_LOOKUPS_PER_MINUTE,
    keysPerUser: config.KEYS_PER_USER,
    tenantsPerUser: config.TENANTS_PER_USER,
    teamsPerUser: config.TEAMS_PER_USER,
    membersPerTeam: config.MEMBERS_PER_TEAM,
    pendingInvitationsPerUser: config.PENDING_INVITATIONS_PER_USER,
  };
}

function billingSettings(config: Config): BillingSettings {
  return {
    refills: { hobby: microsOf(config.TIER_HOBBY_USD), pro: microsOf(config.TIER_PRO_USD) },
    anonymousGrant: microsOf(config.ANONYMOUS_GRANT_USD),
    anonymousDailyCap: microsOf(config.ANONYMOUS_DAILY_CAP_USD),
    anonymousMonthlyImages: config.ANONYMOUS_MONTHLY_IMAGES,
    reservationTtlMs: config.RESERVATION_TTL_SECONDS * 1000,
  };
}

function salesSettings(config: Config): SalesSettings {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: webhookSecret, STRIPE_BASE_URL: baseUrl } = config;
  return {
    stripe: secretKey !== undefined && webhookSecret !== undefined ? { secretKey, webhookSecret, baseUrl } : null,
    unlock: {
      goalCents: Math.round(config.UNLOCK_GOAL_USD * 100),
      goalBackers: config.UNLOCK_GOAL_BACKERS,
      url: config.PUBLIC_URL,
    },
    publicUrl: config.PUBLIC_URL,
  };
}

type Transports = Record<SubgraphName, GatewayTransport>;

function transportsOf(connections: Connections, checks: Check[]): Transports {
  const open = (name: SubgraphName): GatewayTransport => {
    const transport = connections.to(name);
    checks.push({ name, ready: () => transport.ready() });
    return transport;
  };
  return { accounts: open('accounts'), registry: open('registry'), images: open('images'), billing: open('billing') };
}

function multipartLimits(config: Config): MultipartLimits {
  return {
    maxFileBytes: config.MAX_UPLOAD_BYTES,
    spool: new Spool(config.UPLOAD_SPOOL_BYTES),
    idleMs: config.REQUEST_TIMEOUT_SECONDS * 1000,
    cut: cutLateBody,
  };
}

interface GatewayParts {
  config: Config;
  secrets: Secrets;
  http: HttpOptions;
  multipart: MultipartLimits;
  metrics: Metrics;
  events: Events;
  images: Images;
  assets: Assets;
  files: Record<`${Holder}s`, BundleFiles>;
  log: Logger;
  transports: Transports;
  closers: Closers;
  now: () => Date;
}

async function gatewayApp({
  config,
  secrets,
  http,
  multipart,
  metrics,
  events,
  images,
  assets,
  files,
  log,
  transports,
  closers,
  now,
}: GatewayParts) {
  const accounts = new AccountsClient(transports.accounts);
  const identity = new Identity({
    findCaller: (kind, hash, requestId) => accounts.caller(kind, hash, requestId),
    findGood: (kind, hashes, requestId) => accounts.goodCredentials(kind, hashes, requestId),
    events,
    metrics,
  });
  closers.push(() => identity.close());
  const limits = await createRateLimits(config.REDIS_URL, log);
  closers.push(() => limits.close());
  const operations = new Operations({
    supergraphSdl: await readFile(new URL('./gateway/supergraph.graphql', import.meta.url), 'utf8'),
    transports: Object.values(transports),
    limits: {
      depth: config.QUERY_DEPTH,
      cost: config.QUERY_COST,
      aliases: config.QUERY_ALIASES,
      introspection: config.INTROSPECTION === 'on',
    },
    log,
  });
  return createGateway({
    billing: new BillingClient(transports.billing),
    oauth: new OAuthClient(transports.accounts),
    secrets,
    http,
    operations,
    identity,
    images,
    assets,
    files: files.workflows,
    templateFiles: files.templates,
    multipart,
    events,
    sources: Object.values(transports),
    limits,
    log,
    now,
    settings: {
      publicUrl: config.PUBLIC_URL,
      version: VERSION,
      corsOrigins: config.CORS_ORIGINS,
      requestsPerMinute: config.RATE_LIMIT_REQUESTS_PER_MINUTE,
      maxBatch: config.QUERY_BATCH,
      uploadsPerMinute: config.RATE_LIMIT_UPLOADS_PER_MINUTE,
      connections: config.STREAMS,
      connectionsPerCaller: config.STREAMS_PER_CALLER,
      operationsPerConnection: config.SUBSCRIPTIONS_PER_CONNECTION,
      traced: config.OTEL_EXPORTER_OTLP_ENDPOINT !== undefined,
      assetsDir: fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './dist/web/' : './web/', import.meta.url)),
    },
  });
}

interface SubgraphParts {
  role: Role;
  http: HttpOptions;
  multipart: MultipartLimits;
  secrets: Secrets;
  log: Logger;
  local: readonly Subgraph[];
  checks: Check[];
}

/** A worker serves nothing but its health. */
async function subgraphApp({ role, http, multipart, secrets, log, local, checks }: SubgraphParts) {
  const app = createHttp({ ...http, bodyLimit: SUBGRAPH_BODY_FACTOR * Math.max(http.bodyLimit, LARGEST_ROUTE_BODY) });
  for (const subgraph of local) {
    checks.push({ name: subgraph.name, ready: () => subgraph.ready() });
    if (role.kind === 'subgraph') {
      const executor = new SubgraphExecutor(subgraph.schema, log, subgraph.sources);
      await mountSubgraph(app, { subgraph, executor, secrets, multipart });
    }
  }
  return app;
}
