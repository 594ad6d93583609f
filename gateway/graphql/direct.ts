/**
 * Operations that one subgraph answers as they are. Their answer needs no shaping by the gateway, which costs more than
 * the rest of a short request; most REST paths are of this kind.
 */
import type { FetchNode, QueryPlan } from '@apollo/query-planner';
import { type DocumentNode, Kind, type OperationDefinitionNode, parse, print, visit } from 'graphql';

/** The one fetch of such an operation; null when the gateway has anything to add, leave out, or put together. */
export function directFetch(
  plan: QueryPlan,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): FetchNode | null {
  const { node } = plan;
  if (node?.kind !== 'Fetch' || node.requires || node.inputRewrites?.length || node.outputRewrites?.length) return null;
  // With fragments and conditions, what the subgraph is sent may differ from what the caller wrote and mean the same;
  // only operations that are the same to the letter are taken.
  if (document.definitions.length !== 1 || !isPlain(operation)) return null;
  const [sent] = parse(node.operation).definitions;
  const same = sent?.kind === Kind.OPERATION_DEFINITION && print(sent.selectionSet) === print(operation.selectionSet);
  return same ? node : null;
}

function isPlain(operation: OperationDefinitionNode): boolean {
  let plain = true;
  const refuse = () => {
    plain = false;
  };
  visit(operation, {
    Directive: refuse,
    FragmentSpread: refuse,
    InlineFragment: refuse,
    Field: ({ name }) => (name.value.startsWith('__') ? refuse() : undefined),
  });
  return plain;
}
