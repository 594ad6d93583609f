/** Buying: on Stripe's pages, and with the saved card. Whatever repeats, races, stalls or refuses, nobody pays twice. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem } from '../../platform/errors.js';
import type { Caller } from '../../platform/scope.js';
import { productOf } from '../../subgraphs/billing/plan/catalogue.js';
import type { Session } from '../support/stripe/objects.js';
import { type Buyer, openShop, type Process, type Shop } from './support/shop.js';
import { DAY, HOUR, MINUTE } from './support/world.js';

let shop: Shop;
let other: Process;
beforeAll(async () => {
  shop = await openShop();
  other = await shop.process();
});
afterAll(() => shop?.close());

const business = () => shop.stripe.business;
const PACK = 'agent-credits-500';

async function slugOf(action: Promise<unknown>): Promise<string> {
  return action.then(
    () => 'ok',
    (error: Problem) => error.slug ?? String(error),
  );
}

function sessionsOf({ customerId }: { customerId: string }): Session[] {
  return [...business().ledger.sessions.values()].filter(({ customer }) => customer === customerId);
}

const openSessionsOf = (buyer: Buyer) => sessionsOf(buyer).filter(({ status }) => status === 'open');
const idOf = (url: string) => url.split('/').at(-1) ?? '';

function chargesOf({ customerId }: { customerId: string }) {
  return [...business().ledger.charges.values()].filter(({ customer }) => customer === customerId);
}

/** Requests of a kind that Stripe saw while an action ran. */
async function requestsDuring(action: () => Promise<unknown>, method: string, path: RegExp): Promise<number> {
  const before = shop.stripe.requests.length;
  await action();
  return shop.stripe.requests.slice(before).filter((one) => one.method === method && path.test(one.path)).length;
}

async function withFault<T>(fault: Shop['stripe']['fault'], action: () => Promise<T>): Promise<T> {
  shop.stripe.fault = fault;
  try {
    return await action();
  } finally {
    shop.stripe.fault = () => null;
  }
}

describe('without Stripe', () => {
  it('says that purchases are not set up, and does all the rest', async () => {
    const { checkoutService, purchaseService, webhookService, entitlementService, purchasable } = await shop.process(
      undefined,
      { stripe: null },
    );
    const caller = shop.person();
    expect(purchasable).toBe(false);
    const refusals = await Promise.all([
      slugOf(checkoutService.open(caller, { plan: 'pro' })),
      slugOf(checkoutService.portal(caller)),
      slugOf(purchaseService.buy(caller, { packId: PACK, idempotencyKey: 'k' })),
      slugOf(webhookService.receive('{}', 't=1,v1=0')),
    ]);
    expect(refusals).toEqual(Array(4).fill('billing_not_configured'));
    expect((await entitlementService.credits(caller)).available).toBe(50);
    expect((await entitlementService.of(null)).plan).toBe('free');
  });
});

describe('the customer at Stripe', () => {
  it('is one, however many ask at once, in however many processes', async () => {
    const caller = shop.person();
    const asking = Array.from({ length: 20 }, (_, i) => (i % 2 ? shop.front : other).checkoutService.portal(caller));
    await Promise.all(asking);
    const made = [...business().ledger.customers.values()].filter(
      ({ metadata }) => metadata['user_id'] === caller.userId,
    );
    expect(made).toHaveLength(1);
  });

  it('is found again, also days later, when its maker died before it could write down the id', async () => {
    for (const days of [0, 2]) {
      const caller = shop.person();
      await shop.front.checkoutService.portal(caller);
      await shop.world.store.customers.updateOne({ _id: caller.userId }, { $set: { customerId: null } });
      // What Stripe remembers of a key is gone after a day.
      if (days > 0) shop.stripe.forgetKeys();
      shop.world.clock.advance(days * DAY);
      await other.checkoutService.portal(caller);
      const made = [...business().ledger.customers.values()].filter(
        ({ metadata }) => metadata['user_id'] === caller.userId,
      );
      expect(made).toHaveLength(1);
      expect((await shop.front.customerService.find(caller.userId))?.customerId).toBe(made[0]?.id);
    }
  });
});

