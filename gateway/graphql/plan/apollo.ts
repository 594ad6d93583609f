/** Apollo's own executor, for the rare plan that is not compiled. It reads the operation anew for every request. */
import type { executeQueryPlan, GraphQLDataSource } from '@apollo/gateway';
import type { FetchNode, PlanNode, QueryPlan } from '@apollo/query-planner';
import { OperationTypeNode } from 'graphql';
import type { GraphResponse } from '../../../platform/graph/execute.js';
import type { SubgraphTransport } from '../../../platform/graph/transport.js';
import type { Scope } from '../../../platform/scope.js';
import type { RawResult } from '../operations.js';
import { type PlanCompilerDeps, type PlannedOperation, type RunPlan, splitPlan } from './compiler.js';

export function interpretPlan(
  { plan, document, operationName }: PlannedOperation,
  { schema, apiSchema, supergraphSchema, transports, log }: PlanCompilerDeps,
): RunPlan {
  const sources: Record<string, GraphQLDataSource> = Object.create(null);
  for (const transport of transports.values()) sources[transport.name] = asDataSource(transport);
  const executable = asQueryPlan(plan);
  return async (variables, scope, event) => {
    // A tenth of all the modules of the program, and most installations never need it.
    const { buildOperationContext, executeQueryPlan } = await import('@apollo/gateway');
    const context = buildOperationContext({ schema, operationDocument: document, operationName });
    const requestContext = { request: { variables }, context: scope, logger: log, metrics: {}, schema };
    return (await executeQueryPlan(
      executable,
      event ? { ...sources, [EVENT]: eventSource(event) } : sources,
      requestContext as unknown as Parameters<typeof executeQueryPlan>[2],
      context,
      supergraphSchema,
      apiSchema,
    )) as RawResult;
  };
}

/** No subgraph can be called this. */
const EVENT = '#event';

/** Apollo's executor knows no subscriptions: to it, an event is the answer to the first fetch of a query. */
function asQueryPlan(plan: QueryPlan): QueryPlan {
  const { primary, rest } = splitPlan(plan);
  if (!primary) return plan;
  const first: FetchNode = {
    ...primary,
    serviceName: EVENT,
    operationKind: OperationTypeNode.QUERY,
    variableUsages: [],
  };
  const node: PlanNode = rest ? { kind: 'Sequence', nodes: [first, rest] } : first;
  return { ...plan, node };
}

function eventSource({ data, errors }: GraphResponse): GraphQLDataSource {
  const answer = { data: data ?? null, ...(errors && { errors }) };
  return { process: async () => answer as Awaited<ReturnType<GraphQLDataSource['process']>> };
}

function asDataSource(transport: SubgraphTransport): GraphQLDataSource {
  return {
    async process({ request, context }) {
      const { query = '', variables, operationName } = request;
      const answer = await transport.send({ query, variables, operationName }, context as unknown as Scope);
      return answer as Awaited<ReturnType<GraphQLDataSource['process']>>;
    },
  };
}
