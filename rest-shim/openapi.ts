/** The OpenAPI 3.1 document of a set of routes, made from the table, the error vocabulary and the graph. */
import type { GraphQLSchema } from 'graphql';
import { parse } from 'graphql';
import type { z } from 'zod';
import { ERRORS, type ErrorSlug } from '../platform/errors.js';
import { answerShape, type JsonSchema } from './answer.js';
import { toJsonSchema } from './json-schema.js';
import type { Route } from './route.js';

export interface OpenApiOptions {
  title: string;
  description: string;
  version: string;
  publicUrl: string;
  /** Paths that are served outside the table, in OpenAPI's own words. */
  extraPaths: Record<string, JsonSchema>;
}

const EVERYWHERE: readonly ErrorSlug[] = ['forbidden', 'rate_limited', 'internal_error', 'unavailable'];

export function openApi(routes: readonly Route[], schema: GraphQLSchema, options: OpenApiOptions): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = structuredClone(options.extraPaths);
  for (const row of routes) {
    paths[row.path] = { ...paths[row.path], [row.method.toLowerCase()]: operationObject(row, schema) };
  }
  return {
    openapi: '3.1.0',
    info: { title: options.title, description: options.description, version: options.version },
    servers: [{ url: options.publicUrl }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key: `good_live_…`, under /v2 that of a tenant: `imgf_…`, or an access token.',
        },
        apiKeyHeader: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same; under /v2 alone.' },
      },
      schemas: { Error: errorSchema() },
    },
  };
}

function operationObject(row: Route, schema: GraphQLSchema): JsonSchema {
  const [definition] = parse(row.operation).definitions;
  if (definition?.kind !== 'OperationDefinition') throw new Error(`${row.id} is not an operation`);
  const success =
    row.status === 204
      ? { description: 'Done.' }
      : { description: 'Success.', content: json(answerShape(schema, definition).schema) };
  return {
    operationId: row.id,
    tags: [row.tag],
    summary: row.summary,
    ...describe(row),
    ...(row.auth === 'required' && { security: securityOf(row) }),
    parameters: [
      ...parameters(row.params, 'path'),
      ...parameters(row.query, 'query'),
      ...(row.idempotent ? [IDEMPOTENCY_KEY] : []),
    ],
    ...(row.body && {
      requestBody: { required: !row.bodyOptional, content: { ...row.otherBodies, ...json(toJsonSchema(row.body)) } },
    }),
    responses: {
      [row.status]: success,
      ...(row.otherStatus && { [row.otherStatus.status]: { ...success, description: row.otherStatus.description } }),
      ...errorResponses(row),
      ...row.refusals,
    },
  };
}

/** With what a tenant's key must have; most paths take none. */
function describe({ description, scope }: Route): { description?: string } {
  const needed =
    scope === undefined || scope === 'account' ? undefined : `A tenant's key needs the scope \`${scope}\`.`;
  const words = [description, needed].filter((part) => part !== undefined).join(' ');
  return words === '' ? {} : { description: words };
}

/** Either of them will do. */
function securityOf({ path }: Route): JsonSchema[] {
  return path.startsWith('/v2/') ? [{ apiKey: [] }, { apiKeyHeader: [] }] : [{ apiKey: [] }];
}

function json(schema: JsonSchema) {
  return { 'application/json': { schema } };
}

const IDEMPOTENCY_KEY: JsonSchema = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Names the request: sent again within 24 hours it is not done again, and answered alike.',
  schema: { type: 'string', maxLength: 255 },
};

function parameters(schema: z.ZodObject | undefined, place: 'path' | 'query'): JsonSchema[] {
  return Object.entries(schema?.shape ?? {}).map(([name, member]) => {
    const { description, ...rest } = toJsonSchema(member as z.ZodType);
    const required = place === 'path' || !(member as z.ZodType).safeParse(undefined).success;
    return { name, in: place, required, ...(description !== undefined && { description }), schema: rest };
  });
}

function errorResponses(row: Route): Record<string, JsonSchema> {
  const slugs = [...(row.auth === 'required' ? (['auth_required'] as const) : []), ...row.errors, ...EVERYWHERE];
  const byStatus = new Map<number, ErrorSlug[]>();
  for (const slug of new Set(slugs)) {
    const { status } = ERRORS[slug];
    byStatus.set(status, [...(byStatus.get(status) ?? []), slug]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      status,
      {
        description: ofStatus.map((slug) => `\`${slug}\`: ${ERRORS[slug].message}`).join('\n\n'),
        content: json({ $ref: '#/components/schemas/Error' }),
      },
    ]),
  );
}

function errorSchema(): JsonSchema {
  return {
    type: 'object',
    description: 'Every error has this shape.',
    required: ['error', 'message', 'request_id'],
    properties: {
      error: { type: 'string', enum: Object.keys(ERRORS), description: 'A stable slug.' },
      message: { type: 'string', description: 'What went wrong, for people.' },
      hint: { type: 'string', description: 'How to recover.' },
      retryable: { type: 'boolean', description: 'Whether the same request may succeed later.' },
      request_id: { type: 'string', description: 'Quote it when you report a problem.' },
      details: {
        anyOf: [
          {
            type: 'array',
            description: 'One entry for each bad field.',
            items: {
              type: 'object',
              required: ['field', 'message'],
              properties: { field: { type: 'string' }, message: { type: 'string' } },
            },
          },
          {
            type: 'object',
            description: 'Which of the two gates in front of a frontier model is closed.',
            required: ['gate'],
            properties: { gate: { type: 'string', enum: ['subscription', 'milestone'] } },
          },
        ],
      },
    },
  };
}
