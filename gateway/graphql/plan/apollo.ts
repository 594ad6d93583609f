/** Apollo's own executor, for the rare plan that is not compiled. It reads the operation anew for every request. */
import type { executeQueryPlan, GraphQLDataSource } from '@apollo/gateway';
import type { SubgraphTransport } from '../../../platform/graph/transport.js';
import type { Scope } from '../../../platform/scope.js';
import type { RawResult } from '../operations.js';
import type { PlanCompilerDeps, PlannedOperation, RunPlan } from './compiler.js';

export function interpretPlan(
  { plan, document, operationName }: PlannedOperation,
  { schema, apiSchema, supergraphSchema, transports, log }: PlanCompilerDeps,
): RunPlan {
  const sources: Record<string, GraphQLDataSource> = Object.create(null);
  for (const transport of transports.values()) sources[transport.name] = asDataSource(transport);
  return async (variables, scope) => {
    // A tenth of all the modules of the program, and most installations never need it.
    const { buildOperationContext, executeQueryPlan } = await import('@apollo/gateway');
    const context = buildOperationContext({ schema, operationDocument: document, operationName });
    const requestContext = { request: { variables }, context: scope, logger: log, metrics: {}, schema };
    return (await executeQueryPlan(
      plan,
      sources,
      requestContext as unknown as Parameters<typeof executeQueryPlan>[2],
      context,
      supergraphSchema,
      apiSchema,
    )) as RawResult;
  };
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
