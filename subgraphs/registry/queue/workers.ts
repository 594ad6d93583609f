/** The workers of one process: they take jobs from the queue as long as there is room, and say that they are alive. */
import type { Logger } from 'pino';
import { type Events, JOB_QUEUED } from '../../../platform/events.js';
import { newId } from '../../../platform/ids.js';
import type { JobMetrics } from '../job/job.metrics.js';
import type { JobDocument } from '../job/job.model.js';
import type { JobStore } from '../job/job.store.js';
import type { JobWaiters } from '../job/job.waiters.js';
import type { Execution } from './execution.js';

export interface WorkersDeps {
  jobs: JobStore;
  waiters: JobWaiters;
  execution: Execution;
  events: Events;
  metrics: JobMetrics;
  leaseMs: number;
  log: Logger;
}

/** How soon a job is found that nobody gave notice of: other processes' notices come by Redis alone. */
const LOOK_EVERY_MS = 250;
const AFTER_FAILURE_MS = 1_000;
/** How long jobs under way may take when the process closes; then others are given them. */
const CLOSE_MS = 15_000;

export class Workers {
  readonly #deps: WorkersDeps;
  readonly #id = newId();
  readonly #closing = new AbortController();
  /** Ends what is under way, when it took too long. */
  readonly #abandon = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  #room = 0;
  /** How many jobs there was notice of, so that nobody asks for more than there are. */
  #due = 0;
  /** Whether there may be any number beside those: at first, and after some time without notice. */
  #unsure = true;
  #loop: Promise<void> | undefined;
  #wake: () => void = () => undefined;
  /** Whether it is room that is waited for. */
  #full = false;

  constructor(deps: WorkersDeps) {
    this.#deps = deps;
  }

  /** `atOnce` 0: this process takes no jobs. */
  start(atOnce: number): void {
    if (atOnce === 0 || this.#loop) return;
    this.#room = atOnce;
    this.#loop = this.#work();
  }

  async #work(): Promise<void> {
    const { events, leaseMs } = this.#deps;
    const { signal } = this.#closing;
    const unsubscribe = events.subscribe(JOB_QUEUED, (count) => {
      this.#due += Number(count);
      this.#wake();
    });
    const beat = setInterval(() => void this.#sayAlive(), leaseMs / 3);
    try {
      while (!signal.aborted) {
        if (this.#running.size >= this.#room) await this.#sleep(null);
        else if (this.#due > 0 || this.#unsure) await this.#takeOne();
        else await this.#sleep(LOOK_EVERY_MS);
      }
    } finally {
      unsubscribe();
    }
    await this.#finish();
    clearInterval(beat);
  }

  async #takeOne(): Promise<void> {
    const { jobs, log } = this.#deps;
    const before = this.#due;
    try {
      const job = await jobs.claim(this.#id);
      if (job) {
        this.#due = Math.max(0, this.#due - 1);
        this.#begin(job);
      } else {
        // There may have been notice of others meanwhile.
        this.#due -= before;
        this.#unsure = false;
      }
    } catch (error) {
      log.error({ err: error }, 'the queue cannot be read');
      await this.#sleep(AFTER_FAILURE_MS);
    }
  }

  #begin(job: JobDocument): void {
    const { waiters, metrics } = this.#deps;
    waiters.workedOn(job._id);
    metrics.taken(job);
    const running: Promise<void> = this.#run(job).finally(() => {
      // It may have been lost and taken once more meanwhile.
      if (this.#running.get(job._id) === running) this.#running.delete(job._id);
      if (this.#full) this.#wake();
    });
    this.#running.set(job._id, running);
  }

  async #run(job: JobDocument): Promise<void> {
    const { execution, jobs, waiters, log } = this.#deps;
    let ended: JobDocument | null = null;
    try {
      ended = await execution.run(job, this.#abandon.signal);
      if (!ended && this.#abandon.signal.aborted) await jobs.giveBack(job);
    } catch (error) {
      // Its lease runs out, and whoever takes it then does what is left to do.
      log.error({ err: error, jobId: job._id }, 'a job was left to another worker');
    } finally {
      waiters.let(job._id, ended);
    }
  }

  async #sayAlive(): Promise<void> {
    const { jobs, log } = this.#deps;
    try {
      if (this.#running.size > 0) await jobs.renew(this.#id, [...this.#running.keys()]);
      await jobs.returnLapsed();
    } catch (error) {
      log.warn({ err: error }, 'the leases of jobs are not renewed');
    }
  }

  /** Until there may be something to do; `ms` null: until a job is done. */
  #sleep(ms: number | null): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve();
    this.#full = ms === null;
    return new Promise((resolve) => {
      const timer = ms === null ? undefined : setTimeout(() => this.#look(), ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#full = false;
        this.#wake = () => undefined;
        resolve();
      };
    });
  }

  /** Without notice as well: one may be lost. */
  #look(): void {
    this.#unsure = true;
    this.#wake();
  }

  async #finish(): Promise<void> {
    const timer = setTimeout(() => this.#abandon.abort(), CLOSE_MS);
    await Promise.allSettled(this.#running.values());
    clearTimeout(timer);
  }

  /** Jobs under way are finished, or given back so that others need not wait for their leases to run out. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#loop;
  }
}
