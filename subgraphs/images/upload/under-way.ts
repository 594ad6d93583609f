/** How many uploads may be under way in one process. Each holds a part of a picture in memory for as long as it takes. */
import { Problem } from '../../../platform/errors.js';

const OF_ONE = 16;
const OF_ALL = 128;

export class UnderWay {
  readonly #of = new Map<string, number>();
  #all = 0;

  /** Returns the way to leave. */
  enter(userId: string): () => void {
    const mine = this.#of.get(userId) ?? 0;
    if (mine >= OF_ONE) {
      const message = `An account may have ${OF_ONE} uploads under way.`;
      throw new Problem('rate_limited', message, { retryAfterSeconds: 1 });
    }
    if (this.#all >= OF_ALL) {
      throw new Problem('unavailable', 'Too many uploads are under way.', { retryAfterSeconds: 1 });
    }
    this.#of.set(userId, mine + 1);
    this.#all += 1;
    return () => {
      this.#all -= 1;
      const left = (this.#of.get(userId) ?? 1) - 1;
      if (left === 0) this.#of.delete(userId);
      else this.#of.set(userId, left);
    };
  }
}
