/** Events of Stripe's: forged, repeated, late, overtaken, at once. What they end in is what Stripe has. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { productOf } from '../../subgraphs/billing/plan/catalogue.js';
import type { StripeEvent } from '../support/stripe/objects.js';
import { WEBHOOK_SECRET } from '../support/stripe/server.js';
import { type Buyer, openShop, type Shop, type Standing } from './support/shop.js';
import { DAY, HOUR } from './support/world.js';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ unlock: { goalCents: 100_00, goalBackers: 4, url: 'http://here' } });
});
afterAll(() => shop?.close());

type Terms = [product: string, cents: number];
const AGENCY: Terms = [productOf('agency'), 7_500];
const PRO: Terms = [productOf('pro'), 2_900];
const MONTH = 30 * DAY;
const DAY_SECONDS = DAY / 1000;

const business = () => shop.stripe.business;
const events = () => business().ledger.events;

/** A pack that was paid for on Stripe's page. */
async function buyPack(buyer: Buyer, packId = 'agent-credits-500'): Promise<string> {
  const url = await shop.front.checkoutService.open(buyer, { packId });
  const session = business().completeCheckout(url.split('/').at(-1) ?? '');
  return session.payment_intent ?? '';
}

describe('who sent an event', () => {
  const event = () => JSON.stringify(business().emit('customer.updated', { id: 'cus_nobody', object: 'customer' }));

  async function refusal(payload: string, signature: string): Promise<string> {
    return shop.front.webhookService.receive(payload, signature).then(
      () => 'accepted',
      (error) => error.slug,
    );
  }

  it('is proven by a signature over the very bytes, a fresh one, made with the secret', async () => {
    const payload = event();
    const good = shop.stripe.sign(payload);
    const now = business().seconds();
    const mac = good.split('v1=')[1];
    const forgeries: [string, string][] = [
      [payload.replace('cus_nobody', 'cus_nobodY'), good],
      [` ${payload}`, good],
      [payload, shop.stripe.sign(payload, { secret: 'whsec_guessed' })],
      [payload, shop.stripe.sign(payload, { at: now - 301 })],
      [payload, `t=${now - 1},v1=${mac}`],
      [payload, `t=${now},v0=${mac}`],
      [payload, `v1=${mac}`],
      [payload, `t=${now}`],
      [payload, `t=soon,v1=${mac}`],
      [payload, ''],
      ['', shop.stripe.sign('')],
      ['not json', `t=${now},v1=${mac}`],
    ];
    for (const [body, signature] of forgeries)
      expect(await refusal(body, signature), signature).toBe('validation_error');
    expect(await refusal(payload, good)).toBe('accepted');
    expect(await refusal(payload, shop.stripe.sign(payload, { at: now - 299, secret: WEBHOOK_SECRET }))).toBe(
      'accepted',
    );
    const notJson = 'signed, but not an event';
    expect(await refusal(notJson, shop.stripe.sign(notJson))).toBe('validation_error');
  });

  it('may be Stripe telling of what is not ours: nothing happens', async () => {
    const stranger = { id: 'pi_other', object: 'payment_intent', customer: 'cus_other' };
    expect(await shop.deliver(business().emit('payment_intent.succeeded', stranger))).toBe(true);
    expect(await shop.deliver(business().emit('price.created', { id: 'price_1', object: 'price' }))).toBe(false);
    expect(await shop.world.store.payments.countDocuments({ _id: 'pi_other' })).toBe(0);
  });
});

