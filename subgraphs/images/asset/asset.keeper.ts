/** The one way in which bytes become an asset: referred to first, stored if nobody has, and undone where that fails. */
import { createHash } from 'node:crypto';
import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import { Problem } from '../../../platform/errors.js';
import { newId } from '../../../platform/ids.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import type { ObjectStore } from '../../../platform/s3.js';
import type { AssetEnd } from './asset.end.js';
import {
  type AssetDocument,
  type AssetReference,
  assetKey,
  assetOfHolder,
  type GoneHolder,
  type LiveAsset,
} from './asset.model.js';

export interface Content {
  bytes: Uint8Array;
  contentType: string;
  width: number;
  height: number;
}

export interface ToKeep {
  holder: string;
  slot: string;
  /** Put before the hash, for what callers must not be able to name by it. */
  namespace: string;
  ownerId: string | null;
  /** When the reference ends, if its holder does not end before. Of an asset's own variants the asset alone decides. */
  expiresAt: Date;
  content: Content;
}

export interface AssetKeeperDeps {
  assets: Collection<AssetDocument>;
  references: Collection<AssetReference>;
  goneHolders: Collection<GoneHolder>;
  store: ObjectStore;
  assetEnd: AssetEnd;
  log: Logger;
  now: () => Date;
}

/** How long work is believed in after its process was last heard of. */
const LEASE_MS = 60_000;

export class AssetKeeper {
  readonly #deps: AssetKeeperDeps;

  constructor(deps: AssetKeeperDeps) {
    this.#deps = deps;
  }

  /** What a holder has in a slot already. */
  async held(holder: string, slot: string): Promise<LiveAsset | null> {
    const { references } = this.#deps;
    const reference = await references.findOne({ holder, slot, state: 'live' });
    return reference && this.live(reference.address);
  }

  async live(address: string): Promise<LiveAsset | null> {
    return (await this.#deps.assets.findOne({ address, state: 'live' })) as LiveAsset | null;
  }

  /** For references that end later than was said. */
  async extend(address: string, expiresAt: Date): Promise<void> {
    await this.#deps.assets.updateOne({ address, state: 'live' }, { $max: { expiresAt } });
  }

  /** Of several who fill one slot the first does, and all are given what it kept. Throws not_found for a holder that is gone. */
  async keep(toKeep: ToKeep): Promise<LiveAsset> {
    const { holder, slot } = toKeep;
    const earlier = await this.held(holder, slot);
    if (earlier) return earlier;
    const reference = this.#pending(toKeep, toKeep.namespace + contentHash(toKeep.content.bytes));
    const storing = newId();
    const renewal = setInterval(() => void this.#renew(reference._id, storing), LEASE_MS / 3).unref();
    try {
      // Before anything is stored, so that nothing ever is without a reason or the mark of one.
      await this.#deps.references.insertOne(reference);
      // And after that, so that whoever ends the holder finds the reference, or is found here.
      if (await this.#isGone(holder)) throw gone();
      const asset = await this.#hold(reference, storing, toKeep);
      await this.#confirm(reference, toKeep);
      return asset;
    } catch (error) {
      await this.#undo(reference, storing);
      const first = isDuplicateKey(error) ? await this.held(holder, slot) : null;
      if (first) return first;
      throw error;
    } finally {
      clearInterval(renewal);
    }
  }

  #pending({ holder, slot, ownerId }: ToKeep, address: string): AssetReference {
    const createdAt = this.#deps.now();
    const leaseUntil = new Date(createdAt.getTime() + LEASE_MS);
    return { _id: newId(), holder, slot, address, ownerId, state: 'pending', createdAt, leaseUntil };
  }

  async #renew(referenceId: string, storing: string): Promise<void> {
    const { references, assets, log, now } = this.#deps;
    const $set = { leaseUntil: new Date(now().getTime() + LEASE_MS) };
    await Promise.all([
      references.updateOne({ _id: referenceId, state: 'pending' }, { $set }),
      assets.updateOne({ _id: storing, state: 'storing' }, { $set }),
    ]).catch((error: unknown) => log.warn({ err: error, referenceId }, 'the lease of an asset is not renewed'));
  }

  async #isGone(holder: string): Promise<boolean> {
    const { assets, goneHolders } = this.#deps;
    const assetId = assetOfHolder(holder);
    if (assetId === null) return (await goneHolders.findOne({ _id: holder })) !== null;
    return (await assets.findOne({ _id: assetId, state: 'live' }, { projection: { _id: 1 } })) === null;
  }

  async #hold({ address }: AssetReference, storing: string, toKeep: ToKeep): Promise<LiveAsset> {
    for (;;) {
      const stored = await this.#use(address, toKeep.expiresAt);
      if (stored) return stored;
      const mine = await this.#store(address, storing, toKeep);
      if (mine) return mine;
    }
  }

  /** Null: nobody has stored it, or it has just ended. */
  async #use(address: string, expiresAt: Date): Promise<LiveAsset | null> {
    const found = await this.#deps.assets.findOneAndUpdate(
      { address, state: 'live' },
      { $inc: { uses: 1 }, $max: { expiresAt } },
      { returnDocument: 'after' },
    );
    return found as LiveAsset | null;
  }

  /** Null: somebody else stored the same meanwhile. */
  async #store(address: string, _id: string, { content, expiresAt }: ToKeep): Promise<LiveAsset | null> {
    const { assets, store, assetEnd, now } = this.#deps;
    const { bytes, contentType, width, height } = content;
    const createdAt = now();
    const leaseUntil = new Date(createdAt.getTime() + LEASE_MS);
    // The record comes before the object, so that no object is ever without one.
    await assets.insertOne({ _id, address, createdAt, state: 'storing', leaseUntil });
    await store.write({ key: assetKey(_id), bytes: whole(bytes), contentType: () => contentType });
    const facts = { contentType, sizeBytes: bytes.length, width, height };
    const asset: LiveAsset = { _id, address, createdAt, state: 'live', ...facts, uses: 1, expiresAt };
    try {
      const { matchedCount } = await assets.replaceOne({ _id, state: 'storing' }, asset);
      if (matchedCount === 0) throw takenForDead();
      return asset;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      await assetEnd.breakOff(_id);
      await assetEnd.purge(_id);
      return null;
    }
  }

  async #confirm({ _id }: AssetReference, { holder, expiresAt }: ToKeep): Promise<void> {
    const ends = assetOfHolder(holder) === null;
    const { matchedCount } = await this.#deps.references.updateOne(
      { _id, state: 'pending' },
      { $set: { state: 'live', ...(ends && { expiresAt }) }, $unset: { leaseUntil: 1 } },
    );
    if (matchedCount === 0) throw (await this.#isGone(holder)) ? gone() : takenForDead();
  }

  /** What cannot be undone now, a task undoes once the leases have run out. */
  async #undo({ _id, address }: AssetReference, storing: string): Promise<void> {
    const { assetEnd, log } = this.#deps;
    try {
      await assetEnd.clear(storing);
      await assetEnd.dropPending(_id);
      // Whoever took this process for dead may have looked before the asset was live.
      await assetEnd.collect(address);
    } catch (error) {
      log.warn({ err: error, referenceId: _id }, 'an asset that broke off is not cleared away yet');
    }
  }
}

export function contentHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function gone(): Problem {
  return new Problem('not_found', 'What this was made for is gone.');
}

/** This process stood still for longer than its lease. */
function takenForDead(): Problem {
  return new Problem('unavailable', 'The picture took too long to be stored.');
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
