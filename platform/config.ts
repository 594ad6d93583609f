/** The only reader of the environment. Everything else is handed values. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { SUBGRAPH_NAMES, type SubgraphName } from './subgraph.js';

interface Variable<T> {
  schema: z.ZodType<T, string | undefined>;
  /** How the default reads in the table, where it is not simply the value. */
  shownDefault: string;
  description: string;
  example: string;
  secret?: boolean;
}

const optionalText = z
  .string()
  .optional()
  .transform((value) => (value === '' ? undefined : value));

function variable<T>(
  schema: z.ZodType<T, string | undefined>,
  shownDefault: string,
  example: string,
  description: string,
): Variable<T> {
  return { schema, shownDefault, example, description };
}

function text(example: string, description: string, shownDefault = 'none') {
  return variable(optionalText, shownDefault, example, description);
}

function secret(example: string, description: string, shownDefault = 'none'): Variable<string | undefined> {
  return { ...text(example, description, shownDefault), secret: true };
}

function textOr(fallback: string, example: string, description: string) {
  const schema = optionalText.transform((value) => value ?? fallback);
  return variable(schema, fallback, example, description);
}

function url(protocols: readonly string[], example: string, description: string, shownDefault = 'none') {
  const schema = optionalText.refine((value) => value === undefined || isUrl(value, protocols), {
    message: `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });
  return variable(schema, shownDefault, example, description);
}

function isUrl(value: string, protocols: readonly string[]): boolean {
  // MongoDB addresses may list several hosts, which URL does not parse; the driver checks the rest of them.
  if (protocols.includes('mongodb:') && /^mongodb(\+srv)?:\/\/\S+$/.test(value)) return true;
  return URL.canParse(value) && protocols.includes(new URL(value).protocol);
}

function integer(fallback: number, min: number, max: number, description: string) {
  const schema = optionalText
    .refine((value) => value === undefined || /^\d+$/.test(value), { message: 'must be a whole number' })
    .transform((value) => (value === undefined ? fallback : Number(value)))
    .refine((value) => value >= min && value <= max, { message: `must be between ${min} and ${max}` });
  return variable(schema, String(fallback), String(fallback), description);
}

function dollars(fallback: number, description: string) {
  const schema = optionalText
    .refine((value) => value === undefined || /^\d+(\.\d{1,6})?$/.test(value), {
      message: 'must be an amount of dollars with at most six decimals',
    })
    .transform((value) => (value === undefined ? fallback : Number(value)));
  return variable(schema, String(fallback), String(fallback), description);
}

function oneOf<const T extends string>(values: readonly T[], fallback: T, description: string, shownDefault?: string) {
  const schema = optionalText
    .refine((value) => value === undefined || (values as readonly string[]).includes(value), {
      message: `must be one of ${values.join(', ')}`,
    })
    .transform((value) => (value ?? fallback) as T);
  return variable(schema, shownDefault ?? fallback, fallback, description);
}

function list(fallback: readonly string[], example: string, description: string, shownDefault?: string) {
  const schema = optionalText.transform((value) =>
    value === undefined
      ? [...fallback]
      : value
          .split(',')
          .map((item) => item.trim())
          .filter(Boolean),
  );
  return variable(schema, shownDefault ?? (fallback.length === 0 ? 'none' : fallback.join(',')), example, description);
}

/** Names with prices: `a=0.01,b=0.2`. */
function pricedList(example: string, description: string, shownDefault: string) {
  const item = /^([A-Za-z0-9][\w.:/@-]{0,127})=(\d+(?:\.\d{1,6})?)$/;
  const items = (value: string | undefined) =>
    (value ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean);
  const schema = optionalText
    .refine((value) => items(value).every((part) => item.test(part)), {
      message: 'must be a list of name=dollars, with at most six decimals',
    })
    .transform((value) => {
      const pairs = items(value).map((part) => item.exec(part) ?? []);
      return new Map(pairs.map(([, name, price]) => [name ?? '', Number(price)]));
    });
  return variable<ReadonlyMap<string, number>>(schema, shownDefault, example, description);
}

const HTTP = ['http:', 'https:'] as const;

/** Where providers keep what they made, those that answer with a URL: fal and OpenAI. */
const PROVIDER_MEDIA_HOSTS = ['fal.media', '*.fal.media', 'oaidalleapiprodscus.blob.core.windows.net'];

function subgraphUrl(name: SubgraphName) {
  return url(
    HTTP,
    'http://10.0.0.5:4001',
    `Where the ${name} subgraph answers, when not in this process`,
    'in process',
  );
}

export const VARIABLES = {
  PORT: integer(4000, 0, 65535, 'Port to listen on; 0 takes a free one'),
  HOST: textOr('127.0.0.1', '0.0.0.0', 'Address to listen on'),
  PUBLIC_URL: url(HTTP, 'https://images.example.com', 'Base of every URL that we hand out', 'http://localhost:$PORT'),
  DATA_DIR: textOr('./data', '/var/lib/darkroom', "The embedded engines' files and the generated secret key"),
  NODE_ENV: textOr('development', 'production', '`production` insists on settings that several processes must share'),
  MONGODB_URL: url(['mongodb:', 'mongodb+srv:'], 'mongodb://db.internal:27017', 'Any MongoDB 6+', 'embedded engine'),
  MONGODB_DATABASE: textOr('darkroom', 'darkroom', 'Name of the database'),
  S3_ENDPOINT: url(HTTP, 'https://s3.eu-central-1.amazonaws.com', 'Any S3', 'embedded store'),
  S3_BUCKET: textOr('darkroom', 'my-images', 'Bucket for pictures and files'),
  S3_REGION: textOr('us-east-1', 'eu-central-1', 'Region of the bucket'),
  S3_ACCESS_KEY_ID: secret('AKIA…', 'Access key of the bucket', 'the SDK’s own chain'),
  S3_SECRET_ACCESS_KEY: secret('…', 'Secret of that key', 'the SDK’s own chain'),
  S3_FORCE_PATH_STYLE: oneOf(['on', 'off'], 'on', 'Address the bucket by path (MinIO) rather than by host name'),
  REDIS_URL: url(['redis:', 'rediss:'], 'redis://redis:6379', 'Events, rate limits and caches across processes'),
  SMTP_URL: { ...url(['smtp:', 'smtps:'], 'smtp://user:pass@mail:587', 'Mail server', 'console'), secret: true },
  MAIL_FROM: textOr('Darkroom <darkroom@localhost>', 'Darkroom <no-reply@example.com>', 'Sender of mails'),
  SECRET_KEY: secret(
    'openssl rand -base64 32',
    'Keyed hashes, internal identity and tokens; the same for all processes, at least 32 characters',
    'made once, kept in DATA_DIR',
  ),
  TRUST_PROXY: integer(0, 0, 10, "How many proxies in front of us to believe for the caller's address"),
  SUBGRAPH_ACCOUNTS_URL: subgraphUrl('accounts'),
  SUBGRAPH_REGISTRY_URL: subgraphUrl('registry'),
  SUBGRAPH_IMAGES_URL: subgraphUrl('images'),
  SUBGRAPH_BILLING_URL: subgraphUrl('billing'),
  OPENAI_API_KEY: secret('sk-…', 'Images by OpenAI'),
  OPENAI_BASE_URL: url(HTTP, 'https://api.openai.com/v1', 'Where OpenAI answers', 'https://api.openai.com/v1'),
  GEMINI_API_KEY: secret('AIza…', 'Images by Google Gemini'),
  GEMINI_BASE_URL: url(
    HTTP,
    'https://generativelanguage.googleapis.com',
    'Where Gemini answers',
    'https://generativelanguage.googleapis.com',
  ),
  CLOUDFLARE_ACCOUNT_ID: text('0123…', 'Images by Cloudflare Workers AI: the account'),
  CLOUDFLARE_API_TOKEN: secret('…', 'Images by Cloudflare Workers AI: a token of that account'),
  CLOUDFLARE_BASE_URL: url(
    HTTP,
    'https://api.cloudflare.com/client/v4',
    'Where Cloudflare answers',
    'https://api.cloudflare.com/client/v4',
  ),
  FAL_KEY: secret('…', 'Images by fal'),
  FAL_BASE_URL: url(HTTP, 'https://fal.run', 'Where fal answers', 'https://fal.run'),
  OPENAI_IMAGE_BASE_URL: url(HTTP, 'http://127.0.0.1:8080/v1', 'Any image server that speaks like OpenAI'),
  OPENAI_IMAGE_API_KEY: secret('…', 'Bearer token of that server'),
  OPENAI_IMAGE_MODELS: pricedList(
    'flux-dev=0.02,sdxl=0.004',
    'Its models, each with the dollars that a picture costs; no others are run',
    'any model',
  ),
  OPENAI_IMAGE_PRICE_USD: dollars(0.01, 'What a picture of that server costs when OPENAI_IMAGE_MODELS names none'),
  LOCAL_PROVIDER: oneOf(['on', 'off', 'auto'], 'auto', 'The built-in renderer', 'on without provider keys'),
  PROVIDER_TIMEOUT_MS: integer(60_000, 100, 600_000, 'How long an image provider may take'),
  JUDGE_URL: url(
    HTTP,
    'https://api.openai.com/v1',
    'Judge of verifiers: any OpenAI-compatible chat API',
    'local judge',
  ),
  JUDGE_API_KEY: secret('sk-…', 'Key of that API'),
  JUDGE_MODEL: text('gpt-5-mini', 'Model that judges when a verifier names none', 'by provider'),
  ANTHROPIC_API_KEY: secret('sk-ant-…', 'Judge of verifiers: Anthropic'),
  ANTHROPIC_BASE_URL: url(
    HTTP,
    'https://api.anthropic.com/v1',
    'Where Anthropic answers',
    'https://api.anthropic.com/v1',
  ),
  JUDGE_TIMEOUT_MS: integer(30_000, 100, 600_000, 'How long a judge may take'),
  EMBEDDINGS_URL: url(HTTP, 'https://api.openai.com/v1', 'An OpenAI-compatible embeddings API', 'local model'),
  EMBEDDINGS_API_KEY: secret('sk-…', 'Key of that API'),
  EMBEDDINGS_MODEL: text('text-embedding-3-small', 'Model of that API', 'none'),
  STRIPE_SECRET_KEY: secret('sk_live_…', 'Payments by Stripe', 'off'),
  STRIPE_WEBHOOK_SECRET: secret('whsec_…', 'Signing secret of the Stripe webhook', 'none'),
  STRIPE_BASE_URL: url(HTTP, 'https://api.stripe.com', 'Where Stripe answers', 'https://api.stripe.com'),
  MEDIA_FETCH_ALLOWLIST: list(
    PROVIDER_MEDIA_HOSTS,
    'cdn.example.com,*.images.example.com',
    'Hosts that outputs of providers may be fetched from',
    'the providers’ hosts',
  ),
  ALLOW_PRIVATE_FETCH: oneOf(['on', 'off'], 'off', 'Lets tests fetch from loopback; refused in production'),
  BACKGROUND_REMOVER: oneOf(
    ['local', 'http'],
    'local',
    'What takes backgrounds out of pictures: our own remover, or a service',
  ),
  BACKGROUND_REMOVER_URL: url(
    HTTP,
    'http://rembg:7000/api/remove',
    'That service: takes a form with `file`, answers with a PNG',
  ),
  BACKGROUND_REMOVER_API_KEY: secret('…', 'Bearer token of that service'),
  TIER_HOBBY_USD: dollars(5, 'What a hobby account may spend a month'),
  TIER_PRO_USD: dollars(50, 'What a pro account may spend a month'),
  ANONYMOUS_GRANT_USD: dollars(0.25, 'What callers without an account may spend a month, for each network address'),
  ANONYMOUS_DAILY_CAP_USD: dollars(25, 'What all callers without an account may spend together on a UTC day'),
  RESERVATION_TTL_SECONDS: integer(120, 5, 86_400, 'When the reservation of a run that died is given back'),
  VERIFIER_RUN_USD: dollars(0.01, 'Price of a verifier run'),
  ANONYMOUS_MONTHLY_IMAGES: integer(
    100,
    0,
    1_000_000,
    'Images a month on /v2 without an account, for each network address',
  ),
  UNLOCK_GOAL_USD: dollars(5000, 'Committed revenue at which the frontier models unlock'),
  UNLOCK_GOAL_BACKERS: integer(400, 1, 10_000_000, 'Head-count that stands for that sum in answers'),
  CODE_TTL_SECONDS: integer(600, 30, 86_400, 'How long a sign-in code is good for'),
  INVITATION_TTL_DAYS: integer(14, 1, 365, 'How long an invitation can be accepted'),
  RESERVED_HANDLES: list([], 'acme,acme-support', 'Handles that nobody may claim, beside the built-in list'),
  KEYS_PER_USER: integer(500, 1, 100_000, 'Live API keys of one account'),
  TENANTS_PER_USER: integer(100, 1, 10_000, 'Tenants of one account, beside its default one'),
  TEAMS_PER_USER: integer(100, 1, 10_000, 'Teams that one account may own'),
  MEMBERS_PER_TEAM: integer(500, 1, 5_000, 'Members of one team'),
  PENDING_INVITATIONS_PER_USER: integer(200, 1, 10_000, 'Open invitations that one account may have sent'),
  RATE_LIMIT_CODES_PER_EMAIL: integer(5, 0, 1_000_000, 'Sign-in codes for one address in 15 minutes; 0: no limit'),
  RATE_LIMIT_CODES_PER_ADDRESS: integer(20, 0, 1_000_000, 'Sign-in codes for one network in 15 minutes; 0: no limit'),
  RATE_LIMIT_REQUESTS_PER_MINUTE: integer(3000, 0, 10_000_000, 'Requests a minute for one key or network; 0: no limit'),
  RATE_LIMIT_USER_LOOKUPS_PER_MINUTE: integer(
    60,
    0,
    1_000_000,
    'Times a minute one caller may name users; 0: no limit',
  ),
  RATE_LIMIT_OAUTH_CLIENTS_PER_HOUR: integer(
    60,
    0,
    1_000_000,
    'Applications an hour that one network may register, and devices that it may let in; 0: no limit',
  ),
  RATE_LIMIT_UPLOADS_PER_MINUTE: integer(
    120,
    0,
    1_000_000,
    'Pictures a minute that one account may upload; 0: no limit',
  ),
  UPLOAD_SPOOL_BYTES: integer(
    1_073_741_824,
    1_048_576,
    2 ** 50,
    'Temporary files of GraphQL uploads in one process, all together',
  ),
  MAX_UPLOAD_BYTES: integer(26_214_400, 1024, 1_073_741_824, 'Largest uploaded picture'),
  STORAGE_QUOTA_BYTES: integer(5_368_709_120, 0, 2 ** 50, 'Hosted bytes of one account; 0: no limit'),
  ANONYMOUS_IMAGE_TTL_HOURS: integer(24, 1, 8760, 'How long pictures of callers without an account are kept'),
  RETENTION_JOBS_DAYS: integer(30, 1, 3650, 'How long jobs are kept, with their prompts and pictures'),
  RETENTION_INPUTS_HOURS: integer(24, 1, 8760, 'How long pictures that a job went by are kept after its end'),
  QUEUE_PER_TENANT: integer(100, 1, 100_000, 'Jobs of one tenant that may wait for a worker'),
  JOB_LEASE_SECONDS: integer(15, 1, 600, 'How long a worker is believed in that gives no sign of life'),
  WORKERS: integer(4, 0, 1000, 'Jobs that one process works on at once; 0: it takes none'),
  MAX_BODY_BYTES: integer(1_048_576, 1024, 104_857_600, 'Largest JSON body'),
  REQUEST_TIMEOUT_SECONDS: integer(30, 1, 3600, 'How long a request may take to arrive'),
  QUERY_DEPTH: integer(12, 1, 100, 'How deep a GraphQL operation may nest'),
  QUERY_COST: integer(20_000, 1, 10_000_000, 'What a GraphQL operation may cost: its fields, lists multiplied'),
  QUERY_ALIASES: integer(50, 0, 10_000, 'Aliases in one GraphQL operation'),
  STREAMS: integer(10_000, 1, 1_000_000, 'WebSocket and SSE connections that a gateway holds at a time'),
  STREAMS_PER_CALLER: integer(
    100,
    1,
    1_000_000,
    'How many of them one user, or one network without an account, may hold',
  ),
  SUBSCRIPTIONS_PER_CONNECTION: integer(100, 1, 10_000, 'Operations that may be under way over one WebSocket'),
  QUERY_BATCH: integer(10, 1, 1000, 'Operations in one GraphQL request'),
  INTROSPECTION: oneOf(['on', 'off'], 'on', 'Whether the graph shows its schema'),
  CORS_ORIGINS: list(['*'], 'https://app.example.com', 'Web pages that may call the API, or *'),
  METRICS_TOKEN: secret('…', 'Bearer token that /metrics asks for', 'open'),
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info', 'Least severe line to log'),
  LOG_FORMAT: oneOf(['pretty', 'json', 'auto'], 'auto', 'How log lines look', 'pretty on a terminal, else json'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url(HTTP, 'http://otel:4318', 'Where traces go (OTLP over HTTP)', 'off'),
} as const satisfies Record<string, Variable<unknown>>;

type Values = { [K in keyof typeof VARIABLES]: (typeof VARIABLES)[K] extends Variable<infer T> ? T : never };

export interface Config extends Values {
  PUBLIC_URL: string;
  DATA_DIR: string;
  subgraphUrls: Readonly<Record<SubgraphName, string | undefined>>;
}

/** A setting that stops the start. Its message is one line for the person who set it. */
export class ConfigError extends Error {}

export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const values: Record<string, unknown> = {};
  for (const [name, { schema, example, secret }] of Object.entries(VARIABLES) as [string, Variable<unknown>][]) {
    const parsed = schema.safeParse(environment[name]);
    if (!parsed.success) {
      const given = secret ? '' : ` (it is "${environment[name]}")`;
      throw new ConfigError(`${name} ${parsed.error.issues[0]?.message}${given}, for example ${name}=${example}`);
    }
    values[name] = parsed.data;
  }
  return complete(values as Values);
}

function complete(values: Values): Config {
  const { SECRET_KEY, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = values;
  if (SECRET_KEY !== undefined && SECRET_KEY.length < 32) {
    throw new ConfigError(
      'SECRET_KEY must have at least 32 characters, for example the output of: openssl rand -base64 32',
    );
  }
  if ((S3_ACCESS_KEY_ID === undefined) !== (S3_SECRET_ACCESS_KEY === undefined)) {
    throw new ConfigError('S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY must be set together');
  }
  if (values.ALLOW_PRIVATE_FETCH === 'on' && values.NODE_ENV === 'production') {
    throw new ConfigError(
      'ALLOW_PRIVATE_FETCH must be off in production: callers could read our own network through us',
    );
  }
  if ((values.CLOUDFLARE_ACCOUNT_ID === undefined) !== (values.CLOUDFLARE_API_TOKEN === undefined)) {
    throw new ConfigError('CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN must be set together');
  }
  if (values.STRIPE_SECRET_KEY !== undefined && values.STRIPE_WEBHOOK_SECRET === undefined) {
    throw new ConfigError('STRIPE_WEBHOOK_SECRET must be set with STRIPE_SECRET_KEY, for example whsec_…');
  }
  if (values.EMBEDDINGS_URL !== undefined && values.EMBEDDINGS_MODEL === undefined) {
    throw new ConfigError('EMBEDDINGS_MODEL must be set with EMBEDDINGS_URL, for example text-embedding-3-small');
  }
  if (values.BACKGROUND_REMOVER === 'http' && values.BACKGROUND_REMOVER_URL === undefined) {
    throw new ConfigError(
      'BACKGROUND_REMOVER_URL must be set with BACKGROUND_REMOVER=http, for example http://rembg:7000/api/remove',
    );
  }
  const subgraphUrls = {
    accounts: values.SUBGRAPH_ACCOUNTS_URL,
    registry: values.SUBGRAPH_REGISTRY_URL,
    images: values.SUBGRAPH_IMAGES_URL,
    billing: values.SUBGRAPH_BILLING_URL,
  };
  return {
    ...values,
    PUBLIC_URL: (values.PUBLIC_URL ?? `http://localhost:${values.PORT}`).replace(/\/+$/, ''),
    DATA_DIR: resolve(values.DATA_DIR),
    subgraphUrls,
  };
}

/** Several processes can only agree on a key that somebody gave them. */
export function requireSharedSecret(config: Config): void {
  const remote = SUBGRAPH_NAMES.some((name) => config.subgraphUrls[name] !== undefined);
  if (config.SECRET_KEY === undefined && remote && config.NODE_ENV === 'production') {
    throw new ConfigError(
      'SECRET_KEY must be set, the same in every process, for example the output of: openssl rand -base64 32',
    );
  }
}

/** Reads `.env` of the working directory, if there is one; variables that are already set win. */
export function readEnvironment(): NodeJS.ProcessEnv {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}

const MASK = '••••••';

/** The table that `npm run config` prints and that the README holds. */
export function configTable(environment: Readonly<Record<string, string | undefined>>): string {
  const rows = (Object.entries(VARIABLES) as [string, Variable<unknown>][]).map(([name, entry]) => {
    const value = environment[name];
    const shown = value === undefined ? '' : `\`${entry.secret ? MASK : value}\``;
    return { name: `\`${name}\``, fallback: entry.shownDefault, description: entry.description, shown };
  });
  const withValues = rows.some((row) => row.shown !== '');
  const head = withValues
    ? '| variable | default | set to | what it does |\n|---|---|---|---|'
    : '| variable | default | what it does |\n|---|---|---|';
  const lines = rows.map(({ name, fallback, shown, description }) =>
    withValues ? `| ${name} | ${fallback} | ${shown} | ${description} |` : `| ${name} | ${fallback} | ${description} |`,
  );
  return [head, ...lines].join('\n');
}
