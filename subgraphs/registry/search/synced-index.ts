/** An index that follows a store: what the store lists is in it, as it is there. */
import { type Findable, type StoredEmbedding, storedVector } from './embedding.js';
import { type Ranked, SearchIndex, type Wanted } from './search-index.js';
import { wordsToCompare } from './words.js';

/** What is to be found, with a stamp that is another one when it is to be found by something else. */
export type Listed = ReadonlyMap<string, string>;

export interface Stored {
  id: string;
  stamp: string;
  findable: Findable;
  embedding: StoredEmbedding | undefined;
}

export interface Source {
  list(): Promise<Listed>;
  /** Those of these that are to be found. */
  load(ids: readonly string[]): Promise<Stored[]>;
}

const LOADED_AT_ONCE = 500;
// Each is looked for again at every search: they come within moments, or their encoder is out of order.
const MAX_AWAITED = 100;

export class SyncedIndex {
  readonly #model: string;
  readonly #index = new SearchIndex();
  readonly #stamps = new Map<string, string>();
  /** Those whose meaning was not looked into when they were read. */
  readonly #awaited = new Set<string>();

  constructor(model: string) {
    this.#model = model;
  }

  get size(): number {
    return this.#index.size;
  }

  /** Afterwards it holds what the source lists, and nothing else. */
  async follow(source: Source): Promise<void> {
    const listed = await source.list();
    for (const id of [...this.#stamps.keys()]) if (!listed.has(id)) this.forget(id);
    const changed = [...listed].flatMap(([id, stamp]) => (this.#stamps.get(id) === stamp ? [] : [id]));
    await this.#load(source, [...changed, ...this.#someAwaited()]);
  }

  /** Takes in what became of some, by their stamps; null: not to be found any more. */
  async update(source: Source, stamps: ReadonlyMap<string, string | null>): Promise<void> {
    const changed: string[] = [];
    for (const [id, stamp] of stamps) {
      if (stamp === null) this.forget(id);
      else if (this.#stamps.get(id) !== stamp) changed.push(id);
    }
    const ids = [...new Set([...changed, ...this.#someAwaited()])];
    const found = await this.#load(source, ids);
    for (const id of ids) if (!found.has(id)) this.forget(id);
  }

  #someAwaited(): string[] {
    return [...this.#awaited].slice(0, MAX_AWAITED);
  }

  async #load(source: Source, ids: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    for (let i = 0; i < ids.length; i += LOADED_AT_ONCE) {
      for (const stored of await source.load(ids.slice(i, i + LOADED_AT_ONCE))) {
        this.#put(stored);
        found.add(stored.id);
      }
    }
    return found;
  }

  #put({ id, stamp, findable, embedding }: Stored): void {
    const { name, description, outcome, tags } = findable;
    const vector = storedVector(embedding, this.#model);
    this.#stamps.set(id, stamp);
    if (vector) this.#awaited.delete(id);
    else this.#awaited.add(id);
    this.#index.put({ id, vector, words: wordsToCompare(`${name} ${tags.join(' ')} ${outcome} ${description}`) });
  }

  forget(id: string): void {
    this.#stamps.delete(id);
    this.#awaited.delete(id);
    this.#index.remove(id);
  }

  rank(wanted: Wanted, limit: number): Ranked[] {
    return this.#index.rank(wanted, limit);
  }
}
