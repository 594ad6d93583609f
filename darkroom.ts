/** The one composition root: builds the parts that a role needs, opens them, and closes them in reverse. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { Operations } from './gateway/graphql/operations.js';
import { Identity } from './gateway/identity.js';
import { createGateway } from './gateway/server.js';
import { TaskRunner } from './platform/background.js';
import { type Config, ConfigError, requireSharedSecret } from './platform/config.js';
import { type Events, LocalEvents } from './platform/events.js';
import { SubgraphExecutor } from './platform/graph/execute.js';
import { mountSubgraph } from './platform/graph/server.js';
import { HttpTransport, LocalTransport, measured, type SubgraphTransport } from './platform/graph/transport.js';
import { type Check, mountHealth } from './platform/health.js';
import { createHttp, type HttpOptions } from './platform/http.js';
import { newId } from './platform/ids.js';
import { createRateLimits } from './platform/limits.js';
import { consoleMailer, type Mailer, smtpMailer } from './platform/mail.js';
import { Metrics } from './platform/metrics.js';
import { connectMongo } from './platform/mongo/store.js';
import { RedisEvents } from './platform/redis-events.js';
import { ObjectStore } from './platform/s3.js';
import { secretKeyOf } from './platform/secret-key.js';
import { Secrets } from './platform/secrets.js';
import { SUBGRAPH_NAMES, type Subgraph, type SubgraphName } from './platform/subgraph.js';
import { AccountsClient } from './subgraphs/accounts/client.js';
import { createAccounts } from './subgraphs/accounts/subgraph.js';
import { createBilling } from './subgraphs/billing/subgraph.js';
import { createImages } from './subgraphs/images/subgraph.js';
import { createRegistry } from './subgraphs/registry/subgraph.js';

export type Role = { kind: 'start' | 'gateway' | 'worker' } | { kind: 'subgraph'; name: SubgraphName };

export interface Darkroom {
  app: FastifyInstance;
  /** What runs inside this process rather than at an address, for the greeting. */
  embedded: readonly string[];
  mongoUrl: string | undefined;
  listen(): Promise<string>;
  close(): Promise<void>;
}

export interface DarkroomOptions {
  config: Config;
  role: Role;
  log: Logger;
  /** The clock of everything that keeps time, so that tests can travel. */
  now?: () => Date;
}

export const VERSION = '0.1.0';

// A subgraph receives what a gateway let in, inside an envelope.
const SUBGRAPH_BODY_FACTOR = 2;

export async function createDarkroom(options: DarkroomOptions): Promise<Darkroom> {
  const closers: (() => unknown)[] = [];
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
  closers: (() => unknown)[],
  close: () => Promise<void>,
): Promise<Darkroom> {
  requireSharedSecret(config);
  const metrics = new Metrics();
  const embedded: string[] = [];
  const needsStores = role.kind !== 'gateway';
  const stores = needsStores ? await openStores(config, role, log, closers, embedded) : null;
  const secrets = new Secrets(config.SECRET_KEY ?? (await secretKeyOf(config.DATA_DIR)));
  const events: Events = config.REDIS_URL ? new RedisEvents(config.REDIS_URL, newId(), log) : new LocalEvents();
  closers.push(() => events.close());

  const local = stores
    ? await createSubgraphs(namesFor(role, config), { ...stores, config, secrets, events, log, now })
    : [];
  for (const subgraph of local) closers.push(() => subgraph.close());
  if (stores && (role.kind === 'start' || role.kind === 'worker')) {
    const tasks = new TaskRunner(stores.db, 'platform_leases', log);
    closers.push(() => tasks.stop());
    tasks.start(local.flatMap((subgraph) => subgraph.tasks));
  }

  const http: HttpOptions = {
    log,
    metrics,
    bodyLimit: config.MAX_BODY_BYTES,
    requestTimeoutMs: config.REQUEST_TIMEOUT_SECONDS * 1000,
    trustProxy: config.TRUST_PROXY,
  };
  const checks: Check[] = [];
  const app =
    role.kind === 'start' || role.kind === 'gateway'
      ? await gatewayApp({ config, http, metrics, secrets, events, log, local, checks, closers })
      : subgraphApp({ role, http, secrets, log, local, checks });
  mountHealth(app, checks, metrics, config.METRICS_TOKEN);
  // Requests in flight are finished before anything that they use is closed.
  closers.push(() => app.close());
  return {
    app,
    embedded,
    mongoUrl: stores?.mongoUrl,
    listen: () => app.listen({ port: config.PORT, host: config.HOST }),
    close,
  };
}

