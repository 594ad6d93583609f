/**
 * Brings what a payment gave into line with what Stripe says of it. Events only say that something happened: what is
 * true is asked for, so neither their order nor their number matters.
 */
import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import { Problem } from '../../../platform/errors.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { MoneyIn } from '../account/money-in.service.js';
import type { CustomerService } from '../customer/customer.service.js';
import { creditsDue, type Move, type PaymentDoc, type PaymentState } from './payment.model.js';

export interface PaymentServiceDeps {
  payments: Collection<PaymentDoc>;
  customerService: CustomerService;
  moneyIn: MoneyIn;
  /** A payment counts more or less than before. */
  onChange(): void;
  log: Logger;
  now: () => Date;
}

/** The state of a payment at Stripe; null when it bought nothing here. */
export type ReadState = () => Promise<PaymentState | null>;

const ATTEMPTS = 20;
const ABANDONED_MS = 15_000;
const BATCH = 50;

export class PaymentService {
  readonly #deps: PaymentServiceDeps;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: PaymentServiceDeps) {
    this.#deps = deps;
    this.tasks = [{ name: 'billing-payments', everyMs: 10_000, run: () => this.#recover() }];
  }

  /**
   * A state is written only when nobody wrote since before Stripe was asked, so of two that ask at once the one with the
   * older answer asks again.
   */
  async converge(_id: string, read: ReadState): Promise<PaymentDoc | null> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const known = await this.#finish(await this.#find(_id));
      const state = await read();
      if (!state) return known;
      const next = this.#next(_id, known, state);
      if (next === known) return known;
      if (await this.#write(next, known)) {
        this.#deps.onChange();
        return this.#finish(next);
      }
    }
    throw new Problem('unavailable', `Too much happens to the payment ${_id} at once.`);
  }

  #find(_id: string): Promise<PaymentDoc | null> {
    return this.#deps.payments.findOne({ _id });
  }

  /** What is known already when nothing changed. */
  #next(_id: string, known: PaymentDoc | null, state: PaymentState): PaymentDoc {
    // What was bought is settled by the first sight of it; only how much of the money was kept can change.
    const current = known ? { ...state, item: known.item, credits: known.credits, month: known.month } : state;
    const given = known?.given ?? 0;
    const credits = creditsDue(current) - given;
    if (
      known &&
      credits === 0 &&
      known.paidCents === state.paidCents &&
      known.netCents === state.netCents &&
      known.committedCents === state.committedCents
    ) {
      return known;
    }
    const now = this.#deps.now();
    const rev = (known?.rev ?? 0) + 1;
    return {
      ...current,
      _id,
      createdAt: known?.createdAt ?? now,
      given,
      opened: known?.opened ?? false,
      moving: credits === 0 ? null : { step: rev, credits },
      ...(credits !== 0 && { movingSince: now }),
      rev,
    };
  }

  async #write(next: PaymentDoc, known: PaymentDoc | null): Promise<boolean> {
    const { payments } = this.#deps;
    if (known) return (await payments.replaceOne({ _id: next._id, rev: known.rev }, next)).matchedCount === 1;
    try {
      await payments.insertOne(next);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** Carries a decided move into the ledger, once: its step is part of the id by which the ledger knows it. */
  async #finish(payment: PaymentDoc | null): Promise<PaymentDoc | null> {
    if (!payment?.moving) return payment;
    const { _id, moving, rev } = payment;
    const moved = await this.#move(payment, moving);
    const given = payment.given + moved;
    const settled = await this.#deps.payments.findOneAndUpdate(
      { _id, rev },
      {
        $set: {
          given,
          // What a full pot did not take is not this payment's to give back later.
          credits: moved < moving.credits ? wholeOf(payment, given) : payment.credits,
          opened: payment.opened || moving.credits > 0,
          moving: null,
          rev: rev + 1,
        },
        $unset: { movingSince: 1 },
      },
      { returnDocument: 'after' },
    );
    return settled ?? this.#finish(await this.#find(_id));
  }

  async #move({ _id, userId, item, month, opened }: PaymentDoc, { step, credits }: Move): Promise<number> {
    const { moneyIn, customerService, now } = this.#deps;
    const holder = await customerService.holder(userId);
    const kind = month ? 'subscription' : 'purchased';
    const act = { source: `stripe:${_id}:${step}`, unit: 'credits', note: `${item}, ${_id}` } as const;
    if (credits < 0) {
      // What was unspent of a month that is over has lapsed already, and must not be taken from a later one.
      const over = month?.upTo === null && month.periodEnd <= now();
      if (!over) await moneyIn.takeBack(holder, { ...act, kind, amount: -credits });
      return credits;
    }
    // Of a month without roll-over there is one renewal; what comes back to it later stands beside it.
    if (month && (!opened || month.upTo !== null)) {
      const { granted } = await moneyIn.renewSubscription(holder, { ...act, ...month, amount: credits, endsAt: null });
      return granted;
    }
    await moneyIn.grant(holder, { ...act, kind, amount: credits, expiresAt: month?.periodEnd ?? null });
    return credits;
  }

  async #recover(): Promise<void> {
    const { payments, log, now } = this.#deps;
    const left = await payments
      .find({ movingSince: { $lte: new Date(now().getTime() - ABANDONED_MS) } })
      .sort({ movingSince: 1 })
      .limit(BATCH)
      .toArray();
    for (const payment of left) {
      try {
        await this.#finish(payment);
      } catch (error) {
        log.error({ err: error, payment: payment._id }, 'payment not settled');
      }
    }
  }
}

/** What the whole payment gives, if its kept part gave this. */
function wholeOf({ paidCents, netCents }: PaymentDoc, given: number): number {
  return netCents === 0 ? given : Math.ceil((given * paidCents) / netCents);
}