describe('a pack', () => {
  it('gives its credits once, saves the card, and counts towards the milestone', async () => {
    const buyer = await shop.customer();
    const mark = events().length;
    await buyPack(buyer);
    const told = events().slice(mark);
    for (const event of [...told, ...told.toReversed()]) await shop.deliver(event);
    expect(await shop.standing(buyer)).toMatchObject({
      plan: 'free',
      tier: 'hobby',
      hasCard: true,
      credits: { welcome: 50, purchased: 500, available: 550 },
      committedCents: 1_250,
    });
  });

  it('is taken back with a refund, in part or in full, and given again when the refund fails', async () => {
    const buyer = await shop.customer();
    const mark = events().length;
    const intent = await buyPack(buyer);
    await shop.deliverSince(mark);
    business().refund(intent, 500);
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({ credits: { purchased: 300 }, committedCents: 750 });
    const { id } = business().refund(intent);
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({ credits: { purchased: 0, welcome: 50 }, committedCents: 0 });
    business().failRefund(id);
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({ credits: { purchased: 300 }, committedCents: 750, owed: 0 });
  });

  it('is taken back with a dispute, for good when that is lost, and not when it is won', async () => {
    const buyer = await shop.customer();
    const mark = events().length;
    const intent = await buyPack(buyer, 'agent-credits-1000');
    const dispute = business().dispute(intent);
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({ credits: { purchased: 0 }, committedCents: 0 });
    business().closeDispute(dispute.id, 'won');
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({ credits: { purchased: 1_000 }, committedCents: 2_000 });
    business().closeDispute(dispute.id, 'lost');
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({ credits: { purchased: 0 }, committedCents: 0, owed: 0 });
  });

  it('whose credits are spent is owed when it is refunded, and taken from what comes next', async () => {
    const buyer = await shop.customer();
    const mark = events().length;
    const intent = await buyPack(buyer);
    await shop.deliverSince(mark);
    const payer = { ...buyer, suspended: false };
    const { spending } = shop.front.engine;
    await spending.reserve({ runId: `run-${intent}`, payer, unit: 'credits', amount: 350, purpose: 'job' });
    await spending.settle(payer, `run-${intent}`, 350);
    business().refund(intent);
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({ credits: { available: 0 }, owed: 300 });
    await buyPack(buyer);
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({ credits: { available: 200 }, owed: 0 });
  });

  it('is worth what is left when refunds and their events come all at once', async () => {
    for (let round = 0; round < 10; round++) {
      const buyer = await shop.customer();
      const mark = events().length;
      const intent = await buyPack(buyer);
      const processes = [shop.front, await shop.process()];
      await Promise.all([
        ...events()
          .slice(mark)
          .map((event) => shop.deliver(event)),
        ...[250, 250, 125].map(async (cents, i) => {
          const before = events().length;
          business().refund(intent, cents);
          await Promise.all(
            events()
              .slice(before, before + 2)
              .map((event) => shop.deliver(event, processes[i % 2])),
          );
        }),
      ]);
      expect(await shop.standing(buyer)).toMatchObject({ credits: { purchased: 250 }, committedCents: 625, owed: 0 });
    }
  });
});

