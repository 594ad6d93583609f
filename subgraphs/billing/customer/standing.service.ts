/** Which plan a customer has: worked out from what Stripe has now, never from the order in which events came. */
import { isDeepStrictEqual } from 'node:util';
import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import type Stripe from 'stripe';
import { Problem } from '../../../platform/errors.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { MoneyIn } from '../account/money-in.service.js';
import { addMonths } from '../account/months.js';
import type { Holder } from '../account/payers.js';
import type { PaymentReader } from '../payment/payment.reader.js';
import type { PaymentSync } from '../payment/payment.sync.js';
import { PLAN_RANK, PLANS, planOfProduct } from '../plan/catalogue.js';
import { ask, fromSeconds, idOf, isMissing } from '../stripe/stripe.js';
import { type CustomerDoc, GIVEN, type GivenPlan, givenId, type Subscribed, tierInForce } from './customer.model.js';

export interface StandingServiceDeps {
  customers: Collection<CustomerDoc>;
  /** Null: payments are not set up. */
  stripe: Stripe | null;
  reader: PaymentReader | null;
  sync: PaymentSync | null;
  moneyIn: MoneyIn;
  log: Logger;
  now: () => Date;
}

/** A subscription whose payment failed stays in force while Stripe tries again; after that Stripe ends it. */
const IN_FORCE = new Set(['active', 'trialing', 'past_due']);
const ATTEMPTS = 20;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const ABANDONED_MS = 15_000;
/** A renewal that nobody told us of is asked for by then. */
const OVERDUE_MS = 2 * DAY_MS;
const RETRY_MS = 3_600_000;
const BATCH = 50;

type AtStripe = Pick<CustomerDoc, 'subscribed' | 'card' | 'ended'>;

