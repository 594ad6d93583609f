/** What goes on without a caller: what jobs hold is held on, charged or given back, and what has had its time goes. */
import type { Logger } from 'pino';
import { newId } from '../../../platform/ids.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { BillingClient } from '../../billing/client.js';
import type { Assets } from '../../images/asset-client.js';
import type { JobErasure } from './job.erasure.js';
import { isEnded, type JobDocument } from './job.model.js';
import type { JobSettlement } from './job.settlement.js';
import type { JobStore } from './job.store.js';

export interface JobSweeperDeps {
  jobs: JobStore;
  settlement: JobSettlement;
  erasure: JobErasure;
  billing: BillingClient;
  assets: Assets;
  /** How long a job and its pictures are kept, and the pictures that it went by. */
  keepMs: number;
  keepInputsMs: number;
  log: Logger;
  now: () => Date;
}

const OPEN_EVERY_MS = 10_000;
const RETENTION_EVERY_MS = 60_000;
const CLAIM_MS = 60_000;

export class JobSweeper {
  readonly #deps: JobSweeperDeps;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: JobSweeperDeps) {
    this.#deps = deps;
    this.tasks = [
      { name: 'registry-open-jobs', everyMs: OPEN_EVERY_MS, run: (signal) => this.sweepOpen(signal) },
      { name: 'registry-job-retention', everyMs: RETENTION_EVERY_MS, run: (signal) => this.sweepOld(signal) },
    ];
  }

  async sweepOpen(signal?: AbortSignal): Promise<void> {
    while (!signal?.aborted) {
      const job = await this.#deps.jobs.takeOpen(CLAIM_MS);
      if (!job) break;
      // Its claim runs out, so that it comes up again; the others are not to wait for it.
      await this.#attempt(job._id, () => this.#lookAfter(job));
    }
    await this.#clearErased(signal);
  }

  async #lookAfter(job: JobDocument): Promise<void> {
    const { jobs, settlement } = this.#deps;
    const requestId = newId();
    if (job.erasing) return;
    if (!isEnded(job.state)) return this.#holdOn(job, requestId);
    await settlement.settle(job, requestId);
    await jobs.closeNow(job._id);
  }

  /** A job that waits for longer than a reservation lasts. */
  async #holdOn({ _id, payer, cost, drawing }: JobDocument, requestId: string): Promise<void> {
    const { jobs, billing, assets, keepInputsMs, now } = this.#deps;
    if (!payer) return;
    const { expiresAt } = await billing.reserve(
      { runId: _id, payer, unit: 'CREDITS', amount: cost, purpose: 'job', renew: true },
      requestId,
    );
    const at = now().getTime();
    if (drawing.source) await assets.keepInputsUntil(_id, new Date(at + keepInputsMs), requestId);
    await jobs.keepOpen(_id, new Date((at + expiresAt.getTime()) / 2));
  }

  async #clearErased(signal: AbortSignal | undefined): Promise<void> {
    const { jobs, erasure } = this.#deps;
    const left = await jobs.halfErased();
    for (const job of left) {
      if (signal?.aborted) return;
      await this.#attempt(job._id, () => erasure.clear(job, newId()));
    }
  }

  /** Jobs that are older than they may get, the oldest first. */
  async sweepOld(signal?: AbortSignal): Promise<void> {
    const { jobs, erasure, keepMs, now } = this.#deps;
    const end = oldestAfter(now().getTime() - keepMs);
    for (;;) {
      const old = await jobs.olderThan(end);
      let erased = 0;
      for (const { _id } of old) {
        if (signal?.aborted) return;
        if (await this.#attempt(_id, () => erasure.erase(_id, newId()))) erased += 1;
      }
      if (erased === 0) return;
    }
  }

  async #attempt(jobId: string, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#deps.log.warn({ err: error, jobId }, 'a job is looked after later');
      return false;
    }
  }
}

/** Ids begin with the time at which they were made. */
function oldestAfter(ms: number): string {
  const time = Math.max(0, ms).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}`;
}
