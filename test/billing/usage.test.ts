/** What people see of their account: the month, and the ledger, in the graph. */
import { type ExecutionResult, graphql } from 'graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId, UserId } from '../../platform/ids.js';
import { type Scope, wholeAccount } from '../../platform/scope.js';
import type { Subgraph } from '../../platform/subgraph.js';
import { createBilling } from '../../subgraphs/billing/subgraph.js';
import { billingDeps, USD } from './support/settings.js';
import { DAY, openWorld, type World } from './support/world.js';

let world: World;
let billing: Subgraph;
beforeAll(async () => {
  world = await openWorld();
  billing = await createBilling(billingDeps(world.db, world.clock.now));
});
afterAll(() => world?.close());

const createdAt = new Date('2026-01-31T08:00:00.000Z');

function scopeOf(userId: string | null): Scope {
  const profile = { keyId: '0', email: 'a@example.com', handle: null, handleClaimedAt: null, suspended: false };
  return {
    requestId: 'r',
    network: '198.51.100.7',
    caller: userId === null ? null : { ...profile, ...wholeAccount(userId), userId, createdAt },
    internal: false,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: answers are read member by member.
async function ask(source: string, userId: string | null, variables = {}): Promise<any> {
  const result: ExecutionResult = await graphql({
    schema: billing.schema,
    source,
    variableValues: variables,
    contextValue: billing.context(scopeOf(userId)),
  });
  if (result.errors?.[0]) throw result.errors[0].originalError ?? result.errors[0];
  return result.data;
}

const USAGE = `{ usage {
  id tier { slug } periodStart periodEnd grantedUsd usedUsd remainingUsd availableUsd monthlyRemainingUsd
  monthlyRefillUsd monthlyRefillAt purchasedRemainingUsd unpaidBalanceUsd
} }`;
const LEDGER = `query ($after: String) { ledgerEntries(first: 2, after: $after) {
  nodes { id kind unit amount held owed pot runId purpose } nextCursor
} }`;

async function spend(userId: string, amount: number, cost: number): Promise<string> {
  const run = newId();
  const payer = { userId, createdAt, suspended: false };
  const { spending } = world.engine;
  await spending.reserve({ runId: run, payer, unit: 'usd_micros', amount, purpose: 'generation' });
  await spending.settle(payer, run, cost);
  return run;
}

it('the month of somebody who has done nothing is full, and nothing is written for it', async () => {
  const userId = newId();
  world.clock.set('2026-02-28T07:59:59.999Z');
  expect((await ask(USAGE, userId)).usage).toEqual({
    id: UserId.format(userId),
    tier: { slug: 'hobby' },
    periodStart: '2026-01-31T08:00:00.000Z',
    periodEnd: '2026-02-28T08:00:00.000Z',
    grantedUsd: 5,
    usedUsd: 0,
    remainingUsd: 5,
    availableUsd: 5,
    monthlyRemainingUsd: 5,
    monthlyRefillUsd: 5,
    monthlyRefillAt: '2026-02-28T08:00:00.000Z',
    purchasedRemainingUsd: 0,
    unpaidBalanceUsd: 0,
  });
  expect(await world.store.accounts.countDocuments({ _id: userId })).toBe(0);
});

it('amounts are exact to the millionth of a dollar', async () => {
  const userId = newId();
  const holder = { userId, createdAt };
  world.clock.set('2026-02-10T00:00:00.000Z');
  await world.engine.moneyIn.grant(holder, {
    source: 'operator',
    unit: 'usd_micros',
    kind: 'purchased',
    amount: 2_000_003,
    expiresAt: null,
  });
  for (let i = 0; i < 7; i++) await spend(userId, 100_001, 100_001);
  await spend(userId, 100_000, 100_003);
  const open = { runId: newId(), payer: { ...holder, suspended: false }, purpose: 'generation' };
  await world.engine.spending.reserve({ ...open, unit: 'usd_micros', amount: 4_500_000 });
  expect((await ask(USAGE, userId)).usage).toMatchObject({
    grantedUsd: 5,
    usedUsd: 0.800007,
    remainingUsd: 4.199993,
    availableUsd: 1.699996,
    monthlyRemainingUsd: 4.199993,
    purchasedRemainingUsd: 2.000003,
    unpaidBalanceUsd: 0.000003,
  });
  expect(await world.audit(userId)).toEqual([]);
});

it('a better tier shows at once, a lesser one with the next month', async () => {
  const userId = newId();
  const holder = { userId, createdAt };
  world.clock.set('2026-02-10T00:00:00.000Z');
  await spend(userId, 1 * USD, 1 * USD);
  const { moneyIn } = world.engine;
  await moneyIn.setTier(holder, { source: 'a', tier: 'pro' });
  expect((await ask(USAGE, userId)).usage).toMatchObject({ tier: { slug: 'pro' }, grantedUsd: 50, availableUsd: 49 });
  await moneyIn.setTier(holder, { source: 'b', tier: 'hobby' });
  await moneyIn.setTier(holder, { source: 'c', tier: 'pro' });
  await moneyIn.setTier(holder, { source: 'd', tier: 'hobby' });
  const lesser = (await ask(USAGE, userId)).usage;
  expect(lesser).toMatchObject({ tier: { slug: 'hobby' }, grantedUsd: 50, availableUsd: 49, monthlyRefillUsd: 5 });
  world.clock.advance(20 * DAY);
  expect((await ask(USAGE, userId)).usage).toMatchObject({ grantedUsd: 5, usedUsd: 0, availableUsd: 5 });
});

it('reading while a month turns loses no spending', async () => {
  const userId = newId();
  world.clock.set('2026-02-28T07:59:59.000Z');
  await spend(userId, 1 * USD, 1 * USD);
  world.clock.set('2026-02-28T08:00:00.000Z');
  await Promise.all([
    ...Array.from({ length: 20 }, () => spend(userId, 0.1 * USD, 0.1 * USD)),
    ...Array.from({ length: 20 }, () => ask(USAGE, userId)),
  ]);
  expect((await ask(USAGE, userId)).usage).toMatchObject({ grantedUsd: 5, usedUsd: 2, availableUsd: 3 });
});

it('nobody else sees them', async () => {
  const userId = newId();
  await spend(userId, 1, 1);
  await expect(ask(USAGE, null)).rejects.toMatchObject({ slug: 'auth_required' });
  await expect(ask(LEDGER, null)).rejects.toMatchObject({ slug: 'auth_required' });
  await world.engine.ledger.flush();
  const entry = await world.store.entries.findOne({ accountId: userId });
  const references = [
    { __typename: 'User', id: UserId.format(userId) },
    { __typename: 'UsageSummary', id: UserId.format(userId) },
    { __typename: 'LedgerEntry', id: entry?._id },
  ];
  const query = `query ($r: [_Any!]!) { _entities(representations: $r) {
    ... on User { usage { usedUsd } } ... on UsageSummary { usedUsd } ... on LedgerEntry { kind }
  } }`;
  expect((await ask(query, newId(), { r: references }))._entities).toEqual([{ usage: null }, null, null]);
  expect((await ask(query, null, { r: references }))._entities).toEqual([{ usage: null }, null, null]);
  expect((await ask(query, userId, { r: references }))._entities).toEqual([
    { usage: { usedUsd: 0.000001 } },
    { usedUsd: 0.000001 },
    { kind: expect.any(String) },
  ]);
});

it('the ledger lists every entry once, newest first, in dollars and credits', async () => {
  const userId = newId();
  world.clock.set('2026-02-10T00:00:00.000Z');
  const run = await spend(userId, 0.25 * USD, 0.2 * USD);
  await world.engine.ledger.flush();
  const entries: { id: string }[] = [];
  let after: string | null = null;
  do {
    const { nodes, nextCursor }: { nodes: { id: string }[]; nextCursor: string | null } = (
      await ask(LEDGER, userId, { after })
    ).ledgerEntries;
    entries.push(...nodes);
    after = nextCursor;
  } while (after !== null);
  const about = { unit: 'USD', runId: run, purpose: 'generation', pot: null, owed: 0 };
  const given = { held: 0, owed: 0, runId: null, purpose: null };
  expect(entries.map(({ id: _, ...entry }) => entry)).toEqual([
    { kind: 'CHARGE', amount: -0.2, held: -0.25, ...about },
    { kind: 'HOLD', amount: 0, held: 0.25, ...about },
    { kind: 'GRANT', unit: 'CREDITS', amount: 50, pot: 'WELCOME', ...given },
    { kind: 'REFILL', unit: 'USD', amount: 5, pot: 'MONTHLY', ...given },
  ]);
});

it('what a person asks for costs one query, on an index, however many others there are', async () => {
  const userId = newId();
  for (let i = 0; i < 30; i++) await spend(userId, 1, 1);
  for (let i = 0; i < 30; i++) await spend(newId(), 1, 1);
  await world.engine.ledger.flush();
  for (const [query, most] of [
    [USAGE, 1],
    [LEDGER, 3],
    [`{ a: usage { usedUsd } b: usage { usedUsd } }`, 1],
  ] as const) {
    const commands = await world.commandsOf(() => ask(query, userId));
    expect(commands).toHaveLength(1);
    const { lsid: _l, $db: _d, ...command } = commands[0]?.command ?? {};
    const plan = await world.db.command({ explain: command, verbosity: 'executionStats' });
    expect(JSON.stringify(plan['queryPlanner'].winningPlan)).toMatch(/IXSCAN|IDHACK|EXPRESS/);
    expect(JSON.stringify(plan['queryPlanner'].winningPlan)).not.toMatch(/COLLSCAN|SORT/);
    expect(plan['executionStats'].totalDocsExamined).toBeLessThanOrEqual(most);
  }
});