export class StandingService {
  readonly #deps: StandingServiceDeps;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: StandingServiceDeps) {
    this.#deps = deps;
    this.tasks = [
      { name: 'billing-standings', everyMs: 10_000, run: () => this.#recover() },
      { name: 'billing-checks', everyMs: 60_000, run: () => this.#check() },
    ];
  }

  /** Brings a user's standing into line with Stripe, as `PaymentService.converge` does a payment. */
  async sync(userId: string): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const customer = await this.#deps.customers.findOne({ _id: userId });
      const { stripe } = this.#deps;
      if (!stripe || customer?.customerId == null) return;
      const { ended, ...atStripe } = await this.#read(stripe, customer.customerId);
      const given = customer.ended.filter(({ subscriptionId }) => subscriptionId.startsWith(GIVEN));
      const state = { ...atStripe, ended: [...given, ...ended] };
      const next = this.#differs(customer, state) ? await this.#write(customer, state) : customer;
      if (!next) continue;
      if (next.settleAt) await this.settle(next);
      // In case nobody told us of it: the month is given with the plan.
      const invoice = next.subscribed?.latestInvoice ?? null;
      if (invoice !== null) await this.#deps.sync?.invoice(invoice);
      return;
    }
    throw new Problem('unavailable', 'Too much happens to this subscription at once.');
  }

  #differs(customer: CustomerDoc, { subscribed, card, ended }: AtStripe): boolean {
    const known: AtStripe = { subscribed: customer.subscribed, card: customer.card, ended: customer.ended };
    return !isDeepStrictEqual(known, { subscribed, card, ended });
  }

  /** Null when somebody else wrote meanwhile: what was worked out may be old. */
  async #write(customer: CustomerDoc, changes: Partial<CustomerDoc>): Promise<CustomerDoc | null> {
    const { _id, rev } = customer;
    const now = this.#deps.now();
    const next: CustomerDoc = { ...customer, ...changes, rev: rev + 1, settleAt: now };
    const checkAt = checkTime(next, now);
    if (checkAt) next.checkAt = checkAt;
    else delete next.checkAt;
    const { matchedCount } = await this.#deps.customers.replaceOne({ _id, rev }, next);
    return matchedCount === 1 ? next : null;
  }

  /** Applies a change to what operators give. The change is worked out anew when somebody else wrote meanwhile. */
  async change(userId: string, change: (customer: CustomerDoc) => Partial<CustomerDoc>): Promise<CustomerDoc> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const customer = await this.#deps.customers.findOne({ _id: userId });
      if (!customer) throw new Error(`the customer ${userId} is not on record`);
      const next = await this.#write(customer, change(customer));
      if (!next) continue;
      await this.settle(next);
      return next;
    }
    throw new Problem('unavailable', 'Too much happens to this account at once.');
  }

  /** Tells the ledger. Its versions see to it that a late teller of an old standing changes nothing. */
  async settle(customer: CustomerDoc): Promise<void> {
    const { customers, moneyIn, now } = this.#deps;
    const { _id, rev, accountCreatedAt } = customer;
    const holder = { userId: _id, createdAt: accountCreatedAt };
    const tier = tierInForce(customer, now());
    await moneyIn.setTier(holder, { source: `standing:${rev}`, tier, version: rev });
    await this.#payGivenMonths(customer, holder);
    await this.#endRollOver(customer, holder);
    await customers.updateOne({ _id, rev }, { $unset: { settleAt: 1 } });
  }

  /** The months of a plan that an operator gave, each once. */
  async #payGivenMonths({ _id, given }: CustomerDoc, holder: Holder): Promise<void> {
    if (!given) return;
    const { customers, moneyIn, now } = this.#deps;
    const { plan, actId, since, until } = given;
    const { credits, rollOver } = PLANS[plan];
    for (let month = given.monthsGranted; ; month++) {
      const start = addMonths(since, month);
      if (start > now() || (until && start >= until)) return;
      const periodEnd = addMonths(since, month + 1);
      await moneyIn.renewSubscription(holder, {
        source: `act:${actId}:${month}`,
        subscription: `${givenId(actId)}:${plan}`,
        amount: credits,
        upTo: rollOver?.upTo ?? null,
        periodEnd,
        endsAt: until && rollOver ? plusDays(until, rollOver.daysAfterCancelling) : null,
        note: `${plan}, given by an operator`,
      });
      await customers.updateOne(
        { _id, 'given.actId': actId, 'given.monthsGranted': month },
        { $set: { 'given.monthsGranted': month + 1 } },
      );
    }
  }

  async #endRollOver({ ended }: CustomerDoc, holder: Holder): Promise<void> {
    for (const { subscriptionId, at } of ended) {
      for (const [plan, { rollOver }] of Object.entries(PLANS)) {
        if (!rollOver) continue;
        const subscription = `${subscriptionId}:${plan}`;
        const endsAt = plusDays(at, rollOver.daysAfterCancelling);
        await this.#deps.moneyIn.endSubscription(holder, {
          source: `stripe:end:${subscription}`,
          subscription,
          endsAt,
        });
      }
    }
  }

  async #read(stripe: Stripe, customerId: string): Promise<AtStripe> {
    try {
      const [{ data }, cards] = await Promise.all([
        ask(stripe.subscriptions.list({ customer: customerId, status: 'all', limit: 100 })),
        ask(stripe.customers.listPaymentMethods(customerId, { type: 'card', limit: 1 })),
      ]);
      const known = data.flatMap((subscription) => subscribedOf(subscription) ?? []);
      const [best, ...others] = known.filter(({ of }) => IN_FORCE.has(of.status)).sort(better);
      if (others.length > 0)
        await this.#undo(
          stripe,
          others.map(({ of }) => of),
        );
      const [card] = cards.data;
      return {
        subscribed: best?.subscribed ?? null,
        card: card?.card ? { paymentMethodId: card.id, brand: card.card.brand, last4: card.card.last4 } : null,
        ended: known.flatMap(({ of: { id, ended_at } }) =>
          ended_at === null ? [] : [{ subscriptionId: id, at: fromSeconds(ended_at) }],
        ),
      };
    } catch (error) {
      if (isMissing(error)) return { subscribed: null, card: null, ended: [] };
      throw error;
    }
  }

  /**
   * Two checkouts can be paid in the same moment. The plan is paid for once: the money of the other comes back first, so
   * that whoever dies between the two finds it still in force and does both again.
   */
  async #undo(stripe: Stripe, subscriptions: readonly Stripe.Subscription[]): Promise<void> {
    const { reader, sync, log } = this.#deps;
    for (const { id, latest_invoice } of subscriptions) {
      log.warn({ subscription: id }, 'a second subscription of one customer: refunded and cancelled');
      const invoice = idOf(latest_invoice);
      if (invoice !== null) await reader?.refund(invoice);
      try {
        await ask(stripe.subscriptions.cancel(id));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
      if (invoice !== null) await sync?.invoice(invoice);
    }
  }

  async #recover(): Promise<void> {
    const before = new Date(this.#deps.now().getTime() - ABANDONED_MS);
    await this.#each({ settleAt: { $lte: before } }, { settleAt: 1 }, (customer) => this.settle(customer));
  }

  /** What happens by time alone, and what Stripe should have told us of. */
  async #check(): Promise<void> {
    const { customers, now } = this.#deps;
    await this.#each({ checkAt: { $lte: now() } }, { checkAt: 1 }, async ({ _id }) => {
      // Moved first: one that cannot be checked must not keep the others from their turn.
      await customers.updateOne({ _id }, { $set: { checkAt: new Date(now().getTime() + RETRY_MS) } });
      await this.sync(_id);
      await this.change(_id, () => ({}));
    });
  }

  async #each(due: object, order: Record<string, 1>, act: (customer: CustomerDoc) => Promise<void>): Promise<void> {
    const found = await this.#deps.customers.find(due).sort(order).limit(BATCH).toArray();
    for (const customer of found) {
      try {
        await act(customer);
      } catch (error) {
        this.#deps.log.error({ err: error, userId: customer._id }, 'standing not settled');
      }
    }
  }
}

