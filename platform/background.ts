/** Runs background tasks, each in one of many processes at a time, and never two runs of one task at once here. */
import { setMaxListeners } from 'node:events';
import type { Collection, Db } from 'mongodb';
import type { Logger } from 'pino';
import { newId } from './ids.js';
import { isDuplicateKey } from './mongo/store.js';
import type { BackgroundTask } from './subgraph.js';

interface Lease {
  _id: string;
  holder: string;
  until: Date;
}

const LEASE_MS = 60_000;

export class TaskRunner {
  readonly #leases: Collection<Lease>;
  readonly #log: Logger;
  readonly #holder = newId();
  readonly #stopping = new AbortController();
  readonly #loops: Promise<void>[] = [];

  constructor(db: Db, collection: string, log: Logger) {
    this.#leases = db.collection<Lease>(collection);
    this.#log = log;
    // Each task waits for it, and there may be any number of tasks.
    setMaxListeners(0, this.#stopping.signal);
  }

  start(tasks: readonly BackgroundTask[]): void {
    for (const task of tasks) this.#loops.push(this.#loop(task));
  }

  async #loop(task: BackgroundTask): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        if (await this.#acquire(task)) await task.run(signal);
      } catch (error) {
        if (!signal.aborted) this.#log.error({ err: error, task: task.name }, 'background task failed');
      }
      await pause(task.everyMs, signal);
    }
  }

  /** A dead holder's lease runs out by itself; a living one renews it with every round. */
  async #acquire(task: BackgroundTask): Promise<boolean> {
    const now = new Date();
    const until = new Date(now.getTime() + Math.max(LEASE_MS, 2 * task.everyMs));
    const mine = { _id: task.name, $or: [{ holder: this.#holder }, { until: { $lte: now } }] };
    try {
      await this.#leases.updateOne(mine, { $set: { holder: this.#holder, until } }, { upsert: true });
      return true;
    } catch (error) {
      // The upsert of a lease that somebody else holds collides with the existing document.
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** Waits for running tasks, then gives the leases back so that a successor need not wait for them to run out. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
    if (this.#loops.length > 0) await this.#leases.deleteMany({ holder: this.#holder }).catch(() => {});
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
