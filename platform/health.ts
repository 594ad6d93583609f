import type { FastifyInstance } from 'fastify';
import { Problem } from './errors.js';
import type { Metrics } from './metrics.js';

export interface Check {
  name: string;
  ready(): Promise<void>;
}

const PATIENCE_MS = 3_000;

/** /healthz: this process runs. /readyz: what it depends on answers. /metrics: for Prometheus. */
export function mountHealth(
  app: FastifyInstance,
  checks: readonly Check[],
  metrics: Metrics,
  metricsToken: string | undefined,
): void {
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', async (request, reply) => {
    const results = await Promise.all(checks.map(outcome));
    const failed = results.filter(({ error }) => error !== null);
    for (const { name, error } of failed) request.log.warn({ err: error, check: name }, 'not ready');
    // Reasons may name hosts and go to the log alone.
    const states = Object.fromEntries(results.map(({ name, error }) => [name, error === null ? 'ok' : 'unavailable']));
    reply.code(failed.length === 0 ? 200 : 503);
    return { status: failed.length === 0 ? 'ok' : 'unavailable', checks: states };
  });
  app.get('/metrics', async (request, reply) => {
    if (metricsToken !== undefined && request.headers.authorization !== `Bearer ${metricsToken}`) {
      throw new Problem('auth_required', 'This needs the metrics token.');
    }
    reply.type(metrics.registry.contentType);
    return metrics.registry.metrics();
  });
}

async function outcome({ name, ready }: Check): Promise<{ name: string; error: unknown }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    await Promise.race([ready(), late]);
    return { name, error: null };
  } catch (error) {
    return { name, error };
  } finally {
    clearTimeout(timer);
  }
}
