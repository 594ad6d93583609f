/**
 * Every way in which money comes in is cut before each of its calls to the store and at each of its requests to Stripe:
 * by the death of its process, by a sleep in which a rival and the recovery do the same, and by failures of Stripe's that
 * say nothing of whether a request was done. Repeated as Stripe or the caller would repeat it, it ends in one and the same state.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { productOf } from '../../subgraphs/billing/plan/catalogue.js';
import { interruptible } from '../accounts/support/interrupt.js';
import type { StripeEvent } from '../support/stripe/objects.js';
import { type Buyer, openShop, type Process, type Shop } from './support/shop.js';
import { SECOND } from './support/world.js';

/** In the short form every fifth call, beginning with another one in each scene. */
const STRIDE = process.env['LONG'] ? 1 : 5;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop?.close());

const business = () => shop.stripe.business;

interface Scene {
  run(by: Process): Promise<unknown>;
  /** What is true in the end, however it came about. */
  check(): Promise<void>;
}

/** What Stripe tells of something that happens, delivered as one. */
async function toldBy(buyer: Buyer, action: () => unknown, ...before: (() => unknown)[]) {
  for (const earlier of before) {
    const mark = business().ledger.events.length;
    earlier();
    await shop.deliverSince(mark);
  }
  const mark = business().ledger.events.length;
  action();
  const told: StripeEvent[] = business().ledger.events.slice(mark);
  const run = async (by: Process) => {
    for (const event of told) await shop.deliver(event, by);
  };
  return { run, standing: () => shop.standing(buyer) };
}

async function paidPack(buyer: Buyer): Promise<string> {
  business().saveCard(buyer.customerId);
  const { paymentIntentId } = await shop.front.purchaseService.buy(buyer, {
    packId: 'agent-credits-500',
    idempotencyKey: newId(),
  });
  return paymentIntentId ?? '';
}

const SCENES: Record<string, () => Promise<Scene>> = {
  async 'a pack that was paid for'() {
    const buyer = await shop.customer();
    const url = await shop.front.checkoutService.open(buyer, { packId: 'agent-credits-500' });
    const { run, standing } = await toldBy(buyer, () => business().completeCheckout(url.split('/').at(-1) ?? ''));
    return {
      run,
      async check() {
        expect(await standing()).toMatchObject({ credits: { purchased: 500 }, committedCents: 1_250, hasCard: true });
      },
    };
  },
  async 'a refund'() {
    const buyer = await shop.customer();
    const intent = await paidPack(buyer);
    const { run, standing } = await toldBy(buyer, () => business().refund(intent, 500));
    return {
      run,
      async check() {
        expect(await standing()).toMatchObject({ credits: { purchased: 300 }, committedCents: 750, owed: 0 });
      },
    };
  },
  async 'a subscription'() {
    const buyer = await shop.customer();
    const { run, standing } = await toldBy(buyer, () =>
      business().subscribe(buyer.customerId, productOf('agency'), 7_500),
    );
    return {
      run,
      async check() {
        const end = { plan: 'agency', tier: 'pro', credits: { subscription: 4_000 }, committedCents: 7_500 };
        expect(await standing()).toMatchObject(end);
      },
    };
  },
  async 'its end'() {
    const buyer = await shop.customer();
    let id = '';
    const subscribe = () => {
      id = business().subscribe(buyer.customerId, productOf('agency'), 7_500).id;
    };
    const { run, standing } = await toldBy(buyer, () => business().end(id), subscribe);
    return {
      run,
      async check() {
        expect(await standing()).toMatchObject({ plan: 'free', credits: { subscription: 4_000 } });
        const pot = (await shop.front.engine.moneyIn.look(buyer)).pots.find(({ kind }) => kind === 'subscription');
        expect(pot?.expiresAt).not.toBeNull();
      },
    };
  },
  async 'a second subscription'() {
    const buyer = await shop.customer();
    const subscribe = () => business().subscribe(buyer.customerId, productOf('pro'), 2_900);
    const { run, standing } = await toldBy(buyer, subscribe, subscribe);
    return {
      run,
      async check() {
        expect(await standing()).toMatchObject({ plan: 'pro', credits: { subscription: 1_000 }, owed: 0 });
        const charges = [...business().ledger.charges.values()].filter(({ customer }) => customer === buyer.customerId);
        expect(charges.map(({ refunded }) => refunded).sort()).toEqual([false, true]);
      },
    };
  },
  async 'a purchase with the saved card'() {
    const buyer = await shop.customer();
    business().saveCard(buyer.customerId);
    const request = { packId: 'agent-credits-500', idempotencyKey: newId() };
    return {
      run: ({ purchaseService }) => purchaseService.buy(buyer, request),
      async check() {
        expect(await shop.standing(buyer)).toMatchObject({ credits: { purchased: 500 }, committedCents: 1_250 });
        const charges = [...business().ledger.charges.values()].filter(({ customer }) => customer === buyer.customerId);
        expect(charges).toHaveLength(1);
      },
    };
  },
  async 'a payment page for somebody new'() {
    const caller = shop.person();
    return {
      run: ({ checkoutService }) => checkoutService.open(caller, { plan: 'pro' }),
      async check() {
        const { customers, sessions } = business().ledger;
        const made = [...customers.values()].filter(({ metadata }) => metadata['user_id'] === caller.userId);
        expect(made).toHaveLength(1);
        const open = [...sessions.values()].filter((one) => one.customer === made[0]?.id && one.status === 'open');
        expect(open).toHaveLength(1);
      },
    };
  },
  async 'a plan that an operator gives'() {
    const holder = shop.person();
    const act = { actId: newId(), tier: null, plan: 'agency', until: null } as const;
    return {
      run: ({ giveService }) => giveService.change(holder, act),
      async check() {
        expect(await shop.standing(holder)).toMatchObject({
          plan: 'agency',
          tier: 'pro',
          credits: { subscription: 4_000 },
        });
      },
    };
  },
};

