/** One part of the platform asking another: operations that the public graph does not show. */
import type { z } from 'zod';
import { Problem } from '../errors.js';
import { systemScope } from '../scope.js';
import { problemFromExtensions } from './problems.js';
import type { SubgraphTransport } from './transport.js';

export interface InternalCall<T> {
  query: string;
  /** Checks what came back: the other side may be another version in another process. */
  result: z.ZodType<T>;
}

export async function callInternal<T>(
  transport: SubgraphTransport,
  { query, result }: InternalCall<T>,
  variables: Record<string, unknown>,
  requestId: string,
): Promise<T> {
  const { data, errors } = await transport.send({ query, variables }, systemScope(requestId));
  const [error] = errors ?? [];
  if (error) {
    throw problemFromExtensions(error.message, error.extensions) ?? new Error(`${transport.name}: ${error.message}`);
  }
  const parsed = result.safeParse(data);
  if (!parsed.success) {
    throw new Problem('unavailable', `The ${transport.name} service gave an answer that is not understood here.`, {
      cause: parsed.error,
    });
  }
  return parsed.data;
}