interface Stores {
  db: Db;
  store: ObjectStore;
  mailer: Mailer;
  mongoUrl: string;
}

async function openStores(
  config: Config,
  role: Role,
  log: Logger,
  closers: (() => unknown)[],
  embedded: string[],
): Promise<Stores> {
  const alone = role.kind === 'start';
  if (!alone && (config.MONGODB_URL === undefined || config.S3_ENDPOINT === undefined)) {
    throw new ConfigError(
      'MONGODB_URL and S3_ENDPOINT must be set when the platform runs as several processes: the embedded engines serve one process',
    );
  }
  if (config.MONGODB_URL === undefined || config.S3_ENDPOINT === undefined) {
    const { lockDataDir } = await import('./platform/embedded/lock.js');
    const lock = await lockDataDir(config.DATA_DIR);
    closers.push(() => lock.release());
  }
  const mongoUrl = config.MONGODB_URL ?? (await embeddedMongo(config, closers, embedded));
  const mongo = await connectMongo({
    url: mongoUrl,
    database: config.MONGODB_DATABASE,
    appName: `darkroom-${role.kind}`,
  });
  closers.push(() => mongo.close());
  const store = await objectStore(config, log, closers, embedded);
  const mailer = config.SMTP_URL ? smtpMailer(config.SMTP_URL, config.MAIL_FROM, log) : consoleMailer(log);
  if (!config.SMTP_URL) embedded.push('mail (printed here)');
  closers.push(() => mailer.close());
  return { db: mongo.db, store, mailer, mongoUrl };
}

async function embeddedMongo(config: Config, closers: (() => unknown)[], embedded: string[]): Promise<string> {
  const { openEmbeddedMongo } = await import('./platform/embedded/mongo.js');
  const engine = await openEmbeddedMongo({ dataDir: config.DATA_DIR });
  closers.push(() => engine.close());
  embedded.push('MongoDB');
  return engine.url;
}