describe('a plan', () => {
  it('gives its month, opens every tier, and makes the tier of /v1 pro', async () => {
    const buyer = await shop.customer();
    const mark = events().length;
    business().subscribe(buyer.customerId, ...PRO);
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer, shop.world.clock.now())).toMatchObject({
      plan: 'pro',
      tier: 'pro',
      status: 'active',
      credits: { subscription: 1_000 },
      pots: [
        ['subscription', 1_000, 30 * DAY_SECONDS],
        ['welcome', 50, null],
      ],
      // Only packs and Agency count.
      committedCents: 0,
    });
    const customer = await shop.front.customerService.find(buyer.userId);
    expect(await shop.front.entitlementService.of(customer)).toMatchObject({
      plan: 'pro',
      tiers: ['draft', 'standard', 'premium', 'ultra', 'ultra_plus'],
      priorityQueue: false,
    });
  });

  it('of Pro starts every month with its credits alone, and of Agency carries over up to 8,000', async () => {
    for (const [terms, months] of [
      [PRO, [1_000, 1_000, 1_000]],
      [AGENCY, [4_000, 8_000, 8_000]],
    ] as [Terms, number[]][]) {
      const buyer = await shop.customer();
      const mark = events().length;
      const { id } = business().subscribe(buyer.customerId, ...terms);
      const seen: number[] = [];
      for (const _month of months) {
        await shop.deliverSince(mark);
        seen.push((await shop.standing(buyer)).credits['subscription'] ?? 0);
        shop.world.clock.advance(MONTH);
        business().renew(id);
      }
      expect(seen).toEqual(months);
    }
  });

  it('stays in force while a failed payment is tried again, without the credits of a month that is not paid', async () => {
    const buyer = await shop.customer();
    const mark = events().length;
    const { id } = business().subscribe(buyer.customerId, ...PRO);
    await shop.deliverSince(mark);
    shop.world.clock.advance(MONTH);
    business().renew(id, false);
    await shop.deliverSince(mark);
    const standing = { plan: 'pro', tier: 'pro', status: 'past_due', credits: { subscription: 0 } };
    expect(await shop.standing(buyer)).toMatchObject(standing);
    business().end(id);
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({ plan: 'free', status: null });
  });

  it('of Agency leaves its credits for 45 days after it was cancelled', async () => {
    const buyer = await shop.customer();
    const mark = events().length;
    const { id } = business().subscribe(buyer.customerId, ...AGENCY);
    await shop.deliverSince(mark);
    shop.world.clock.advance(10 * DAY);
    business().end(id);
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer, shop.world.clock.now())).toMatchObject({
      plan: 'free',
      pots: [
        ['subscription', 4_000, 45 * DAY_SECONDS],
        ['welcome', 50, null],
      ],
    });
    shop.world.clock.advance(45 * DAY - HOUR);
    expect((await shop.standing(buyer)).credits['subscription']).toBe(4_000);
    shop.world.clock.advance(2 * HOUR);
    expect((await shop.standing(buyer)).credits['subscription']).toBe(0);
  });

  it('that is refunded takes back its own credits and leaves those that were bought', async () => {
    const buyer = await shop.customer();
    const mark = events().length;
    await buyPack(buyer);
    const { latest_invoice } = business().subscribe(buyer.customerId, ...AGENCY);
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({
      credits: { purchased: 500, subscription: 4_000 },
      committedCents: 8_750,
    });
    business().refund(business().intentOf(latest_invoice ?? ''), 3_750);
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({
      credits: { purchased: 500, subscription: 2_000 },
      committedCents: 5_000,
    });
    business().refund(business().intentOf(latest_invoice ?? ''));
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({
      credits: { purchased: 500, subscription: 0 },
      owed: 0,
      committedCents: 1_250,
    });
  });

  it('whose month was capped takes back no more than that month gave', async () => {
    const buyer = await shop.customer();
    const mark = events().length;
    const { id } = business().subscribe(buyer.customerId, ...AGENCY);
    await shop.deliverSince(mark);
    const payer = { ...buyer, suspended: false };
    const { spending } = shop.front.engine;
    await spending.reserve({ runId: id, payer, unit: 'credits', amount: 1_050, purpose: 'job' });
    await spending.settle(payer, id, 1_050);
    for (let month = 0; month < 2; month++) {
      shop.world.clock.advance(MONTH);
      business().renew(id);
      await shop.deliverSince(mark);
    }
    // 3,000 left, 4,000 more, and of the third month only 1,000.
    expect((await shop.standing(buyer)).credits['subscription']).toBe(8_000);
    const invoice = business().ledger.subscriptions.get(id)?.latest_invoice ?? '';
    business().refund(business().intentOf(invoice));
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({
      credits: { subscription: 7_000 },
      owed: 0,
      committedCents: 15_000,
    });
  });

  it('whose month is over takes nothing from the next one when it is refunded', async () => {
    const buyer = await shop.customer();
    const mark = events().length;
    const { id, latest_invoice } = business().subscribe(buyer.customerId, ...PRO);
    await shop.deliverSince(mark);
    shop.world.clock.advance(MONTH);
    business().renew(id);
    await shop.deliverSince(mark);
    business().refund(business().intentOf(latest_invoice ?? ''));
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({ plan: 'pro', credits: { subscription: 1_000 }, owed: 0 });
  });

  it('changed within a month brings credits for the money that was added', async () => {
    const buyer = await shop.customer();
    const mark = events().length;
    const { id } = business().subscribe(buyer.customerId, ...PRO);
    await shop.deliverSince(mark);
    business().changePlan(id, ...AGENCY, 0.5);
    await shop.deliverSince(mark);
    // Half of 4,000, less the half of 1,000 that was paid back.
    expect(await shop.standing(buyer)).toMatchObject({ plan: 'agency', credits: { subscription: 2_500 } });
  });

  it('of Agency for the price of Pro is not to be had by going back to Pro when its credits are spent', async () => {
    const buyer = await shop.customer();
    const mark = events().length;
    const { id } = business().subscribe(buyer.customerId, ...AGENCY);
    await shop.deliverSince(mark);
    const payer = { ...buyer, suspended: false };
    const { spending } = shop.front.engine;
    await spending.reserve({ runId: id, payer, unit: 'credits', amount: 4_050, purpose: 'job' });
    await spending.settle(payer, id, 4_050);
    business().changePlan(id, ...PRO, 1);
    await shop.deliverSince(mark);
    expect(await shop.standing(buyer)).toMatchObject({ plan: 'pro', credits: { subscription: 0 }, owed: 3_000 });
  });

  it('that was paid for twice in one moment is paid for once: the other comes back', async () => {
    for (const both of [
      [PRO, PRO],
      [PRO, AGENCY],
    ]) {
      const buyer = await shop.customer();
      const mark = events().length;
      for (const terms of both) business().subscribe(buyer.customerId, ...terms);
      const told = events().slice(mark);
      await Promise.all(told.map((event) => shop.deliver(event)));
      await shop.deliverSince(mark);
      const mine = [...business().ledger.subscriptions.values()].filter(
        ({ customer }) => customer === buyer.customerId,
      );
      expect(mine.filter(({ status }) => status === 'active')).toHaveLength(1);
      const charges = [...business().ledger.charges.values()].filter(({ customer }) => customer === buyer.customerId);
      expect(charges.map(({ refunded }) => refunded).sort()).toEqual([false, true]);
      const agency = both[1] === AGENCY;
      expect(await shop.standing(buyer)).toMatchObject({
        plan: agency ? 'agency' : 'pro',
        credits: { subscription: agency ? 4_000 : 1_000 },
        owed: 0,
        committedCents: agency ? 7_500 : 0,
      });
    }
  });

  it('ends with the customer, when somebody deletes that at Stripe, and the next purchase makes another', async () => {
    const buyer = await shop.customer();
    const mark = events().length;
    const { id } = business().subscribe(buyer.customerId, ...PRO);
    await shop.deliverSince(mark);
    business().end(id);
    const customer = business().ledger.customers.get(buyer.customerId);
    if (customer) await shop.deliver(business().emit('customer.deleted', customer));
    business().ledger.customers.delete(buyer.customerId);
    expect((await shop.standing(buyer)).plan).toBe('free');
    await shop.front.checkoutService.portal(buyer);
    const next = await shop.front.customerService.find(buyer.userId);
    expect(next?.customerId).toMatch(/^cus_/);
    expect(next?.customerId).not.toBe(buyer.customerId);
  });

  it('that an operator gave brings its credits every month, and leaves them for 45 days when it is taken away', async () => {
    const holder = shop.person();
    const give = (plan: 'agency' | 'free', actId: string) =>
      shop.front.giveService.change(holder, { actId, tier: null, plan, until: null });
    for (let repeated = 0; repeated < 2; repeated++) await give('agency', 'first');
    expect(await shop.standing(holder)).toMatchObject({
      plan: 'agency',
      tier: 'pro',
      credits: { subscription: 4_000 },
    });
    shop.world.clock.advance(32 * DAY);
    await shop.runTasks();
    expect((await shop.standing(holder)).credits['subscription']).toBe(8_000);
    for (let repeated = 0; repeated < 2; repeated++) await give('free', 'second');
    expect(await shop.standing(holder, shop.world.clock.now())).toMatchObject({
      plan: 'free',
      pots: [
        ['subscription', 8_000, 45 * DAY_SECONDS],
        ['welcome', 50, null],
      ],
    });
  });

  it('is looked up when it is overdue and nobody told of its renewal', async () => {
    const buyer = await shop.customer();
    const mark = events().length;
    const { id } = business().subscribe(buyer.customerId, ...PRO);
    await shop.deliverSince(mark);
    shop.world.clock.advance(MONTH);
    business().renew(id);
    shop.world.clock.advance(3 * DAY);
    await shop.runTasks();
    expect(await shop.standing(buyer)).toMatchObject({ plan: 'pro', credits: { subscription: 1_000 } });
    business().end(id);
    shop.world.clock.advance(MONTH);
    await shop.runTasks();
    expect(await shop.standing(buyer)).toMatchObject({ plan: 'free', credits: { subscription: 0 } });
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, i) =>
    permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  );
}

