import type { CollectionDefinition } from '../../../platform/mongo/store.js';

export type TierSlug = 'hobby' | 'pro';

/** Accounts that were never given a tier have no document: they are on hobby. */
export interface BillingAccountDocument {
  /** The user's id. */
  _id: string;
  tier: TierSlug;
}

export const BILLING_ACCOUNTS: CollectionDefinition = { name: 'billing_accounts', indexes: [] };
