import type DataLoader from 'dataloader';
import type { Collection, Filter } from 'mongodb';
import { PlainId } from '../../../platform/ids.js';
import { byIdLoader } from '../../../platform/mongo/loader.js';
import { findPage, type Page, type PageRequest } from '../../../platform/mongo/page.js';
import type { Scope } from '../../../platform/scope.js';
import type { ImageDocument, LiveImage, Source, Visibility } from './image.model.js';

export interface ImageFilter {
  source?: Source;
  visibility?: Visibility;
}

export interface ImageServiceDeps {
  images: Collection<ImageDocument>;
  now: () => Date;
}

export class ImageService {
  readonly #deps: ImageServiceDeps;

  constructor(deps: ImageServiceDeps) {
    this.#deps = deps;
  }

  loader(): DataLoader<string, ImageDocument | null> {
    return byIdLoader(this.#deps.images);
  }

  /** Null for a stranger and for what has expired, as for what never was. */
  async find(
    id: string,
    loader: DataLoader<string, ImageDocument | null>,
    { caller }: Scope,
  ): Promise<LiveImage | null> {
    const uuid = PlainId.parse(id);
    const image = uuid === null || !caller ? null : await loader.load(uuid);
    return image && image.ownerId === caller?.userId && isLive(image, this.#deps.now()) ? image : null;
  }

  list(ownerId: string, { source, visibility }: ImageFilter, page: PageRequest): Promise<Page<LiveImage>> {
    const filter = {
      ownerId,
      ...live(this.#deps.now()),
      ...(source && { source }),
      ...(visibility && { visibility }),
    };
    return findPage(this.#deps.images, filter, page) as Promise<Page<unknown>> as Promise<Page<LiveImage>>;
  }
}

export function isLive(image: ImageDocument, now: Date): image is LiveImage {
  return image.state === 'live' && (image.expiresAt === null || image.expiresAt > now);
}

/** The same as a condition of a query. */
export function live(now: Date): Filter<ImageDocument> {
  return { state: 'live', $or: [{ expiresAt: null }, { expiresAt: { $gt: now } }] };
}
