/** From the value of a route's root field to the body it documents, and the JSON Schema of that body. */
import {
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** Members of a field with this alias are lifted into its parent. */
const LIFTED = '_';

export type JsonSchema = { [keyword: string]: unknown };
type Transform = (value: unknown) => unknown;

export interface AnswerShape {
  rootField: string;
  /** Null: the executor's value is the body as it is. */
  transform: Transform | null;
  schema: JsonSchema;
}

/** Worked out once per route, so that a request pays only for what its answer needs. */
export function answerShape(schema: GraphQLSchema, operation: OperationDefinitionNode): AnswerShape {
  const root = schema.getRootType(operation.operation);
  const [field, ...others] = operation.selectionSet.selections;
  if (!root || field?.kind !== Kind.FIELD || others.length > 0)
    throw new Error('a route selects exactly one root field');
  const type = fieldType(root, field);
  return {
    rootField: responseName(field),
    transform: transformOf(type, field.selectionSet),
    schema: schemaOf(isNonNullType(type) ? type.ofType : type, field.selectionSet),
  };
}

function responseName({ alias, name }: FieldNode): string {
  return (alias ?? name).value;
}

function fieldType(parent: GraphQLObjectType, field: FieldNode): GraphQLOutputType {
  const definition = parent.getFields()[field.name.value];
  if (!definition) throw new Error(`${parent.name} has no field ${field.name.value}`);
  return definition.type;
}

function fieldsOf(set: SelectionSetNode): FieldNode[] {
  return set.selections.map((selection) => {
    if (selection.kind !== Kind.FIELD) throw new Error('routes select fields, not fragments');
    return selection;
  });
}

function transformOf(type: GraphQLOutputType, set: SelectionSetNode | undefined): Transform | null {
  if (isNonNullType(type)) return transformOf(type.ofType, set);
  if (isListType(type)) {
    const inner = transformOf(type.ofType, set);
    return inner && ((value) => (Array.isArray(value) ? value.map(inner) : value));
  }
  if (isEnumType(type)) return (value) => (typeof value === 'string' ? value.toLowerCase() : value);
  if (!isObjectType(type) || !set) return null;
  return objectTransform(type, set);
}

function objectTransform(type: GraphQLObjectType, set: SelectionSetNode): Transform | null {
  const members = fieldsOf(set).map((field) => ({
    name: responseName(field),
    transform: transformOf(fieldType(type, field), field.selectionSet),
  }));
  if (members.every(({ name, transform }) => name !== LIFTED && !transform)) return null;
  return (value) => {
    if (typeof value !== 'object' || value === null) return value;
    const source = value as Record<string, unknown>;
    const body: Record<string, unknown> = {};
    for (const { name, transform } of members) {
      const member = transform ? transform(source[name]) : source[name];
      if (name === LIFTED) Object.assign(body, member);
      else body[name] = member;
    }
    return body;
  };
}

function schemaOf(type: GraphQLOutputType, set: SelectionSetNode | undefined): JsonSchema {
  if (isNonNullType(type)) return schemaOf(type.ofType, set);
  if (isListType(type)) return { type: 'array', items: schemaOf(type.ofType, set) };
  if (isEnumType(type)) return { type: 'string', enum: type.getValues().map(({ name }) => name.toLowerCase()) };
  if (isScalarType(type)) return scalarSchema(type);
  if (isObjectType(type) && set) return objectSchema(type, set);
  throw new Error(`no schema for ${type.name}`);
}

function objectSchema(type: GraphQLObjectType, set: SelectionSetNode): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const field of fieldsOf(set)) {
    const member = fieldType(type, field);
    const schema = schemaOf(member, field.selectionSet);
    if (responseName(field) === LIFTED) {
      Object.assign(properties, schema['properties']);
    } else {
      const description = type.getFields()[field.name.value]?.description;
      const described = description ? { ...schema, description } : schema;
      properties[responseName(field)] = isNonNullType(member) ? described : nullable(described);
    }
  }
  return { type: 'object', properties, required: Object.keys(properties) };
}

function nullable(schema: JsonSchema): JsonSchema {
  return typeof schema['type'] === 'string' && schema['enum'] === undefined
    ? { ...schema, type: [schema['type'], 'null'] }
    : { anyOf: [schema, { type: 'null' }] };
}

const SCALARS: Readonly<Record<string, JsonSchema>> = {
  ID: { type: 'string' },
  String: { type: 'string' },
  Int: { type: 'integer' },
  Float: { type: 'number' },
  Boolean: { type: 'boolean' },
  DateTime: { type: 'string', format: 'date-time' },
  JSON: {},
};

function scalarSchema(type: GraphQLNamedType): JsonSchema {
  const schema = SCALARS[type.name];
  if (!schema) throw new Error(`no JSON Schema is known for the scalar ${type.name}`);
  return schema;
}
