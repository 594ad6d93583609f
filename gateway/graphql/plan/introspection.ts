/** Questions about the schema itself, which no subgraph is asked. */
import { type DocumentNode, executeSync, type FieldNode, Kind, OperationTypeNode } from 'graphql';
import type { Variables } from '../operations.js';
import type { ResponseParts } from './response.js';

export function introspect(
  nodes: readonly FieldNode[],
  { schema, operation, fragments }: Pick<ResponseParts, 'schema' | 'operation' | 'fragments'>,
): (value: unknown, variables: Variables) => unknown {
  const name = nodes[0]?.alias?.value ?? nodes[0]?.name.value ?? '';
  const document: DocumentNode = {
    kind: Kind.DOCUMENT,
    definitions: [
      {
        kind: Kind.OPERATION_DEFINITION,
        operation: OperationTypeNode.QUERY,
        ...(operation.variableDefinitions && { variableDefinitions: operation.variableDefinitions }),
        selectionSet: { kind: Kind.SELECTION_SET, selections: nodes },
      },
      ...fragments.values(),
    ],
  };
  return (_value, variables) => {
    const { data, errors } = executeSync({ schema, document, rootValue: {}, variableValues: variables });
    if (errors?.[0]) throw errors[0];
    return data?.[name] ?? null;
  };
}
