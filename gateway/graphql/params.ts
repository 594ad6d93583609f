/** The parameters of a GraphQL request, checked. */
import { z } from 'zod';
import { Problem } from '../../platform/errors.js';

const record = z.record(z.string(), z.unknown());

const paramsSchema = z.object({
  query: z.string().nullish(),
  operationName: z.string().nullish(),
  variables: record.nullish(),
  extensions: record.nullish(),
});

export interface GraphParams {
  query: string | undefined;
  operationName: string | undefined;
  variables: Readonly<Record<string, unknown>>;
  extensions: Readonly<Record<string, unknown>>;
}

function check(value: unknown): GraphParams {
  const parsed = paramsSchema.safeParse(value);
  if (!parsed.success) {
    const details = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.') || 'body', message }));
    throw new Problem('validation_error', 'The body is not a GraphQL request.', { details });
  }
  const { query, operationName, variables, extensions } = parsed.data;
  return {
    query: query ?? undefined,
    operationName: operationName ?? undefined,
    variables: variables ?? {},
    extensions: extensions ?? {},
  };
}

/** Of a message that asks for one operation. */
export function readPayload(payload: unknown): GraphParams {
  return check(payload);
}

export function readPost(body: unknown, maxBatch: number): GraphParams | GraphParams[] {
  if (!Array.isArray(body)) return check(body);
  if (body.length === 0 || body.length > maxBatch) {
    throw new Problem('validation_error', `A batch holds 1 to ${maxBatch} operations.`);
  }
  return body.map(check);
}

export function readGet(query: Readonly<Record<string, unknown>>): GraphParams {
  return check({ ...query, variables: readJson(query, 'variables'), extensions: readJson(query, 'extensions') });
}

function readJson(query: Readonly<Record<string, unknown>>, name: string): unknown {
  const text = query[name];
  if (text === undefined || text === '') return undefined;
  if (typeof text !== 'string') throw Problem.invalid(name, 'must be given once');
  try {
    return JSON.parse(text);
  } catch {
    throw Problem.invalid(name, 'must be a JSON object');
  }
}
