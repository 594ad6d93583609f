/**
 * Sends people to Stripe's own pages. A user has one open checkout at a time: what lies open in another tab is closed
 * before the next one is handed out, so that two of them cannot both be paid by mistake.
 */
import type { Collection } from 'mongodb';
import type Stripe from 'stripe';
import { Problem } from '../../../platform/errors.js';
import { newId } from '../../../platform/ids.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import type { Caller } from '../../../platform/scope.js';
import type { CustomerService } from '../customer/customer.service.js';
import type { StandingService } from '../customer/standing.service.js';
import { isPaidPlan, type Pack, type PaidPlanId, PLANS, packOf, productOf } from '../plan/catalogue.js';
import { ask, isAlready, isInvalidRequest } from '../stripe/stripe.js';
import type { CheckoutDoc } from './checkout.model.js';

export interface CheckoutServiceDeps {
  checkouts: Collection<CheckoutDoc>;
  customerService: CustomerService;
  standing: StandingService;
  stripe: Stripe | null;
  publicUrl: string;
  now: () => Date;
}

/** A page that was asked for a moment ago is given again. */
const REUSE_MS = 10 * 60_000;
/** Stripe closes a page that nobody paid on. It takes no less than half an hour. */
const LIFETIME_MS = 45 * 60_000;
const ATTEMPTS = 10;

type Item = { plan: PaidPlanId } | { packId: string; pack: Pack };

export class CheckoutService {
  readonly #deps: CheckoutServiceDeps;
  readonly #products = new Set<string>();

  constructor(deps: CheckoutServiceDeps) {
    this.#deps = deps;
  }

  /** The address of Stripe's page for a plan or a pack. */
  async open(caller: Caller, wanted: { plan?: string | null; packId?: string | null }): Promise<string> {
    const item = readItem(wanted);
    const stripe = requireStripe(this.#deps.stripe);
    if (caller.suspended) throw new Problem('account_suspended');
    const customer = await this.#deps.customerService.atStripe(stripe, caller);
    if ('plan' in item) await this.#requireNoPlan(caller.userId);
    for (let turn = 0; turn < ATTEMPTS; turn++) {
      const checkout = await this.#claim(caller.userId, 'plan' in item ? item.plan : item.packId);
      if (!checkout) continue;
      const allClosed = await this.#closeOthers(stripe, customer, checkout.attempt);
      // One that cannot be closed may just have been paid.
      if (!allClosed && 'plan' in item) await this.#requireNoPlan(caller.userId);
      const session = await this.#create(stripe, customer, checkout, item);
      const current = await this.#deps.checkouts.findOne({ _id: caller.userId });
      // Somebody took over meanwhile, and may have looked for open pages before this one was there.
      if (current?.attempt !== checkout.attempt) {
        await this.#close(stripe, session.id);
        continue;
      }
      if (session.status === 'open' && session.url) return session.url;
      // The page was paid or ran out: the next one is a new purchase.
      await this.#deps.checkouts.deleteOne({ _id: caller.userId, attempt: checkout.attempt });
      if ('plan' in item) await this.#requireNoPlan(caller.userId);
    }
    throw new Problem('conflict', 'Another checkout of this account is being opened. Try again.');
  }

  /** Where a customer changes card and plan, and cancels. */
  async portal(caller: Caller): Promise<string> {
    const stripe = requireStripe(this.#deps.stripe);
    const customer = await this.#deps.customerService.atStripe(stripe, caller);
    const return_url = `${this.#deps.publicUrl}/billing/done`;
    return (await ask(stripe.billingPortal.sessions.create({ customer, return_url }))).url;
  }

  /** Stripe is asked, because an event may still be on its way. */
  async #requireNoPlan(userId: string): Promise<void> {
    await this.#deps.standing.sync(userId);
    const customer = await this.#deps.customerService.find(userId);
    if (!customer?.subscribed) return;
    const { name } = PLANS[customer.subscribed.plan];
    throw new Problem('conflict', `This account has the ${name} plan already.`, {
      hint: 'Change or cancel the plan in the portal: POST /v2/billing/portal.',
    });
  }

  /** Null: somebody else was faster, look again. */
  async #claim(userId: string, item: string): Promise<CheckoutDoc | null> {
    const { checkouts, now } = this.#deps;
    const known = await checkouts.findOne({ _id: userId });
    if (known?.item === item && now().getTime() - known.startedAt.getTime() < REUSE_MS) return known;
    const next: CheckoutDoc = { _id: userId, attempt: newId(), item, startedAt: now() };
    if (known) {
      return (await checkouts.replaceOne({ _id: userId, attempt: known.attempt }, next)).matchedCount === 1
        ? next
        : null;
    }
    try {
      await checkouts.insertOne(next);
      return next;
    } catch (error) {
      if (isDuplicateKey(error)) return null;
      throw error;
    }
  }

