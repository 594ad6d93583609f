/**
 * Steps that fast-check chooses, by several processes on a few accounts, among recoveries and leaps of time, beside a
 * model. What is done one after the other must come out as in the model; what is done at once must come out as in some
 * order of it. After every step all accounts must add up to their ledgers.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Problem } from '../../platform/errors.js';
import { newId } from '../../platform/ids.js';
import type { Account } from '../../subgraphs/billing/account/account.js';
import { UNITS, type Unit } from '../../subgraphs/billing/account/account.model.js';
import { capAccount, type Holder, networkAccount, userAccount } from '../../subgraphs/billing/account/payers.js';
import type { Payer } from '../../subgraphs/billing/account/spending.service.js';
import type { AccountRef } from '../../subgraphs/billing/account/writer.js';
import type { BillingEngine } from '../../subgraphs/billing/engine.js';
import { ModelAccount, nameOf, type View } from './support/model.js';
import { billingDeps, USD } from './support/settings.js';
import { DAY, openWorld, SECOND, type World } from './support/world.js';

const LONG = process.env['LONG'] !== undefined;
const RUNS = LONG ? 50 : 28;
const STEPS = LONG ? 200 : 100;
const SEED = Number(process.env['SEED'] ?? 1);

let world: World;
let engines: BillingEngine[];
let steps = 0;
beforeAll(async () => {
  world = await openWorld();
  engines = [world.engine, await world.process(), await world.process()];
});
afterAll(() => world?.close());

type Op =
  | { kind: 'reserve'; run: number; unit: Unit; amount: number }
  | { kind: 'settle'; run: number; amount: number }
  | { kind: 'release'; run: number }
  | { kind: 'grant'; source: number; unit: Unit; amount: number; days: number | null }
  | { kind: 'take back'; source: number; unit: Unit; amount: number }
  | { kind: 'renew'; source: number; subscription: string; days: number }
  | { kind: 'end'; source: number; subscription: string; days: number }
  | { kind: 'tier'; source: number; tier: 'hobby' | 'pro' };

type Step =
  | { kind: 'one'; account: number; by: number; op: Op }
  | { kind: 'at once'; account: number; ops: { by: number; op: Op }[] }
  | { kind: 'sweep' | 'tidy'; by: number }
  | { kind: 'wait'; ms: number };

const RUN_IDS = 12;
const SOURCES = 8;
/** Without roll-over, and with it: what a month brings and up to what it adds up. */
const SUBSCRIPTIONS: Record<string, { amount: number; upTo: number | null }> = {
  'pro a': { amount: 30, upTo: null },
  'pro b': { amount: 30, upTo: null },
  agency: { amount: 40, upTo: 70 },
};

const unit = fc.constantFrom(...UNITS);
const amount = fc.oneof(fc.nat(40), fc.nat(2 * USD), fc.constantFrom(0, 5 * USD, 0.25 * USD));
const run = fc.nat(RUN_IDS - 1);
const source = fc.nat(SOURCES - 1);
const subscription = fc.constantFrom(...Object.keys(SUBSCRIPTIONS));
/** A run counts in one unit. */
const reserving = fc
  .record({ kind: fc.constant('reserve' as const), run, amount })
  .map((op): Op => ({ ...op, unit: op.run % 3 === 0 ? 'credits' : 'usd_micros' }));
const spending: fc.Arbitrary<Op> = fc.oneof(
  { weight: 5, arbitrary: reserving },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle' as const), run, amount }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), run }) },
);
const days = fc.constantFrom(-1, 3, 31, 45);
const anything: fc.Arbitrary<Op> = fc.oneof(
  { weight: 8, arbitrary: spending },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('grant' as const), source, unit, amount, days: fc.option(days) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('take back' as const), source, unit, amount }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('renew' as const), source, subscription, days }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), source, subscription, days }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('tier' as const), source, tier: fc.constantFrom('hobby', 'pro') }),
  },
);
const by = fc.nat(2);
const user = fc.nat(1);
const NETWORK = 2;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('one' as const), account: user, by, op: anything }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('one' as const), account: fc.constant(NETWORK), by, op: spending }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('at once' as const),
      account: user,
      ops: fc.array(fc.record({ by, op: anything }), { minLength: 2, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('sweep' as const, 'tidy' as const), by }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      ms: fc.constantFrom(1, SECOND, 119 * SECOND, 121 * SECOND, DAY / 2, 9 * DAY, 31 * DAY, 70 * DAY),
    }),
  },
);

/** One play: the accounts of it in both worlds. */
class Play {
  readonly id = newId();
  readonly holders: Holder[];
  readonly network = `network of ${this.id}`;
  readonly models: ModelAccount[];
  readonly caps = new Map<string, ModelAccount>();

  constructor() {
    // Months that end on a day that others do not have, and ordinary ones.
    this.holders = ['2025-12-31T23:30:00.000Z', '2026-01-15T00:00:00.000Z'].map((time) => ({
      userId: newId(),
      createdAt: new Date(time),
    }));
    const now = world.clock.now();
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
    this.models = [
      ...this.holders.map(({ createdAt }) => new ModelAccount('user', createdAt, now)),
      new ModelAccount('network', month, now),
    ];
  }

