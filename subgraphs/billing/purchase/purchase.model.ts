import type { ErrorSlug } from '../../../platform/errors.js';
import type { CollectionDefinition } from '../../../platform/mongo/store.js';

/** A pack bought with the saved card. */
export interface PurchaseDoc {
  /** Of the user and the key that the caller gave: a repetition finds it. */
  _id: string;
  userId: string;
  packId: string;
  /** The card that is charged, whatever card is saved when the purchase is repeated. */
  paymentMethodId: string;
  /** Null: the outcome is not known here yet. */
  outcome: 'PAID' | 'PROCESSING' | 'REFUSED' | null;
  paymentIntentId: string | null;
  refusal: { slug: ErrorSlug; declineCode: string | null } | null;
  createdAt: Date;
}

export const PURCHASES: CollectionDefinition = {
  name: 'billing_purchases',
  indexes: [{ name: 'created', key: { createdAt: 1 } }],
};
