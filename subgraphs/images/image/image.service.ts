import type DataLoader from 'dataloader';
import type { Collection, Db } from 'mongodb';
import { PlainId } from '../../../platform/ids.js';
import { byIdLoader } from '../../../platform/mongo/loader.js';
import { findPage, type Page, type PageRequest } from '../../../platform/mongo/page.js';
import type { Scope } from '../../../platform/scope.js';
import { IMAGES, type ImageDocument } from './image.model.js';

export class ImageService {
  readonly #images: Collection<ImageDocument>;
  readonly #now: () => Date;

  constructor(db: Db, now: () => Date) {
    this.#images = db.collection<ImageDocument>(IMAGES.name);
    this.#now = now;
  }

  loader(): DataLoader<string, ImageDocument | null> {
    return byIdLoader(this.#images);
  }

  /** Null for a stranger and for what has expired, as for what never was. */
  async find(id: string, loader: DataLoader<string, ImageDocument | null>, scope: Scope) {
    const uuid = PlainId.parse(id);
    const image = uuid === null ? null : await loader.load(uuid);
    if (!image || image.ownerId !== scope.caller?.userId) return null;
    return image.expiresAt !== null && image.expiresAt <= this.#now() ? null : image;
  }

  list(ownerId: string, page: PageRequest): Promise<Page<ImageDocument>> {
    const live = { $or: [{ expiresAt: null }, { expiresAt: { $gt: this.#now() } }] };
    return findPage(this.#images, { ownerId, ...live }, page);
  }
}
