/** Problems as GraphQL errors, and back. Only what was raised on purpose passes; the rest is masked and logged. */
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { type FieldIssue, isErrorSlug, Problem } from '../errors.js';

interface ProblemExtensions {
  code: string;
  http: { status: number };
  [extra: string]: unknown;
}

export function problemExtensions(problem: Problem): ProblemExtensions {
  const { error, message: _, ...rest } = problem.toBody();
  return { ...rest, code: error, http: { status: problem.status } };
}

export function problemToGraphQL(problem: Problem): GraphQLFormattedError {
  return { message: problem.message, extensions: problemExtensions(problem) };
}

/** For an error that a subgraph or the request pipeline has already rendered. */
export function problemFromExtensions(
  message: string,
  extensions: Record<string, unknown> | undefined,
): Problem | null {
  const { code, http: _http, serviceName: _service, ...rest } = extensions ?? {};
  return isErrorSlug(code) ? Problem.fromBody({ ...rest, error: code, message }) : null;
}

/** What a caller got wrong in the operation itself: syntax, unknown fields, variables that do not fit. */
export function invalidOperation(errors: readonly GraphQLError[]): Problem {
  const details: FieldIssue[] = errors.slice(0, 50).map((error) => ({
    field: error.locations?.[0] ? `${error.locations[0].line}:${error.locations[0].column}` : 'query',
    message: error.message,
  }));
  return new Problem('validation_error', errors[0]?.message, { details });
}

/** The problem behind an error that a resolver threw, or null when nobody meant it. */
export function intendedProblem(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (!(error instanceof GraphQLError)) return null;
  if (error.originalError) return intendedProblem(error.originalError);
  // Raised by graphql itself: an argument or variable that does not coerce. Errors about results carry a path.
  const aboutInput = error.path === undefined || /^(Argument|Variable) /.test(error.message);
  return aboutInput ? new Problem('validation_error', error.message) : null;
}

export function renderGraphQLError(error: GraphQLError, log: Logger, requestId: string): GraphQLFormattedError {
  let problem = intendedProblem(error);
  if (!problem) {
    log.error({ err: error.originalError ?? error, path: error.path, requestId }, 'resolver failed');
    problem = new Problem('internal_error');
  }
  return { ...problemToGraphQL(problem), ...(error.path && { path: error.path }) };
}
