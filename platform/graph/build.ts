/** From type-graphql classes to a federation subgraph. */
import { buildSubgraphSchema } from '@apollo/subgraph';
import { printSchemaWithDirectives } from '@graphql-tools/utils';
import { type GraphQLSchema, parse, specifiedDirectives } from 'graphql';
import { buildSchema, createResolversMap, type NonEmptyArray } from 'type-graphql';
import { DateTime } from './scalars.js';

const FEDERATION_LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", ' +
  'import: ["@key", "@shareable", "@external", "@requires", "@provides", "@inaccessible", "@tag"])\n\n';

/** How a subgraph finds one of its entities from the key that another subgraph holds. Null: there is none. */
export type ReferenceResolver<C> = (reference: Record<string, unknown>, context: C) => unknown;

export interface SubgraphParts<C> {
  resolvers: NonEmptyArray<new (...args: never[]) => object>;
  references: Record<string, ReferenceResolver<C>>;
  /** Types that no field leads to: entities of other subgraphs that this one only adds fields to. */
  extended?: (new () => object)[];
}

export interface SubgraphSchema {
  sdl: string;
  schema: GraphQLSchema;
}

export async function buildSubgraph<C>({
  resolvers,
  references,
  extended = [],
}: SubgraphParts<C>): Promise<SubgraphSchema> {
  const source = await buildSchema({
    resolvers: resolvers as NonEmptyArray<new (...args: never[]) => object>,
    // All decorated classes of the process share one registry: without this list every subgraph would hold the types
    // of all the others.
    orphanedTypes: extended,
    scalarsMap: [{ type: Date, scalar: DateTime }],
    // It is asked for where there are subscriptions, and used by none of ours.
    pubSub: { publish: unused, subscribe: unused },
    // Inputs are checked by the services, once, with rules that all doors share.
    validate: false,
    directives: [...specifiedDirectives],
    // Federation directives are not defined yet at this point.
    skipCheck: true,
  });
  describeRoots(source);
  const sdl = FEDERATION_LINK + printSchemaWithDirectives(source);
  const map = createResolversMap(source) as Record<string, object>;
  for (const [type, resolve] of Object.entries(references)) map[type] = { ...map[type], __resolveReference: resolve };
  return { sdl, schema: buildSubgraphSchema({ typeDefs: parse(sdl), resolvers: map as never }) };
}

/** Events are pulled (see changes.ts), so nobody asks the schema for a stream of them. */
export function unused(): never {
  throw new Error('the schema has no streams of events');
}

/** The same words in every subgraph: the supergraph's root types are made of all of them. */
function describeRoots(schema: GraphQLSchema): void {
  const query = schema.getQueryType();
  const mutation = schema.getMutationType();
  const subscription = schema.getSubscriptionType();
  if (query) query.description = 'What can be asked. Fields that need a caller say auth_required without one.';
  if (mutation) mutation.description = 'What can be changed. Each takes one input and answers with a payload.';
  if (subscription) {
    subscription.description =
      'What can be watched, over WebSocket at /graphql or server-sent events at /graphql/stream. Each begins with the ' +
      'present state.';
  }
}
