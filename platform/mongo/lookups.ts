/** Finding single documents by a key, for many requests with one command. */
import type { Collection, Document, Filter } from 'mongodb';
import { anyOf, findBatch } from './batch.js';
import { Gathering } from './gathering.js';

/** Of documents of a few kilobytes each, well within one answer. */
const LARGEST = 200;

interface Waiting<T> {
  key: string;
  resolve(found: T | null): void;
  reject(error: unknown): void;
}

export interface LookupOptions {
  /** Unique, and indexed. */
  field?: string;
  projection?: Document;
  /** How many go together. */
  largest?: number;
}

/**
 * A command costs several times what a document more costs. What is found is as it was after it was asked for: nothing is
 * remembered. Callers who ask for the same document at the same time are given one object, which none of them may change.
 */
export class Lookups<S extends Document, T extends Document = S> {
  readonly #collection: Collection<S>;
  readonly #field: string;
  readonly #projection: Document | undefined;
  readonly #gathering: Gathering<Waiting<T>>;

  constructor(collection: Collection<S>, { field = '_id', projection, largest = LARGEST }: LookupOptions = {}) {
    this.#collection = collection;
    this.#field = field;
    this.#projection = projection;
    this.#gathering = new Gathering((batch) => this.#answer(batch), largest);
  }

  find(key: string): Promise<T | null> {
    return new Promise((resolve, reject) => this.#gathering.add({ key, resolve, reject }));
  }

  async #answer(batch: readonly Waiting<T>[]): Promise<void> {
    try {
      const found = await this.#findAll([...new Set(batch.map(({ key }) => key))]);
      for (const { key, resolve } of batch) resolve(found.get(key) ?? null);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  async #findAll(keys: readonly string[]): Promise<ReadonlyMap<string, T>> {
    const filter = { [this.#field]: anyOf(keys) } as Filter<S>;
    const projection = this.#projection;
    const found = await findBatch<S, T>(this.#collection, filter, {
      limit: keys.length,
      ...(projection && { projection }),
    });
    return new Map(found.map((document) => [String(document[this.#field]), document]));
  }
}
