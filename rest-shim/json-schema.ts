/** What a row takes, in JSON Schema's words: for OpenAPI, and for tools. */
import { z } from 'zod';
import type { JsonSchema } from './answer.js';

export function toJsonSchema(schema: z.ZodType): JsonSchema {
  const {
    $schema: _,
    additionalProperties: __,
    ...rest
  } = z.toJSONSchema(schema, {
    // What is coerced has no schema as input.
    io: 'output',
    // What is filled in is always there in the output, but need not be sent.
    override: ({ jsonSchema: { properties, required }, jsonSchema }) => {
      if (required) jsonSchema.required = required.filter((name) => !hasDefault(properties?.[name]));
    },
  }) as JsonSchema;
  return rest;
}

function hasDefault(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && 'default' in schema;
}
