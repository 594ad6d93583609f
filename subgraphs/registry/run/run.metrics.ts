import { Counter, Histogram } from 'prom-client';
import type { Metrics } from '../../../platform/metrics.js';
import type { RunDocument } from './run.model.js';

export class RunMetrics {
  readonly #runs: Counter<'provider' | 'status' | 'error'>;
  readonly #seconds: Histogram<'provider'>;
  readonly #recovered: Counter<'status'>;

  constructor({ registry }: Metrics) {
    const registers = [registry];
    this.#runs = new Counter({
      name: 'darkroom_generation_runs_total',
      help: 'Image runs, by whose model drew and how they ended.',
      labelNames: ['provider', 'status', 'error'] as const,
      registers,
    });
    this.#seconds = new Histogram({
      name: 'darkroom_generation_run_duration_seconds',
      help: 'From the call of the provider until the last picture was hosted.',
      labelNames: ['provider'] as const,
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 90],
      registers,
    });
    this.#recovered = new Counter({
      name: 'darkroom_generation_runs_recovered_total',
      help: 'Runs that a sweeper finished because their process had not, by how they ended.',
      labelNames: ['status'] as const,
      registers,
    });
  }

  decided({ provider, status, errorCode, durationMs }: RunDocument): void {
    this.#runs.inc({ provider, status, error: errorCode ?? 'none' });
    this.#seconds.observe({ provider }, durationMs / 1000);
  }

  recovered(status: string): void {
    this.#recovered.inc({ status });
  }
}
