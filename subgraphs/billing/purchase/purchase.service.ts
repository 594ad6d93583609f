/**
 * Buys a pack with the saved card, with nobody at a page to ask. One key of a caller is one purchase: a repetition finds
 * out what became of it, or brings it to its end under the same key at Stripe.
 */
import type { Collection } from 'mongodb';
import Stripe from 'stripe';
import { Problem } from '../../../platform/errors.js';
import { retryOnDuplicate } from '../../../platform/mongo/writes.js';
import type { Caller } from '../../../platform/scope.js';
import { sha256 } from '../../../platform/secrets.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import { requireStripe } from '../checkout/checkout.service.js';
import type { CustomerService } from '../customer/customer.service.js';
import type { StandingService } from '../customer/standing.service.js';
import type { PaymentSync } from '../payment/payment.sync.js';
import { packOf } from '../plan/catalogue.js';
import { ask } from '../stripe/stripe.js';
import type { PurchaseDoc } from './purchase.model.js';

export interface PurchaseServiceDeps {
  purchases: Collection<PurchaseDoc>;
  customerService: CustomerService;
  standing: StandingService;
  sync: PaymentSync | null;
  stripe: Stripe | null;
  now: () => Date;
}

export interface PurchaseRequest {
  packId: string;
  idempotencyKey: string;
}

const MAX_KEY = 200;
const KEPT_DAYS = 90;
/** Stripe remembers what a key did for a day. After that, a payment that it may have made is looked for. */
const KEY_LIFETIME_MS = 20 * 3_600_000;
const DAY_MS = 86_400_000;

export class PurchaseService {
  readonly #deps: PurchaseServiceDeps;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: PurchaseServiceDeps) {
    this.#deps = deps;
    this.tasks = [{ name: 'billing-purchases', everyMs: 3_600_000, run: () => this.#forgetOld() }];
  }

  async buy(caller: Caller, { packId, idempotencyKey }: PurchaseRequest): Promise<PurchaseDoc> {
    if (!packOf(packId)) throw Problem.invalid('packId', 'is not a pack: GET /v2/billing/status lists them');
    if (idempotencyKey.trim() === '' || idempotencyKey.length > MAX_KEY) {
      throw Problem.invalid('idempotencyKey', `must have 1 to ${MAX_KEY} characters`);
    }
    const stripe = requireStripe(this.#deps.stripe);
    if (caller.suspended) throw new Problem('account_suspended');
    const purchase = await this.#begin(stripe, caller, packId, sha256(`${caller.userId}\n${idempotencyKey}`));
    if (purchase.packId !== packId) {
      throw new Problem('conflict', 'This idempotencyKey was used for another pack.', {
        hint: 'Send a new key with a new purchase.',
      });
    }
    return this.#answer(purchase.outcome === null ? await this.#charge(stripe, purchase) : purchase);
  }

  async #begin(stripe: Stripe, caller: Caller, packId: string, _id: string): Promise<PurchaseDoc> {
    const { purchases, now } = this.#deps;
    const known = await purchases.findOne({ _id });
    if (known) return known;
    const fresh: Omit<PurchaseDoc, '_id'> = {
      userId: caller.userId,
      packId,
      paymentMethodId: await this.#card(stripe, caller),
      outcome: null,
      paymentIntentId: null,
      refusal: null,
      createdAt: now(),
    };
    const purchase = await retryOnDuplicate(() =>
      purchases.findOneAndUpdate({ _id }, { $setOnInsert: fresh }, { upsert: true, returnDocument: 'after' }),
    );
    if (!purchase) throw new Error('an upsert returned nothing');
    return purchase;
  }

  /** Stripe is asked: what we last heard of a card may be old. */
  async #card(stripe: Stripe, { userId }: Caller): Promise<string> {
    const { customerService, standing } = this.#deps;
    const customer = await customerService.find(userId);
    if (customer?.customerId != null) {
      const { invoice_settings, deleted } = await this.#customer(stripe, customer.customerId);
      const preferred = deleted ? null : invoice_settings;
      if (preferred) return preferred;
      await standing.sync(userId);
      const card = (await customerService.find(userId))?.card;
      if (card) return card.paymentMethodId;
    }
    throw new Problem('card_missing');
  }

