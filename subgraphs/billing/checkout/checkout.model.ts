import type { CollectionDefinition } from '../../../platform/mongo/store.js';

/** What a user is about to buy on Stripe's page: one thing at a time. */
export interface CheckoutDoc {
  /** The user's id. */
  _id: string;
  /** Names the session at Stripe, and makes that it is made once. */
  attempt: string;
  /** A plan or a pack. */
  item: string;
  startedAt: Date;
}

export const CHECKOUTS: CollectionDefinition = { name: 'billing_checkouts', indexes: [] };
