/** How references and assets end. Each step leaves a mark that leads whoever comes after to the next one. */
import type { Collection, Filter, UpdateFilter } from 'mongodb';
import type { ObjectStore } from '../../../platform/s3.js';
import {
  type AssetDocument,
  type AssetReference,
  assetKey,
  assetOfHolder,
  type GoneHolder,
  holderOfAsset,
} from './asset.model.js';

export interface AssetEndDeps {
  assets: Collection<AssetDocument>;
  references: Collection<AssetReference>;
  goneHolders: Collection<GoneHolder>;
  store: ObjectStore;
  now: () => Date;
}

/** Longer than any worker holds on to a job. */
const REMEMBER_GONE_MS = 24 * 60 * 60_000;

export class AssetEnd {
  readonly #deps: AssetEndDeps;

  constructor(deps: AssetEndDeps) {
    this.#deps = deps;
  }

  /** Ends all that a holder refers to. A job is remembered as gone, so that nothing is kept for it afterwards. */
  async dropHolder(holder: string): Promise<void> {
    const { references, goneHolders, now } = this.#deps;
    if (assetOfHolder(holder) === null) {
      const until = new Date(now().getTime() + REMEMBER_GONE_MS);
      await goneHolders.updateOne({ _id: holder }, { $set: { until } }, { upsert: true });
    }
    await references.updateMany({ holder, state: { $in: ['pending', 'live'] } }, this.#dropped());
    for (const reference of await references.find({ holder, state: 'dropped' }).toArray()) await this.settle(reference);
  }

  async dropPending(_id: string): Promise<void> {
    await this.#deps.references.updateOne({ _id, state: 'pending' }, this.#dropped());
    await this.#settleDropped(_id);
  }

  /** Ends one reference if it still is as the condition says. */
  async dropIf(_id: string, condition: Filter<AssetReference>): Promise<void> {
    await this.#deps.references.updateOne({ ...condition, _id }, this.#dropped());
    await this.#settleDropped(_id);
  }

  #dropped(): UpdateFilter<AssetReference> {
    return { $set: { state: 'dropped', purgeAt: this.#deps.now() }, $unset: { leaseUntil: 1, expiresAt: 1 } };
  }

  async #settleDropped(_id: string): Promise<void> {
    const reference = await this.#deps.references.findOne({ _id, state: 'dropped' });
    if (reference) await this.settle(reference);
  }

  /** The dropped reference goes last: it is what leads to an asset that may have lost its reason. */
  async settle({ _id, address }: AssetReference): Promise<void> {
    await this.collect(address);
    await this.#deps.references.deleteOne({ _id, state: 'dropped' });
  }

  /**
   * Ends the asset at an address if nothing refers to it. Whoever refers to an asset does so first and then raises
   * `uses`: either the reference is seen here, or the asset is not as it was any more.
   */
  async collect(address: string): Promise<void> {
    const { assets, references } = this.#deps;
    const referring = { address, state: { $in: ['pending' as const, 'live' as const] } };
    for (;;) {
      const asset = await assets.findOne({ address, state: 'live' });
      if (asset?.state !== 'live') return;
      const { _id, uses } = asset;
      if (await references.findOne(referring, { projection: { _id: 1 } })) return;
      const { matchedCount } = await assets.updateOne({ _id, state: 'live', uses }, this.#dead());
      if (matchedCount > 0) return this.purge(_id);
    }
  }

  #dead(): UpdateFilter<AssetDocument> {
    return { $set: { state: 'dead', purgeAt: this.#deps.now() }, $unset: { leaseUntil: 1, expiresAt: 1 } };
  }

  /** For bytes that came to nothing. A live asset stays: others may refer to it. */
  async breakOff(_id: string, condition: Filter<AssetDocument> = {}): Promise<void> {
    await this.#deps.assets.updateOne({ ...condition, _id, state: 'storing' }, this.#dead());
  }

  /** The same by whoever sent the bytes, which may have arrived after everybody took it for dead. */
  async clear(_id: string): Promise<void> {
    const { assets, store } = this.#deps;
    await this.breakOff(_id);
    const found = await assets.findOne({ _id }, { projection: { state: 1 } });
    if (!found) await store.delete(assetKey(_id));
    else if (found.state === 'dead') await this.purge(_id);
  }

  /** The object first, then its variants, the record last: a death in between leaves what leads to the rest. */
  async purge(_id: string): Promise<void> {
    const { assets, store } = this.#deps;
    if (!(await assets.findOne({ _id, state: 'dead' }, { projection: { _id: 1 } }))) return;
    await store.delete(assetKey(_id));
    await this.dropHolder(holderOfAsset(_id));
    await assets.deleteOne({ _id, state: 'dead' });
  }
}
