/** How a job ends for good: invisible at once, then what it holds is let go, and its record goes last. */
import type { Assets } from '../../images/asset-client.js';
import type { JobDocument } from './job.model.js';
import type { JobSettlement } from './job.settlement.js';
import type { JobStore } from './job.store.js';

export interface JobErasureDeps {
  jobs: JobStore;
  settlement: JobSettlement;
  assets: Assets;
}

export class JobErasure {
  readonly #deps: JobErasureDeps;

  constructor(deps: JobErasureDeps) {
    this.#deps = deps;
  }

  /** False: there is none. Its pictures are gone when this returns, but for what others refer to. */
  async erase(jobId: string, requestId: string): Promise<boolean> {
    const job = await this.#deps.jobs.beginErasing(jobId);
    if (!job) return false;
    // A worker who has it lets it go when it finds out; should that one die, a sweeper does.
    if (job.leaseUntil) await this.#deps.assets.drop(jobId, requestId);
    else await this.clear(job, requestId);
    return true;
  }

  /** Of a job that is being erased and that nobody works on. May be repeated. */
  async clear(job: JobDocument, requestId: string): Promise<void> {
    const { jobs, assets, settlement } = this.#deps;
    await settlement.pay(job, requestId);
    if (job.attempts > 0 || job.drawing.source) await assets.drop(job._id, requestId);
    await jobs.erase(job._id);
  }
}
