/** What every subgraph is to the composition root, whether it runs in this process or behind a port of its own. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { ChangeSources, Follow } from './graph/changes.js';
import type { Scope } from './scope.js';

/** Work that goes on without a caller. It must be idempotent: a lease makes doubles rare, not impossible. */
export interface BackgroundTask {
  name: string;
  everyMs: number;
  run(signal: AbortSignal): Promise<void>;
}

/** Who asks, proved by the installation's own signature; throws for anybody else. */
export type Authorize = (request: FastifyRequest) => Scope;

export interface Subgraph {
  readonly name: SubgraphName;
  readonly schema: GraphQLSchema;
  /** A fresh context, with its own DataLoaders, for one request. */
  context(scope: Scope): object;
  readonly tasks: readonly BackgroundTask[];
  /** What this subgraph's subscription fields are read from. */
  readonly sources?: ChangeSources<never>;
  /** Where what is read from them may have changed. */
  readonly follow?: Follow;
  /** Routes beside /graphql for what is no JSON, when the subgraph has a port of its own. */
  mount?(app: FastifyInstance, authorize: Authorize): void;
  /** Throws when something this subgraph depends on cannot be reached. */
  ready(): Promise<void>;
  /** Writes out what is still in memory. The connections it was given are closed by who opened them. */
  close(): Promise<void>;
}

export const SUBGRAPH_NAMES = ['accounts', 'registry', 'images', 'billing'] as const;
export type SubgraphName = (typeof SUBGRAPH_NAMES)[number];
