/** Automatic persisted queries: a client sends the hash of a document that it sent whole before. */
import { createHash } from 'node:crypto';
import { GraphQLError } from 'graphql';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { Problem } from '../../platform/errors.js';
import type { GraphParams } from './params.js';

const extensionSchema = z.object({ version: z.literal(1), sha256Hash: z.string().regex(/^[0-9a-f]{64}$/) });
const STORED_CHARACTERS = 8_000_000;

export class PersistedQueries {
  // Bounded: what is pushed out is asked for again, which the protocol provides for.
  readonly #documents = new LRUCache<string, string>({
    maxSize: STORED_CHARACTERS,
    sizeCalculation: (document) => document.length + 64,
  });

  /** The document of a request; stores it when the request brings both the document and its hash. */
  source({ query, extensions }: GraphParams): string {
    const { persistedQuery } = extensions;
    if (persistedQuery === undefined) {
      if (query === undefined || query === '') throw Problem.invalid('query', 'is required');
      return query;
    }
    const parsed = extensionSchema.safeParse(persistedQuery);
    if (!parsed.success) throw Problem.invalid('extensions.persistedQuery', 'needs version 1 and a sha256Hash');
    const { sha256Hash } = parsed.data;
    if (query === undefined) {
      const known = this.#documents.get(sha256Hash);
      if (known === undefined) throw new PersistedQueryNotFound();
      return known;
    }
    if (createHash('sha256').update(query).digest('hex') !== sha256Hash) {
      throw Problem.invalid('extensions.persistedQuery.sha256Hash', 'is not the hash of this query');
    }
    this.#documents.set(sha256Hash, query);
    return query;
  }
}

/** Clients recognise this one by Apollo's message and code and then send the document whole. */
export class PersistedQueryNotFound extends GraphQLError {
  constructor() {
    super('PersistedQueryNotFound', { extensions: { code: 'PERSISTED_QUERY_NOT_FOUND', http: { status: 200 } } });
  }
}
