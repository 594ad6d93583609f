/**
 * Gives what a plan gathered the shape that the operation asks for: fields in their order and under their names, nothing
 * that only the plan needed, and null up to where null may stand. Compiled per operation and, where @skip and @include
 * hang on variables, per combination of those.
 */
import {
  type FieldNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLLeafType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isCompositeType,
  isEnumType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { Variables } from '../operations.js';
import type { Fragments } from '../shape.js';
import { included } from './conditions.js';
import { introspect } from './introspection.js';
import type { TypeTest } from './types.js';
import { type Entity, isEntity, reader } from './values.js';

export interface ResponseParts {
  schema: GraphQLSchema;
  operation: OperationDefinitionNode;
  fragments: Fragments;
  isOfType: TypeTest;
  /** The variables of @skip and @include, as this shape is for. */
  conditions: Readonly<Record<string, boolean>>;
}

/** Null: nothing may stand here, so the parent cannot stand either. */
export type Shape = (gathered: Entity, variables: Variables) => Entity | null;
/** Always null where a value is missing or cannot be; the caller knows whether that is allowed. */
type Complete = (value: unknown, variables: Variables) => unknown;

interface Member {
  name: string;
  nonNull: boolean;
  read(from: Entity): unknown;
  complete: Complete;
}

export function compileResponse(parts: ResponseParts): Shape {
  const { schema, operation } = parts;
  const root = schema.getRootType(operation.operation);
  if (!root) throw new Error(`the schema has no ${operation.operation}`);
  return compileObject([operation.selectionSet], root, parts);
}

function compileObject(sets: readonly SelectionSetNode[], type: GraphQLNamedType, parts: ResponseParts): Shape {
  const members = [...collect(sets, type, parts)].map(([name, nodes]) => compileMember(name, nodes, type, parts));
  return (from, variables) => {
    const shaped: Entity = {};
    for (const { name, nonNull, read, complete } of members) {
      const value = complete(read(from), variables);
      if (value === null && nonNull) return null;
      shaped[name] = value;
    }
    return shaped;
  };
}

/** The fields that apply to a type, by the names they have in the answer. */
function collect(sets: readonly SelectionSetNode[], type: GraphQLNamedType, parts: ResponseParts) {
  const fields = new Map<string, FieldNode[]>();
  const visit = (set: SelectionSetNode): void => {
    for (const selection of set.selections) {
      if (!included(selection, parts.conditions)) continue;
      if (selection.kind === Kind.FIELD) {
        const name = (selection.alias ?? selection.name).value;
        fields.set(name, [...(fields.get(name) ?? []), selection]);
      } else {
        const fragment =
          selection.kind === Kind.FRAGMENT_SPREAD ? parts.fragments.get(selection.name.value) : selection;
        const condition = fragment?.typeCondition?.name.value ?? type.name;
        if (fragment && parts.isOfType(type.name, condition)) visit(fragment.selectionSet);
      }
    }
  };
  for (const set of sets) visit(set);
  return fields;
}

function compileMember(name: string, nodes: readonly FieldNode[], parent: GraphQLNamedType, parts: ResponseParts) {
  const field = nodes[0]?.name.value ?? '';
  const read = reader(name);
  if (field === '__typename') return { name, nonNull: true, read, complete: () => typenameOf(parent) };
  if (field.startsWith('__')) return { name, nonNull: false, read, complete: introspect(nodes, parts) };
  const { type } = definitionOf(parent, field);
  const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
  const complete = compileValue(type, sets, parts, `${parent.name}.${field}`);
  return { name, nonNull: isNonNullType(type), read, complete } satisfies Member;
}

/** An object that does not say which of several types it has cannot be shown as one. */
function typenameOf(type: GraphQLNamedType): string | null {
  return isObjectType(type) ? type.name : null;
}

function definitionOf(parent: GraphQLNamedType, field: string): GraphQLField<unknown, unknown> {
  const definition = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[field] : undefined;
  if (!definition) throw new Error(`${parent.name} has no field ${field}`);
  return definition;
}

function compileValue(
  type: GraphQLOutputType,
  sets: readonly SelectionSetNode[],
  parts: ResponseParts,
  place: string,
): Complete {
  if (isNonNullType(type)) return compileValue(type.ofType, sets, parts, place);
  if (isListType(type)) {
    const inner = compileValue(type.ofType, sets, parts, place);
    return completeList(inner, isNonNullType(type.ofType), place);
  }
  return isCompositeType(type) ? completeObject(type, sets, parts, place) : completeLeaf(type);
}

function completeList(complete: Complete, nonNull: boolean, place: string): Complete {
  return (value, variables) => {
    if (value === null || value === undefined) return null;
    if (!Array.isArray(value)) throw new GraphQLError(`A subgraph gave ${place} a value that is no list.`);
    const items: unknown[] = [];
    for (const item of value) {
      const completed = complete(item, variables);
      if (completed === null && nonNull) return null;
      items.push(completed);
    }
    return items;
  };
}

/** Shapes are compiled for the types that turn up; mostly that is the declared one. */
function completeObject(
  declared: GraphQLNamedType,
  sets: readonly SelectionSetNode[],
  parts: ResponseParts,
  place: string,
): Complete {
  const shapes = new Map<string, Shape | null>();
  const shapeFor = (typename: string): Shape | null => {
    let shape = shapes.get(typename);
    if (shape === undefined) {
      const type = parts.schema.getType(typename);
      // A type that callers may not know of, or one that a newer subgraph has.
      if (!isCompositeType(type)) return null;
      shape = compileObject(sets, type, parts);
      shapes.set(typename, shape);
    }
    return shape;
  };
  return (value, variables) => {
    if (value === null || value === undefined) return null;
    if (!isEntity(value)) throw new GraphQLError(`A subgraph gave ${place} a value that is no object.`);
    const { __typename: typename } = value;
    const shape = shapeFor(typeof typename === 'string' && typename !== '' ? typename : declared.name);
    return shape ? shape(value, variables) : null;
  };
}

const INTEGER = /^-?\d+$/;

/** Values of custom scalars are as their subgraph wrote them. */
function completeLeaf(type: GraphQLLeafType): Complete {
  const fits = leafTest(type);
  return (value) => (value !== null && value !== undefined && fits(value) ? value : null);
}

function leafTest(type: GraphQLLeafType): (value: unknown) => boolean {
  if (isEnumType(type)) {
    const names = new Set(type.getValues().map(({ name }) => name));
    return (value) => typeof value === 'string' && names.has(value);
  }
  switch (type.name) {
    case 'Boolean':
      return (value) => typeof value === 'boolean';
    case 'Int':
      return (value) => Number.isInteger(value) && INTEGER.test(String(value));
    case 'Float':
      return (value) => Number.isFinite(value);
    case 'ID':
      return (value) => typeof value === 'string' || (Number.isInteger(value) && INTEGER.test(String(value)));
    case 'String':
      return (value) => typeof value === 'string';
    default:
      return () => true;
  }
}