  model(account: number): ModelAccount {
    const model = this.models[account];
    if (!model) throw new Error('no such account');
    return model;
  }

  payer(account: number): Payer {
    const holder = this.holders[account];
    return holder ? { ...holder, suspended: false } : { userId: null, network: this.network };
  }

  ref(account: number): AccountRef {
    const holder = this.holders[account];
    return holder
      ? userAccount(holder)
      : networkAccount(billingDeps(world.db).secrets, this.network, world.clock.now());
  }

  cap(id: string): ModelAccount {
    const now = world.clock.now();
    const known = this.caps.get(id) ?? new ModelAccount('cap', new Date(`${id.slice(4)}T00:00:00Z`), now);
    this.caps.set(id, known);
    return known;
  }

  runId(run: number, account: number): string {
    return `${this.id}-${account}-${run}`;
  }
}

async function perform(play: Play, account: number, engine: BillingEngine | undefined, op: Op): Promise<unknown> {
  if (!engine) throw new Error('no such process');
  const { spending, moneyIn } = engine;
  const payer = play.payer(account);
  const now = world.clock.now();
  const soon = (days: number) => new Date(now.getTime() + days * DAY);
  try {
    if (op.kind === 'reserve') {
      const { unit, amount } = op;
      await spending.reserve({ runId: play.runId(op.run, account), payer, unit, amount, purpose: 'generation' });
      return 'held';
    }
    if (op.kind === 'settle') return (await spending.settle(payer, play.runId(op.run, account), op.amount)).amount;
    if (op.kind === 'release') return await spending.release(payer, play.runId(op.run, account));
    const holder = play.holders[account];
    if (!holder) throw new Error('nothing comes in without an account');
    const source = `${play.id} ${op.source}`;
    if (op.kind === 'grant') {
      const expiresAt = op.days === null ? null : soon(op.days);
      const { unit, amount } = op;
      return (await moneyIn.grant(holder, { source, unit, amount, kind: 'purchased', expiresAt })).applied;
    }
    if (op.kind === 'take back') {
      const { unit, amount } = op;
      const { applied, taken, owed } = await moneyIn.takeBack(holder, { source, unit, amount, kind: 'purchased' });
      return applied ? { taken, owed } : null;
    }
    if (op.kind === 'tier') return (await moneyIn.setTier(holder, { source, tier: op.tier })).applied;
    const subscription = `${play.id} ${op.subscription}`;
    if (op.kind === 'end')
      return (await moneyIn.endSubscription(holder, { source, subscription, endsAt: soon(op.days) })).applied;
    const paid = { ...SUBSCRIPTIONS[op.subscription], amount: SUBSCRIPTIONS[op.subscription]?.amount ?? 0 };
    const renewal = { source, subscription, amount: paid.amount, upTo: paid.upTo ?? null, endsAt: null };
    return (await moneyIn.renewSubscription(holder, { ...renewal, periodEnd: soon(op.days) })).granted;
  } catch (error) {
    if (error instanceof Problem) return error.slug;
    throw error;
  }
}

function expected(play: Play, account: number, model: ModelAccount, op: Op): unknown {
  const now = world.clock.now();
  const soon = (days: number) => now.getTime() + days * DAY;
  const source = 'source' in op ? `${play.id} ${op.source}` : '';
  switch (op.kind) {
    case 'reserve':
      return model.kind === 'network' && op.unit === 'usd_micros'
        ? expectedOfCapped(play, account, model, op)
        : model.reserve(now, play.runId(op.run, account), op.unit, op.amount).ok
          ? 'held'
          : refusal(op.unit);
    case 'settle': {
      const runId = play.runId(op.run, account);
      const settled = model.settle(now, runId, op.amount, capAccount(now).id);
      if (settled?.cap) play.cap(settled.cap).settle(now, runId, settled.charged);
      return settled ? settled.charged : 'not_found';
    }
    case 'release': {
      const runId = play.runId(op.run, account);
      const released = model.release(now, runId);
      if (released?.cap) play.cap(released.cap).release(now, runId);
      return released !== null;
    }
    case 'grant':
      return model.grant(now, source, op.unit, op.amount, op.days === null ? null : soon(op.days));
    case 'take back':
      return model.takeBack(now, source, op.unit, op.amount);
    case 'tier':
      return model.setTier(now, source, op.tier);
    case 'end':
      return model.end(now, source, `${play.id} ${op.subscription}`, soon(op.days));
    case 'renew': {
      const { amount = 0, upTo = null } = SUBSCRIPTIONS[op.subscription] ?? {};
      return model.renew(now, source, `${play.id} ${op.subscription}`, amount, upTo, soon(op.days));
    }
  }
}

const refusal = (unit: Unit) => (unit === 'credits' ? 'quota_exhausted' : 'budget_exhausted');