  async #customer(stripe: Stripe, id: string): Promise<{ invoice_settings: string | null; deleted: boolean }> {
    const customer = await ask(stripe.customers.retrieve(id));
    if (customer.deleted) return { invoice_settings: null, deleted: true };
    const { default_payment_method: preferred } = customer.invoice_settings;
    return { invoice_settings: typeof preferred === 'string' ? preferred : (preferred?.id ?? null), deleted: false };
  }

  async #charge(stripe: Stripe, purchase: PurchaseDoc): Promise<PurchaseDoc> {
    const customer = (await this.#deps.customerService.find(purchase.userId))?.customerId;
    if (customer == null) throw new Problem('card_missing');
    try {
      const intent =
        (await this.#madeBefore(stripe, customer, purchase)) ?? (await this.#make(stripe, customer, purchase));
      await this.#deps.sync?.intent(intent.id);
      if (intent.status === 'succeeded') return this.#settle(purchase, { outcome: 'PAID', paymentIntentId: intent.id });
      const outcome = intent.status === 'processing' ? 'PROCESSING' : 'REFUSED';
      const refusal =
        outcome === 'REFUSED' ? { slug: 'card_authentication_required' as const, declineCode: null } : null;
      return this.#settle(purchase, { outcome, paymentIntentId: intent.id, refusal });
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (!(error instanceof Problem) || !(cause instanceof Stripe.errors.StripeCardError)) throw error;
      const refusal = { slug: error.slug, declineCode: cause.decline_code ?? null };
      return this.#settle(purchase, { outcome: 'REFUSED', refusal });
    }
  }

  #make(
    stripe: Stripe,
    customer: string,
    { _id, packId, paymentMethodId }: PurchaseDoc,
  ): Promise<Stripe.PaymentIntent> {
    const pack = packOf(packId);
    if (!pack) throw new Error(`the pack ${packId} is not sold any more`);
    return ask(
      stripe.paymentIntents.create(
        {
          amount: pack.priceCents,
          currency: 'usd',
          customer,
          payment_method: paymentMethodId,
          off_session: true,
          confirm: true,
          automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
          description: pack.name,
          metadata: { pack_id: packId, purchase: _id },
        },
        { idempotencyKey: `darkroom-purchase-${_id}` },
      ),
    );
  }

  async #madeBefore(stripe: Stripe, customer: string, { _id, createdAt }: PurchaseDoc) {
    if (this.#deps.now().getTime() - createdAt.getTime() < KEY_LIFETIME_MS) return null;
    const created = { gte: Math.floor(createdAt.getTime() / 1000) - 60 };
    for await (const intent of stripe.paymentIntents.list({ customer, created, limit: 100 })) {
      if (intent.metadata['purchase'] === _id) return intent;
    }
    return null;
  }

  async #settle({ _id }: PurchaseDoc, outcome: Partial<PurchaseDoc>): Promise<PurchaseDoc> {
    const settled = await this.#deps.purchases.findOneAndUpdate(
      { _id },
      { $set: outcome },
      { returnDocument: 'after' },
    );
    if (!settled) throw new Error('a purchase vanished');
    return settled;
  }

  #answer(purchase: PurchaseDoc): PurchaseDoc {
    const { refusal } = purchase;
    if (!refusal) return purchase;
    const { declineCode } = refusal;
    throw new Problem(refusal.slug, undefined, declineCode === null ? {} : { extra: { decline_code: declineCode } });
  }

  async #forgetOld(): Promise<void> {
    const { purchases, now } = this.#deps;
    await purchases.deleteMany({ createdAt: { $lt: new Date(now().getTime() - KEPT_DAYS * DAY_MS) } });
  }
}