  async #closeOthers(stripe: Stripe, customer: string, attempt: string): Promise<boolean> {
    const { data } = await ask(stripe.checkout.sessions.list({ customer, status: 'open', limit: 100 }));
    const others = data.filter(({ metadata }) => metadata?.['attempt'] !== attempt);
    const closed = await Promise.all(others.map(({ id }) => this.#close(stripe, id)));
    return closed.every(Boolean);
  }

  /** False when it was paid, or ran out, before we came. */
  async #close(stripe: Stripe, id: string): Promise<boolean> {
    try {
      await ask(stripe.checkout.sessions.expire(id));
      return true;
    } catch (error) {
      if (isInvalidRequest(error)) return false;
      throw error;
    }
  }

  /** The same session for the same attempt, however often it is asked for. */
  async #create(
    stripe: Stripe,
    customer: string,
    { attempt, startedAt, _id }: CheckoutDoc,
    item: Item,
  ): Promise<Stripe.Checkout.Session> {
    const { publicUrl } = this.#deps;
    const made = await ask(
      stripe.checkout.sessions.create(
        {
          customer,
          ...('plan' in item ? await this.#planParams(stripe, item.plan) : packParams(item)),
          success_url: `${publicUrl}/billing/success`,
          cancel_url: `${publicUrl}/billing/cancelled`,
          client_reference_id: _id,
          expires_at: Math.floor((startedAt.getTime() + LIFETIME_MS) / 1000),
          metadata: { attempt },
        },
        { idempotencyKey: `darkroom-checkout-${attempt}` },
      ),
    );
    // A repetition answers what the first one answered, which may be some minutes old.
    return ask(stripe.checkout.sessions.retrieve(made.id));
  }

  async #planParams(stripe: Stripe, plan: PaidPlanId): Promise<Stripe.Checkout.SessionCreateParams> {
    const { priceCents } = PLANS[plan];
    const product = await this.#product(stripe, plan);
    const recurring = { interval: 'month' as const };
    return {
      mode: 'subscription',
      line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: priceCents, product, recurring } }],
      subscription_data: { metadata: { plan } },
    };
  }

  /** Plans are products of their own at Stripe, by which subscriptions are told apart whatever they cost. */
  async #product(stripe: Stripe, plan: PaidPlanId): Promise<string> {
    const id = productOf(plan);
    if (this.#products.has(id)) return id;
    try {
      await ask(stripe.products.create({ id, name: PLANS[plan].name }));
    } catch (error) {
      if (!isAlready(error, 'resource_already_exists')) throw error;
    }
    this.#products.add(id);
    return id;
  }
}

function packParams({ packId, pack }: { packId: string; pack: Pack }): Stripe.Checkout.SessionCreateParams {
  const product_data = { name: pack.name };
  return {
    mode: 'payment',
    line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: pack.priceCents, product_data } }],
    // The card is kept for purchases without a page.
    payment_intent_data: { setup_future_usage: 'off_session', metadata: { pack_id: packId } },
  };
}

function readItem({ plan, packId }: { plan?: string | null; packId?: string | null }): Item {
  if ((plan == null) === (packId == null)) throw Problem.invalid('plan', 'send either plan or packId');
  if (plan != null) {
    if (isPaidPlan(plan)) return { plan };
    throw Problem.invalid('plan', 'must be pro or agency');
  }
  const pack = packId == null ? null : packOf(packId);
  if (packId == null || !pack) throw Problem.invalid('packId', 'is not a pack: GET /v2/billing/status lists them');
  return { packId, pack };
}

export function requireStripe(stripe: Stripe | null): Stripe {
  if (!stripe) throw new Problem('billing_not_configured');
  return stripe;
}
