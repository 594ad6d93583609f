import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';

function parseTime(value: unknown): Date {
  // A part of this process may hand the value over as it is.
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value;
  const time = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : null;
  if (!time || Number.isNaN(time.getTime())) throw new GraphQLError('DateTime must be an ISO 8601 time with a zone');
  return time;
}

export const DateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'A moment as ISO 8601 in UTC, for example 2026-11-21T09:30:00.000Z.',
  serialize: (value) => parseTime(value).toISOString(),
  parseValue: parseTime,
  parseLiteral: (node) => parseTime(node.kind === Kind.STRING ? node.value : null),
});

// Deeper than any documented shape; what walks such a value may recurse.
const MAX_DEPTH = 20;

function literal(node: ValueNode, variables: Record<string, unknown> | null | undefined, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new GraphQLError(`JSON must not nest deeper than ${MAX_DEPTH}`);
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.LIST:
      return node.values.map((item) => literal(item, variables, depth + 1));
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map(({ name, value }) => [name.value, literal(value, variables, depth + 1)]),
      );
    case Kind.VARIABLE:
      return variables?.[node.name.value];
    default:
      return node.value;
  }
}

function shallow(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw new GraphQLError(`JSON must not nest deeper than ${MAX_DEPTH}`);
  if (typeof value === 'object' && value !== null)
    for (const member of Object.values(value)) shallow(member, depth + 1);
  return value;
}

/** For shapes that are truly open, such as the parameters of a model. */
export const Json = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => shallow(value),
  parseLiteral: (node, variables) => literal(node, variables),
});
