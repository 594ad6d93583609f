/** What a row of the route table says. REST, OpenAPI and the documentation are all made from these rows. */
import { z } from 'zod';
import type { ErrorSlug } from '../platform/errors.js';
import type { KeyScope } from '../platform/scope.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

type Shape = z.ZodObject<z.ZodRawShape>;

export interface RouteInput {
  params: Record<string, unknown>;
  query: Record<string, unknown>;
  body: Record<string, unknown>;
  /** The Idempotency-Key header, for rows that honour it. */
  idempotencyKey: string | undefined;
}

export interface Route {
  method: Method;
  /** As OpenAPI writes it: /v1/teams/{team_id}. */
  path: string;
  tag: string;
  /** Unique; also the name by which other doors know the operation. */
  id: string;
  summary: string;
  description?: string;
  auth: 'required' | 'none';
  /**
   * What a key must have, of callers who bring one; the user's own key when left out. It is the graph that decides: a
   * row that says otherwise than its operation stops the start.
   */
  scope?: KeyScope;
  /** The input is judged before the credentials, so that a bad key with bad input is told of the input. */
  shapeFirst?: boolean;
  params?: Shape;
  query?: Shape;
  body?: Shape;
  /** Whether the body may be left out, as a whole. */
  bodyOptional?: boolean;
  /** Whether the operation takes the Idempotency-Key header. */
  idempotent?: boolean;
  status: number;
  /** For answers of the same shape that have not come to the same. */
  otherStatus?: { status: number; description: string; when(body: Record<string, unknown>): boolean };
  /**
   * The operation this path stands for. Aliases give the answer its documented names, so that the selection is the
   * answer: the value of the one root field is the body. Enums come out in lower case, and the members of a field
   * aliased `_` are lifted into its parent.
   */
  operation: string;
  variables?(input: RouteInput): Record<string, unknown>;
  /** For the few answers that a selection cannot express. */
  finish?(body: Record<string, unknown>): Record<string, unknown>;
  /** Where the thing is now, as a path, when it was asked for where it used to be. */
  redirect?(body: Record<string, unknown>, input: RouteInput): string | null;
  errors: readonly ErrorSlug[];
  /** For the one refusal that is documented without the envelope of all others. */
  refuse?(input: RouteInput): { status: number; body: object } | null;
  /** Such refusals in OpenAPI's words, by status. */
  refusals?: Readonly<Record<string, object>>;
  /** Served by a handler of its own, because its body is no JSON, or not only. The row says what it takes and answers. */
  own?: boolean;
  /** The answer as Markdown, for callers who would rather have that. */
  markdown?(body: Record<string, unknown>): string;
  /** Largest body in bytes, where the usual limit is too small. */
  bodyLimit?: number;
  /** The body of such a row in OpenAPI's words, beside the JSON one. */
  otherBodies?: Readonly<Record<string, { schema: object }>>;
}

/** Types the callbacks of a row by its schemas; the table itself holds plain routes. */
export function route<
  P extends z.ZodRawShape = Record<string, never>,
  Q extends z.ZodRawShape = Record<string, never>,
  B extends z.ZodRawShape = Record<string, never>,
>(
  row: Omit<Route, 'params' | 'query' | 'body' | 'variables'> & {
    params?: z.ZodObject<P>;
    query?: z.ZodObject<Q>;
    body?: z.ZodObject<B>;
    variables?(input: {
      params: z.infer<z.ZodObject<P>>;
      query: z.infer<z.ZodObject<Q>>;
      body: z.infer<z.ZodObject<B>>;
      idempotencyKey: string | undefined;
    }): Record<string, unknown>;
  },
): Route {
  return row as unknown as Route;
}

/** A closed set: lower case to REST clients, upper case in the graph. */
export function choice<const T extends string>(...values: readonly [T, ...T[]]) {
  return z.enum(values);
}

export function toEnum(value: string): string;
export function toEnum(value: string | undefined): string | undefined;
export function toEnum(value: string | undefined): string | undefined {
  return value?.toUpperCase().replaceAll('-', '_');
}

export const pageQuery = {
  limit: z.coerce
    .number({ error: 'must be a whole number from 1 to 100' })
    .int('must be a whole number from 1 to 100')
    .min(1, 'must be a whole number from 1 to 100')
    .max(100, 'must be a whole number from 1 to 100')
    .optional()
    .describe('How many items, 1 to 100; 50 when left out.'),
  cursor: z.string().max(500).optional().describe('`next_cursor` of the page before.'),
};

export function rowOf(routes: readonly Route[], id: string): Route {
  const row = routes.find((candidate) => candidate.id === id);
  if (!row) throw new Error(`the route table has no ${id}`);
  return row;
}
