/** One customer at Stripe for each user, whoever asks at once and whoever dies on the way. */
import type { Collection } from 'mongodb';
import type Stripe from 'stripe';
import { retryOnDuplicate } from '../../../platform/mongo/writes.js';
import type { Caller } from '../../../platform/scope.js';
import type { Holder } from '../account/payers.js';
import { ask } from '../stripe/stripe.js';
import type { CustomerDoc } from './customer.model.js';

export interface CustomerServiceDeps {
  customers: Collection<CustomerDoc>;
  now: () => Date;
}

// Stripe remembers an idempotency key for a day; past that, what an earlier attempt made has to be looked for.
const KEY_LIFETIME_MS = 20 * 3_600_000;

export class CustomerService {
  readonly #customers: Collection<CustomerDoc>;
  readonly #now: () => Date;

  constructor({ customers, now }: CustomerServiceDeps) {
    this.#customers = customers;
    this.#now = now;
  }

  find(userId: string): Promise<CustomerDoc | null> {
    return this.#customers.findOne({ _id: userId });
  }

  byStripeId(customerId: string): Promise<CustomerDoc | null> {
    return this.#customers.findOne({ customerId });
  }

  /** Whose account in the ledger it is. */
  async holder(userId: string): Promise<Holder> {
    const customer = await this.find(userId);
    if (!customer) throw new Error(`the customer ${userId} is not on record`);
    return { userId, createdAt: customer.accountCreatedAt };
  }

  /** The document of a user, made if need be. */
  async ensure({ userId, createdAt }: Holder, email: string | null): Promise<CustomerDoc> {
    const fresh: Omit<CustomerDoc, '_id'> = {
      accountCreatedAt: createdAt,
      email,
      customerId: null,
      askedAt: null,
      lost: 0,
      subscribed: null,
      card: null,
      given: null,
      givenTier: null,
      ended: [],
      rev: 0,
    };
    const customer = await retryOnDuplicate(() =>
      this.#customers.findOneAndUpdate(
        { _id: userId },
        { $setOnInsert: fresh },
        { upsert: true, returnDocument: 'after' },
      ),
    );
    if (!customer) throw new Error('an upsert returned nothing');
    return customer;
  }

  /** The id under which Stripe knows the caller. */
  async atStripe(stripe: Stripe, { userId, createdAt, email }: Caller): Promise<string> {
    const known = await this.ensure({ userId, createdAt }, email);
    if (known.customerId !== null) return known.customerId;
    // The first attempt fixes what Stripe is told, so that a repetition says the same under the same key.
    await this.#customers.updateOne({ _id: userId, askedAt: null }, { $set: { askedAt: this.#now(), email } });
    const customer = await this.#customers.findOne({ _id: userId });
    if (!customer) throw new Error('a customer vanished');
    if (customer.customerId !== null) return customer.customerId;
    const made = (await this.#madeBefore(stripe, customer)) ?? (await this.#make(stripe, customer));
    await this.#customers.updateOne({ _id: userId, customerId: null }, { $set: { customerId: made } });
    const settled = await this.#customers.findOne({ _id: userId });
    return settled?.customerId ?? made;
  }

  /** Somebody deleted the customer at Stripe: the user is one that Stripe does not know yet. */
  async forget(userId: string, customerId: string): Promise<void> {
    const gone = { $set: { customerId: null, askedAt: null }, $inc: { lost: 1 } };
    await this.#customers.updateOne({ _id: userId, customerId }, gone);
  }

  async #make(stripe: Stripe, { _id, email, lost }: CustomerDoc): Promise<string> {
    const params = { ...(email !== null && { email }), metadata: { user_id: _id } };
    return (await ask(stripe.customers.create(params, { idempotencyKey: `darkroom-customer-${_id}-${lost}` }))).id;
  }

  async #madeBefore(stripe: Stripe, { _id, email, askedAt }: CustomerDoc): Promise<string | null> {
    if (email === null || askedAt === null) return null;
    if (this.#now().getTime() - askedAt.getTime() < KEY_LIFETIME_MS) return null;
    const { data } = await ask(stripe.customers.list({ email, limit: 100 }));
    return data.find(({ metadata }) => metadata['user_id'] === _id)?.id ?? null;
  }
}
