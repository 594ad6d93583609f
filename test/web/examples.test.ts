/** Every example of the explorer is an operation of the graph, with variables that fit. */
import { readFile } from 'node:fs/promises';
import { Supergraph } from '@apollo/federation-internals';
import { type GraphQLSchema, getOperationAST, getVariableValues, parse, validate } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { EXAMPLES } from '../../web/explorer/examples.js';

let schema: GraphQLSchema;

beforeAll(async () => {
  const sdl = await readFile(new URL('../../gateway/supergraph.graphql', import.meta.url), 'utf8');
  schema = Supergraph.build(sdl).apiSchema().toGraphQLJSSchema();
});

describe('the examples of the explorer', () => {
  it.each(EXAMPLES.map((example) => [example.title, example] as const))('%s', (_title, { query, variables }) => {
    const document = parse(query);
    expect(validate(schema, document)).toEqual([]);
    const definitions = getOperationAST(document)?.variableDefinitions ?? [];
    expect(getVariableValues(schema, definitions, variables ?? {}).errors).toBeUndefined();
  });
});
