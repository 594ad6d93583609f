/** The rows of the route table, made ready to be run by any door: read, checked and planned once, at start. */
import type { GraphQLFormattedError } from 'graphql';
import type { z } from 'zod';
import type { Operations, PreparedOperation } from '../gateway/graphql/operations.js';
import { type FieldIssue, Problem } from '../platform/errors.js';
import { problemFromExtensions } from '../platform/graph/problems.js';
import { fieldIssue, invalidFields } from '../platform/rules.js';
import type { KeyScope, Scope } from '../platform/scope.js';
import { type AnswerShape, answerShape } from './answer.js';
import type { Route, RouteInput } from './route.js';

export interface RowsDeps {
  operations: Operations;
  onMutation(scope: Scope, changes: ReadonlySet<string>): void;
}

export interface ReadyRow {
  row: Route;
  prepared: PreparedOperation;
  shape: AnswerShape;
  mutates: boolean;
}

export class Rows {
  readonly #deps: RowsDeps;

  constructor(deps: RowsDeps) {
    this.#deps = deps;
  }

  /** A row that the graph cannot serve, or not to the keys that the row names, throws here. */
  ready(row: Route): ReadyRow {
    const { operations } = this.#deps;
    const prepared = operations.prepare(row.operation);
    requireAgreement(row, prepared);
    const shape = answerShape(operations.schema, prepared.operation);
    return { row, prepared, shape, mutates: prepared.operation.operation === 'mutation' };
  }

  /** The documented body of the row's answer. Throws what the graph refuses as the problem that it is. */
  async run({ row, prepared, shape, mutates }: ReadyRow, input: RouteInput, scope: Scope): Promise<unknown> {
    const variables = row.variables ? withoutUndefined(row.variables(input)) : {};
    const { data, errors } = await this.#deps.operations.execute(prepared, variables, scope);
    if (mutates) this.#deps.onMutation(scope, prepared.changes);
    if (errors?.[0]) throw fromGraph(errors[0], row);
    const value = data?.[shape.rootField];
    if (value === null || value === undefined) throw new Problem('not_found');
    return shape.transform ? shape.transform(value) : value;
  }
}

export function keyScopeOf({ scope = 'account' }: Route): KeyScope {
  return scope;
}

function requireAgreement(row: Route, { keyScopes }: PreparedOperation): void {
  const [needed, ...others] = keyScopes;
  if (needed === keyScopeOf(row) && others.length === 0) return;
  throw new Error(`${row.id} says that a key needs ${keyScopeOf(row)}, its operation: ${[...keyScopes].join(', ')}`);
}

function fromGraph(error: GraphQLFormattedError, row: Route): Problem | Error {
  const problem = problemFromExtensions(error.message, error.extensions);
  return problem ?? new Error(`${row.id}: the graph answered without a known code: ${error.message}`);
}

/** A member that is undefined is not there, as on its way through JSON: executors may take it for null, which is a value. */
function withoutUndefined(variables: Record<string, unknown>): Record<string, unknown> {
  const { input } = variables;
  const isInput = typeof input === 'object' && input !== null;
  return given(isInput ? { ...variables, input: given(input as Record<string, unknown>) } : variables);
}

function given(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, member]) => member !== undefined));
}

/** Throws validation_error, with one entry for each bad field. */
export function checkInput<T extends z.ZodObject>(schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidFields(parsed.error.issues.map(fieldIssue));
}

/** What a door read of a request, before anything of it is believed. */
export interface GivenInput {
  params: unknown;
  query: unknown;
  body: unknown;
  idempotencyKey: string | undefined;
}

/** Throws validation_error, with one entry for each bad field of all parts. */
export function checkRowInput(row: Route, given: GivenInput): RouteInput {
  const issues: FieldIssue[] = [];
  const part = (schema: z.ZodObject | undefined, value: unknown): Record<string, unknown> => {
    if (!schema) return {};
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) issues.push(fieldIssue(issue));
    return {};
  };
  const bodyGiven = given.body !== undefined && given.body !== null;
  const input: RouteInput = {
    params: part(row.params, given.params),
    query: part(row.query, given.query),
    body: part(row.body, bodyGiven || !row.bodyOptional ? (given.body ?? {}) : {}),
    idempotencyKey: row.idempotent ? given.idempotencyKey : undefined,
  };
  if (issues.length > 0) throw invalidFields(issues);
  return input;
}
