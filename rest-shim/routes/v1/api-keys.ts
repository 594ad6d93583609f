import { z } from 'zod';
import { pageQuery, type Route, route } from '../../route.js';

export const apiKeys: Route[] = [
  route({
    method: 'POST',
    path: '/v1/auth/exchange',
    tag: 'API keys',
    id: 'exchangeAccessToken',
    summary: 'Trade an access token for an API key',
    description:
      'For command lines that signed in with OAuth: the key is named after the machine, and shown this once.',
    auth: 'required',
    body: z.object({
      hostname: z
        .string()
        .max(1000)
        .optional()
        .describe('Name of the machine.')
        .meta({ examples: ['my-laptop'] }),
    }),
    bodyOptional: true,
    status: 200,
    operation: `mutation ExchangeAccessToken($input: ExchangeAccessTokenInput!) {
      exchangeAccessToken(input: $input) { api_key: key _: apiKey { key_id: id name } }
    }`,
    variables: ({ body }) => ({ input: { hostname: body.hostname } }),
    errors: ['validation_error', 'account_suspended', 'forbidden', 'quota_exceeded'],
  }),
  route({
    method: 'POST',
    path: '/v1/api-keys',
    tag: 'API keys',
    id: 'mintApiKey',
    summary: 'Mint an API key',
    description: 'The key is shown this once. Store it at once.',
    auth: 'required',
    body: z.object({
      name: z
        .string()
        .max(1000)
        .describe('What the key is for.')
        .meta({ examples: ['my-automation'] }),
    }),
    status: 201,
    operation: `mutation CreateApiKey($input: CreateApiKeyInput!) {
      createApiKey(input: $input) { _: apiKey { id name created_at: createdAt } key }
    }`,
    variables: ({ body }) => ({ input: { name: body.name } }),
    errors: ['validation_error', 'account_suspended', 'quota_exceeded'],
  }),
  route({
    method: 'GET',
    path: '/v1/api-keys',
    tag: 'API keys',
    id: 'listApiKeys',
    summary: 'Your API keys',
    description: 'Newest first, without the secrets. `last_used_at` may lag by a minute.',
    auth: 'required',
    query: z.object(pageQuery),
    status: 200,
    operation: `query ApiKeys($first: Int, $after: String) {
      apiKeys(first: $first, after: $after) {
        items: nodes { id name prefix created_at: createdAt last_used_at: lastUsedAt }
        next_cursor: nextCursor
      }
    }`,
    variables: ({ query }) => ({ first: query.limit, after: query.cursor }),
    errors: ['validation_error'],
  }),
  route({
    method: 'GET',
    path: '/v1/api-keys/{key_id}',
    tag: 'API keys',
    id: 'getApiKey',
    summary: 'One of your API keys',
    auth: 'required',
    params: z.object({ key_id: z.string().max(200).describe('Id of the key.') }),
    status: 200,
    operation: `query ApiKey($id: ID!) {
      apiKey(id: $id) { id name prefix created_at: createdAt last_used_at: lastUsedAt }
    }`,
    variables: ({ params }) => ({ id: params.key_id }),
    errors: ['not_found'],
  }),
  route({
    method: 'DELETE',
    path: '/v1/api-keys/{key_id}',
    tag: 'API keys',
    id: 'revokeApiKey',
    summary: 'Revoke an API key',
    description: 'By id, or by a name that only one of your keys has. It stops working at once.',
    auth: 'required',
    params: z.object({ key_id: z.string().max(200).describe('Id or name of the key.') }),
    status: 204,
    operation: `mutation RevokeApiKey($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { id revoked } }`,
    variables: ({ params }) => ({ input: { identifier: params.key_id } }),
    errors: ['not_found', 'conflict'],
  }),
];
