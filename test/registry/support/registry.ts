/** The registry over a real engine, with peers in memory and a provider that tests direct. */
import { type ExecutionResult, graphql } from 'graphql';
import type { Db } from 'mongodb';
import { pino } from 'pino';
import { LocalEvents } from '../../../platform/events.js';
import { newId } from '../../../platform/ids.js';
import { Metrics } from '../../../platform/metrics.js';
import { Circuits } from '../../../platform/outbound/circuit.js';
import { ObjectStore } from '../../../platform/s3.js';
import { type Scope, wholeAccount } from '../../../platform/scope.js';
import { Secrets } from '../../../platform/secrets.js';
import type { Subgraph } from '../../../platform/subgraph.js';
import { LocalEncoder } from '../../../subgraphs/registry/embedding/local-encoder.js';
import { Judges } from '../../../subgraphs/registry/judge/judges.js';
import { LocalJudge } from '../../../subgraphs/registry/judge/local.js';
import { Models } from '../../../subgraphs/registry/model/models.js';
import type { ImageRequest, Output, Provider } from '../../../subgraphs/registry/provider/provider.js';
import { Providers } from '../../../subgraphs/registry/provider/providers.js';
import { createRegistry, type RegistryDeps, type RegistrySubgraph } from '../../../subgraphs/registry/subgraph.js';
import { NO_ASSETS, NOTHING_SHARED } from './nothing.js';
import { openAccounts, openImages, openPurse } from './peers.js';

export const log = pino({ level: 'silent' });

export interface TestProvider extends Provider {
  requests: ImageRequest[];
  /** What the next calls do. */
  answer(request: ImageRequest, signal: AbortSignal): Promise<Output[]>;
}

export function pictures({ count }: ImageRequest): Output[] {
  return Array.from({ length: count }, (_, i) => ({
    kind: 'bytes' as const,
    bytes: Buffer.from(`picture ${i}`),
    contentType: 'image/png',
    seedUsed: null,
  }));
}

/** In the place of the built-in renderer. */
export function testProvider(): TestProvider {
  const provider: TestProvider = {
    name: 'local',
    requests: [],
    answer: async (request) => pictures(request),
    generate(request, signal) {
      provider.requests.push(request);
      return provider.answer(request, signal);
    },
    async close() {},
  };
  return provider;
}

export type TestDeps = Partial<Omit<RegistryDeps, 'peers'>> & {
  provider?: Provider;
  peers?: Partial<RegistryDeps['peers']>;
};

export function openRegistry(db: Db, { provider, peers, ...overrides }: TestDeps = {}): Promise<RegistrySubgraph> {
  const now = overrides.now ?? (() => new Date());
  const providers = new Providers({
    providers: provider ? [provider] : [],
    circuits: new Circuits(null),
    timeoutMs: overrides.providerTimeoutMs ?? 60_000,
    log,
  });
  return createRegistry({
    db,
    store: unreachableStore(),
    secrets: new Secrets('a secret key that only the tests know'),
    metrics: new Metrics(),
    peers: {
      accounts: openAccounts().accounts,
      billing: openPurse(0).billing,
      images: openImages(),
      assets: NO_ASSETS,
      ...peers,
    },
    models: new Models({ configured: providers.configured, compatible: null, now }),
    providers,
    providerTimeoutMs: 60_000,
    events: new LocalEvents(),
    jobSettings: {
      publicUrl: 'http://here',
      retentionDays: 30,
      inputsHours: 24,
      queuePerTenant: 100,
      leaseSeconds: 15,
      lookEveryMs: 20,
    },
    ...verifierRuntime(overrides),
    sharing: NOTHING_SHARED,
    log,
    now,
    ...overrides,
  });
}

/** The local judge, unless a test brings others. */
function verifierRuntime({ judges: given, encoder = new LocalEncoder() }: TestDeps) {
  const judges =
    given ?? new Judges({ judges: [new LocalJudge(encoder)], circuits: new Circuits(null), timeoutMs: 30_000, log });
  return { encoder, judges, verifierRunMicros: 10_000 };
}

export function scopeOf(userId: string | null, network = '198.51.100.7'): Scope {
  const caller = userId === null ? null : callerOf(userId);
  return { requestId: 'test', network, caller, internal: false };
}

function callerOf(userId: string) {
  return {
    userId,
    keyId: newId(),
    ...wholeAccount(userId),
    email: 'a@example.com',
    handle: null,
    handleClaimedAt: null,
    createdAt: new Date('2026-05-05T00:00:00Z'),
    suspended: false,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: answers are read member by member, and each test asserts what it reads.
export type Loose = any;

export interface Answer {
  data: Loose;
  /** The problem that was raised, by its slug and extras. */
  problem: Loose;
}

export async function ask(subgraph: Subgraph, source: string, variables: object, scope: Scope): Promise<Answer> {
  const result: ExecutionResult = await graphql({
    schema: subgraph.schema,
    source,
    variableValues: { ...variables },
    contextValue: subgraph.context(scope),
  });
  const error = result.errors?.[0]?.originalError;
  if (error && !('toBody' in error)) throw error;
  return { data: result.data, problem: error && (error as Loose).toBody() };
}

/** For tests that keep nothing in it. */
function unreachableStore(): ObjectStore {
  return new ObjectStore({
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    bucket: 'none',
    forcePathStyle: true,
    credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
  });
}
