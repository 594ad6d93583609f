/**
 * How money and rights come into accounts, and leave them again other than by spending. Every act names its source, an
 * id that stays the same when the act is repeated (a Stripe event, invoice or checkout, an operator's act): for one
 * account, one act of one source takes effect once, for ever. The answers tell whether this call was the one.
 */
import { Problem } from '../../../platform/errors.js';
import { actOf } from '../ledger/ledger.model.js';
import type { Account } from './account.js';
import type { AccountDocument, PotKind, TierSlug, Unit } from './account.model.js';
import { type Holder, userAccount } from './payers.js';
import type { AccountWriter } from './writer.js';

export interface Grant {
  source: string;
  unit: Unit;
  /** Whole credits, or millionths of a dollar. */
  amount: number;
  /** `purchased` is spent last. */
  kind: Extract<PotKind, 'purchased' | 'welcome' | 'subscription'>;
  /** Null: it stays until it is spent. */
  expiresAt: Date | null;
  /** Why, for whoever reads the ledger. */
  note?: string;
}

export interface TakeBack {
  source: string;
  unit: Unit;
  amount: number;
  /** From pots of this kind alone. What is no longer there is owed: taken from what comes in next. */
  kind: Extract<PotKind, 'purchased' | 'subscription'>;
  note?: string;
}

export interface Renewal {
  /** The paid invoice. */
  source: string;
  /** Stripe's id of the subscription. Another subscription of the account has a pot of its own. */
  subscription: string;
  /** Credits of one period. */
  amount: number;
  /** Null: what is unused lapses at the period's end. Else it stays, and a renewal fills up to this sum at most. */
  upTo: number | null;
  periodEnd: Date;
  /** When what is left is forfeited; null while the subscription lives. */
  endsAt: Date | null;
  note?: string;
}

export interface SubscriptionEnd {
  source: string;
  subscription: string;
  /** Until when what is left can be spent. The earliest that was ever said holds. */
  endsAt: Date;
}

export interface TierChange {
  source: string;
  tier: TierSlug;
  /** Rises with every change that the sender knows of: of those that arrive out of order the highest holds. */
  version?: number;
  note?: string;
}

export class MoneyIn {
  readonly #writer: AccountWriter;

  constructor(writer: AccountWriter) {
    this.#writer = writer;
  }

  /** Whatever is owed is paid out of it first. */
  async grant(holder: Holder, grant: Grant): Promise<{ applied: boolean }> {
    requireAct(grant.source, grant.amount);
    return { applied: await this.#act(holder, 'grant', grant.source, (account) => account.grant(grant)) };
  }

  /** For refunds and disputes. A pot never falls below zero. */
  async takeBack(holder: Holder, back: TakeBack): Promise<{ applied: boolean; taken: number; owed: number }> {
    requireAct(back.source, back.amount);
    const outcome = await this.#act(holder, 'take_back', back.source, (account) => account.takeBack(back));
    return { applied: outcome !== null, taken: outcome?.taken ?? 0, owed: outcome?.owed ?? 0 };
  }

  /**
   * Grants a paid period. Periods may arrive in any order: a period that ended, or that a later one has followed,
   * grants nothing that outlives it. `granted` is what this source brought, now or before: less than the amount where
   * the roll-over has no room.
   */
  async renewSubscription(holder: Holder, renewal: Renewal): Promise<{ applied: boolean; granted: number }> {
    requireAct(renewal.source, renewal.amount);
    return this.#act(holder, 'renewal', renewal.source, (account) => account.renew(renewal));
  }

  /** May arrive before the renewals of the same subscription; they are then spendable no longer than this says. */
  async endSubscription(holder: Holder, end: SubscriptionEnd): Promise<{ applied: boolean }> {
    requireAct(end.source, 0);
    return { applied: await this.#act(holder, 'end', end.source, (account) => account.endSubscription(end)) };
  }

  /**
   * A better tier grants at once what its month has more than this one was granted already; so going back and forth in
   * one month gains nothing. A lesser tier takes nothing away and counts from the next refill.
   */
  async setTier(holder: Holder, change: TierChange): Promise<{ applied: boolean }> {
    requireAct(change.source, 0);
    return { applied: await this.#act(holder, 'tier', change.source, (account) => account.setTier(change)) };
  }

  /** The account as it stands, with all refills and expiries up to this moment. Writes nothing. */
  look(holder: Holder): Promise<Account> {
    return this.#writer.look(userAccount(holder));
  }

  /** The same of a document that was read already. */
  view(holder: Holder, document: AccountDocument | null): Account {
    return this.#writer.view(userAccount(holder), document);
  }

  #act<T>(holder: Holder, act: string, source: string, apply: (account: Account) => T): Promise<T> {
    return this.#writer.change(userAccount(holder), { asks: ({ id }) => [actOf(id, act, source)], apply });
  }
}

const MAX_SOURCE = 200;

function requireAct(source: string, amount: number): void {
  if (source === '' || source.length > MAX_SOURCE) throw Problem.invalid('source', 'must name what the act is about');
  if (!Number.isSafeInteger(amount) || amount < 0) throw Problem.invalid('amount', 'must be a whole number from 0');
}
