import type { CollectionDefinition } from '../../../platform/mongo/store.js';

/** An event of Stripe's that was applied. */
export interface EventDoc {
  /** Stripe's id of it. */
  _id: string;
  type: string;
  createdAt: Date;
  appliedAt: Date;
}

export const EVENTS: CollectionDefinition = {
  name: 'billing_events',
  indexes: [{ name: 'applied', key: { appliedAt: 1 } }],
};
