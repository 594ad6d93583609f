/** Finishes runs whose process died: what is hosted is recorded and paid for, what is not costs nothing. */
import type { Logger } from 'pino';
import { newId } from '../../../platform/ids.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { BillingClient } from '../../billing/client.js';
import type { Images } from '../../images/client.js';
import type { RunMetrics } from './run.metrics.js';
import { emptyOutcome, type OutputRecord, type RunDocument, type RunOutcome, RunStatus } from './run.model.js';
import { failed, hostedRecord } from './run.outcome.js';
import type { RunStore } from './run.store.js';

export interface RunRecoveryDeps {
  runs: RunStore;
  images: Images;
  billing: BillingClient;
  metrics: RunMetrics;
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

  /** For somebody who waits for a run that is not overdue yet, and knows that its process is dead. */
  async finishNow(run: RunDocument): Promise<RunDocument | null> {
    const { runs } = this.#deps;
    const claimed = await runs.claim(run._id);
    if (claimed) await this.#finish(claimed);
    return runs.find(run._id);
  }

  async #finish(run: RunDocument): Promise<void> {
    const { runs } = this.#deps;
    const requestId = newId();
    if (run.status === RunStatus.RUNNING) {
      const outcome = await this.#recover(run, requestId);
      await runs.decideRecovered(run._id, outcome);
      this.#deps.metrics.recovered(outcome.status);
      await this.#pay({ ...run, ...outcome }, requestId);
    } else {
      await this.#pay(run, requestId);
    }
    await runs.closeRecovered(run._id);
  }

  async #pay({ _id, status, costMicros, payer }: RunDocument, requestId: string): Promise<void> {
    const { billing } = this.#deps;
    if (!payer) return;
    if (status === RunStatus.COMPLETE) await billing.settle({ runId: _id, payer, amount: costMicros }, requestId);
    else await billing.release({ runId: _id, payer }, requestId);
  }

  /** The bytes of what was not hosted are gone with their process; what was hosted is the caller's, and is charged. */
  async #recover({ _id, numImages, unitMicros, seed, createdAt }: RunDocument, requestId: string): Promise<RunOutcome> {
    const hosted = await this.#deps.images.outputsOf(_id, requestId);
    const durationMs = this.#deps.now().getTime() - createdAt.getTime();
    const [first] = hosted;
    if (!first) return failed(INTERRUPTED, seed, durationMs);
    const outputs = Array.from({ length: numImages }, (_, index): OutputRecord => {
      const found = hosted.find((output) => output.index === index);
      return { url: found?.url ?? null, hosted: found ? hostedRecord(found) : null };
    });
    return {
      ...emptyOutcome(),
      status: RunStatus.COMPLETE,
      outputs,
      seed,
      width: first.width,
      height: first.height,
      costMicros: hosted.length * unitMicros,
      durationMs,
    };
  }
}
