import type { CollectionDefinition } from '../../../platform/mongo/store.js';

interface AssetBase {
  /** UUIDv7. It also makes the key of the object, see assetKey(): bytes that come again after their end are a new object. */
  _id: string;
  /** What equal bytes share: the SHA-256 of an output in hexadecimal; a name that no caller can say for an input. */
  address: string;
  createdAt: Date;
}

/** Bytes are on their way into the bucket. Past `leaseUntil` whoever sent them is dead. */
export interface StoringAsset extends AssetBase {
  state: 'storing';
  leaseUntil: Date;
}

export interface LiveAsset extends AssetBase {
  state: 'live';
  contentType: string;
  sizeBytes: number;
  width: number;
  height: number;
  /** Goes up with each new reference. An asset ends only if it did not while its references were looked for. */
  uses: number;
  /** The latest end of any of its references; what is past it is not served, also before it is swept. */
  expiresAt: Date;
}

/** Referred to by nobody: invisible. The object goes first, this record after it. */
export interface DeadAsset extends AssetBase {
  state: 'dead';
  purgeAt: Date;
}

export type AssetDocument = StoringAsset | LiveAsset | DeadAsset;

/**
 * Why an asset is kept. Pending while it is being stored; live once it is; dropped when its reason is gone, which is the
 * mark by which a sweeper finds the asset if the process dies here.
 */
export interface AssetReference {
  _id: string;
  /** See holderOfJob() and holderOfAsset(). */
  holder: string;
  /** What it is to its holder: of one holder and slot one reference is live. */
  slot: string;
  address: string;
  ownerId: string | null;
  state: 'pending' | 'live' | 'dropped';
  createdAt: Date;
  /** While pending. */
  leaseUntil?: Date;
  /** When live. Left out where the holder alone decides. */
  expiresAt?: Date;
  /** When dropped: when to look after the asset, or to try again. */
  purgeAt?: Date;
}

/** A job that was dropped, remembered while a worker that does not know it yet may still be at work. */
export interface GoneHolder {
  _id: string;
  until: Date;
}

export const ASSETS: CollectionDefinition = {
  name: 'images_assets',
  indexes: [
    {
      name: 'by_address',
      key: { address: 1 },
      options: { unique: true, partialFilterExpression: { state: 'live' } },
    },
    { name: 'leased', key: { leaseUntil: 1 }, options: { partialFilterExpression: { leaseUntil: { $exists: true } } } },
    { name: 'dead', key: { purgeAt: 1 }, options: { partialFilterExpression: { purgeAt: { $exists: true } } } },
  ],
};

export const ASSET_REFERENCES: CollectionDefinition = {
  name: 'images_asset_references',
  indexes: [
    {
      name: 'by_slot',
      key: { holder: 1, slot: 1 },
      options: { unique: true, partialFilterExpression: { state: 'live' } },
    },
    { name: 'by_holder', key: { holder: 1, state: 1 } },
    { name: 'by_address', key: { address: 1, state: 1, ownerId: 1 } },
    { name: 'leased', key: { leaseUntil: 1 }, options: { partialFilterExpression: { leaseUntil: { $exists: true } } } },
    {
      name: 'expiring',
      key: { expiresAt: 1 },
      options: { partialFilterExpression: { expiresAt: { $exists: true } } },
    },
    { name: 'dropped', key: { purgeAt: 1 }, options: { partialFilterExpression: { purgeAt: { $exists: true } } } },
  ],
};

export const GONE_HOLDERS: CollectionDefinition = {
  name: 'images_asset_gone_holders',
  indexes: [{ name: 'until', key: { until: 1 } }],
};

const JOB = 'job:';
const ASSET = 'asset:';

export function holderOfJob(jobId: string): string {
  return JOB + jobId;
}

/** An asset holds its own variants. */
export function holderOfAsset(id: string): string {
  return ASSET + id;
}

export function assetOfHolder(holder: string): string | null {
  return holder.startsWith(ASSET) ? holder.slice(ASSET.length) : null;
}

export const ASSET_OBJECT_PREFIX = 'assets/';

export function assetKey(id: string): string {
  return `${ASSET_OBJECT_PREFIX}${id.slice(-2)}/${id}`;
}
