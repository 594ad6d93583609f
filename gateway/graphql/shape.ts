/** Limits on an operation's shape and cost. They hold before anything whose time grows faster than the text runs. */
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { Problem } from '../../platform/errors.js';
import { DEFAULT_PAGE } from '../../platform/mongo/page.js';

export interface ShapeLimits {
  depth: number;
  cost: number;
  aliases: number;
}

// Validation compares fields pair by pair. No honest operation comes near this many once its fragments are expanded.
const MAX_SELECTIONS = 2_000;

export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

export function fragmentsOf(document: DocumentNode): Fragments {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  return fragments;
}

/** Runs on unvalidated documents, so it survives unknown and circular fragments. */
export function checkShape(document: DocumentNode, limits: ShapeLimits): void {
  const fragments = fragmentsOf(document);
  let selections = 0;
  let aliases = 0;

  function walk(set: SelectionSetNode, depth: number, open: readonly string[], introspecting: boolean): void {
    for (const selection of set.selections) {
      if (++selections > MAX_SELECTIONS) throw refuse(`selects more than ${MAX_SELECTIONS} fields`);
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const name = selection.name.value;
        const fragment = fragments.get(name);
        if (fragment && !open.includes(name)) walk(fragment.selectionSet, depth, [...open, name], introspecting);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        walk(selection.selectionSet, depth, open, introspecting);
      } else {
        if (selection.alias && ++aliases > limits.aliases) throw refuse(`has more than ${limits.aliases} aliases`);
        // Answers are plain objects on their way; under this name one would be given a prototype.
        if (selection.alias?.value === '__proto__') throw refuse('uses the alias __proto__, which no answer can hold');
        // Introspection nests deeply by nature; graphql itself bounds the lists in it.
        const inside = introspecting || selection.name.value.startsWith('__');
        if (!inside && depth > limits.depth) throw refuse(`nests deeper than ${limits.depth} levels`);
        if (selection.selectionSet) walk(selection.selectionSet, depth + 1, open, inside);
      }
    }
  }

  for (const definition of document.definitions) {
    if (definition.kind === Kind.OPERATION_DEFINITION) walk(definition.selectionSet, 1, [], false);
  }
}

function refuse(what: string): Problem {
  return new Problem('validation_error', `The operation ${what}.`);
}

/** What one selection costs: itself, and its children as often as its list may be long. */
interface CostNode {
  own: number;
  times: number | { variable: string; fallback: number };
  children: CostNode[];
}

const MUTATION_COST = 10;
/** For lists that take no `first`: they are bounded by what they describe. */
const PLAIN_LIST = 10;

/** Prepared once per operation; evaluated with each request's variables, because they say how long lists are. */
export function compileCost(schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Fragments) {
  const root = schema.getRootType(operation.operation) ?? undefined;
  const ownAtRoot = operation.operation === 'mutation' ? MUTATION_COST : 1;
  const tree = childrenOf(operation.selectionSet, root, ownAtRoot);

  function childrenOf(set: SelectionSetNode, parent: GraphQLNamedType | undefined, own: number): CostNode[] {
    return set.selections.flatMap((selection): CostNode[] => {
      if (selection.kind === Kind.FIELD) return [fieldCost(selection, parent, own)];
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
      if (!fragment) return [];
      const condition = fragment.typeCondition ? schema.getType(fragment.typeCondition.name.value) : parent;
      return childrenOf(fragment.selectionSet, condition, own);
    });
  }

  function fieldCost(field: FieldNode, parent: GraphQLNamedType | undefined, own: number): CostNode {
    const definition =
      isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[field.name.value] : undefined;
    const type = definition ? getNamedType(definition.type) : undefined;
    const children = field.selectionSet
      ? childrenOf(field.selectionSet, isCompositeType(type) ? type : undefined, 1)
      : [];
    // The schema's own lists are as long as they are for everybody; graphql bounds how they nest.
    if (!definition || !parent || parent.name.startsWith('__')) return { own, times: 1, children };
    if (definition.args.some((argument) => argument.name === 'first')) {
      return { own, times: listLength(field.arguments?.find(({ name }) => name.value === 'first')?.value), children };
    }
    const bare = isNonNullType(definition.type) ? definition.type.ofType : definition.type;
    const plainList = isListType(bare) && !parent.name.endsWith('Connection');
    return { own, times: plainList ? PLAIN_LIST : 1, children };
  }

  function listLength(value: ValueNode | undefined): CostNode['times'] {
    if (value?.kind === Kind.INT) return Math.max(1, Number(value.value));
    if (value?.kind !== Kind.VARIABLE) return DEFAULT_PAGE;
    const name = value.name.value;
    const given = operation.variableDefinitions?.find(({ variable }) => variable.name.value === name)?.defaultValue;
    return { variable: name, fallback: given?.kind === Kind.INT ? Math.max(1, Number(given.value)) : DEFAULT_PAGE };
  }

  return (variables: Readonly<Record<string, unknown>>): number => sum(tree, variables);
}

function sum(nodes: readonly CostNode[], variables: Readonly<Record<string, unknown>>): number {
  let total = 0;
  for (const { own, times, children } of nodes) {
    const given = typeof times === 'number' ? times : variables[times.variable];
    const length = typeof given === 'number' ? Math.max(1, given) : typeof times === 'number' ? 1 : times.fallback;
    total += own + (children.length > 0 ? length * sum(children, variables) : 0);
  }
  return total;
}

export function checkCost(cost: number, limits: ShapeLimits): void {
  if (cost > limits.cost) {
    throw new Problem('validation_error', `The operation costs ${cost}, more than the ${limits.cost} allowed.`, {
      hint: 'Ask for fewer items (first) or fewer nested lists in one operation.',
    });
  }
}