interface Life {
  buyer: Buyer;
  start: Date;
  told: StripeEvent[];
}

const FIVE = [
  'customer.subscription.created',
  'invoice.paid',
  'customer.subscription.updated',
  'invoice.payment_failed',
  'customer.subscription.deleted',
] as const;

/** Subscribed, paid for, a month later not paid for, and ended: what is told of it, in order. */
async function life(
  terms: readonly [string, number],
  during: (told: StripeEvent[]) => Promise<void> = async () => {},
): Promise<Life> {
  const buyer = await shop.customer();
  const start = shop.world.clock.now();
  const mark = events().length;
  const told = () =>
    events()
      .slice(mark)
      .filter(({ type }) => (FIVE as readonly string[]).includes(type));
  const { id } = business().subscribe(buyer.customerId, ...terms);
  await during(told());
  shop.world.clock.advance(MONTH);
  business().renew(id, false);
  await during(told());
  shop.world.clock.advance(5 * DAY);
  business().end(id);
  await during(told());
  return { buyer, start, told: told() };
}

describe.each<[string, Terms]>([
  ['Pro', PRO],
  ['Agency', AGENCY],
])('the life of a subscription to %s', (_name, terms) => {
  async function lived(): Promise<Standing> {
    const seen = new Set<string>();
    const { buyer, start } = await life(terms, async (told) => {
      for (const event of told.filter(({ id }) => !seen.has(id))) {
        seen.add(event.id);
        await shop.deliver(event);
      }
    });
    return shop.standing(buyer, start);
  }

  it('ends in the same state in all 120 orders of its events, each delivered and applied twice', async () => {
    const inTime = await lived();
    expect(inTime).toMatchObject({ plan: 'free', status: null, owed: 0 });
    const orders = permutations([0, 1, 2, 3, 4]);
    expect(orders).toHaveLength(120);
    const ends = new Map<string, number[]>();
    for (const order of orders) {
      const { buyer, start, told } = await life(terms);
      expect(told.map(({ type }) => type)).toEqual(FIVE);
      const chosen = order.flatMap((i) => told[i] ?? []);
      for (const event of chosen) await shop.deliver(event);
      const once = JSON.stringify(await shop.standing(buyer, start));
      // As after a crash between applying an event and noting it, so that each is truly applied again.
      await shop.world.store.events.deleteMany({ _id: { $in: told.map(({ id }) => id) } });
      for (const event of chosen.toReversed()) await shop.deliver(event);
      const twice = JSON.stringify(await shop.standing(buyer, start));
      expect(twice).toBe(once);
      ends.set(twice, order);
    }
    expect([...ends.keys()].map((end) => JSON.parse(end))).toEqual([inTime]);
  });
});
