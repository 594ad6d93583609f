/** What somebody is looking for. */
import { z } from 'zod';
import { Problem } from '../../../platform/errors.js';
import { checked, wants } from '../../../platform/rules.js';
import { type Encoder, EncoderFailure } from '../embedding/encoder.js';
import type { Wanted } from './search-index.js';
import { wordsToCompare } from './words.js';

export const DEFAULT_LIMIT = 10;
export const MAX_LIMIT = 50;
const MAX_QUERY = 1_000;
const PATIENCE_MS = 5_000;

const limitMessage = `must be a whole number from 1 to ${MAX_LIMIT}`;

export const searchRules = z.object({
  query: z
    .string(wants('must be a text'))
    .max(MAX_QUERY, `must have at most ${MAX_QUERY} characters`)
    .refine((query) => query.trim() !== '', 'must not be empty')
    .describe('What you are looking for, in your own words.')
    .meta({ examples: ['tell my boss what we got done this week'] }),
  limit: z
    .number({ error: limitMessage })
    .int(limitMessage)
    .min(1, limitMessage)
    .max(MAX_LIMIT, limitMessage)
    .nullish()
    .describe(`How many to answer at most, 1 to ${MAX_LIMIT}; ${DEFAULT_LIMIT} when left out.`),
});

export interface Query extends Wanted {
  query: string;
  limit: number;
}

export async function readQuery(encoder: Encoder, given: unknown): Promise<Query> {
  const { query, limit } = checked(searchRules, given);
  return {
    query,
    limit: limit ?? DEFAULT_LIMIT,
    words: wordsToCompare(query),
    vector: await meaningOf(encoder, query),
  };
}

async function meaningOf(encoder: Encoder, query: string) {
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  try {
    const [vector] = await encoder.encode([query.toLowerCase()], deadline);
    if (!vector) throw new EncoderFailure('the encoder gave no vector');
    return vector;
  } catch (error) {
    if (!(error instanceof EncoderFailure) && !deadline.aborted) throw error;
    throw new Problem('search_unavailable', undefined, { cause: error });
  }
}
