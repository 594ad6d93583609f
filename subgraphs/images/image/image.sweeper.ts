/** Clears away what has ended: expired images, uploads whose process died, and the objects of all that are dead. */
import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { StorageService } from '../storage/storage.service.js';
import type { ImageEnd } from './image.end.js';
import type { ImageDocument } from './image.model.js';

export interface ImageSweeperDeps {
  images: Collection<ImageDocument>;
  imageEnd: ImageEnd;
  storageService: StorageService;
  log: Logger;
  now: () => Date;
}

const EVERY_MS = 5_000;
const BATCH = 200;
const AT_ONCE = 8;
const RETRY_AFTER_MS = 60_000;
/** No upload takes this long between its hold and its end. */
const STALE_HOLD_MS = 15 * 60_000;

export class ImageSweeper {
  readonly #deps: ImageSweeperDeps;
  readonly tasks: readonly BackgroundTask[] = [
    { name: 'images-sweep', everyMs: EVERY_MS, run: (signal) => this.sweep(signal) },
  ];

  constructor(deps: ImageSweeperDeps) {
    this.#deps = deps;
  }

  async sweep(signal: AbortSignal): Promise<void> {
    const { imageEnd, storageService, now } = this.#deps;
    await imageEnd.expire(undefined, signal);
    await this.#endAbandoned(signal);
    await this.#purgeDead(signal);
    await storageService.recover(new Date(now().getTime() - STALE_HOLD_MS));
  }

  async #endAbandoned(signal: AbortSignal): Promise<void> {
    const { images, imageEnd, now } = this.#deps;
    const left = { leaseUntil: { $lte: now() } };
    for await (const { _id } of images.find(left, { projection: { _id: 1 } })) {
      if (signal.aborted) return;
      // Its process may yet prove to be alive: then the lease is a new one.
      await imageEnd.breakOff(_id, left);
    }
  }

  async #purgeDead(signal: AbortSignal): Promise<void> {
    const { images, now } = this.#deps;
    while (!signal.aborted) {
      const due = await images
        .find({ purgeAt: { $lte: now() } }, { projection: { _id: 1 } })
        .sort({ purgeAt: 1 })
        .limit(BATCH)
        .toArray();
      const ids = due.map(({ _id }) => _id);
      await Promise.all(Array.from({ length: AT_ONCE }, () => this.#purgeEach(ids, signal)));
      if (due.length < BATCH) return;
    }
  }

  async #purgeEach(ids: string[], signal: AbortSignal): Promise<void> {
    const { images, imageEnd, log, now } = this.#deps;
    for (let id = ids.pop(); id !== undefined && !signal.aborted; id = ids.pop()) {
      try {
        await imageEnd.purge(id);
      } catch (error) {
        log.warn({ err: error, imageId: id }, 'the object of a dead image is not removed yet');
        // So that others get their turn.
        const purgeAt = new Date(now().getTime() + RETRY_AFTER_MS);
        await images.updateOne({ _id: id, state: 'dead' }, { $set: { purgeAt } });
      }
    }
  }
}