interface Known {
  of: Stripe.Subscription;
  subscribed: Subscribed;
}

function subscribedOf(subscription: Stripe.Subscription): Known | null {
  for (const { price, current_period_end } of subscription.items.data) {
    const plan = planOfProduct(idOf(price.product) ?? '');
    if (!plan) continue;
    const { id, status, cancel_at_period_end, cancel_at, latest_invoice } = subscription;
    return {
      of: subscription,
      subscribed: {
        plan,
        subscriptionId: id,
        status,
        periodEnd: fromSeconds(current_period_end),
        cancelAtPeriodEnd: cancel_at_period_end || cancel_at != null,
        latestInvoice: idOf(latest_invoice),
      },
    };
  }
  return null;
}

/** The higher plan first, of one plan the subscription that was there first. */
function better(a: Known, b: Known): number {
  return (
    PLAN_RANK[b.subscribed.plan] - PLAN_RANK[a.subscribed.plan] ||
    a.of.created - b.of.created ||
    (a.of.id < b.of.id ? -1 : 1)
  );
}

/** The next moment at which something may be due without an event. */
function checkTime({ subscribed, given }: CustomerDoc, now: Date): Date | null {
  const gives = given !== null && (given.until === null || given.until > now);
  const times = [
    ...(subscribed ? [subscribed.periodEnd.getTime() + OVERDUE_MS] : []),
    ...(gives ? [nextMonth(given, now).getTime()] : []),
    ...(gives && given.until ? [given.until.getTime()] : []),
  ];
  return times.length === 0 ? null : new Date(Math.max(Math.min(...times), now.getTime() + MINUTE_MS));
}

/** The first that is not due yet: what is due is paid with the change. */
function nextMonth({ since, monthsGranted }: GivenPlan, now: Date): Date {
  let month = monthsGranted;
  while (addMonths(since, month) <= now) month += 1;
  return addMonths(since, month);
}

function plusDays(from: Date, days: number): Date {
  return new Date(from.getTime() + days * DAY_MS);
}
