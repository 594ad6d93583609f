/** How an image ends: deleted, expired or broken off. It is invisible at once; then its object goes, and its record last. */
import type { Collection, Filter } from 'mongodb';
import { type Events, IMAGE_CHANGED } from '../../../platform/events.js';
import type { ObjectStore } from '../../../platform/s3.js';
import type { StorageService } from '../storage/storage.service.js';
import { type DeadImage, ENDS, type ImageDocument, type LiveImage, objectKey } from './image.model.js';

export interface ImageEndDeps {
  images: Collection<ImageDocument>;
  store: ObjectStore;
  storageService: StorageService;
  events: Events;
  now: () => Date;
}

const BATCH = 200;

export class ImageEnd {
  readonly #deps: ImageEndDeps;

  constructor(deps: ImageEndDeps) {
    this.#deps = deps;
  }

  /** False when it no longer was as the condition says: of several who end an image, one does. */
  async retire(image: LiveImage, condition: Filter<ImageDocument> = {}): Promise<boolean> {
    const { images, storageService, events } = this.#deps;
    const { _id, ownerId, token } = image;
    const counts = ownerId === null ? 0 : await storageService.counts(ownerId);
    const { matchedCount } = await images.replaceOne({ ...condition, _id, state: 'live' }, this.#dead(image));
    if (matchedCount === 0) return false;
    events.publish(IMAGE_CHANGED, token);
    if (ownerId !== null) await storageService.release(ownerId, image, counts);
    await images.updateOne({ _id, state: 'dead' }, { $set: { released: true } });
    return true;
  }

  #dead({ _id, ownerId, source, createdAt }: ImageDocument): DeadImage {
    return { _id, ownerId, source, createdAt, state: 'dead', purgeAt: this.#deps.now(), released: ownerId === null };
  }

  /** Ends what has expired, of one owner or of all. Returns how many that were. */
  async expire(ownerId?: string, signal?: AbortSignal): Promise<number> {
    const { images, now } = this.#deps;
    let ended = 0;
    while (!signal?.aborted) {
      const expired = { expiresAt: { ...ENDS, $lte: now() } };
      const filter = { ...(ownerId !== undefined && { ownerId }), state: 'live' as const, ...expired };
      const found = (await images.find(filter).limit(BATCH).toArray()) as LiveImage[];
      for (const image of found) if (await this.retire(image, expired)) ended += 1;
      if (found.length < BATCH) break;
    }
    return ended;
  }

  /** Gives back all that an owner may have back. False: there was nothing. */
  async reclaim(ownerId: string): Promise<boolean> {
    const { images, storageService } = this.#deps;
    const ended = await this.expire(ownerId);
    // Somebody else, perhaps a sweeper, is between the end of an image and its subtraction.
    const inBetween = { ownerId, state: 'dead' as const, released: false, purgeAt: { $exists: true } };
    const halfway = await images.findOne(inBetween, { projection: { _id: 1 } });
    if (halfway) await storageService.count(ownerId);
    return ended > 0 || halfway !== null;
  }

  /** For an upload that came to nothing, by whoever made it. */
  async breakOff(_id: string, condition: Filter<ImageDocument> = {}): Promise<void> {
    const { images, now } = this.#deps;
    // Whether the last step towards a live image took effect may be unknown.
    await images.updateOne(
      { ...condition, _id, state: { $in: ['uploading', 'live'] } },
      {
        $set: { state: 'dead', purgeAt: now(), released: false },
        $unset: { leaseUntil: 1, token: 1, origin: 1, expiresAt: 1 },
      },
    );
  }

  /**
   * Object first, record after it: a crash in between leaves a record that leads to the rest of the work.
   * `released` is for who knows better than the record that the bytes were given back.
   */
  async purge(_id: string, released = false): Promise<void> {
    const { images, store, storageService } = this.#deps;
    const image = await images.findOne({ _id });
    if (image && image.state !== 'dead') return;
    // Also without a record: an object may come after the upload that it is of was taken for dead and cleared away.
    await store.delete(objectKey(_id));
    if (!image) return;
    if (image.ownerId !== null && !image.released && !released) await storageService.count(image.ownerId);
    await images.deleteOne({ _id, state: 'dead' });
  }
}
