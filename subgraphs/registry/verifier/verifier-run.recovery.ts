/** Pays for runs whose process died after it had recorded the verdict. Without a record nothing was given, nor is owed. */
import type { Logger } from 'pino';
import { newId } from '../../../platform/ids.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { BillingClient } from '../../billing/client.js';
import { type VerifierRunDocument, VerifierRunStatus } from './verifier-run.model.js';
import type { VerifierRunStore } from './verifier-run.store.js';

export interface VerifierRunRecoveryDeps {
  runs: VerifierRunStore;
  billing: BillingClient;
  log: Logger;
}

const EVERY_MS = 15_000;

export class VerifierRunRecovery {
  readonly #deps: VerifierRunRecoveryDeps;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: VerifierRunRecoveryDeps) {
    this.#deps = deps;
    this.tasks = [{ name: 'registry-unpaid-verifier-runs', everyMs: EVERY_MS, run: (signal) => this.sweep(signal) }];
  }

  async sweep(signal?: AbortSignal): Promise<void> {
    const { runs, log } = this.#deps;
    while (!signal?.aborted) {
      const run = await runs.claimUnpaid();
      if (!run) return;
      try {
        await pay(this.#deps.billing, run, newId());
        await runs.closeNow(run._id);
      } catch (error) {
        // Its claim runs out, so that it comes up again; the others are not to wait for it.
        log.warn({ err: error, runId: run._id }, 'a verifier run is settled later');
      }
    }
  }
}

/** A verdict is charged, a failure of the judge is not. */
export async function pay(
  billing: BillingClient,
  { _id, status, costMicros, payer }: VerifierRunDocument,
  requestId: string,
): Promise<void> {
  if (!payer) return;
  if (status === VerifierRunStatus.COMPLETE) await billing.settle({ runId: _id, payer, amount: costMicros }, requestId);
  else await billing.release({ runId: _id, payer }, requestId);
}
