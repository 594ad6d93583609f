/**
 * The one way an operation runs, whichever door it came through. Reading, checking and planning happen once per
 * distinct operation; a request only coerces its variables, is weighed, and executes the plan.
 */

import { operationFromDocument, type Schema, Supergraph } from '@apollo/federation-internals';
import { type FetchNode, type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { Problem } from '../../platform/errors.js';
import type { GraphResponse, PullResponse } from '../../platform/graph/execute.js';
import {
  intendedProblem,
  invalidOperation,
  problemFromExtensions,
  problemToGraphQL,
} from '../../platform/graph/problems.js';
import type { GatewayTransport } from '../../platform/graph/transport.js';
import { type KeyScope, requireKeyScope, type Scope } from '../../platform/scope.js';
import { directFetch } from './direct.js';
import { KeyScopes } from './key-scopes.js';
import { PlanCompiler, type RunPlan, splitPlan } from './plan/compiler.js';
import { checkCost, checkShape, compileCost, fragmentsOf, type ShapeLimits } from './shape.js';

export interface OperationLimits extends ShapeLimits {
  introspection: boolean;
}

export interface OperationsDeps {
  supergraphSdl: string;
  transports: readonly GatewayTransport[];
  limits: OperationLimits;
  log: Logger;
}

export interface PreparedOperation {
  readonly operation: OperationDefinitionNode;
  readonly document: DocumentNode;
  readonly plan: QueryPlan;
  /** The subgraphs that a mutation asks of; none for a query. */
  readonly changes: ReadonlySet<string>;
  /** What a key must have to run it. */
  readonly keyScopes: ReadonlySet<KeyScope>;
  readonly direct: FetchNode | null;
  /** Where the events of a subscription come from. */
  readonly events: FetchNode | null;
  readonly run: RunPlan;
  cost(variables: Readonly<Record<string, unknown>>): number;
}

export interface OperationResult {
  data?: Record<string, unknown> | null;
  errors?: readonly GraphQLFormattedError[];
}

export interface RawResult {
  data?: Record<string, unknown> | null;
  /** Rendered by a subgraph, or thrown on the way. */
  errors?: readonly unknown[];
}

export type Variables = Readonly<Record<string, unknown>>;

// Parsing is linear, but what follows is not.
const MAX_TOKENS = 5_000;
const MAX_VARIABLE_ERRORS = 20;
const CACHE_CHARACTERS = 16_000_000;

export class Operations {
  /** The graph as callers see it, without what is internal. */
  readonly schema: GraphQLSchema;
  readonly #apiSchema: Schema;
  readonly #planner: QueryPlanner;
  readonly #compiler: PlanCompiler;
  readonly #keyScopes: KeyScopes;
  readonly #transports: ReadonlyMap<string, GatewayTransport>;
  readonly #limits: OperationLimits;
  readonly #log: Logger;
  readonly #prepared = new LRUCache<string, PreparedOperation>({
    max: 5_000,
    maxSize: CACHE_CHARACTERS,
    sizeCalculation: (_operation, key) => key.length,
  });

  constructor({ supergraphSdl, transports, limits, log }: OperationsDeps) {
    const supergraph = Supergraph.build(supergraphSdl);
    this.#apiSchema = supergraph.apiSchema();
    this.schema = this.#apiSchema.toGraphQLJSSchema();
    this.#planner = new QueryPlanner(supergraph);
    this.#keyScopes = new KeyScopes(this.schema, supergraph.schema);
    this.#limits = limits;
    this.#log = log;
    this.#transports = new Map(transports.map((transport) => [transport.name, transport]));
    this.#compiler = new PlanCompiler({
      schema: this.schema,
      apiSchema: this.#apiSchema,
      supergraphSchema: supergraph.schema.toGraphQLJSSchema(),
      transports: this.#transports,
      log,
    });
  }

  /** Throws the Problem that says what is wrong with the operation. */
  prepare(source: string, operationName?: string): PreparedOperation {
    const key = operationName === undefined ? source : `${operationName}\n${source}`;
    const known = this.#prepared.get(key);
    if (known) return known;
    const prepared = this.#prepare(source, operationName);
    this.#prepared.set(key, prepared);
    return prepared;
  }

  #prepare(source: string, operationName: string | undefined): PreparedOperation {
    const document = read(source);
    checkShape(document, this.#limits);
    const rules = this.#limits.introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
    const errors = validate(this.schema, document, rules, { maxErrors: 20 });
    if (errors.length > 0) throw invalidOperation(errors);
    const operation = getOperationAST(document, operationName);
    if (!operation) throw new Problem('validation_error', whichOperation(operationName));
    const plan = this.#planner.buildQueryPlan(operationFromDocument(this.#apiSchema, document, { operationName }));
    return {
      operation,
      document,
      plan,
      changes: operation.operation === 'mutation' ? servicesOf(plan) : NOTHING,
      keyScopes: this.#keyScopes.needed(document, operation),
      direct: directFetch(plan, document, operation),
      events: splitPlan(plan).primary ?? null,
      run: this.#compiler.compile({ plan, document, operation, operationName }),
      cost: compileCost(this.schema, operation, fragmentsOf(document)),
    };
  }

  async execute(prepared: PreparedOperation, variables: Variables, scope: Scope): Promise<OperationResult> {
    if (prepared.events) throw new Problem('validation_error', 'Subscriptions are not answered here.', ELSEWHERE);
    this.check(prepared, variables, scope);
    const result = prepared.direct
      ? await this.#fetch(prepared.direct, variables, scope)
      : await prepared.run(variables, scope);
    return this.#rendered(result, scope);
  }

  /** Throws for a key that may not, for variables that do not fit, and for what would cost too much with them. */
  check(prepared: PreparedOperation, variables: Variables, scope: Scope): void {
    for (const needed of prepared.keyScopes) requireKeyScope(scope, needed);
    this.#checkVariables(prepared, variables);
    checkCost(prepared.cost(variables), this.#limits);
  }

  /** The events of a subscription after a cursor, as far as the subgraph that they come from knows them. */
  async pull(events: FetchNode, variables: Variables, scope: Scope, after: string | null): Promise<PullResponse> {
    const { operation: query, operationName } = events;
    const request = { query, operationName, variables: usedBy(events, variables), after };
    const answer = await this.#transportOf(events).pull(request, scope);
    return 'errors' in answer ? { errors: answer.errors.map((error) => this.#render(error, scope)) } : answer;
  }

  /** One event, with what the other subgraphs know. The scope must be the event's own: subgraphs keep loaders by it. */
  async complete(
    prepared: PreparedOperation,
    variables: Variables,
    scope: Scope,
    event: GraphResponse,
  ): Promise<OperationResult> {
    return this.#rendered(await prepared.run(variables, scope, event), scope);
  }

  #rendered({ data, errors }: RawResult, scope: Scope): OperationResult {
    return { data: data ?? null, ...(errors && { errors: errors.map((error) => this.#render(error, scope)) }) };
  }

  async #fetch(node: FetchNode, variables: Variables, scope: Scope): Promise<RawResult> {
    const { operation: query, operationName } = node;
    const transport = this.#transportOf(node);
    try {
      return await transport.send({ query, operationName, variables: usedBy(node, variables) }, scope);
    } catch (error) {
      // As when the fetch is one of several: what failed is an error of the answer.
      return { data: null, errors: [error] };
    }
  }

  #transportOf({ serviceName }: FetchNode): GatewayTransport {
    const transport = this.#transports.get(serviceName);
    if (!transport) throw new Error(`the supergraph names ${serviceName}, which is not connected`);
    return transport;
  }

  #checkVariables({ operation }: PreparedOperation, variables: Variables): void {
    const definitions = operation.variableDefinitions ?? [];
    if (definitions.length === 0) return;
    const { errors } = getVariableValues(this.schema, definitions, variables, { maxErrors: MAX_VARIABLE_ERRORS });
    if (errors) throw invalidOperation(errors);
  }

  #render(error: unknown, scope: Scope): GraphQLFormattedError {
    const { message = '', extensions, path } = error as Partial<GraphQLFormattedError>;
    let problem = problemFromExtensions(message, extensions);
    // Anything the gateway's own execution throws without meaning to is a bug here, also what looks like bad input.
    if (!problem && !(error instanceof GraphQLError && !error.originalError)) problem = intendedProblem(error);
    if (!problem) {
      this.#log.error({ err: error, requestId: scope.requestId }, 'operation failed');
      problem = new Problem('internal_error');
    }
    return { ...problemToGraphQL(problem), ...(path && { path }) };
  }
}

const ELSEWHERE = { hint: 'Open them over WebSocket at /graphql, or as server-sent events at /graphql/stream.' };

function usedBy({ variableUsages = [] }: FetchNode, variables: Variables): Record<string, unknown> {
  const used: Record<string, unknown> = {};
  for (const name of variableUsages) if (variables[name] !== undefined) used[name] = variables[name];
  return used;
}

const NOTHING: ReadonlySet<string> = new Set();

function servicesOf(node: unknown, found = new Set<string>()): ReadonlySet<string> {
  if (typeof node !== 'object' || node === null) return found;
  if ('serviceName' in node) found.add(String(node.serviceName));
  for (const child of Object.values(node)) servicesOf(child, found);
  return found;
}

function read(source: string): DocumentNode {
  try {
    return parse(source, { maxTokens: MAX_TOKENS });
  } catch (error) {
    if (error instanceof GraphQLError) throw invalidOperation([error]);
    throw error;
  }
}

function whichOperation(operationName: string | undefined): string {
  if (operationName === undefined) return 'operationName must say which operation of the document to run.';
  return `The document has no operation named "${operationName.slice(0, 100)}".`;
}
