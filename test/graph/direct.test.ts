/** Which operations skip the gateway's shaping, and that nobody can tell from the answer. */
import { readFile } from 'node:fs/promises';
import { pino } from 'pino';
import { beforeAll, describe, expect, it } from 'vitest';
import { Operations } from '../../gateway/graphql/operations.js';
import { Problem } from '../../platform/errors.js';
import { type GraphRequest, type GraphResponse, SubgraphExecutor } from '../../platform/graph/execute.js';
import { type GatewayTransport, LocalTransport } from '../../platform/graph/transport.js';
import { type Scope, systemScope } from '../../platform/scope.js';
import { ROUTES } from '../../rest-shim/routes/index.js';
import { createBilling } from '../../subgraphs/billing/subgraph.js';
import { billingDeps } from '../billing/support/settings.js';

const log = pino({ level: 'silent' });
const scope: Scope = { ...systemScope('test'), internal: false };

let operations: Operations;
let sent: GraphRequest[];
let failure: unknown;

beforeAll(async () => {
  const supergraphSdl = await readFile('gateway/supergraph.graphql', 'utf8');
  // The tiers are constants, so billing answers without a database.
  const db = { collection: () => ({ createIndexes: async () => {} }), createCollection: async () => ({}) };
  const billing = await createBilling(billingDeps(db as never));
  const real = new LocalTransport(billing, new SubgraphExecutor(billing.schema, log));
  const transport: GatewayTransport = {
    name: 'billing',
    async send(request: GraphRequest, to: Scope): Promise<GraphResponse> {
      sent.push(request);
      if (failure) throw failure;
      return real.send(request, to);
    },
    pull: (request, to) => real.pull(request, to),
    follow: () => () => {},
    ready: async () => {},
    close: async () => {},
  };
  const others = (['accounts', 'images', 'registry'] as const).map((name) => ({ ...transport, name }));
  const limits = { depth: 12, cost: 20_000, aliases: 50, introspection: true };
  operations = new Operations({ supergraphSdl, transports: [transport, ...others], limits, log });
});

async function run(source: string, variables = {}) {
  sent = [];
  const prepared = operations.prepare(source);
  return { direct: prepared.direct !== null, ...(await operations.execute(prepared, variables, scope)) };
}

describe('an operation of one subgraph', () => {
  it('goes to it as it is', async () => {
    const { direct, data } = await run('query Q { all: tiers { slug usd: monthlyRefillUsd } }');
    expect(direct).toBe(true);
    expect(data).toEqual({
      all: [
        { slug: 'hobby', usd: 5 },
        { slug: 'pro', usd: 50 },
      ],
    });
  });

  it.each([
    [
      'a fragment',
      'query ($x: Boolean = true) { all: tiers { ...F } } fragment F on Tier { slug usd: monthlyRefillUsd @include(if: $x) }',
    ],
    [
      'an inline fragment',
      'query ($x: Boolean = true) { all: tiers { ... on Tier { slug } usd: monthlyRefillUsd @include(if: $x) } }',
    ],
    ['a condition', 'query ($x: Boolean = true) { all: tiers { slug usd: monthlyRefillUsd @include(if: $x) } }'],
  ])('with %s is shaped by the gateway, to the same answer', async (_name, source) => {
    const { direct, data } = await run(source);
    expect(direct).toBe(false);
    expect(JSON.parse(JSON.stringify(data))).toEqual({
      all: [
        { slug: 'hobby', usd: 5 },
        { slug: 'pro', usd: 50 },
      ],
    });
  });

  it('with __typename, or of several subgraphs, or about the schema is shaped by the gateway', () => {
    for (const source of [
      '{ tiers { __typename slug } }',
      '{ me { id tier { slug } } }',
      '{ __schema { queryType { name } } }',
    ]) {
      expect(operations.prepare(source).direct, source).toBeNull();
    }
  });

  it.each([['{ tiers { slug } }'], ['{ tiers { slug ... on Tier { monthlyRefillUsd } } }']])(
    'that cannot be reached answers the same either way: %s',
    async (source) => {
      failure = new Problem('unavailable', 'gone');
      const { data, errors } = await run(source);
      expect(data ?? null).toBeNull();
      expect(errors?.[0]).toMatchObject({ message: 'gone', extensions: { code: 'unavailable', retryable: true } });
      failure = new TypeError('a bug with a secret in it');
      const broken = await run(source);
      expect(broken.errors?.[0]).toMatchObject({ extensions: { code: 'internal_error' } });
      expect(JSON.stringify(broken)).not.toContain('secret');
      failure = undefined;
    },
  );
});

/** These name people, teams or totals that another subgraph knows. */
const OF_SEVERAL = [
  'createTenant',
  'getTenantUsage',
  'grantWorkflow',
  'listTenants',
  'listWorkflowGrants',
  'rotateTenantKey',
  'transferTemplateOwnership',
  'transferWorkflowOwnership',
];

it('every REST path is of this kind, but for those that ask several subgraphs', () => {
  const shaped = ROUTES.filter(({ operation }) => operations.prepare(operation).direct === null).map(({ id }) => id);
  expect(shaped.sort()).toEqual(OF_SEVERAL);
});
