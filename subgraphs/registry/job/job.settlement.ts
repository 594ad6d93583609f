/** What is left to do for a job that has ended. All of it may be repeated. */
import type { BillingClient } from '../../billing/client.js';
import type { Assets } from '../../images/asset-client.js';
import { type JobDocument, JobState } from './job.model.js';

export interface JobSettlementDeps {
  billing: BillingClient;
  assets: Assets;
  /** How long the pictures that a job went by are kept after its end. */
  keepInputsMs: number;
  now: () => Date;
}

export class JobSettlement {
  readonly #deps: JobSettlementDeps;

  constructor(deps: JobSettlementDeps) {
    this.#deps = deps;
  }

  async settle(job: JobDocument, requestId: string): Promise<void> {
    const { assets, keepInputsMs, now } = this.#deps;
    await this.pay(job, requestId);
    // A worker that died may have kept a picture of a job which then failed.
    if (job.state !== JobState.COMPLETED && job.attempts > 1) await assets.drop(job._id, requestId);
    else if (job.drawing.source) {
      await assets.keepInputsUntil(job._id, new Date(now().getTime() + keepInputsMs), requestId);
    }
  }

  /** Only what was delivered is charged. */
  async pay({ _id, state, cost, payer }: JobDocument, requestId: string): Promise<void> {
    const { billing } = this.#deps;
    if (!payer) return;
    if (state === JobState.COMPLETED) await billing.settle({ runId: _id, payer, amount: cost }, requestId);
    else await billing.release({ runId: _id, payer }, requestId);
  }
}
