import type { CollectionDefinition } from '../../../platform/mongo/store.js';

/** The paid month of a subscription, as the ledger is told of it. */
export interface Month {
  subscription: string;
  periodEnd: Date;
  /** What is unused stays, up to this many in all. Null: it lapses with the month. */
  upTo: number | null;
}

/** What a payment is worth right now, as Stripe tells it. */
export interface PaymentState {
  userId: string;
  /** The pack or the plan that was paid for. */
  item: string;
  /** What the whole payment buys. */
  credits: number;
  /** Null: a pack, whose credits do not expire. */
  month: Month | null;
  paidCents: number;
  /** Less what was refunded, and what is disputed or was lost in a dispute. */
  netCents: number;
  /** The part of that which counts towards the community milestone. */
  committedCents: number;
}

/** A change of the credits that is decided and not yet, or not surely, in the ledger. */
export interface Move {
  step: number;
  /** Below zero: to be taken back. */
  credits: number;
}

/** One payment that bought credits: a pack's payment intent, or a plan's invoice. */
export interface PaymentDoc extends PaymentState {
  _id: string;
  createdAt: Date;
  /** The credits that the ledger was given, less what it was to give back. */
  given: number;
  /** Whether it has given anything before. */
  opened: boolean;
  moving: Move | null;
  /** There as long as `moving` is, for the task that finishes what a dead process began. */
  movingSince?: Date;
  /** Raised by every write; a state is written only over the one that was there before Stripe was asked for it. */
  rev: number;
}

export const PAYMENTS: CollectionDefinition = {
  name: 'billing_payments',
  indexes: [
    { name: 'moving', key: { movingSince: 1 }, options: { sparse: true } },
    // Everything that the milestone needs, so that it is counted without reading a document.
    {
      name: 'milestone',
      key: { userId: 1, committedCents: 1 },
      options: { partialFilterExpression: { committedCents: { $gt: 0 } } },
    },
  ],
};

/** The credits that the part of a payment which was kept is worth. */
export function creditsDue({ credits, paidCents, netCents }: PaymentState): number {
  // What cost nothing cannot be refunded.
  return paidCents === 0 ? credits : Math.floor((credits * netCents) / paidCents);
}
