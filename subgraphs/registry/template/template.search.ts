/**
 * Templates found by what they are for, among those that anybody can find. All of them are in the memory of each process
 * that answers; what changed is read before each search, and what is found is read as it is by then.
 */
import type { Collection, Db, Filter } from 'mongodb';
import type { Logger } from 'pino';
import type { Encoder } from '../embedding/encoder.js';
import type { StoredEmbedding } from '../search/embedding.js';
import { type Query, readQuery } from '../search/query.js';
import { type Source, SyncedIndex } from '../search/synced-index.js';
import { TEMPLATE_VERSIONS, TEMPLATES, type TemplateDocument, type TemplateVersionDocument } from './template.model.js';

export interface TemplateSearchDeps {
  db: Db;
  encoder: Encoder;
  log: Logger;
  now: () => Date;
}

export interface FoundTemplates {
  query: Query;
  hits: { score: number; template: TemplateDocument }[];
}

/** Changes are written with the clock of whoever writes, a moment before they can be read. */
const OVERLAP_MS = 10_000;
/** How often everything is compared, for the change that was written later than that. */
const COMPARED_EVERY_MS = 60_000;

type Listing = Pick<TemplateDocument, '_id' | 'listed'> & { latest?: Pick<TemplateDocument['latest'], 'contentId'> };

const LISTING = { listed: 1, 'latest.contentId': 1 };

export class TemplateSearch {
  readonly #deps: TemplateSearchDeps;
  readonly #templates: Collection<TemplateDocument>;
  readonly #versions: Collection<TemplateVersionDocument>;
  readonly #index: SyncedIndex;
  #filled: Promise<void> | undefined;
  #comparedAt = new Date(0);
  #readUntil = new Date(0);

  constructor(deps: TemplateSearchDeps) {
    this.#deps = deps;
    this.#templates = deps.db.collection<TemplateDocument>(TEMPLATES.name);
    this.#versions = deps.db.collection<TemplateVersionDocument>(TEMPLATE_VERSIONS.name);
    this.#index = new SyncedIndex(deps.encoder.model);
  }

  async find(given: unknown): Promise<FoundTemplates> {
    const [query] = await Promise.all([readQuery(this.#deps.encoder, given), this.#upToDate()]);
    return { query, hits: await this.#read(query) };
  }

  async #upToDate(): Promise<void> {
    if (!this.#filled) {
      this.#filled = this.#compare();
      // A store that could not be read is read by the next search.
      this.#filled.catch(() => {
        this.#filled = undefined;
      });
    }
    await this.#filled;
    await this.#readChanges();
    if (this.#comparedAt.getTime() + COMPARED_EVERY_MS > this.#deps.now().getTime()) return;
    // Nobody waits for that.
    this.#compare().catch((error) =>
      this.#deps.log.warn({ err: error }, 'templates are compared with the index later'),
    );
  }

  async #compare(): Promise<void> {
    const from = this.#deps.now();
    this.#comparedAt = from;
    await this.#index.follow(this.#source);
    if (this.#readUntil < from) this.#readUntil = from;
  }

  async #readChanges(): Promise<void> {
    const from = this.#deps.now();
    const since = new Date(this.#readUntil.getTime() - OVERLAP_MS);
    const filter = { updatedAt: { $gte: since } };
    const changed = await this.#templates.find(filter).project<Listing>(LISTING).toArray();
    const stamps = changed.map(
      ({ _id, listed, latest }) => [_id, listed ? (latest?.contentId ?? null) : null] as const,
    );
    await this.#index.update(this.#source, new Map(stamps));
    this.#readUntil = from;
  }

  readonly #source: Source = {
    list: async () => {
      const stamps = new Map<string, string>();
      const listed = this.#templates.find({ listed: true }).project<Listing>(LISTING).hint('by_content');
      for await (const { _id, latest } of listed) if (latest) stamps.set(_id, latest.contentId);
      return stamps;
    },
    load: async (ids) => {
      const filter = { _id: { $in: [...ids] }, listed: true } as Filter<TemplateDocument>;
      const found = await this.#templates.find(filter, { projection: { latest: 1 } }).toArray();
      const contents = found.map(({ latest }) => latest.contentId);
      const versions = await this.#versions
        .find({ _id: { $in: contents } })
        .project<{ _id: string; embedding?: StoredEmbedding }>({ embedding: 1 })
        .toArray();
      const embeddings = new Map(versions.map(({ _id, embedding }) => [_id, embedding]));
      return found.map(({ _id, latest }) => ({
        id: _id,
        stamp: latest.contentId,
        findable: latest,
        embedding: embeddings.get(latest.contentId),
      }));
    },
  };

  /** As they are now; what went out of sight since it was ranked makes room for what comes after it. */
  async #read(query: Query): Promise<FoundTemplates['hits']> {
    const hits: FoundTemplates['hits'] = [];
    const ranked = this.#index.rank(query, query.limit * 2);
    for (let from = 0; hits.length < query.limit && from < ranked.length; from += query.limit) {
      const next = ranked.slice(from, from + query.limit);
      const filter = { _id: { $in: next.map(({ id }) => id) }, listed: true } as Filter<TemplateDocument>;
      // What stays in the store can be long, and no answer shows it.
      const projection = { live: 0, livePins: 0, words: 0 };
      const found = await this.#templates.find(filter, { projection }).toArray();
      const byId = new Map(found.map((template) => [template._id, template]));
      for (const { id, score } of next) {
        const template = byId.get(id);
        if (template) hits.push({ score, template });
        else this.#index.forget(id);
      }
    }
    return hits.slice(0, query.limit);
  }
}
