/** Holding, charging and giving back, on one account and in many processes at once. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../../platform/errors.js';
import { newId } from '../../platform/ids.js';
import { capAccount, type Holder } from '../../subgraphs/billing/account/payers.js';
import type { Payer } from '../../subgraphs/billing/account/spending.service.js';
import type { BillingEngine } from '../../subgraphs/billing/engine.js';
import { USD } from './support/settings.js';
import { DAY, MINUTE, openWorld, SECOND, somebody, type World } from './support/world.js';

let world: World;
let engine: BillingEngine;
let other: BillingEngine;
beforeAll(async () => {
  world = await openWorld();
  engine = world.engine;
  other = await world.process();
});
afterAll(() => world?.close());
beforeEach(() => world.clock.set('2026-03-01T12:00:00.000Z'));
afterEach(async () => expect(await world.audit()).toEqual([]));

const usd = (payer: Payer, runId: string, amount: number, by = engine) =>
  by.spending.reserve({ runId, payer, unit: 'usd_micros', amount, purpose: 'generation' });
const credits = (payer: Payer, runId: string, amount: number, by = engine) =>
  by.spending.reserve({ runId, payer, unit: 'credits', amount, purpose: 'job' });
const settle = async (payer: Payer, runId: string, amount: number, by = engine) =>
  (await by.spending.settle(payer, runId, amount)).amount;
const slugOf = (error: unknown) => (error instanceof Problem ? error.slug : Promise.reject(error));
const outcome = (call: Promise<unknown>) => call.then(() => 'ok', slugOf);
const available = async (holder: Holder, unit: 'usd_micros' | 'credits' = 'usd_micros') =>
  (await engine.moneyIn.look(holder)).available(unit);
const owed = async (holder: Holder) => (await engine.moneyIn.look(holder)).owed.usd_micros;

describe('a run', () => {
  it('is held once and charged once, however often it is asked for', async () => {
    const person = somebody(world.clock.now());
    const run = newId();
    const { expiresAt } = await usd(person.payer, run, 1 * USD);
    expect(expiresAt).toEqual(new Date('2026-03-01T12:02:00.000Z'));
    expect(await usd(person.payer, run, 2 * USD, other)).toEqual({ expiresAt });
    expect(await available(person)).toBe(4 * USD);
    expect(await settle(person.payer, run, 0.4 * USD)).toBe(0.4 * USD);
    expect(await settle(person.payer, run, 0.7 * USD, other)).toBe(0.4 * USD);
    expect(await available(person)).toBe(4.6 * USD);
  });

  it('may be held on for as long again, and what comes after that reaches the ledger', {
    timeout: 20_000,
  }, async () => {
    const person = somebody(world.clock.now());
    const own = await world.process();
    const run = newId();
    const asked = { runId: run, payer: person.payer, unit: 'credits', amount: 5, purpose: 'job' } as const;
    await own.spending.reserve(asked);
    await own.ledger.flush();
    world.clock.advance(MINUTE);
    const renewed = await own.spending.reserve({ ...asked, renew: true });
    expect(renewed).toEqual({ expiresAt: new Date('2026-03-01T12:03:00.000Z') });
    expect(await own.spending.reserve(asked)).toEqual(renewed);
    expect(await available(person, 'credits')).toBe(45);
    expect(await settle(person.payer, run, 5, own)).toBe(5);
    await expect.poll(() => world.store.entries.countDocuments({ runId: run, kind: 'charge' })).toBe(1);
  });

  it('that was charged is not held again, also when the ledger alone remembers', async () => {
    const person = somebody(world.clock.now());
    const run = newId();
    await usd(person.payer, run, 1 * USD);
    await settle(person.payer, run, 1 * USD);
    await world.recover();
    expect((await world.store.accounts.findOne({ _id: person.userId }))?.outbox).toEqual([]);
    world.clock.advance(400 * DAY);
    await usd(person.payer, run, 1 * USD, other);
    expect(await available(person)).toBe(5 * USD);
    expect(await settle(person.payer, run, 3 * USD, other)).toBe(1 * USD);
  });

  it('that was given back costs nothing, can be held again, and is charged once all the same', async () => {
    const person = somebody(world.clock.now());
    const run = newId();
    await usd(person.payer, run, 1 * USD);
    expect(await engine.spending.release(person.payer, run)).toBe(true);
    expect(await engine.spending.release(person.payer, run)).toBe(false);
    expect(await available(person)).toBe(5 * USD);
    await usd(person.payer, run, 2 * USD);
    expect(await available(person)).toBe(3 * USD);
    expect(await settle(person.payer, run, 1 * USD)).toBe(1 * USD);
    expect(await engine.spending.release(person.payer, run)).toBe(false);
    expect(await available(person)).toBe(4 * USD);
  });

  it('that delivered is charged also after its reservation was given back', async () => {
    const person = somebody(world.clock.now());
    const [late, released] = [newId(), newId()];
    await usd(person.payer, late, 1 * USD);
    await usd(person.payer, released, 1 * USD);
    await engine.spending.release(person.payer, released);
    world.clock.advance(3 * MINUTE);
    await world.recover();
    expect(await available(person)).toBe(5 * USD);
    expect(await settle(person.payer, late, 1 * USD)).toBe(1 * USD);
    expect(await settle(person.payer, late, 1 * USD)).toBe(1 * USD);
    expect(await settle(person.payer, released, 4.5 * USD)).toBe(4.5 * USD);
    expect(await available(person)).toBe(0);
    expect(await owed(person)).toBe(0.5 * USD);
  });

  it('that is given back and charged, or held, in the same moment is charged once', async () => {
    const person = somebody(world.clock.now());
    const [charged, heldAgain] = [newId(), newId()];
    for (const run of [charged, heldAgain]) await usd(person.payer, run, 1 * USD);
    // The ledger alone remembers that they were ever held.
    await world.recover();
    const { spending, ledger } = other;
    await Promise.all([spending.release(person.payer, charged), settle(person.payer, charged, 0.5 * USD, other)]);
    await Promise.all([spending.release(person.payer, heldAgain), usd(person.payer, heldAgain, 1 * USD, other)]);
    await ledger.flush();
    await world.recover();
    expect(await settle(person.payer, charged, 1 * USD)).toBe(0.5 * USD);
    expect(await available(person)).toBe(3.5 * USD);
  });

  it('that was never held cannot be charged', async () => {
    const person = somebody(world.clock.now());
    expect(await outcome(settle(person.payer, newId(), 1))).toBe('not_found');
  });

  it('that goes on when its reservation has run out holds it anew', async () => {
    const person = somebody(world.clock.now());
    const run = newId();
    await usd(person.payer, run, 1 * USD);
    world.clock.advance(121 * SECOND);
    const { expiresAt } = await usd(person.payer, run, 1 * USD);
    expect(expiresAt.getTime()).toBe(world.clock.now().getTime() + 120 * SECOND);
    await world.recover();
    expect(await available(person)).toBe(4 * USD);
  });

  it('of a suspended account is refused, and what it delivered is charged', async () => {
    const person = somebody(world.clock.now());
    const run = newId();
    await usd(person.payer, run, 1 * USD);
    const suspended = { ...person, suspended: true };
    expect(await outcome(usd(suspended, newId(), 1))).toBe('account_suspended');
    expect(await settle(suspended, run, 1 * USD)).toBe(1 * USD);
  });
});

describe('what a run costs beyond its reservation', () => {
  it('is owed, and taken from the next refill', async () => {
    const person = somebody(world.clock.now());
    const run = newId();
    await usd(person.payer, run, 0.01 * USD);
    expect(await settle(person.payer, run, 0.03 * USD)).toBe(0.03 * USD);
    expect([await available(person), await owed(person)]).toEqual([4.99 * USD, 0.02 * USD]);
    world.clock.advance(31 * DAY);
    expect([await available(person), await owed(person)]).toEqual([4.98 * USD, 0]);
  });

  it('is repaid month by month, also when nobody looked', async () => {
    const person = somebody(world.clock.now());
    const run = newId();
    await usd(person.payer, run, 1 * USD);
    await settle(person.payer, run, 13 * USD);
    expect(await owed(person)).toBe(12 * USD);
    world.clock.set('2026-05-15T00:00:00.000Z');
    expect([await available(person), await owed(person)]).toEqual([0, 2 * USD]);
    world.clock.set('2026-09-01T12:00:00.000Z');
    expect([await available(person), await owed(person)]).toEqual([5 * USD, 0]);
    // The same when it is written.
    await usd(person.payer, newId(), 0);
    expect([await available(person), await owed(person)]).toEqual([5 * USD, 0]);
  });
});

describe('at the end of a month', () => {
  it('what is left lapses and the grant is full again', async () => {
    const person = somebody(new Date('2026-01-31T10:00:00.000Z'));
    world.clock.set('2026-02-28T09:59:59.999Z');
    await usd(person.payer, newId(), 3 * USD);
    expect(await available(person)).toBe(2 * USD);
    world.clock.set('2026-02-28T10:00:00.000Z');
    expect(await available(person)).toBe(5 * USD);
    world.clock.set('2026-03-31T09:59:59.999Z');
    expect((await engine.moneyIn.look(person)).period.start).toEqual(new Date('2026-02-28T10:00:00.000Z'));
  });

  it('what is held stays of the month that it was held in', async () => {
    const person = somebody(world.clock.now());
    world.clock.set('2026-04-01T11:59:00.000Z');
    const [charged, released] = [newId(), newId()];
    await usd(person.payer, charged, 2 * USD);
    await usd(person.payer, released, 1 * USD);
    world.clock.set('2026-04-01T12:00:30.000Z');
    expect(await available(person)).toBe(5 * USD);
    await usd(person.payer, newId(), 1 * USD);
    await settle(person.payer, charged, 0.5 * USD);
    await engine.spending.release(person.payer, released);
    expect(await available(person)).toBe(4 * USD);
  });
});

describe('of many at once', () => {
  it.each(['one process', 'four processes'])('exactly as many are held as there is money for, in %s', async (shape) => {
    const person = somebody(world.clock.now());
    const engines = shape === 'one process' ? [engine] : [engine, other, await world.process(), await world.process()];
    const runs = Array.from({ length: 1_000 }, () => newId());
    const outcomes = await Promise.all(
      runs.map((run, i) => outcome(usd(person.payer, run, 0.01 * USD, engines[i % engines.length]))),
    );
    expect(outcomes.filter((one) => one === 'ok')).toHaveLength(500);
    expect(outcomes.filter((one) => one === 'budget_exhausted')).toHaveLength(500);
    const held = runs.filter((_, i) => outcomes[i] === 'ok');
    await Promise.all(held.map((run, i) => settle(person.payer, run, 0.01 * USD, engines[i % engines.length])));
    expect(await available(person)).toBe(0);
  });
});

describe('credits', () => {
  it('are spent welcome first, then by expiry, bought ones last', async () => {
    const person = somebody(world.clock.now());
    const { moneyIn } = engine;
    const expiresAt = new Date('2026-03-20T00:00:00.000Z');
    await moneyIn.grant(person, { source: 'pack', unit: 'credits', kind: 'purchased', amount: 100, expiresAt: null });
    await moneyIn.grant(person, { source: 'gift', unit: 'credits', kind: 'purchased', amount: 10, expiresAt });
    const sub = { subscription: 'sub', upTo: null, endsAt: null, amount: 30 };
    await moneyIn.renewSubscription(person, { ...sub, source: 'invoice', periodEnd: new Date('2026-03-25T00:00:00Z') });
    const left = async () =>
      Object.fromEntries(
        (await moneyIn.look(person)).pots
          .filter(({ unit }) => unit === 'credits')
          .map(({ kind, expiresAt, remaining }) => [expiresAt ? `${kind} with end` : kind, remaining]),
      );
    await credits(person.payer, newId(), 60);
    expect(await left()).toEqual({ welcome: 0, 'subscription with end': 20, purchased: 100, 'purchased with end': 10 });
    await credits(person.payer, newId(), 25);
    expect(await left()).toEqual({ welcome: 0, 'subscription with end': 0, purchased: 100, 'purchased with end': 5 });
    await credits(person.payer, newId(), 6);
    expect(await left()).toMatchObject({ purchased: 99 });
    expect(await outcome(credits(person.payer, newId(), 100))).toBe('quota_exhausted');
  });
});

describe('without an account', () => {
  const anonymous = (n: number): Payer => ({ userId: null, network: `198.51.100.${n}` });
  const capLeft = async () => (await engine.writer.look(capAccount(world.clock.now()))).available('usd_micros');

  it('each network has its own grant, and all together the day’s cap', async () => {
    world.clock.set('2026-06-01T12:00:00.000Z');
    const runs = Array.from({ length: 30 }, (_, n) => ({ run: newId(), payer: anonymous(n % 2) }));
    const outcomes = await Promise.all(
      runs.map(({ run, payer }, i) => outcome(usd(payer, run, 0.02 * USD, i % 3 ? engine : other))),
    );
    expect(outcomes.filter((one) => one === 'ok')).toHaveLength(24);
    expect(outcomes.filter((one) => one === 'budget_exhausted')).toHaveLength(6);
    expect(await capLeft()).toBe(25 * USD - 24 * 0.02 * USD);
    const [first] = runs;
    expect(await settle(first?.payer ?? anonymous(0), first?.run ?? '', 0.01 * USD)).toBe(0.01 * USD);
    expect(await capLeft()).toBe(25 * USD - 23 * 0.02 * USD - 0.01 * USD);
  });

  it('the cap holds under concurrency, until midnight in UTC', async () => {
    world.clock.set('2026-06-02T23:59:00.000Z');
    const outcomes = await Promise.all(
      Array.from({ length: 300 }, (_, n) =>
        outcome(usd(anonymous(1_000 + n), newId(), 0.25 * USD, n % 2 ? engine : other)),
      ),
    );
    expect(outcomes.filter((one) => one === 'ok')).toHaveLength(100);
    expect(outcomes.filter((one) => one === 'anonymous_daily_cap')).toHaveLength(200);
    world.clock.set('2026-06-03T00:00:00.000Z');
    expect(await capLeft()).toBe(25 * USD);
  });

  it('a run across midnight counts on the day it was held', async () => {
    world.clock.set('2026-06-04T23:59:30.000Z');
    const run = newId();
    await usd(anonymous(77), run, 0.1 * USD);
    world.clock.set('2026-06-05T00:00:30.000Z');
    await usd(anonymous(77), run, 0.1 * USD);
    expect(await capLeft()).toBe(25 * USD);
    await settle(anonymous(77), run, 0.05 * USD);
    expect(await capLeft()).toBe(25 * USD);
    const before = await engine.writer.look(capAccount(new Date('2026-06-04T00:00:00Z')));
    expect(before.reservations.size).toBe(0);
  });

  it('the month of a network begins with the calendar’s', async () => {
    world.clock.set('2026-07-31T23:00:00.000Z');
    await usd(anonymous(50), newId(), 0.25 * USD);
    expect(await outcome(usd(anonymous(50), newId(), 1))).toBe('budget_exhausted');
    world.clock.set('2026-08-01T00:00:00.000Z');
    expect(await outcome(usd(anonymous(50), newId(), 0.25 * USD))).toBe('ok');
  });

  it('pictures on /v2 are counted for each network', async () => {
    expect(await outcome(credits(anonymous(60), newId(), 100))).toBe('ok');
    expect(await outcome(credits(anonymous(60), newId(), 1))).toBe('quota_exhausted');
    expect(await outcome(credits(anonymous(61), newId(), 1))).toBe('ok');
  });
});
