/** What many callers want of the database, sent together: what comes while some is under way goes next. */

/** What takes longer than this no longer holds up the others. */
const SLOW_MS = 25;
const AT_ONCE = 8;

export class Gathering<T> {
  readonly #send: (batch: readonly T[]) => Promise<void>;
  readonly #largest: number;
  #waiting: T[] = [];
  #turn: NodeJS.Immediate | undefined;
  #again: NodeJS.Timeout | undefined;
  /** When each batch was sent that is under way. */
  readonly #underWay = new Set<{ since: number }>();

  /** `send` settles what waits for each of a batch, and never rejects. */
  constructor(send: (batch: readonly T[]) => Promise<void>, largest: number) {
    this.#send = send;
    this.#largest = largest;
  }

  add(item: T): void {
    this.#waiting.push(item);
    // What else this turn brings goes along.
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#next();
    });
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#mayBegin()) this.#begin();
    if (this.#waiting.length === 0) return;
    // Nobody else may come who would look whether those under way have become slow.
    this.#again ??= setTimeout(() => {
      this.#again = undefined;
      this.#next();
    }, SLOW_MS);
  }

  #begin(): void {
    const batch = this.#waiting.splice(0, this.#largest);
    const sent = { since: performance.now() };
    this.#underWay.add(sent);
    void this.#send(batch).finally(() => {
      this.#underWay.delete(sent);
      this.#next();
    });
  }

  /** One at a time, so that much goes together, unless those under way are slow. */
  #mayBegin(): boolean {
    if (this.#underWay.size === 0) return true;
    const recently = performance.now() - SLOW_MS;
    for (const { since } of this.#underWay) if (since > recently) return false;
    return this.#underWay.size < AT_ONCE;
  }
}
