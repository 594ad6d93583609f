/** Callers who wait for their job to end, wherever it is worked on. */
import type { Logger } from 'pino';
import { type Events, JOB_CHANGED } from '../../../platform/events.js';
import { readNotice } from './job.changes.js';
import { isEnded, type JobDocument } from './job.model.js';
import type { JobStore } from './job.store.js';

export const LONGEST_WAIT_MS = 60_000;
/** Notices are hints: without one the store is asked this often, once for all who wait. */
const LOOK_EVERY_MS = 250;
/** What is heard of at about the same time is looked at together. */
const GATHER_MS = 5;

export interface JobWaitersDeps {
  jobs: JobStore;
  events: Events;
  log: Logger;
}

type Told = (ended: JobDocument | null) => void;

export class JobWaiters {
  readonly #deps: JobWaitersDeps;
  readonly #waiting = new Map<string, Set<Told>>();
  /** Of those, what a worker of this process has: it says so itself when it is done. */
  readonly #workedOnHere = new Set<string>();
  readonly #unsubscribe: () => void;
  #look: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(deps: JobWaitersDeps) {
    this.#deps = deps;
    this.#unsubscribe = deps.events.subscribe(JOB_CHANGED, (payload) => {
      const { id } = readNotice(payload);
      if (this.#waiting.has(id) && !this.#workedOnHere.has(id)) this.#schedule(GATHER_MS);
    });
  }

  /** The job as it ended, or null when it did not in time. */
  end(jobId: string, longestMs = LONGEST_WAIT_MS): Promise<JobDocument | null> {
    if (this.#closed) return Promise.resolve(null);
    const waiting = this.#waiting.get(jobId) ?? new Set();
    this.#waiting.set(jobId, waiting);
    this.#schedule(LOOK_EVERY_MS);
    return new Promise((resolve) => {
      const told: Told = (ended) => {
        clearTimeout(timer);
        waiting.delete(told);
        if (waiting.size === 0) this.#waiting.delete(jobId);
        if (this.#waiting.size === 0) this.#unschedule();
        resolve(ended);
      };
      const timer = setTimeout(told, longestMs, null);
      waiting.add(told);
    });
  }

  workedOn(jobId: string): void {
    this.#workedOnHere.add(jobId);
  }

  /** `ended` is null when the worker let go of the job without ending it. */
  let(jobId: string, ended: JobDocument | null): void {
    this.#workedOnHere.delete(jobId);
    if (ended) this.#tell(ended);
  }

  /** Those who wait are told how their job stands, so that a process can close. */
  close(): void {
    this.#closed = true;
    this.#unsubscribe();
    this.#unschedule();
    for (const waiting of this.#waiting.values()) for (const told of waiting) told(null);
  }

  #tell(job: JobDocument): void {
    for (const told of this.#waiting.get(job._id) ?? []) told(job);
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    if (ms === GATHER_MS) this.#unschedule();
    this.#look ??= setTimeout(() => void this.#lookUp(), ms).unref();
  }

  #unschedule(): void {
    clearTimeout(this.#look);
    this.#look = undefined;
  }

  async #lookUp(): Promise<void> {
    this.#look = undefined;
    const ids = [...this.#waiting.keys()].filter((id) => !this.#workedOnHere.has(id));
    try {
      const found = ids.length === 0 ? [] : await this.#deps.jobs.findAll(ids);
      for (const job of found) if (isEnded(job.state)) this.#tell(job);
    } catch (error) {
      this.#deps.log.warn({ err: error, jobs: ids.length }, 'those who wait for jobs are told later');
    }
    if (this.#waiting.size > 0) this.#schedule(LOOK_EVERY_MS);
  }
}
