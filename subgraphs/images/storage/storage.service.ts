/**
 * The storage quota. Taking is one conditional update, so racing uploads cannot exceed it. What a dead process took or
 * failed to give back is found by counting the images themselves, which are the truth.
 */
import type { Collection, Db } from 'mongodb';
import type { Logger } from 'pino';
import { Problem } from '../../../platform/errors.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import { WriteBatches } from '../../../platform/mongo/write-batches.js';
import type { ImageDocument } from '../image/image.model.js';
import type { Hold, StorageDocument } from './storage.model.js';

export interface StorageServiceDeps {
  db: Db;
  storage: Collection<StorageDocument>;
  images: Collection<ImageDocument>;
  /** Bytes of one account; 0: no limit. */
  quota: number;
  log: Logger;
  now: () => Date;
}

const COUNT_ATTEMPTS = 50;
/** Often enough that few holds lie on one account: each of them is written anew with the next one. */
const SETTLE_EVERY_MS = 100;
/** Record and hold are written at the same time: a hold younger than this may be there before its record is. */
const RECORD_FOLLOWS_MS = 60_000;

export class StorageService {
  readonly #deps: StorageServiceDeps;
  readonly #writes: WriteBatches;
  /** Images that are live and still held, by owner. */
  readonly #settled = new Map<string, string[]>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: StorageServiceDeps) {
    this.#deps = deps;
    this.#writes = WriteBatches.of(deps.db);
  }

  /** A glance, by which an upload that cannot succeed is refused early. What counts is hold(). */
  async remaining(ownerId: string): Promise<number> {
    const { storage, quota } = this.#deps;
    if (quota === 0) return Number.POSITIVE_INFINITY;
    const found = await storage.findOne({ _id: ownerId }, { projection: { bytes: 1 } });
    return quota - (found?.bytes ?? 0);
  }

  exceeded(): Problem {
    return new Problem('quota_exceeded', `An account can host ${this.#deps.quota} bytes of pictures.`, {
      hint: 'Delete images that are no longer needed.',
    });
  }

  /** Counts an image that is about to go live. False: there is no room for it. */
  async hold(ownerId: string, imageId: string, bytes: number): Promise<boolean> {
    const { storage, quota, now } = this.#deps;
    if (quota > 0 && bytes > quota) return false;
    const hold: Hold = { imageId, bytes, at: now() };
    const update = (parts: readonly Hold[]) => this.#holding(ownerId, parts);
    const alone = update([hold]);
    try {
      if (await this.#writes.share(storage, { of: ownerId, part: hold, update })) return true;
      // There is no room for all that came together.
      if (await this.#writes.write(storage, alone)) return true;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    // The document is there: it was full, or somebody made it a moment ago.
    return (await storage.updateOne(alone.filter, alone.update)).matchedCount === 1;
  }

  #holding(ownerId: string, holds: readonly Hold[]) {
    const { quota } = this.#deps;
    const bytes = holds.reduce((sum, hold) => sum + hold.bytes, 0);
    return {
      filter: { _id: ownerId, ...(quota > 0 && { bytes: { $lte: quota - bytes } }) },
      update: { $inc: { bytes, version: 1 }, $push: { holds: { $each: [...holds] } }, $setOnInsert: { counts: 0 } },
      // The filter says nothing of a document that is not there.
      upsert: quota === 0 || bytes <= quota,
    };
  }

  /**
   * The image is live, and counted for what it is. That is written a moment later, with the other images of its owner:
   * until then the hold counts it, and should this process die before, a task finds out.
   */
  settle(ownerId: string, imageId: string): void {
    const settled = this.#settled.get(ownerId);
    if (settled) settled.push(imageId);
    else this.#settled.set(ownerId, [imageId]);
    this.#timer ??= setTimeout(() => void this.flush(), SETTLE_EVERY_MS).unref();
  }

  /** Writes what was settled so far. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const settled = [...this.#settled];
    this.#settled.clear();
    await Promise.all(settled.map(([ownerId, imageIds]) => this.#writeSettled(ownerId, imageIds)));
  }

  async #writeSettled(ownerId: string, imageIds: readonly string[]): Promise<void> {
    const { storage, log } = this.#deps;
    const filter = { _id: ownerId, 'holds.imageId': { $in: imageIds } };
    const update = { $pull: { holds: { imageId: { $in: imageIds } } }, $inc: { version: 1 } };
    await this.#writes.write(storage, { filter, update }).catch((error: unknown) => {
      log.warn({ err: error, ownerId, images: imageIds.length }, 'holds of images are not settled');
    });
  }

  /** The image did not go live. Does nothing when that was found out already. */
  async drop(ownerId: string, imageId: string, bytes: number): Promise<void> {
    await this.#deps.storage.updateOne(
      { _id: ownerId, 'holds.imageId': imageId },
      { $pull: { holds: { imageId } }, $inc: { bytes: -bytes, version: 1 } },
    );
  }

  /** To be noted before an image dies, and handed to release() after. */
  async counts(ownerId: string): Promise<number> {
    const found = await this.#deps.storage.findOne({ _id: ownerId }, { projection: { counts: 1 } });
    return found?.counts ?? 0;
  }

  /** Gives back the bytes of an image that died. A count in between has left it out already, so it counts once more. */
  async release(ownerId: string, image: { _id: string; sizeBytes: number }, counts: number): Promise<void> {
    const { matchedCount } = await this.#deps.storage.updateOne(
      { _id: ownerId, counts },
      // Its hold may not be settled yet, and would count it again once its record is gone.
      { $inc: { bytes: -image.sizeBytes, version: 1 }, $pull: { holds: { imageId: image._id } } },
    );
    if (matchedCount === 0) await this.count(ownerId);
  }

  /** Brings the figure in line with the images. */
  async count(ownerId: string): Promise<void> {
    const { storage } = this.#deps;
    for (let attempt = 0; attempt < COUNT_ATTEMPTS; attempt++) {
      const before = await storage.findOne({ _id: ownerId });
      if (!before) return;
      const { bytes, holds } = await this.#sum(ownerId, before.holds);
      const { matchedCount } = await storage.updateOne(
        { _id: ownerId, version: before.version },
        { $set: { bytes, holds }, $inc: { version: 1, counts: 1 } },
      );
      if (matchedCount === 1) return;
    }
    throw new Problem('unavailable', 'This account changes too fast to be counted.');
  }

  async #sum(ownerId: string, before: readonly Hold[]): Promise<{ bytes: number; holds: Hold[] }> {
    const { images } = this.#deps;
    const heldIds = before.map(({ imageId }) => imageId);
    // Held images first: one that goes live after this look is still counted by its hold, and by nothing else.
    const held = await images.find({ _id: { $in: heldIds } }, { projection: { state: 1, sizeBytes: 1 } }).toArray();
    const stateOf = new Map(held.map((image) => [image._id, image]));
    const oldest = this.#deps.now().getTime() - RECORD_FOLLOWS_MS;
    const holds = before.filter(({ imageId, at }) => {
      const image = stateOf.get(imageId);
      return image ? image.state === 'uploading' : at.getTime() > oldest;
    });
    const stillHeld = holds.map(({ imageId }) => imageId);
    const [live] = await images
      .aggregate<{ bytes: number }>([
        { $match: { ownerId, state: 'live' } },
        { $match: { _id: { $nin: stillHeld } } },
        { $group: { _id: null, bytes: { $sum: '$sizeBytes' } } },
      ])
      .toArray();
    return { bytes: (live?.bytes ?? 0) + holds.reduce((sum, { bytes }) => sum + bytes, 0), holds };
  }

  /** Counts the accounts in which a hold was left by a process that died. */
  async recover(before: Date): Promise<void> {
    const left = this.#deps.storage.find({ 'holds.at': { $lt: before } }, { projection: { _id: 1 } });
    for await (const { _id } of left) await this.count(_id);
  }
}
