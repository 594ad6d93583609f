/** A histogram for hot paths: prom-client's own checks, sorts and hashes the labels of every observation. */
import type { Metric, Registry } from 'prom-client';

export interface HistogramOptions<L extends string> {
  name: string;
  help: string;
  labelNames: readonly L[];
  /** Upper bounds, ascending. */
  buckets: readonly number[];
  registers: readonly Registry[];
}

interface Series {
  labels: Record<string, string>;
  /** How many were at most each bound and above the one before; the last is for what is above all. */
  counts: number[];
  sum: number;
}

export class Histogram<L extends string> {
  readonly #options: HistogramOptions<L>;
  readonly #series = new Map<string, Series>();

  constructor(options: HistogramOptions<L>) {
    this.#options = options;
    const { name, help } = options;
    const metric = { name, help, type: 'histogram', aggregator: 'sum', get: async () => this.#values(), reset() {} };
    for (const registry of options.registers) registry.registerMetric(metric as unknown as Metric);
  }

  observe(labels: Readonly<Record<L, string>>, value: number): void {
    const { labelNames, buckets } = this.#options;
    let key = '';
    for (const name of labelNames) key += `${labels[name]}\n`;
    let series = this.#series.get(key);
    if (!series) {
      series = { labels: { ...labels }, counts: Array.from({ length: buckets.length + 1 }, () => 0), sum: 0 };
      this.#series.set(key, series);
    }
    let bucket = 0;
    while (bucket < buckets.length && value > (buckets[bucket] ?? 0)) bucket += 1;
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sum += value;
  }

  #values() {
    const { name, help, buckets } = this.#options;
    const values = [...this.#series.values()].flatMap(({ labels, counts, sum }) => {
      let count = 0;
      const bounds = [...buckets, '+Inf'].map((le, i) => {
        count += counts[i] ?? 0;
        return { metricName: `${name}_bucket`, exemplar: null, labels: { le, ...labels }, value: count };
      });
      return [
        ...bounds,
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: count },
      ];
    });
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }
}
