/** Operations made from a schema: aliases, fragments of both kinds, conditions, arguments and variables. */
import type fc from 'fast-check';
import {
  type GraphQLArgument,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  type OperationTypeNode,
} from 'graphql';

export interface MadeOperation {
  source: string;
  variables: Record<string, unknown>;
}

export type Choose = (below: number) => number;

export function chooser(g: fc.GeneratorValue, library: typeof fc): Choose {
  return (below) => g(library.nat, { max: Math.max(0, below - 1) });
}

const MAX_DEPTH = 5;
const MAX_PARTS = 24;

export function makeOperation(
  schema: GraphQLSchema,
  kind: 'query' | 'mutation' | 'subscription',
  choose: Choose,
): MadeOperation {
  const declared: string[] = [];
  const variables: Record<string, unknown> = {};
  const fragments: string[] = [];
  let left = MAX_PARTS;
  const root = schema.getRootType(kind as OperationTypeNode);
  if (!root) throw new Error(`no ${kind}`);
  const body = kind === 'subscription' ? `{ ${onlyField(root)} }` : selection(root, 0);
  const head = declared.length > 0 ? `(${declared.join(', ')})` : '';
  return { source: [`${kind} Made${head} ${body}`, ...fragments].join('\n'), variables };

  function variable(type: string, value: unknown, fallback?: string): string {
    const name = `v${declared.length}`;
    declared.push(`$${name}: ${type}${fallback === undefined ? '' : ` = ${fallback}`}`);
    if (value !== undefined) variables[name] = value;
    return `$${name}`;
  }

  function condition(): string {
    const roll = choose(12);
    if (roll > 3) return '';
    const directive = roll % 2 === 0 ? '@skip' : '@include';
    const value = choose(3) > 0 ? roll % 2 === 1 : roll % 2 === 0;
    if (declared.length > 4 || choose(3) === 0) return ` ${directive}(if: ${value})`;
    return choose(2) === 0
      ? ` ${directive}(if: ${variable('Boolean!', value)})`
      : ` ${directive}(if: ${variable('Boolean!', undefined, String(value))})`;
  }

  function selection(type: GraphQLNamedType, depth: number): string {
    const parts: string[] = [];
    const count = 1 + choose(depth === 0 ? 3 : 4);
    for (let i = 0; i < count; i++) parts.push(part(type, depth));
    return `{ ${parts.join(' ')} ${choose(4) === 0 ? '__typename' : 'kind: __typename'} }`;
  }

  /** Subscriptions have one, and nothing beside it. */
  function onlyField(type: GraphQLObjectType): string {
    const fields = Object.values(type.getFields());
    const field = fields[choose(fields.length)];
    if (!field) throw new Error(`no fields in ${type.name}`);
    const given = field.args.map(argument).filter((text) => text !== '');
    const args = given.length > 0 ? `(${given.join(', ')})` : '';
    return `${choose(3) === 0 ? 'only: ' : ''}${field.name}${args} ${selection(getNamedType(field.type), 1)}`;
  }

  function part(type: GraphQLNamedType, depth: number): string {
    if (left-- <= 0) return '__typename';
    const roll = choose(isAbstractType(type) ? 4 : 10);
    if (roll < 2) {
      const on = choose(isAbstractType(type) ? 4 : 2) === 0 ? type : narrower(type);
      const inner = selection(on, depth);
      if (roll === 0 && on) {
        const name = `F${fragments.length}`;
        fragments.push(`fragment ${name} on ${on.name} ${inner}`);
        return `...${name}${condition()}`;
      }
      return `... on ${on.name}${condition()} ${inner}`;
    }
    if (!isObjectType(type) && !isInterfaceType(type)) return '__typename';
    const fields = Object.values(type.getFields()).filter(
      (field) => depth < MAX_DEPTH || !isCompositeType(getNamedType(field.type)),
    );
    const field = fields[choose(fields.length)];
    if (!field) return '__typename';
    const inner = getNamedType(field.type);
    if (left <= 0 && isCompositeType(inner)) return '__typename';
    const given = field.args.map(argument).filter((text) => text !== '');
    // Where arguments differ, or types do, one name cannot stand for both.
    const alias = given.length > 0 || choose(5) === 0 ? `a${choose(1_000_000)}: ` : '';
    const args = given.length > 0 ? `(${given.join(', ')})` : '';
    return `${alias}${field.name}${args}${condition()}${isCompositeType(inner) ? ` ${selection(inner, depth + 1)}` : ''}`;
  }

  function narrower(type: GraphQLNamedType): GraphQLNamedType {
    if (!isAbstractType(type)) {
      const wider = isObjectType(type) ? type.getInterfaces() : [];
      return wider[choose(wider.length + 1)] ?? type;
    }
    const possible = schema.getPossibleTypes(type);
    return possible[choose(possible.length)] ?? type;
  }

  function argument({ name, type, defaultValue }: GraphQLArgument): string {
    const optional = !isNonNullType(type) || defaultValue !== undefined;
    if (optional && choose(3) === 0) return '';
    const value = input(type);
    return `${name}: ${choose(2) === 0 ? literal(type, value) : variable(String(type), value)}`;
  }

  function input(type: GraphQLInputType): unknown {
    if (isNonNullType(type)) return input(type.ofType);
    if (isListType(type)) return [input(type.ofType)];
    if (isInputObjectType(type)) {
      const required = Object.values(type.getFields()).filter((field) => isNonNullType(field.type));
      return Object.fromEntries(required.map((field) => [field.name, input(field.type)]));
    }
    if (isEnumType(type)) return type.getValues()[choose(type.getValues().length)]?.name;
    if (type.name === 'Int') return choose(3);
    if (type.name === 'Float') return choose(3) / 2;
    if (type.name === 'Boolean') return choose(2) === 0;
    return `id-${choose(4)}`;
  }

  function literal(type: GraphQLInputType, value: unknown): string {
    if (isNonNullType(type)) return literal(type.ofType, value);
    if (isListType(type)) return `[${(value as unknown[]).map((item) => literal(type.ofType, item)).join(', ')}]`;
    if (isEnumType(type)) return String(value);
    if (isInputObjectType(type)) {
      const members = Object.entries(value as object).map(([name, member]) => {
        const field = type.getFields()[name];
        return `${name}: ${field ? literal(field.type, member) : 'null'}`;
      });
      return `{ ${members.join(', ')} }`;
    }
    return JSON.stringify(value);
  }
}
