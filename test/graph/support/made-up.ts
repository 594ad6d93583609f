/**
 * Subgraphs over schemas alone: every value is made up from the entity, the field and a seed. The same question is always
 * answered alike, also when it is put in another batch, with nulls and failures among the answers.
 */
import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  execute,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLOutputType,
  type GraphQLSchema,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  parse,
  validate,
} from 'graphql';
import type { GraphResponse } from '../../../platform/graph/execute.js';
import type { SubgraphTransport } from '../../../platform/graph/transport.js';

export interface MadeUpSettings {
  seed: number;
  /** Out of a hundred values. */
  nulls: number;
  failures: number;
  /** A subgraph that cannot be reached. */
  dead?: string | undefined;
}

interface Thing {
  $key: string;
  [field: string]: unknown;
}

const IDS = 4;

function hash(text: string): number {
  let value = 2_166_136_261;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 16_777_619);
  // FNV's low bits alone would repeat in short cycles.
  return (value ^ (value >>> 15)) >>> 0;
}

export function madeUpTransport(name: string, sdl: string, settings: () => MadeUpSettings): SubgraphTransport {
  const schema = buildSubgraphSchema({ typeDefs: parse(sdl) });
  return {
    name: name as SubgraphTransport['name'],
    async send({ query, variables, operationName }): Promise<GraphResponse> {
      const { seed, nulls, failures, dead } = settings();
      if (dead === name) throw new Error(`${name} cannot be reached`);
      const document = parse(query);
      const wrong = validate(schema, document);
      if (wrong[0]) throw wrong[0];
      const result = await execute({
        schema,
        document,
        operationName,
        variableValues: variables,
        rootValue: { $key: 'root' },
        fieldResolver: resolver(schema, seed, nulls, failures),
        typeResolver: (value) => (value as { __typename?: string }).__typename,
      });
      const errors = result.errors?.map(({ message, path, extensions, originalError }) => {
        const code = extensions['code'] ?? (originalError ? 'internal_error' : 'unavailable');
        return { message, ...(path && { path }), extensions: { code } };
      });
      // As if it had come over HTTP: plain objects that nobody else holds.
      return JSON.parse(JSON.stringify({ data: result.data, ...(errors && { errors }) }));
    },
    ready: async () => {},
    close: async () => {},
  };
}

function resolver(
  schema: GraphQLSchema,
  seed: number,
  nulls: number,
  failures: number,
): GraphQLFieldResolver<unknown, unknown> {
  return (source, args, _context, { fieldName, parentType, returnType }) => {
    const thing = source as Thing;
    if (Object.hasOwn(thing, fieldName)) return thing[fieldName];
    const owner = thing.$key ?? `${parentType.name} ${String(thing['id'] ?? '')}`;
    const place = `${seed} ${owner} ${fieldName} ${JSON.stringify(args)}`;
    if (fieldName === 'id' && thing.$key !== undefined) return `id-${hash(thing.$key) % IDS}`;
    if (hash(`fail ${place}`) % 100 < failures) {
      throw new GraphQLError(`${fieldName} failed`, { extensions: { code: 'unavailable' } });
    }
    return valueFor(returnType, place);
  };

  function valueFor(type: GraphQLOutputType, place: string): unknown {
    const bare = isNonNullType(type) ? type.ofType : type;
    const strict = isNonNullType(type);
    // Also where null is forbidden, though seldom: subgraphs have bugs.
    if (hash(`null ${place}`) % 100 < (strict ? nulls / 8 : nulls)) return null;
    if (isListType(bare)) {
      return Array.from({ length: hash(`length ${place}`) % 4 }, (_, i) => valueFor(bare.ofType, `${place} ${i}`));
    }
    const number = hash(place);
    if (isEnumType(bare)) return bare.getValues()[number % bare.getValues().length]?.value;
    if (isLeafType(bare)) {
      if (bare.name === 'Int') return number % 1000;
      if (bare.name === 'Float') return (number % 1000) / 8;
      if (bare.name === 'Boolean') return number % 2 === 0;
      if (bare.name === 'ID') return `id-${number % IDS}`;
      return `text ${number % 1000}`;
    }
    const named = isInterfaceType(bare) || isUnionType(bare) ? schema.getPossibleTypes(bare) : [bare];
    const chosen = named[number % named.length];
    if (!isObjectType(chosen)) throw new Error(`${bare} has no types`);
    const id = `id-${hash(`id ${place}`) % IDS}`;
    // The same entity looks the same wherever it is met.
    const entity = 'id' in chosen.getFields();
    return { __typename: chosen.name, $key: entity ? `${chosen.name} ${id}` : place, ...(entity && { id }) };
  }
}