describe('a payment page', () => {
  it('is refused for what is not sold, and to the suspended', async () => {
    const caller = shop.person();
    const { checkoutService } = shop.front;
    for (const wanted of [
      {},
      { plan: 'pro', packId: PACK },
      { plan: 'gold' },
      { plan: 'free' },
      { packId: 'x' },
      { packId: '__proto__' },
    ]) {
      expect(await slugOf(checkoutService.open(caller, wanted)), JSON.stringify(wanted)).toBe('validation_error');
    }
    expect(await slugOf(checkoutService.open({ ...caller, suspended: true }, { plan: 'pro' }))).toBe(
      'account_suspended',
    );
  });

  it('says what is bought, at our price, and where to go afterwards', async () => {
    const buyer = await shop.customer();
    await shop.front.checkoutService.open(buyer, { plan: 'agency' });
    expect(sessionsOf(buyer)).toMatchObject([
      {
        mode: 'subscription',
        status: 'open',
        order: { amount: 7_500, product: productOf('agency') },
        success_url: 'http://localhost:4000/billing/success',
        cancel_url: 'http://localhost:4000/billing/cancelled',
      },
    ]);
  });

  it('is the same one when it is asked for again, and another one closes it', async () => {
    const buyer = await shop.customer();
    const { checkoutService } = shop.front;
    const first = await checkoutService.open(buyer, { packId: PACK });
    expect(await other.checkoutService.open(buyer, { packId: PACK })).toBe(first);
    const second = await checkoutService.open(buyer, { plan: 'pro' });
    expect(openSessionsOf(buyer).map(({ id }) => id)).toEqual([idOf(second)]);
    shop.world.clock.advance(20 * MINUTE);
    const third = await checkoutService.open(buyer, { plan: 'pro' });
    expect(third).not.toBe(second);
    expect(openSessionsOf(buyer).map(({ id }) => id)).toEqual([idOf(third)]);
  });

  it('is alone also when many are asked for at once', async () => {
    const buyer = await shop.customer();
    const wanted = [{ plan: 'pro' }, { plan: 'agency' }, { packId: PACK }, { packId: 'agent-credits-1000' }];
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        slugOf((i % 2 ? shop.front : other).checkoutService.open(buyer, wanted[i % 4] ?? {})),
      ),
    );
    expect(answers).toContain('ok');
    for (const answer of answers) expect(['ok', 'conflict']).toContain(answer);
    expect(openSessionsOf(buyer)).toHaveLength(1);
  });

  it('for a plan is not opened to who has one, also when the event of it is still on its way', async () => {
    const buyer = await shop.customer();
    const { checkoutService } = shop.front;
    business().completeCheckout(idOf(await checkoutService.open(buyer, { plan: 'pro' })));
    expect(await slugOf(checkoutService.open(buyer, { plan: 'pro' }))).toBe('conflict');
    expect(await slugOf(checkoutService.open(buyer, { plan: 'agency' }))).toBe('conflict');
    expect(await shop.standing(buyer)).toMatchObject({ plan: 'pro', credits: { subscription: 1_000 } });
    // A pack is another matter.
    const pack = await checkoutService.open(buyer, { packId: PACK });
    business().completeCheckout(idOf(pack));
    expect(await checkoutService.open(buyer, { packId: PACK })).not.toBe(pack);
  });

  it('is made once although its answer was lost, or Stripe was in trouble', async () => {
    const buyer = await shop.customer();
    let calls = 0;
    const url = await withFault(
      ({ method, path }) =>
        method === 'POST' && path === '/v1/checkout/sessions' && calls++ === 0 ? 'unanswered' : null,
      () => shop.front.checkoutService.open(buyer, { packId: PACK }),
    );
    expect(sessionsOf(buyer).map(({ id }) => id)).toEqual([idOf(url)]);
    const trouble = { status: 500, error: { type: 'api_error', message: 'Sorry.' } };
    const answer = withFault(
      () => trouble,
      () => slugOf(shop.front.checkoutService.open(buyer, { plan: 'pro' })),
    );
    expect(await answer).toBe('unavailable');
  });
});

