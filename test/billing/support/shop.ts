/** Processes of billing that sell, over one real engine and a stand-in for Stripe on the same clock. */
import type { Db } from 'mongodb';
import { newId } from '../../../platform/ids.js';
import { type Caller, wholeAccount } from '../../../platform/scope.js';
import { planInForce } from '../../../subgraphs/billing/customer/customer.model.js';
import { type BillingEngine, createEngine } from '../../../subgraphs/billing/engine.js';
import { createSales, type Sales } from '../../../subgraphs/billing/sales.js';
import type { SalesSettings } from '../../../subgraphs/billing/settings.js';
import { openStore } from '../../../subgraphs/billing/store.js';
import type { StripeEvent } from '../../support/stripe/objects.js';
import { openStripe, STRIPE_KEY, type StripeStandIn, WEBHOOK_SECRET } from '../../support/stripe/server.js';
import { billingDeps, SALES_SETTINGS } from './settings.js';
import { openWorld, type World } from './world.js';

export interface Process extends Sales {
  engine: BillingEngine;
}

export interface Shop {
  world: World;
  stripe: StripeStandIn;
  front: Process;
  process(db?: Db, settings?: Partial<SalesSettings>): Promise<Process>;
  /** Somebody with an account, and with a customer at Stripe. */
  customer(): Promise<Buyer>;
  person(): Caller;
  deliver(event: StripeEvent, to?: Process): Promise<boolean>;
  /** Delivers what came since a mark, in order. */
  deliverSince(mark: number, to?: Process): Promise<void>;
  runTasks(of?: Process): Promise<void>;
  /** How an account stands, times counted from a moment. */
  standing(caller: Caller, from?: Date): Promise<Standing>;
  close(): Promise<void>;
}

export type Buyer = Caller & { customerId: string };

export interface Standing {
  plan: string;
  tier: string;
  status: string | null;
  hasCard: boolean;
  credits: Record<string, number>;
  /** Of pots with credits: their kind, what is left, and when it is gone. */
  pots: [kind: string, remaining: number, secondsLeft: number | null][];
  owed: number;
  committedCents: number;
}

let numbered = 0;

export async function openShop(settings: Partial<SalesSettings> = {}): Promise<Shop> {
  const world = await openWorld();
  const stripe = await openStripe(world.clock.now);
  const stripeSettings = { secretKey: STRIPE_KEY, webhookSecret: WEBHOOK_SECRET, baseUrl: stripe.url };

  async function start(db = world.db, changes: Partial<SalesSettings> = {}): Promise<Process> {
    const sales = { ...SALES_SETTINGS, stripe: stripeSettings, ...settings, ...changes };
    const deps = { ...billingDeps(db, world.clock.now), sales };
    const store = await openStore(db);
    const engine = createEngine(store, deps);
    return { engine, ...createSales(store, engine, deps) };
  }
  const front = await start();

  function person(): Caller {
    numbered += 1;
    const email = `buyer-${process.pid}-${numbered}@example.com`;
    const createdAt = world.clock.now();
    const userId = newId();
    const named = { userId, keyId: newId(), email, handle: null, handleClaimedAt: null };
    return { ...named, ...wholeAccount(userId), createdAt, suspended: false };
  }

  const shop: Shop = {
    world,
    stripe,
    front,
    process: start,
    person,
    async customer() {
      const caller = person();
      await front.checkoutService.portal(caller);
      const customer = await front.customerService.find(caller.userId);
      return { ...caller, customerId: customer?.customerId ?? '' };
    },
    deliver(event, to = front) {
      const payload = JSON.stringify(event);
      return to.webhookService.receive(payload, stripe.sign(payload));
    },
    async deliverSince(mark, to = front) {
      for (const event of stripe.business.ledger.events.slice(mark)) await shop.deliver(event, to);
    },
    async runTasks(of = front) {
      for (const task of of.tasks) await task.run(new AbortController().signal);
    },
    async standing(caller, from = new Date(0)) {
      const [customer, account, payments] = await Promise.all([
        front.customerService.find(caller.userId),
        front.engine.moneyIn.look(caller),
        world.store.payments.find({ userId: caller.userId }).toArray(),
      ]);
      const seconds = (time: Date | null) => (time ? Math.round((time.getTime() - from.getTime()) / 1000) : null);
      const pots = account.pots.filter(({ unit, remaining }) => unit === 'credits' && remaining > 0);
      const { welcome, subscription, purchased, available } = await front.entitlementService.credits(caller);
      return {
        plan: planInForce(customer, world.clock.now()),
        tier: account.tier,
        status: customer?.subscribed?.status ?? null,
        hasCard: customer?.card != null,
        credits: { welcome, subscription, purchased, available },
        pots: pots
          .map(({ kind, remaining, expiresAt }) => [kind, remaining, seconds(expiresAt)] as const)
          .sort() as never,
        owed: account.owed.credits,
        committedCents: payments.reduce((sum, { committedCents }) => sum + committedCents, 0),
      };
    },
    async close() {
      await stripe.close();
      await world.close();
    },
  };
  return shop;
}
