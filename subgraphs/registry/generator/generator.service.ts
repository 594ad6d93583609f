import type DataLoader from 'dataloader';
import type { Collection, Db } from 'mongodb';
import { PlainId } from '../../../platform/ids.js';
import { byIdLoader } from '../../../platform/mongo/loader.js';
import { findPage, type Page, type PageRequest } from '../../../platform/mongo/page.js';
import type { Scope } from '../../../platform/scope.js';
import { GENERATORS, type GeneratorDocument } from './generator.model.js';

export class GeneratorService {
  readonly #generators: Collection<GeneratorDocument>;

  constructor(db: Db) {
    this.#generators = db.collection<GeneratorDocument>(GENERATORS.name);
  }

  loader(): DataLoader<string, GeneratorDocument | null> {
    return byIdLoader(this.#generators);
  }

  /** Null for a stranger and for what is revoked, as for what never was. */
  async find(id: string, loader: DataLoader<string, GeneratorDocument | null>, scope: Scope) {
    const uuid = PlainId.parse(id);
    const generator = uuid === null ? null : await loader.load(uuid);
    return generator && generator.ownerId === scope.caller?.userId && generator.status === 'active' ? generator : null;
  }

  list(ownerId: string, page: PageRequest): Promise<Page<GeneratorDocument>> {
    return findPage(this.#generators, { ownerId, status: 'active' }, page);
  }
}