async function objectStore(
  config: Config,
  log: Logger,
  closers: (() => unknown)[],
  embedded: string[],
): Promise<ObjectStore> {
  const { S3_ENDPOINT, S3_REGION, S3_BUCKET, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = config;
  const bucket = S3_BUCKET;
  if (S3_ENDPOINT === undefined) {
    const { openEmbeddedS3 } = await import('./platform/embedded/s3.js');
    const { close, accessKeyId, secretAccessKey, ...address } = await openEmbeddedS3({
      dataDir: config.DATA_DIR,
      bucket,
    });
    closers.push(() => close());
    embedded.push('S3');
    const store = new ObjectStore({
      ...address,
      bucket,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
    closers.push(() => store.close());
    return store;
  }
  const credentials =
    S3_ACCESS_KEY_ID !== undefined && S3_SECRET_ACCESS_KEY !== undefined
      ? { accessKeyId: S3_ACCESS_KEY_ID, secretAccessKey: S3_SECRET_ACCESS_KEY }
      : undefined;
  const forcePathStyle = config.S3_FORCE_PATH_STYLE === 'on';
  const store = new ObjectStore({ endpoint: S3_ENDPOINT, region: S3_REGION, bucket, forcePathStyle, credentials });
  closers.push(() => store.close());
  // A store that is down at the start is reported by /readyz and may come back.
  await store.ensureBucket().catch((error) => log.warn({ err: error }, 'the bucket cannot be reached'));
  return store;
}

function namesFor(role: Role, config: Config): readonly SubgraphName[] {
  if (role.kind === 'subgraph') return [role.name];
  if (role.kind === 'worker') return SUBGRAPH_NAMES;
  return SUBGRAPH_NAMES.filter((name) => config.subgraphUrls[name] === undefined);
}

interface SubgraphDeps extends Stores {
  config: Config;
  secrets: Secrets;
  events: Events;
  log: Logger;
  now: () => Date;
}

function createSubgraphs(names: readonly SubgraphName[], deps: SubgraphDeps): Promise<Subgraph[]> {
  const { config, db, store, now } = deps;
  const create: Record<SubgraphName, () => Promise<Subgraph>> = {
    accounts: () => createAccounts({ ...deps, settings: accountsSettings(config) }),
    registry: () => createRegistry({ db }),
    images: () => createImages({ db, store, publicUrl: config.PUBLIC_URL, now }),
    billing: () => createBilling({ db, refills: { hobby: config.TIER_HOBBY_USD, pro: config.TIER_PRO_USD } }),
  };
  return Promise.all(names.map((name) => create[name]()));
}

function accountsSettings(config: Config) {
  return {
    publicUrl: config.PUBLIC_URL,
    codeTtlSeconds: config.CODE_TTL_SECONDS,
    codesPerEmail: config.RATE_LIMIT_CODES_PER_EMAIL,
    codesPerAddress: config.RATE_LIMIT_CODES_PER_ADDRESS,
    invitationTtlDays: config.INVITATION_TTL_DAYS,
    reservedHandles: config.RESERVED_HANDLES,
    userLookupsPerMinute: config.RATE_LIMIT_USER_LOOKUPS_PER_MINUTE,
    keysPerUser: config.KEYS_PER_USER,
    teamsPerUser: config.TEAMS_PER_USER,
    membersPerTeam: config.MEMBERS_PER_TEAM,
    pendingInvitationsPerUser: config.PENDING_INVITATIONS_PER_USER,
  };
}

interface GatewayParts {
  config: Config;
  http: HttpOptions;
  metrics: Metrics;
  secrets: Secrets;
  events: Events;
  log: Logger;
  local: readonly Subgraph[];
  checks: Check[];
  closers: (() => unknown)[];
}

async function gatewayApp({ config, http, metrics, secrets, events, log, local, checks, closers }: GatewayParts) {
  const transports = new Map<SubgraphName, SubgraphTransport>();
  for (const name of SUBGRAPH_NAMES) {
    const transport = transportOf(name, config, secrets, local, log);
    transports.set(name, measured(transport, metrics.subgraphCalls));
    checks.push({ name, ready: () => transport.ready() });
    closers.push(() => transport.close());
  }
  const accounts = transports.get('accounts');
  if (!accounts) throw new Error('a gateway needs the accounts subgraph');
  const accountsClient = new AccountsClient(accounts);
  const identity = new Identity({
    findCaller: (keyHash, requestId) => accountsClient.caller(keyHash, requestId),
    events,
    metrics,
  });
  closers.push(() => identity.close());
  const limits = createRateLimits(config.REDIS_URL, log);
  closers.push(() => limits.close());
  const operations = new Operations({
    supergraphSdl: await readFile(new URL('./gateway/supergraph.graphql', import.meta.url), 'utf8'),
    transports: [...transports.values()],
    limits: {
      depth: config.QUERY_DEPTH,
      cost: config.QUERY_COST,
      aliases: config.QUERY_ALIASES,
      introspection: config.INTROSPECTION === 'on',
    },
    log,
  });
  return createGateway({
    http,
    operations,
    identity,
    limits,
    log,
    settings: {
      publicUrl: config.PUBLIC_URL,
      version: VERSION,
      corsOrigins: config.CORS_ORIGINS,
      requestsPerMinute: config.RATE_LIMIT_REQUESTS_PER_MINUTE,
      maxBatch: config.QUERY_BATCH,
      assetsDir: fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './dist/web/' : './web/', import.meta.url)),
    },
  });
}

function transportOf(
  name: SubgraphName,
  config: Config,
  secrets: Secrets,
  local: readonly Subgraph[],
  log: Logger,
): SubgraphTransport {
  const url = config.subgraphUrls[name];
  if (url !== undefined) return new HttpTransport(name, url, secrets);
  const subgraph = local.find((candidate) => candidate.name === name);
  if (!subgraph) throw new ConfigError(`SUBGRAPH_${name.toUpperCase()}_URL must be set for a gateway process`);
  return new LocalTransport(subgraph, new SubgraphExecutor(subgraph.schema, log));
}

interface SubgraphParts {
  role: Role;
  http: HttpOptions;
  secrets: Secrets;
  log: Logger;
  local: readonly Subgraph[];
  checks: Check[];
}

/** A worker serves nothing but its health. */
function subgraphApp({ role, http, secrets, log, local, checks }: SubgraphParts): FastifyInstance {
  const app = createHttp({ ...http, bodyLimit: SUBGRAPH_BODY_FACTOR * http.bodyLimit });
  for (const subgraph of local) {
    checks.push({ name: subgraph.name, ready: () => subgraph.ready() });
    if (role.kind === 'subgraph') {
      mountSubgraph(app, { subgraph, executor: new SubgraphExecutor(subgraph.schema, log), secrets });
    }
  }
  return app;
}