describe('a purchase with the saved card', () => {
  const buy = (caller: Caller, idempotencyKey: string, packId = PACK, by = shop.front) =>
    by.purchaseService.buy(caller, { packId, idempotencyKey });

  it('charges the card and brings the credits at once', async () => {
    const buyer = await shop.customer();
    business().saveCard(buyer.customerId);
    expect(await buy(buyer, 'k')).toMatchObject({ outcome: 'PAID' });
    expect(chargesOf(buyer)).toMatchObject([{ amount: 1_250 }]);
    expect(await shop.standing(buyer)).toMatchObject({ credits: { purchased: 500 }, committedCents: 1_250 });
  });

  it('is done once for each key, however often and from wherever it is asked for', async () => {
    const buyer = await shop.customer();
    business().saveCard(buyer.customerId);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) => buy(buyer, 'same', PACK, i % 2 ? shop.front : other)),
    );
    expect(new Set(answers.map(({ paymentIntentId }) => paymentIntentId)).size).toBe(1);
    shop.world.clock.advance(3 * DAY);
    shop.stripe.forgetKeys();
    expect(await buy(buyer, 'same')).toMatchObject({ outcome: 'PAID' });
    expect(chargesOf(buyer)).toHaveLength(1);
    expect(await slugOf(buy(buyer, 'same', 'agent-credits-1000'))).toBe('conflict');
    await buy(buyer, 'another');
    expect(chargesOf(buyer)).toHaveLength(2);
    expect((await shop.standing(buyer)).credits['purchased']).toBe(1_000);
    // Keys are of the caller alone.
    const neighbour = await shop.customer();
    business().saveCard(neighbour.customerId);
    expect(await buy(neighbour, 'same')).toMatchObject({ userId: neighbour.userId, outcome: 'PAID' });
  });

  it('says what is wrong: nothing saved, declined, the bank wants its customer, bad input', async () => {
    const buyer = await shop.customer();
    expect(await slugOf(buy(shop.person(), 'k'))).toBe('card_missing');
    expect(await slugOf(buy(buyer, 'k'))).toBe('card_missing');
    const declined = business().saveCard(buyer.customerId, 'declined');
    expect(await buy(buyer, 'k').catch((error: Problem) => error.toBody())).toMatchObject({
      error: 'card_declined',
      decline_code: 'insufficient_funds',
      hint: expect.stringContaining('portal'),
    });
    business().detachCard(declined.id);
    business().saveCard(buyer.customerId, 'authentication_required');
    expect(await slugOf(buy(buyer, 'k2'))).toBe('card_authentication_required');
    business().saveCard(buyer.customerId);
    // The same key is the same purchase, and that was refused.
    expect(await slugOf(buy(buyer, 'k'))).toBe('card_declined');
    expect(await slugOf(buy(buyer, 'k3'))).toBe('ok');
    for (const [key, pack] of [
      ['', PACK],
      [' ', PACK],
      ['k'.repeat(201), PACK],
      ['k4', 'nothing'],
      ['k4', 'constructor'],
    ] as const) {
      expect(await slugOf(buy(buyer, key, pack)), key).toBe('validation_error');
    }
    expect(await slugOf(buy({ ...buyer, suspended: true }, 'k5'))).toBe('account_suspended');
    expect(chargesOf(buyer)).toHaveLength(1);
  });

  it.each(['lost', 'unanswered'] as const)(
    'whose request is %s is brought to its end by a repetition',
    async (fault) => {
      const buyer = await shop.customer();
      business().saveCard(buyer.customerId);
      const first = await withFault(
        ({ method, path }) => (method === 'POST' && path === '/v1/payment_intents' ? fault : null),
        () => slugOf(buy(buyer, 'k')),
      );
      expect(first).toBe('unavailable');
      expect(await buy(buyer, 'k')).toMatchObject({ outcome: 'PAID' });
      expect(chargesOf(buyer)).toHaveLength(1);
      expect((await shop.standing(buyer)).credits['purchased']).toBe(500);
    },
  );

  it('that was made before Stripe forgot its key is found, not made again', async () => {
    const buyer = await shop.customer();
    business().saveCard(buyer.customerId);
    await withFault(
      ({ method, path }) => (method === 'POST' && path === '/v1/payment_intents' ? 'unanswered' : null),
      () => slugOf(buy(buyer, 'k')),
    );
    shop.stripe.forgetKeys();
    shop.world.clock.advance(30 * HOUR);
    expect(await buy(buyer, 'k')).toMatchObject({ outcome: 'PAID' });
    expect(chargesOf(buyer)).toHaveLength(1);
  });

  it('charges the card that was saved when it began', async () => {
    const buyer = await shop.customer();
    business().saveCard(buyer.customerId);
    await withFault(
      ({ method, path }) => (method === 'POST' && path === '/v1/payment_intents' ? 'unanswered' : null),
      () => slugOf(buy(buyer, 'k')),
    );
    business().saveCard(buyer.customerId, 'declined');
    expect(await buy(buyer, 'k')).toMatchObject({ outcome: 'PAID' });
  });

  it('waits for a slow Stripe no longer than a caller does', async () => {
    const buyer = await shop.customer();
    business().saveCard(buyer.customerId);
    const slow = await withFault(
      ({ method, path }) => (method === 'POST' && path === '/v1/payment_intents' ? 1_500 : null),
      () => buy(buyer, 'k'),
    );
    expect(slow).toMatchObject({ outcome: 'PAID' });
    expect(chargesOf(buyer)).toHaveLength(1);
  });

  it('asks Stripe for nothing when its outcome is known', async () => {
    const buyer = await shop.customer();
    business().saveCard(buyer.customerId);
    await buy(buyer, 'k');
    expect(await requestsDuring(() => buy(buyer, 'k'), 'POST', /payment_intents/)).toBe(0);
  });
});
