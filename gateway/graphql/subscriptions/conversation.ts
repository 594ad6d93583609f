/** What is said over a connection that stays open, whichever kind it is: operations of all kinds, answered as over POST. */
import type { Problem } from '../../../platform/errors.js';
import type { Metrics } from '../../../platform/metrics.js';
import type { Scope } from '../../../platform/scope.js';
import type { OperationResult, Operations, PreparedOperation, Variables } from '../operations.js';
import type { GraphParams } from '../params.js';
import type { PersistedQueries } from '../persisted.js';
import { EventStream } from './event-stream.js';
import type { News } from './news.js';
import type { Session } from './sessions.js';

export type Transport = 'websocket' | 'sse';

export interface ConversationDeps {
  operations: Operations;
  persisted: PersistedQueries;
  news: News;
  metrics: Metrics;
  onMutation(scope: Scope, changes: ReadonlySet<string>): void;
}

export class Conversations {
  readonly #deps: ConversationDeps;

  constructor(deps: ConversationDeps) {
    this.#deps = deps;
  }

  /** Throws what is wrong with the operation, before anything of it is run. */
  prepare(params: GraphParams, scope: Scope): PreparedOperation {
    const { operations, persisted } = this.#deps;
    const prepared = operations.prepare(persisted.source(params), params.operationName);
    operations.check(prepared, params.variables, scope);
    return prepared;
  }

  async run(
    prepared: PreparedOperation,
    variables: Variables,
    session: Session,
    transport: Transport,
  ): Promise<OperationResult | EventStream> {
    const { operations, news, metrics, onMutation } = this.#deps;
    const { events } = prepared;
    if (events) {
      const open = metrics.subscriptions.labels({ transport });
      const sent = metrics.subscriptionEvents.labels({ transport });
      const stream = new EventStream({
        operations,
        news,
        prepared,
        events,
        variables,
        scope: () => session.scope(),
        onEvent: () => sent.inc(),
        onEnd: () => open.dec(),
      });
      open.inc();
      return (await stream.begin()) ?? stream;
    }
    const scope = await session.scope();
    const result = await operations.execute(prepared, variables, scope);
    if (prepared.operation.operation === 'mutation') onMutation(scope, prepared.changes);
    return result;
  }

  dropped(transport: Transport, reason: 'stalled' | 'silent' | 'overflow'): void {
    this.#deps.metrics.subscriptionDrops.inc({ transport, reason });
  }
}

/** The codes of graphql-transport-ws are those of HTTP, but for the one of who may not connect. */
export function closeCode({ status }: Problem): number {
  return status === 401 ? 4403 : 4000 + status;
}
