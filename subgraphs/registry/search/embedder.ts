/**
 * Looks into the meaning of what is saved, after it was saved: nobody waits for it, and nothing fails for it. What the
 * process that saved did not get to, and what another model looked into, the background task finds.
 */
import type { Collection, Document, Filter } from 'mongodb';
import type { Logger } from 'pino';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import { type Encoder, EncoderFailure } from '../embedding/encoder.js';
import { embeddingOf, type Findable } from './embedding.js';

export interface Embeddable extends Document {
  _id: string;
}

/** Where the versions of one kind are. */
export interface Shelf {
  collection: Collection<Embeddable>;
  /** Where in a document the version is, with a dot at its end; empty: the document is the version. */
  path: '' | `${string}.`;
  /** What tells that it is still the same version. */
  sameAs: string;
}

export interface EmbedderDeps {
  name: string;
  shelf: Shelf;
  encoder: Encoder;
  log: Logger;
}

const EVERY_MS = 5_000;
const AT_ONCE = 100;
/** One after another, so that a flood of saves keeps no searches waiting. */
const MAX_SOON = 200;
const SKIP_FAILED_MS = 300_000;
const FAILURES_IN_A_ROW = 3;

export class Embedder {
  readonly #deps: EmbedderDeps;
  readonly #soon: string[] = [];
  /** Until when each that failed is left alone, so that one bad text does not keep the others waiting. */
  readonly #failed = new Map<string, number>();
  #working: Promise<void> = Promise.resolve();
  #closed = false;
  readonly task: BackgroundTask;

  constructor(deps: EmbedderDeps) {
    this.#deps = deps;
    this.task = { name: deps.name, everyMs: EVERY_MS, run: (signal) => this.catchUp(signal) };
  }

  /** What cannot be done at once is left to the task. */
  soon(id: string): void {
    if (this.#closed || this.#soon.length >= MAX_SOON) return;
    this.#soon.push(id);
    if (this.#soon.length === 1) this.#working = this.#workOff();
  }

  async #workOff(): Promise<void> {
    const { collection } = this.#deps.shelf;
    for (let id = this.#soon[0]; id !== undefined && !this.#closed; id = this.#soon[0]) {
      try {
        const found = await collection.findOne({ _id: id }, { projection: this.#projection() });
        if (found && this.#isDue(found)) await this.#embed(found);
      } catch (error) {
        this.#deps.log.warn({ err: error, id }, 'a version is made searchable later');
      }
      this.#soon.shift();
    }
  }

  #projection(): Document {
    const { path, sameAs } = this.#deps.shelf;
    const fields = ['name', 'description', 'outcome', 'tags', 'embedding.model'].map((field) => path + field);
    return Object.fromEntries([...fields, sameAs].map((field) => [field, 1]));
  }

  #isDue(document: Embeddable): boolean {
    const version = this.#versionIn(document);
    return version !== undefined && version.embedding?.model !== this.#deps.encoder.model;
  }

  #versionIn(document: Embeddable): (Findable & { embedding?: { model: string } }) | undefined {
    const { path } = this.#deps.shelf;
    const version = path === '' ? document : document[path.slice(0, -1)];
    return typeof version?.name === 'string' ? version : undefined;
  }

  async #embed(document: Embeddable): Promise<void> {
    const { encoder, shelf } = this.#deps;
    const version = this.#versionIn(document);
    if (!version) return;
    const embedding = await embeddingOf(encoder, version);
    const sameAs = shelf.sameAs.split('.').reduce<unknown>((value, key) => (value as Document)?.[key], document);
    const same = { _id: document._id, [shelf.sameAs]: sameAs } as Filter<Embeddable>;
    await shelf.collection.updateOne(same, { $set: { [`${shelf.path}embedding`]: embedding } });
  }

  /** Everything that is due, but for what failed a moment ago. */
  async catchUp(signal: AbortSignal): Promise<void> {
    let failures = 0;
    for (;;) {
      const due = await this.#due();
      for (const document of due) {
        if (signal.aborted || this.#closed) return;
        try {
          await this.#embed(document);
          failures = 0;
        } catch (error) {
          if (!(error instanceof EncoderFailure)) throw error;
          this.#failed.set(document._id, Date.now() + SKIP_FAILED_MS);
          // The encoder itself is out of order, rather than these texts.
          if (++failures >= FAILURES_IN_A_ROW) throw error;
        }
      }
      if (due.length < AT_ONCE) return;
    }
  }

  #due(): Promise<Embeddable[]> {
    const { shelf, encoder } = this.#deps;
    for (const [id, until] of this.#failed) if (until <= Date.now()) this.#failed.delete(id);
    const model = `${shelf.path}embedding.model`;
    const others = [null, { $lt: encoder.model }, { $gt: encoder.model }].map((value) => ({ [model]: value }));
    const filter = { $or: others, [`${shelf.path}name`]: { $exists: true }, _id: { $nin: [...this.#failed.keys()] } };
    return shelf.collection
      .find(filter as Filter<Embeddable>, { projection: this.#projection() })
      .limit(AT_ONCE)
      .toArray();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#working;
  }
}
