/** Files in GraphQL requests, as the multipart request specification has them. */
import { GraphQLScalarType } from 'graphql';
import GraphQLUpload from 'graphql-upload/GraphQLUpload.mjs';
import type { FileUpload } from 'graphql-upload/processRequest.mjs';
import { Problem } from '../errors.js';

export type { FileUpload };

export const Upload = new GraphQLScalarType({
  ...GraphQLUpload.toConfig(),
  description: 'A file, sent by the GraphQL multipart request specification.',
});

/** Files whose bytes are spoken for. */
const taken = new WeakSet<FileUpload>();

/**
 * The bytes of a file that is still coming in, as fast as they are wanted. Each file is given out once: limits count the
 * files of a request, and a variable may stand in many fields.
 */
export async function* bytesOf(upload: Promise<FileUpload>): AsyncGenerator<Buffer> {
  try {
    const file = await upload;
    if (taken.has(file)) throw Problem.invalid('file', 'is used twice; send it once for each use');
    taken.add(file);
    yield* file.createReadStream();
  } catch (error) {
    throw uploadProblem(error);
  }
}

/** What stops an upload is reported in HTTP's terms, under several names; 499 is a client that went away. */
export function uploadProblem(error: unknown): unknown {
  if (error instanceof Problem) return error;
  const { status, message } = error as { status?: unknown; message?: unknown };
  if (status === 413) return new Problem('file_too_large', undefined, { cause: error });
  if (status !== 400 && status !== 499) return error;
  return new Problem('validation_error', typeof message === 'string' ? message : undefined, { cause: error });
}
