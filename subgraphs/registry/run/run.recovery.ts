/** Finishes runs whose process died: what is hosted is recorded and paid for, what is not costs nothing. */
import type { Logger } from 'pino';
import { newId } from '../../../platform/ids.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { BillingClient } from '../../billing/client.js';
import type { Images } from '../../images/client.js';
import { emptyOutcome, type OutputRecord, type RunDocument, type RunOutcome, RunStatus } from './run.model.js';
import { failed, hostedRecord } from './run.outcome.js';
import type { RunStore } from './run.store.js';

export interface RunRecoveryDeps {
  runs: RunStore;
  images: Images;
  billing: BillingClient;
  log: Logger;
  now: () => Date;
}

const EVERY_MS = 15_000;
const INTERRUPTED = { code: 'runtime_error', message: 'The run was interrupted. Nothing was charged.' } as const;

export class RunRecovery {
  readonly #deps: RunRecoveryDeps;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: RunRecoveryDeps) {
    this.#deps = deps;
    this.tasks = [{ name: 'registry-overdue-runs', everyMs: EVERY_MS, run: (signal) => this.sweep(signal) }];
  }

  async sweep(signal?: AbortSignal): Promise<void> {
    while (!signal?.aborted) {
      const run = await this.#deps.runs.claimOverdue();
      if (!run) return;
      try {
        await this.#finish(run);
      } catch (error) {
        // Its claim runs out, so that it comes up again; the others are not to wait for it.
        this.#deps.log.warn({ err: error, runId: run._id }, 'an overdue run is finished later');
      }
    }
  }

  async #finish(run: RunDocument): Promise<void> {
    const { runs, billing } = this.#deps;
    const requestId = newId();
    let { status, costMicros } = run;
    if (status === RunStatus.RUNNING) {
      const outcome = await this.#recover(run, requestId);
      await runs.decideRecovered(run._id, outcome);
      ({ status, costMicros } = outcome);
    }
    const { payer } = run;
    if (payer) {
      if (status === RunStatus.COMPLETE) await billing.settle({ runId: run._id, payer, amount: costMicros }, requestId);
      else await billing.release({ runId: run._id, payer }, requestId);
    }
    await runs.closeRecovered(run._id);
  }

  /** The bytes of what was not hosted are gone with their process; what was hosted is the caller's, and is charged. */
  async #recover({ _id, numImages, unitMicros, createdAt }: RunDocument, requestId: string): Promise<RunOutcome> {
    const hosted = await this.#deps.images.outputsOf(_id, requestId);
    const durationMs = this.#deps.now().getTime() - createdAt.getTime();
    const [first] = hosted;
    if (!first) return failed(INTERRUPTED, durationMs);
    const outputs = Array.from({ length: numImages }, (_, index): OutputRecord => {
      const found = hosted.find((output) => output.index === index);
      return { url: found?.url ?? null, hosted: found ? hostedRecord(found) : null };
    });
    return {
      ...emptyOutcome(),
      status: RunStatus.COMPLETE,
      outputs,
      width: first.width,
      height: first.height,
      costMicros: hosted.length * unitMicros,
      durationMs,
    };
  }
}
