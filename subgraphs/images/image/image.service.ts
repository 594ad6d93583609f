import type DataLoader from 'dataloader';
import type { Collection, Filter } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { type Events, IMAGE_CHANGED } from '../../../platform/events.js';
import { PlainId } from '../../../platform/ids.js';
import { byIdLoader } from '../../../platform/mongo/loader.js';
import { Lookups } from '../../../platform/mongo/lookups.js';
import { findPage, type Page, type PageRequest } from '../../../platform/mongo/page.js';
import type { Caller, Scope } from '../../../platform/scope.js';
import type { ImageEnd } from './image.end.js';
import type { ImageDocument, LiveImage, Source, Visibility } from './image.model.js';
import { expiryAfter, TTL_OR_PERMANENT } from './ttl.js';

export interface ImageList extends PageRequest {
  source?: Source | null;
  visibility?: Visibility | null;
}

/** What is undefined stays; null is a value. */
export interface ImageChanges {
  visibility?: Visibility | null;
  ttlSeconds?: number | null;
  permanent?: boolean | null;
}

export interface ImageServiceDeps {
  images: Collection<ImageDocument>;
  imageEnd: ImageEnd;
  events: Events;
  now: () => Date;
}

export class ImageService {
  readonly #deps: ImageServiceDeps;
  readonly #lookups: Lookups<ImageDocument>;

  constructor(deps: ImageServiceDeps) {
    this.#deps = deps;
    this.#lookups = new Lookups(deps.images);
  }

  loader(): DataLoader<string, ImageDocument | null> {
    return byIdLoader(this.#lookups);
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

  list(ownerId: string, { source, visibility, ...page }: ImageList): Promise<Page<LiveImage>> {
    const filter = {
      ownerId,
      ...live(this.#deps.now()),
      ...(source && { source }),
      ...(visibility && { visibility }),
    };
    return findPage(this.#deps.images as unknown as Collection<LiveImage>, filter as Filter<LiveImage>, page);
  }

  async update({ userId, suspended }: Caller, id: string, changes: ImageChanges): Promise<LiveImage> {
    const { images, events, now } = this.#deps;
    const { visibility } = changes;
    if (suspended && visibility === 'public') throw new Problem('account_suspended');
    const $set = { ...(visibility && { visibility }), ...this.#newExpiry(changes) };
    const mine = { _id: parseId(id), ownerId: userId, ...live(now()) };
    const image = (
      Object.keys($set).length === 0
        ? await images.findOne(mine)
        : await images.findOneAndUpdate(mine, { $set }, { returnDocument: 'after' })
    ) as LiveImage | null;
    if (!image) throw new Problem('image_not_found');
    events.publish(IMAGE_CHANGED, image.token);
    return image;
  }

  #newExpiry({ ttlSeconds, permanent }: ImageChanges): { expiresAt?: Date | null } {
    const isGiven = permanent !== undefined && permanent !== null;
    if (isGiven && ttlSeconds !== undefined) throw new Problem('validation_error', TTL_OR_PERMANENT);
    if (permanent) return { expiresAt: null };
    return ttlSeconds === undefined ? {} : { expiresAt: expiryAfter(ttlSeconds, this.#deps.now()) };
  }

  /** Returns the bare id. */
  async delete({ userId }: Caller, id: string): Promise<string> {
    const { images, imageEnd, now } = this.#deps;
    const mine = { ownerId: userId, ...live(now()) };
    const image = (await images.findOne({ _id: parseId(id), ...mine })) as LiveImage | null;
    if (!image || !(await imageEnd.retire(image))) throw new Problem('image_not_found');
    return image._id;
  }
}

function parseId(id: string): string {
  const uuid = PlainId.parse(id);
  if (uuid === null) throw new Problem('image_not_found');
  return uuid;
}

export function isLive(image: ImageDocument, now: Date): image is LiveImage {
  return image.state === 'live' && (image.expiresAt === null || image.expiresAt > now);
}

/** The same as a condition of a query. */
export function live(now: Date): Filter<ImageDocument> {
  return { state: 'live', $or: [{ expiresAt: null }, { expiresAt: { $gt: now } }] };
}
