import { Histogram as Reference, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { Histogram } from '../../platform/histogram.js';

it('is exposed as prom-client’s own would be', async () => {
  const ours = new Registry();
  const theirs = new Registry();
  const options = {
    name: 'seconds',
    help: 'How long.',
    labelNames: ['method', 'status'] as const,
    buckets: [0.01, 0.1, 1],
  };
  const histogram = new Histogram({ ...options, registers: [ours] });
  const reference = new Reference({ ...options, buckets: [...options.buckets], registers: [theirs] });
  for (const [method, status, value] of [
    ['GET', '200', 0.005],
    ['GET', '200', 0.1],
    ['POST', '200', 5],
    ['GET', '404', 0.5],
    ['GET', '200', 1],
  ] as const) {
    histogram.observe({ method, status }, value);
    reference.observe({ method, status }, value);
  }
  expect(await ours.metrics()).toBe(await theirs.metrics());
});
