import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { Entry } from '../ledger/ledger.model.js';

export type TierSlug = 'hobby' | 'pro';
export type Unit = 'usd_micros' | 'credits';
export const UNITS: readonly Unit[] = ['usd_micros', 'credits'];
export type PotKind = 'welcome' | 'monthly' | 'subscription' | 'purchased' | 'anonymous';

export interface Pot {
  /** Another one after each refill that does not roll over: what was held of the old grant must not enter the new. */
  id: string;
  unit: Unit;
  kind: PotKind;
  remaining: number;
  /** What was there after the last grant into it. */
  granted: number;
  expiresAt: Date | null;
  refillsTo: number | null;
  refillsAt: Date | null;
  /** The subscription that fills it, and when what that left is forfeited. */
  subscription?: string;
  endsAt?: Date | null;
}

export interface Reservation {
  runId: string;
  unit: Unit;
  amount: number;
  /** What it was taken from, in the order of taking. */
  parts: { pot: string; amount: number }[];
  purpose: string;
  expiresAt: Date;
  /**
   * The other account that the same run is held on. A run without an account is held on the day's cap and on its
   * network; each names the other, so that whichever is found alone can be brought to the same end.
   */
  partner?: string;
}

export type AccountKind = 'user' | 'network' | 'cap';

export interface AccountDocument {
  /** The user's id, or what the network or the day is called here. */
  _id: string;
  kind: AccountKind;
  /** Raised by every change: a write is conditional on the one that it was computed from. */
  rev: number;
  /** Billing months are counted from here. */
  openedAt: Date;
  tier: TierSlug;
  /** The latest of the versions that came with a tier, so that an old one that arrives late changes nothing. */
  tierVersion: number;
  pots: Pot[];
  reservations: Reservation[];
  /** What was delivered and could not be taken: it is taken from what comes in next. */
  owed: Record<Unit, number>;
  /** Number of entries ever made. */
  seq: number;
  /** Entries that may not have reached the ledger yet. */
  outbox: Entry[];
  /** There while there are such entries. */
  outboxSince?: Date;
  /** When the first of the reservations runs out; there while there is one. */
  sweepAt?: Date;
}

export const BILLING_ACCOUNTS: CollectionDefinition = {
  name: 'billing_accounts',
  indexes: [
    { name: 'outbox', key: { outboxSince: 1 }, options: { sparse: true } },
    { name: 'sweep', key: { sweepAt: 1 }, options: { sparse: true } },
  ],
};