async function recover(): Promise<void> {
  shop.world.clock.advance(20 * SECOND);
  await shop.runTasks();
}

/** Null: the scene ran through without such a call. Each time in a process of its own, since one that is dead stays so. */
async function cutBefore(call: number, { run }: Scene) {
  const store = interruptible(shop.world.db);
  const process = await shop.process(store.db);
  const { interrupted, resume } = store.interruptBefore(call);
  const running = run(process);
  running.catch(() => {});
  const done = await Promise.race([interrupted.then(() => false), running.then(() => true)]);
  return done ? null : { process, running, resume };
}

describe.each(Object.entries(SCENES).map(([name, open], i) => [name, open, i % STRIDE] as const))(
  '%s',
  (_name, open, first) => {
    it('survives death before every call to the store', async () => {
      let call = first;
      for (; ; call += STRIDE) {
        const scene = await open();
        if (!(await cutBefore(call, scene))) break;
        await recover();
        await scene.run(shop.front);
        await recover();
        await scene.check();
      }
      expect(call).toBeGreaterThan(5);
    });

    it('survives sleep before every call, while a rival and the recovery do the same', async () => {
      for (let call = first; ; call += STRIDE) {
        const scene = await open();
        const cutOff = await cutBefore(call, scene);
        if (!cutOff) break;
        await scene.run(shop.front);
        await recover();
        cutOff.resume();
        await cutOff.running;
        await cutOff.process.engine.ledger.flush();
        await recover();
        await scene.check();
      }
    });

    it.each([false, true])('survives that Stripe fails at any request, having done it: %s', async (done) => {
      const trouble = { status: 503, error: { type: 'api_error', message: 'Try again.' }, done };
      for (let request = 0; ; request++) {
        const scene = await open();
        let seen = 0;
        shop.stripe.fault = () => (seen++ === request ? trouble : null);
        await scene.run(shop.front).catch(() => {});
        shop.stripe.fault = () => null;
        if (seen <= request) break;
        await scene.run(shop.front);
        await scene.check();
      }
    });
  },
);
