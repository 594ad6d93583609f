/** Sliding-window limits that hold across processes: each decision is one atomic update of one document. */
import type { Collection, Document } from 'mongodb';
import { Problem } from '../../platform/errors.js';
import type { CollectionDefinition } from '../../platform/mongo/store.js';
import { retryOnDuplicate } from '../../platform/mongo/writes.js';

interface Hits {
  /** The second in which the hits are counted. */
  second: number;
  count: number;
}

export interface LimitDoc {
  _id: string;
  hits: Hits[];
  /** Whether the latest attempt was within the limit. */
  allowed: boolean;
  /** When everything in here has left the window, and the document can go. */
  until: Date;
}

export const LIMITS: CollectionDefinition = {
  name: 'accounts_limits',
  indexes: [{ name: 'until', key: { until: 1 } }],
};

export interface Limit {
  key: string;
  /** 0: no limit. */
  limit: number;
  windowSeconds: number;
  message: string;
}

export class Limiter {
  readonly #limits: Collection<LimitDoc>;
  readonly #now: () => Date;

  constructor(limits: Collection<LimitDoc>, now: () => Date) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Counts one use, or throws `rate_limited` with the exact number of seconds after which one is free again. */
  async take({ key, limit, windowSeconds, message }: Limit): Promise<void> {
    if (limit === 0) return;
    const seconds = this.#now().getTime() / 1000;
    const after = await retryOnDuplicate(() =>
      this.#limits.findOneAndUpdate({ _id: key }, countHit(seconds, limit, windowSeconds), {
        upsert: true,
        returnDocument: 'after',
      }),
    );
    if (after === null || after.allowed) return;
    throw new Problem('rate_limited', message, {
      retryAfterSeconds: secondsUntilFree(after.hits, limit, seconds - windowSeconds),
    });
  }

  async sweep(): Promise<void> {
    await this.#limits.deleteMany({ until: { $lt: this.#now() } });
  }
}

/**
 * Hits of one second share an entry, so that a generous limit cannot make the document large. A hit counts for the
 * second that follows it: the window is never shorter than promised.
 */
function countHit(seconds: number, limit: number, windowSeconds: number): Document[] {
  const second = Math.ceil(seconds);
  const counted = {
    $cond: [
      { $in: [second, '$hits.second'] },
      {
        $map: {
          input: '$hits',
          in: {
            $cond: [{ $eq: ['$$this.second', second] }, { second, count: { $add: ['$$this.count', 1] } }, '$$this'],
          },
        },
      },
      { $concatArrays: ['$hits', [{ second, count: 1 }]] },
    ],
  };
  const windowStart = Math.floor(seconds) - windowSeconds;
  return [
    {
      $set: {
        hits: { $filter: { input: { $ifNull: ['$hits', []] }, cond: { $gt: ['$$this.second', windowStart] } } },
        until: new Date((second + windowSeconds + 1) * 1000),
      },
    },
    { $set: { allowed: { $lt: [{ $sum: '$hits.count' }, limit] } } },
    { $set: { hits: { $cond: ['$allowed', counted, '$hits'] } } },
  ];
}

function secondsUntilFree(hits: readonly Hits[], limit: number, windowStart: number): number {
  let tooMany = hits.reduce((sum, { count }) => sum + count, 0) - limit + 1;
  let leaving = windowStart;
  for (const { second, count } of hits.toSorted((a, b) => a.second - b.second)) {
    if (tooMany <= 0) break;
    tooMany -= count;
    leaving = second;
  }
  return Math.max(1, Math.ceil(leaving - windowStart));
}
