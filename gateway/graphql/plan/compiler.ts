/** From a plan and its operation to a function that answers a request. */
import type { Schema } from '@apollo/federation-internals';
import type { FetchNode, PlanNode, QueryPlan } from '@apollo/query-planner';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
  typeFromAST,
  valueFromAST,
} from 'graphql';
import type { Logger } from 'pino';
import type { GraphResponse } from '../../../platform/graph/execute.js';
import type { SubgraphTransport } from '../../../platform/graph/transport.js';
import type { Scope } from '../../../platform/scope.js';
import type { RawResult, Variables } from '../operations.js';
import { fragmentsOf } from '../shape.js';
import { interpretPlan } from './apollo.js';
import { conditionOf, conditionVariables } from './conditions.js';
import { compilePlan, type PlanRun } from './execute.js';
import { compileResponse, type Shape } from './response.js';
import { compileRewrites } from './rewrites.js';
import { type TypeTest, typeTest } from './types.js';

/** For a subscription, with the event as its subgraph gave it; the plan brings what other subgraphs know. */
export type RunPlan = (variables: Variables, scope: Scope, event?: GraphResponse) => Promise<RawResult>;

export interface PlanCompilerDeps {
  /** What callers see, and with what is internal. */
  schema: GraphQLSchema;
  apiSchema: Schema;
  supergraphSchema: GraphQLSchema;
  transports: ReadonlyMap<string, SubgraphTransport>;
  log: Logger;
}

export interface PlannedOperation {
  plan: QueryPlan;
  document: DocumentNode;
  operation: OperationDefinitionNode;
  operationName: string | undefined;
}

// Every condition variable doubles the shapes that one operation may need.
const MAX_CONDITIONS = 6;

export class PlanCompiler {
  readonly #deps: PlanCompilerDeps;
  readonly #isOfType: TypeTest;
  readonly #isOfPublicType: TypeTest;

  constructor(deps: PlanCompilerDeps) {
    this.#deps = deps;
    this.#isOfType = typeTest(deps.supergraphSchema);
    this.#isOfPublicType = typeTest(deps.schema);
  }

  compile(planned: PlannedOperation): RunPlan {
    return this.compiled(planned) ?? interpretPlan(planned, this.#deps);
  }

  /** Null: something in the plan is not compiled. */
  compiled({ plan, document, operation }: PlannedOperation): RunPlan | null {
    const { schema, transports } = this.#deps;
    const { primary, rest } = splitPlan(plan);
    const fragments = fragmentsOf(document);
    const names = conditionVariables(operation, fragments);
    if (names.length > MAX_CONDITIONS) return null;
    const defaultOf = defaults(schema, operation);
    const steps = rest ? compilePlan(rest, { transports, isOfType: this.#isOfType, defaultOf }) : async () => {};
    if (!steps || primary?.contextRewrites?.length) return null;
    const rewriteEvent = compileRewrites(primary?.outputRewrites, this.#isOfType);

    const shapes = new Map<number, Shape>();
    const shapeFor = (variables: Variables): Shape => {
      const values = names.map((name) => conditionOf(name, variables, defaultOf));
      const key = values.reduce((bits, value) => bits * 2 + Number(value), 0);
      let shape = shapes.get(key);
      if (!shape) {
        const conditions = Object.fromEntries(names.map((name, i) => [name, values[i] === true]));
        const isOfType = this.#isOfPublicType;
        shape = compileResponse({ schema, operation, fragments, isOfType, conditions });
        shapes.set(key, shape);
      }
      return shape;
    };

    return async (variables, scope, event) => {
      const shape = shapeFor(variables);
      const run: PlanRun = { variables, scope, data: event?.data ?? {}, errors: [...(event?.errors ?? [])] };
      if (event) rewriteEvent?.(run.data);
      await steps(run);
      try {
        const data = shape(run.data, variables);
        return run.errors.length > 0 ? { data, errors: run.errors } : { data };
      } catch (error) {
        // What a subgraph sent does not fit the graph: nothing of the answer can be trusted.
        return { errors: [error instanceof GraphQLError ? error : new Error('shaping failed', { cause: error })] };
      }
    };
  }
}

/** A subscription's plan says where its events come from, and what is then to be fetched for each. */
export function splitPlan({ node }: QueryPlan): { primary: FetchNode | undefined; rest: PlanNode | undefined } {
  if (node?.kind !== 'Subscription') return { primary: undefined, rest: node };
  return { primary: node.primary, rest: node.rest };
}

function defaults(schema: GraphQLSchema, { variableDefinitions = [] }: OperationDefinitionNode) {
  const values = new Map<string, unknown>();
  for (const { variable, type, defaultValue } of variableDefinitions) {
    const inputType = defaultValue && typeFromAST(schema, type as never);
    if (inputType) values.set(variable.name.value, valueFromAST(defaultValue, inputType as never));
  }
  return (name: string): unknown => values.get(name);
}
