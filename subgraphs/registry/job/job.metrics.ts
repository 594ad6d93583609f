import { Counter } from 'prom-client';
import { Histogram } from '../../../platform/histogram.js';
import type { Metrics } from '../../../platform/metrics.js';
import type { KeptOutput } from '../../images/asset-client.js';
import type { JobDocument } from './job.model.js';

/** Where the time of a job goes. */
export type Stage = 'queue' | 'provider' | 'encode' | 'store' | 'record' | 'billing';

export class JobMetrics {
  readonly #ended: Counter<'model' | 'state'>;
  readonly #stages: Histogram<'stage'>;

  constructor({ registry }: Metrics) {
    const registers = [registry];
    this.#ended = new Counter({
      name: 'darkroom_jobs_total',
      help: 'Jobs that ended, by model and how.',
      labelNames: ['model', 'state'] as const,
      registers,
    });
    this.#stages = new Histogram({
      name: 'darkroom_job_stage_duration_seconds',
      help: 'How long the stages of jobs took: waiting in the queue, the provider, encoding, storing, recording, billing.',
      labelNames: ['stage'] as const,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 20, 60, 300],
      registers,
    });
  }

  taken({ createdAt, attempts }: JobDocument): void {
    if (attempts === 1) this.#observe('queue', Math.max(0, Date.now() - createdAt.getTime()));
  }

  kept({ encodeMs, storeMs }: KeptOutput): void {
    this.#observe('encode', encodeMs);
    this.#observe('store', storeMs);
  }

  ended({ modelId: model, state }: JobDocument): void {
    this.#ended.inc({ model, state });
  }

  async time<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#observe(stage, performance.now() - start);
    }
  }

  #observe(stage: Stage, ms: number): void {
    this.#stages.observe({ stage }, ms / 1000);
  }
}
