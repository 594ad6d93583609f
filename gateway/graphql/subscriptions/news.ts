/** Wakes subscriptions when there may be something new for them. A waking too many does no harm; one too few is made up for. */
import type { Follow } from '../../../platform/graph/changes.js';

/** How long what was not told can stay unnoticed: everybody looks by themselves about this often. */
const ROUND_MS = 60_000;
const STEP_MS = 500;
/** Following costs something where processes share no Redis, so it ends with the last subscription, after a while. */
const LINGER_MS = 10_000;

export type Wake = () => void;

export interface NewsSource {
  readonly follow: Follow;
}

export class News {
  readonly #sources: readonly NewsSource[];
  readonly #watchers = new Map<string, Set<Wake>>();
  /** Everybody, in the order in which they looked last. */
  readonly #round = new Set<Wake>();
  #following: { stop(): void } | null = null;
  #lingering: NodeJS.Timeout | null = null;

  constructor(sources: readonly NewsSource[]) {
    this.#sources = sources;
  }

  /** Returns the way to stop watching. What changes from now on is told. */
  watch(topic: string, wake: Wake): () => void {
    this.#follow();
    const watchers = this.#watchers.get(topic) ?? new Set();
    this.#watchers.set(topic, watchers.add(wake));
    this.#round.add(wake);
    return () => {
      watchers.delete(wake);
      if (watchers.size === 0 && this.#watchers.get(topic) === watchers) this.#watchers.delete(topic);
      this.#round.delete(wake);
      if (this.#round.size === 0) this.#linger();
    };
  }

  #follow(): void {
    if (this.#lingering) clearTimeout(this.#lingering);
    this.#lingering = null;
    if (this.#following) return;
    const listener = {
      heard: (topic: string) => this.#wake(this.#watchers.get(topic) ?? []),
      missed: () => this.#wake(this.#round),
    };
    const stops = this.#sources.map((source) => source.follow(listener));
    const timer = setInterval(() => this.#step(), STEP_MS).unref();
    this.#following = {
      stop() {
        clearInterval(timer);
        for (const stop of stops) stop();
      },
    };
  }

  #wake(watchers: Iterable<Wake>): void {
    // Who wakes may stop watching.
    for (const wake of [...watchers]) wake();
  }

  /** A few at a time, so that a thousand do not look at once. */
  #step(): void {
    const count = Math.ceil((this.#round.size * STEP_MS) / ROUND_MS);
    for (const wake of [...this.#first(count)]) {
      this.#round.delete(wake);
      this.#round.add(wake);
      wake();
    }
  }

  *#first(count: number): Iterable<Wake> {
    let taken = 0;
    for (const wake of this.#round) {
      if (taken++ === count) return;
      yield wake;
    }
  }

  #linger(): void {
    this.#lingering ??= setTimeout(() => this.close(), LINGER_MS).unref();
  }

  close(): void {
    if (this.#lingering) clearTimeout(this.#lingering);
    this.#lingering = null;
    this.#following?.stop();
    this.#following = null;
  }
}