function expectedOfCapped(play: Play, account: number, model: ModelAccount, op: Op & { kind: 'reserve' }): string {
  const now = world.clock.now();
  const runId = play.runId(op.run, account);
  const { id } = capAccount(now);
  const cap = play.cap(id);
  if (!cap.reserve(now, runId, op.unit, op.amount).ok) return 'anonymous_daily_cap';
  const { ok, cap: heldOn } = model.reserve(now, runId, op.unit, op.amount, id);
  if (!ok || heldOn !== id) cap.release(now, runId);
  return ok ? 'held' : refusal(op.unit);
}

function viewOf(account: Account): View {
  const names = new Map(
    account.pots.map(({ id, kind, expiresAt }) => [id, nameOf(kind, expiresAt?.getTime() ?? null)]),
  );
  const open = [...account.reservations.values()].map(({ runId, amount, parts }) => {
    const from = parts.map((part) => `${part.amount} ${names.get(part.pot) ?? 'gone'}`);
    return [runId, [amount, ...from]] as const;
  });
  return {
    available: { usd_micros: account.available('usd_micros'), credits: account.available('credits') },
    owed: account.owed,
    open: Object.fromEntries(open.sort(([a], [b]) => (a < b ? -1 : 1))) as View['open'],
    pots: account.pots
      .filter(({ remaining, subscription }) => remaining > 0 || subscription !== undefined)
      .map(({ id, unit, remaining }) => `${remaining} ${unit} ${names.get(id)}`)
      .sort(),
    tier: account.tier,
  };
}

async function viewInStore(ref: AccountRef): Promise<View> {
  return viewOf(await world.engine.writer.look(ref));
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) =>
    permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  );
}

/** An order in which the model answers as the processes did and ends where they ended. */
function orderThatExplains(play: Play, account: number, ops: readonly Op[], answers: readonly unknown[], end: View) {
  for (const order of permutations(ops.map((_, i) => i))) {
    const model = play.model(account).clone();
    const told = order.map((i) => [i, expected(play, account, model, ops[i] as Op)] as const);
    const alike = told.every(([i, answer]) => equal(answer, answers[i])) && equal(model.view(world.clock.now()), end);
    if (alike) return model;
  }
  return null;
}

function equal(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

const forever = new AbortController().signal;

async function take(play: Play, step: Step): Promise<void> {
  steps += 1;
  switch (step.kind) {
    case 'wait':
      return world.clock.advance(step.ms);
    case 'tidy':
      return engines[step.by]?.ledger.tidy(forever, 0);
    case 'sweep':
      await engines[step.by]?.sweeper.sweep(forever);
      return sweepModels(play, world.clock.now());
    case 'one': {
      const answer = await perform(play, step.account, engines[step.by], step.op);
      return expect(answer).toEqual(expected(play, step.account, play.model(step.account), step.op));
    }
    case 'at once':
      return takeAtOnce(play, step.account, step.ops);
  }
}

async function takeAtOnce(play: Play, account: number, all: readonly { by: number; op: Op }[]): Promise<void> {
  const answers = await Promise.all(all.map(({ by, op }) => perform(play, account, engines[by], op)));
  const end = await viewInStore(play.ref(account));
  const ops = all.map(({ op }) => op);
  const model = orderThatExplains(play, account, ops, answers, end);
  const was = play.model(account).view(world.clock.now());
  if (!model) throw new Error(`no order explains ${JSON.stringify({ ops, answers, end, was })}`);
  play.models[account] = model;
}

function sweepModels(play: Play, now: Date): void {
  for (const model of play.models) sweepModel(model, now);
  const network = play.model(NETWORK);
  for (const cap of play.caps.values()) {
    for (const [runId, { open }] of cap.runs) {
      if (!open || open.until > now.getTime()) continue;
      const run = network.runs.get(runId);
      if (run?.open) continue;
      if (run?.charged != null) cap.settle(now, runId, run.charged);
      else cap.release(now, runId);
    }
  }
}

function sweepModel(model: ModelAccount, now: Date): void {
  for (const [runId, { open }] of model.runs) if (open && open.until <= now.getTime()) model.release(now, runId);
}

async function compare(play: Play): Promise<void> {
  const now = world.clock.now();
  const accounts = [0, 1, NETWORK];
  const ids = [...accounts.map((account) => play.ref(account).id), ...play.caps.keys()];
  const [views, findings] = await Promise.all([
    Promise.all(accounts.map((account) => viewInStore(play.ref(account)))),
    world.audit(...ids),
  ]);
  expect(views).toEqual(accounts.map((account) => play.model(account).view(now)));
  expect(findings).toEqual([]);
}

it(`${RUNS} plays of up to ${STEPS} steps go as in the model`, { timeout: LONG ? 1_800_000 : 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: STEPS / 2, maxLength: STEPS, size: 'max' }), async (plan) => {
      // Days of the plays do not touch: their caps are their own.
      world.clock.advance(400 * DAY);
      const play = new Play();
      for (const next of plan) {
        await take(play, next);
        await compare(play);
      }
    }),
    {
      numRuns: RUNS,
      seed: SEED,
      endOnFailure: process.env['SHRINK'] === undefined,
      interruptAfterTimeLimit: LONG ? 1_500_000 : 240_000,
    },
  );
  await world.recover();
  expect(await world.audit()).toEqual([]);
  console.info(`${steps} steps`);
});
