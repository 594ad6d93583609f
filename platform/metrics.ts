import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { Histogram } from './histogram.js';

/** One registry per composed process, so that several can live side by side in a test. */
export class Metrics {
  readonly registry = new Registry();

  readonly requests = new Histogram({
    name: 'darkroom_http_request_duration_seconds',
    help: 'How long HTTP requests took, by route and status.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });

  readonly problems = new Counter({
    name: 'darkroom_problems_total',
    help: 'Errors that callers were given, by slug.',
    labelNames: ['slug'] as const,
    registers: [this.registry],
  });

  readonly subgraphCalls = new Histogram({
    name: 'darkroom_subgraph_call_duration_seconds',
    help: 'How long calls of subgraphs took.',
    labelNames: ['subgraph'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [this.registry],
  });

  readonly identityLookups = new Counter({
    name: 'darkroom_identity_lookups_total',
    help: 'Credentials resolved, by where the answer came from.',
    labelNames: ['source'] as const,
    registers: [this.registry],
  });

  readonly circuits = new Gauge({
    name: 'darkroom_circuit_state',
    help: 'State of the circuit breaker of each outside service: 1 for the state it is in, 0 for the others.',
    labelNames: ['target', 'state'] as const,
    registers: [this.registry],
  });

  readonly subscriptions = new Gauge({
    name: 'darkroom_subscriptions_open',
    help: 'Subscriptions that are open, by transport.',
    labelNames: ['transport'] as const,
    registers: [this.registry],
  });

  readonly subscriptionEvents = new Counter({
    name: 'darkroom_subscription_events_total',
    help: 'Events handed to subscribers, by transport.',
    labelNames: ['transport'] as const,
    registers: [this.registry],
  });

  readonly subscriptionDrops = new Counter({
    name: 'darkroom_subscription_connections_dropped_total',
    help: 'Connections that were let go because the client took nothing, said nothing, or had too much waiting.',
    labelNames: ['transport', 'reason'] as const,
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry, prefix: 'darkroom_' });
  }
}
