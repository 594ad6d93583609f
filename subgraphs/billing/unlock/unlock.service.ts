/** The community milestone: what was committed, counted from the payments themselves. */
import type { Collection } from 'mongodb';
import type { PaymentDoc } from '../payment/payment.model.js';

export interface UnlockSettings {
  goalCents: number;
  /** The head-count that stands for that sum in what is shown. */
  goalBackers: number;
  /** Where people contribute. */
  url: string;
}

export interface UnlockServiceDeps {
  payments: Collection<PaymentDoc>;
  settings: UnlockSettings;
}

export interface Unlock {
  unlocked: boolean;
  backers: number;
  goalBackers: number;
  url: string;
}

interface Count {
  cents: number;
  backers: number;
}

/** How far a payment in another process may be behind. */
const REMEMBER_MS = 10_000;

export class UnlockService {
  readonly #deps: UnlockServiceDeps;
  #counted: { count: Promise<Count>; until: number } | null = null;

  constructor(deps: UnlockServiceDeps) {
    this.#deps = deps;
  }

  async status(): Promise<Unlock> {
    const { goalCents, goalBackers, url } = this.#deps.settings;
    const { cents, backers } = await this.#count();
    return { unlocked: cents >= goalCents, backers, goalBackers, url };
  }

  /** A payment changed: what was counted before it is old. */
  forget(): void {
    this.#counted = null;
  }

  #count(): Promise<Count> {
    const now = Date.now();
    if (!this.#counted || this.#counted.until <= now) {
      const counted = { count: this.#read(), until: now + REMEMBER_MS };
      counted.count.catch(() => {
        if (this.#counted === counted) this.#counted = null;
      });
      this.#counted = counted;
    }
    return this.#counted.count;
  }

  async #read(): Promise<Count> {
    const [count] = await this.#deps.payments
      .aggregate<Count>(
        [
          { $match: { committedCents: { $gt: 0 } } },
          { $group: { _id: '$userId', cents: { $sum: '$committedCents' } } },
          { $group: { _id: null, cents: { $sum: '$cents' }, backers: { $sum: 1 } } },
        ],
        { hint: 'milestone' },
      )
      .toArray();
    return { cents: count?.cents ?? 0, backers: count?.backers ?? 0 };
  }
}
