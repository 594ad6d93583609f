/** Ends what has expired, and finishes or undoes what processes left that died. */
import type { Collection, Document, Filter } from 'mongodb';
import type { Logger } from 'pino';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { AssetEnd } from './asset.end.js';
import type { AssetDocument, AssetReference, GoneHolder } from './asset.model.js';

export interface AssetSweeperDeps {
  assets: Collection<AssetDocument>;
  references: Collection<AssetReference>;
  goneHolders: Collection<GoneHolder>;
  assetEnd: AssetEnd;
  log: Logger;
  now: () => Date;
}

const EVERY_MS = 5_000;
const BATCH = 200;
const AT_ONCE = 8;
const RETRY_AFTER_MS = 60_000;

export class AssetSweeper {
  readonly #deps: AssetSweeperDeps;
  readonly tasks: readonly BackgroundTask[] = [
    { name: 'images-assets-sweep', everyMs: EVERY_MS, run: (signal) => this.sweep(signal) },
  ];

  constructor(deps: AssetSweeperDeps) {
    this.#deps = deps;
  }

  async sweep(signal: AbortSignal): Promise<void> {
    const { assets, references, goneHolders, assetEnd, now } = this.#deps;
    const expired = { expiresAt: { $lte: now() } };
    const left = { leaseUntil: { $lte: now() } };
    // A lease may be renewed meanwhile: then its process is alive.
    for (const ended of [expired, left]) {
      await each(references, ended, signal, ({ _id }) => assetEnd.dropIf(_id, ended));
    }
    await each(assets, left, signal, ({ _id }) => assetEnd.breakOff(_id, left));
    // By the time that it is by then: what was ended here is due as well.
    const due = { purgeAt: { $lte: now() } };
    await each(references, due, signal, (reference) =>
      this.#orLater(references, reference, () => assetEnd.settle(reference)),
    );
    await each(assets, due, signal, (asset) => this.#orLater(assets, asset, () => assetEnd.purge(asset._id)));
    await goneHolders.deleteMany({ until: { $lte: now() } });
  }

  /** What fails is put off, so that others get their turn. */
  async #orLater<T extends Document & { _id: string }>(
    collection: Collection<T>,
    { _id }: { _id: string },
    step: () => Promise<void>,
  ): Promise<void> {
    const { log, now } = this.#deps;
    try {
      await step();
    } catch (error) {
      log.warn({ err: error, id: _id }, 'an asset is not cleared away yet');
      const purgeAt = new Date(now().getTime() + RETRY_AFTER_MS);
      const due = { _id, purgeAt: { $exists: true } } as unknown as Filter<T>;
      await collection.updateOne(due, { $set: { purgeAt } } as Document);
    }
  }
}

/** Each step must take what it is given out of the filter. */
async function each<T extends Document>(
  collection: Collection<T>,
  filter: Filter<T>,
  signal: AbortSignal,
  step: (found: T) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const due = (await collection.find(filter).limit(BATCH).toArray()) as T[];
    const waiting = [...due];
    const work = async () => {
      for (let next = waiting.pop(); next !== undefined && !signal.aborted; next = waiting.pop()) await step(next);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (due.length < BATCH) return;
  }
}
