/** How many jobs of one owner may wait, and where in the queue the next one stands. */
import { Problem } from '../../../platform/errors.js';
import type { JobStore } from './job.store.js';

export interface JobAdmissionDeps {
  jobs: JobStore;
  queuePerTenant: number;
  now: () => Date;
}

/** Jobs of a plan with priority stand where they would, had they come this much earlier: so nobody waits for ever. */
const PRIORITY_MS = 60_000;
/** Each job that its owner has waiting sets the next one back a little, so that one owner's heap delays the others less. */
const SPREAD_MS = 500;
const LONGEST_SPREAD_MS = 120_000;
/** How long a count is believed in, together with what was let in since. */
const COUNT_MS = 1_000;
const FULL_RETRY_SECONDS = 5;

interface Known {
  count: Promise<number>;
  at: number;
  /** Let in since the count began. */
  since: number;
  /** Let in and not in the store yet. */
  underWay: number;
}

export class JobAdmission {
  readonly #deps: JobAdmissionDeps;
  readonly #known = new Map<string, Known>();

  constructor(deps: JobAdmissionDeps) {
    this.#deps = deps;
  }

  /** Puts `count` jobs into the queue by `work`, which is given the place of the first, or refuses with rate_limited. */
  async enter<T>(
    owner: string,
    { count, priority }: { count: number; priority: boolean },
    work: (place: number) => Promise<T>,
  ): Promise<T> {
    const known = this.#of(owner);
    known.since += count;
    known.underWay += count;
    const { since } = known;
    try {
      const before = (await known.count) + since - count;
      if (before + count > this.#deps.queuePerTenant) throw this.#full();
      return await work(this.#placeAfter(before, priority));
    } catch (error) {
      known.since -= count;
      throw error;
    } finally {
      known.underWay -= count;
      if (known.underWay === 0) this.#known.delete(owner);
    }
  }

  /** One for all who come at about the same time. */
  #of(owner: string): Known {
    const now = Date.now();
    const known = this.#known.get(owner);
    if (known && known.at + COUNT_MS > now) return known;
    const count = this.#deps.jobs.waiting(owner, this.#deps.queuePerTenant);
    if (known) return Object.assign(known, { count, at: now, since: known.underWay });
    const fresh = { count, at: now, since: 0, underWay: 0 };
    this.#known.set(owner, fresh);
    return fresh;
  }

  #placeAfter(waiting: number, priority: boolean): number {
    const setBack = Math.min(waiting * SPREAD_MS, LONGEST_SPREAD_MS);
    return this.#deps.now().getTime() - (priority ? PRIORITY_MS : 0) + setBack;
  }

  #full(): Problem {
    const { queuePerTenant } = this.#deps;
    return new Problem('rate_limited', `No more than ${queuePerTenant} jobs may wait at once.`, {
      retryAfterSeconds: FULL_RETRY_SECONDS,
      hint: 'Ask again when some of them have been drawn.',
    });
  }
}
