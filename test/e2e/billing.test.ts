/** Spending as the other parts of the platform do it, in one process and in many, and what people then see of it. */
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../platform/errors.js';
import { SubgraphExecutor } from '../../platform/graph/execute.js';
import { HttpTransport, LocalTransport, type SubgraphTransport } from '../../platform/graph/transport.js';
import { newId, UserId } from '../../platform/ids.js';
import { Secrets } from '../../platform/secrets.js';
import { BillingClient, type Payer } from '../../subgraphs/billing/client.js';
import { createBilling } from '../../subgraphs/billing/subgraph.js';
import { billingDeps } from '../billing/support/settings.js';
import { openWorld, type World } from '../billing/support/world.js';
import { type Client, clientOf } from '../support/client.js';
import { manyProcesses, type Platform, SECRET_KEY } from '../support/platform.js';
import { type Program, startProgram } from '../support/process.js';

const CENT = 10_000;

async function reserveAll(clients: readonly BillingClient[], payer: Payer): Promise<{ run: string; slug: string }[]> {
  return Promise.all(
    Array.from({ length: 1_000 }, async (_, i) => {
      const run = newId();
      const input = { runId: run, payer, unit: 'USD_MICROS', amount: CENT, purpose: 'generation' } as const;
      const asked = clients[i % clients.length]?.reserve(input, 'test') ?? Promise.reject(new Error('nobody to ask'));
      const slug = await asked.then(
        () => 'ok',
        (error) => (error instanceof Problem ? error.slug : Promise.reject(error)),
      );
      return { run, slug };
    }),
  );
}

function counts(outcomes: readonly { slug: string }[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { slug } of outcomes) found[slug] = (found[slug] ?? 0) + 1;
  return found;
}

/** Three users of one account: those who hold, those who charge half of it, and those who give the other half back. */
async function spendAndGiveBack(clients: readonly BillingClient[], payer: Payer): Promise<void> {
  const outcomes = await reserveAll(clients, payer);
  expect(counts(outcomes)).toEqual({ ok: 500, budget_exhausted: 500 });
  const held = outcomes.filter(({ slug }) => slug === 'ok');
  await Promise.all(
    held.map(({ run }, i) => {
      const client = clients[(i >> 1) % clients.length];
      if (i % 2 === 0) return client?.settle({ runId: run, payer, amount: CENT }, 'test');
      return client?.release({ runId: run, payer }, 'test');
    }),
  );
}

describe('in one process', () => {
  let world: World;
  let clients: BillingClient[];
  beforeAll(async () => {
    world = await openWorld();
    const billing = await createBilling(billingDeps(world.db));
    const executor = new SubgraphExecutor(billing.schema, pino({ level: 'silent' }));
    clients = [new BillingClient(new LocalTransport(billing, executor))];
  });
  afterAll(() => world?.close());

  it('a thousand reservations of a cent against five dollars: exactly 500 are held', async () => {
    const holder = { userId: newId(), createdAt: new Date() };
    await spendAndGiveBack(clients, { ...holder, suspended: false, network: null });
    const account = await world.engine.moneyIn.look(holder);
    expect(account.available('usd_micros')).toBe(2_500_000);
    expect(account.reservations.size).toBe(0);
    expect(await world.audit()).toEqual([]);
  });

  it('callers of the public graph cannot hold or charge', async () => {
    const billing = await createBilling(billingDeps(world.db));
    const transport = new LocalTransport(billing, new SubgraphExecutor(billing.schema, pino({ level: 'silent' })));
    const scope = { requestId: 'r', network: '198.51.100.7', caller: null, internal: false };
    const query = `mutation { internalRelease(input: { runId: "x", payer: { network: "198.51.100.7" } }) { released } }`;
    const { errors } = await transport.send({ query }, scope);
    expect(errors?.[0]?.extensions?.['code']).toBe('forbidden');
  });
});

describe('in many processes', () => {
  let platform: Platform;
  let second: Program;
  let transports: SubgraphTransport[];
  let client: Client;
  beforeAll(async () => {
    platform = await manyProcesses();
    second = await startProgram(['subgraph', 'billing'], {
      MONGODB_URL: platform.mongoUrl,
      S3_ENDPOINT: 'http://127.0.0.1:1',
      SECRET_KEY,
      LOG_LEVEL: 'info',
    });
    const first = platform.programs[4];
    const secrets = new Secrets(SECRET_KEY);
    transports = [first?.url ?? '', second.url].map((url) => new HttpTransport('billing', url, secrets));
    client = clientOf(platform);
  });
  afterAll(async () => {
    await Promise.all(transports?.map((transport) => transport.close()) ?? []);
    await second?.stop();
    await platform?.stop();
  });

  it('a thousand reservations of a cent against five dollars: exactly 500 are held, and usage tells of it', async () => {
    const { key, id } = await client.account('spender@example.com');
    const before = await client.rest('GET', '/v1/me/usage', key);
    expect([before.status, before.body.tier, before.body.available_usd]).toEqual([200, 'hobby', 5]);
    const createdAt = new Date(before.body.period_start);
    const payer: Payer = { userId: UserId.parse(id) ?? '', createdAt, suspended: false, network: null };
    await spendAndGiveBack(
      transports.map((transport) => new BillingClient(transport)),
      payer,
    );
    const { body } = await client.rest('GET', '/v1/me/usage', key);
    expect(body).toEqual({
      tier: 'hobby',
      period_start: before.body.period_start,
      period_end: before.body.period_end,
      granted_usd: 5,
      used_usd: 2.5,
      remaining_usd: 2.5,
      available_usd: 2.5,
      monthly_remaining_usd: 2.5,
      monthly_refill_usd: 5,
      monthly_refill_at: before.body.period_end,
      purchased_remaining_usd: 0,
      unpaid_balance_usd: 0,
    });
    const graph = await client.graph('{ me { usage { usedUsd tier { slug } } } }', {}, key);
    expect(graph.body.data.me.usage).toEqual({ usedUsd: 2.5, tier: { slug: 'hobby' } });
    // Entries follow their accounts.
    const query = 'query ($after: String) { ledgerEntries(first: 100, after: $after) { nodes { kind } nextCursor } }';
    const charges = async () => {
      const kinds: string[] = [];
      for (let after: string | null | undefined; after !== null; ) {
        const answer = await client.graph(query, { after }, key);
        const { nodes, nextCursor } = answer.body.data.ledgerEntries;
        kinds.push(...nodes.map(({ kind }: { kind: string }) => kind));
        after = nextCursor as string | null;
      }
      return kinds.filter((kind) => kind === 'CHARGE').length;
    };
    await expect.poll(charges, { timeout: 30_000 }).toBe(250);
  });

  it('the process that decides counts what is spent and refused', async () => {
    const texts = await Promise.all(
      [platform.programs[4]?.url, second.url].map(async (url) => (await fetch(`${url}/metrics`)).text()),
    );
    const total = (pattern: RegExp) =>
      texts.reduce((sum, text) => sum + Number(pattern.exec(text)?.[1] ?? Number.NaN), 0);
    const labels = '\\{unit="usd_micros",purpose="generation",payer="user"\\} (\\d+)';
    expect(total(new RegExp(`darkroom_billing_charges_total${labels}`))).toBe(250);
    expect(total(new RegExp(`darkroom_billing_spent_total${labels}`))).toBe(250 * CENT);
    const refused = 'darkroom_billing_refusals_total\\{slug="budget_exhausted",unit="usd_micros"\\} (\\d+)';
    expect(total(new RegExp(refused))).toBe(500);
  });
});
