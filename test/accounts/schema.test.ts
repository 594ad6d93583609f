import { composeServices } from '@apollo/composition';
import { Supergraph } from '@apollo/federation-internals';
import {
  type GraphQLField,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isIntrospectionType,
  isObjectType,
  parse,
  printSchema,
} from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { accountsSchema } from '../../subgraphs/accounts/subgraph.js';

let schema: GraphQLSchema;
let publicSchema: GraphQLSchema;
beforeAll(async () => {
  const { schema: subgraph, sdl } = await accountsSchema();
  schema = subgraph;
  const composed = composeServices([{ name: 'accounts', url: 'http://accounts.invalid', typeDefs: parse(sdl) }]);
  expect(composed.errors).toBeUndefined();
  publicSchema = Supergraph.build(composed.supergraphSdl ?? '')
    .apiSchema()
    .toGraphQLJSSchema();
});

function ownTypes(of: GraphQLSchema) {
  const federation = /^(_|federation__|link__)/;
  return Object.values(of.getTypeMap()).filter(
    ({ name }) => !isIntrospectionType(of.getTypeMap()[name] as never) && !federation.test(name),
  );
}

describe('the graph of accounts', () => {
  it('describes every type, field and argument', () => {
    const bare: string[] = [];
    for (const type of ownTypes(schema)) {
      if (isEnumType(type)) {
        if (!type.description) bare.push(type.name);
        bare.push(
          ...type
            .getValues()
            .filter(({ description }) => !description)
            .map(({ name }) => `${type.name}.${name}`),
        );
      }
      if (!isObjectType(type) && !isInputObjectType(type)) continue;
      if (!type.description && !['Query', 'Mutation'].includes(type.name)) bare.push(type.name);
      for (const field of Object.values(type.getFields())) {
        if (field.name.startsWith('_')) continue;
        if (!field.description) bare.push(`${type.name}.${field.name}`);
        for (const { name, description } of (field as Partial<GraphQLField<unknown, unknown>>).args ?? []) {
          if (!description) bare.push(`${type.name}.${field.name}(${name})`);
        }
      }
    }
    expect(bare).toEqual([]);
  });

  it('keeps internal operations and their types out of the public graph', () => {
    expect(printSchema(schema)).toContain('internalCaller');
    expect(printSchema(publicSchema)).not.toMatch(/internal/i);
  });

  it('has the operations that the other doors call', () => {
    expect(Object.keys(publicSchema.getQueryType()?.getFields() ?? {}).toSorted()).toEqual([
      'apiKey',
      'apiKeys',
      'connectedApplications',
      'invitation',
      'invitations',
      'me',
      'team',
      'teams',
      'tenant',
      'tenants',
      'user',
    ]);
    expect(Object.keys(publicSchema.getMutationType()?.getFields() ?? {}).toSorted()).toEqual([
      'acceptInvitation',
      'cancelInvitation',
      'claimHandle',
      'createApiKey',
      'createTeam',
      'createTenant',
      'declineInvitation',
      'deleteTeam',
      'disconnectApplication',
      'exchangeAccessToken',
      'inviteTeamMember',
      'login',
      'register',
      'removeTeamMember',
      'renameHandle',
      'revokeApiKey',
      'rotateTenantKey',
      'transferTeamOwnership',
      'verifyLogin',
      'verifyRegistration',
    ]);
  });

  it('gives each mutation one input and a payload of its own, and lets every root field be null', () => {
    for (const { name, args, type } of Object.values(publicSchema.getMutationType()?.getFields() ?? {})) {
      const base = name.charAt(0).toUpperCase() + name.slice(1);
      expect(args.map((arg) => `${arg.name}: ${arg.type}`)).toEqual([`input: ${base}Input!`]);
      expect(String(type)).toBe(`${base}Payload`);
    }
    for (const { type } of Object.values(publicSchema.getQueryType()?.getFields() ?? {})) {
      expect(String(type)).not.toContain('!');
    }
  });
});
