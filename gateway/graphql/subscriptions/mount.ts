/** The doors of the graph that stay open: WebSocket and server-sent events. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Metrics } from '../../../platform/metrics.js';
import type { Scope } from '../../../platform/scope.js';
import type { Admission } from '../../admission.js';
import type { Identity } from '../../identity.js';
import type { Operations } from '../operations.js';
import type { PersistedQueries } from '../persisted.js';
import { Conversations } from './conversation.js';
import { News, type NewsSource } from './news.js';
import { Sessions } from './sessions.js';
import { mountEventStreams } from './sse.js';
import { Stalls } from './stalls.js';
import { mountWebSocket } from './websocket.js';

export interface SubscriptionSettings {
  /** Connections of one user, or of one network without an account, and of all together. */
  connectionsPerCaller: number;
  connections: number;
  operationsPerConnection: number;
  maxMessageBytes: number;
  /** How long a client may take nothing of what was sent to it. */
  stallMs: number;
  origins: readonly string[];
  trustProxy: number;
}

export interface SubscriptionDeps {
  operations: Operations;
  persisted: PersistedQueries;
  identity: Identity;
  admission: Admission;
  sources: readonly NewsSource[];
  metrics: Metrics;
  onMutation(scope: Scope, changes: ReadonlySet<string>): void;
  log: Logger;
  settings: SubscriptionSettings;
}

export function mountSubscriptions(app: FastifyInstance, deps: SubscriptionDeps): void {
  const { operations, persisted, identity, admission, metrics, onMutation, log, settings } = deps;
  const news = new News(deps.sources);
  const sessions = new Sessions({
    identity,
    perHolder: settings.connectionsPerCaller,
    atMost: settings.connections,
    log,
  });
  const stalls = new Stalls(settings.stallMs);
  const conversations = new Conversations({ operations, persisted, news, metrics, onMutation });
  mountWebSocket(app, {
    operations,
    conversations,
    sessions,
    stalls,
    admission,
    origins: settings.origins,
    maxMessageBytes: settings.maxMessageBytes,
    perConnection: settings.operationsPerConnection,
    trustProxy: settings.trustProxy,
    log,
  });
  mountEventStreams(app, { conversations, sessions, stalls, admit: admission.admit, log });
  app.addHook('onClose', async () => {
    news.close();
    sessions.close();
    stalls.close();
  });
}
