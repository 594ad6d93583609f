/** Assets for one request of the graph, all of one tick with one command. */
import DataLoader from 'dataloader';
import type { Collection, Filter } from 'mongodb';
import { anyOf, findBatch } from '../../../platform/mongo/batch.js';
import type { AssetDocument, AssetReference, LiveAsset } from './asset.model.js';

/** By address; null for what does not exist or has expired. */
export function assetLoader(assets: Collection<AssetDocument>, now: () => Date): DataLoader<string, LiveAsset | null> {
  return new DataLoader(async (addresses) => {
    const filter = { address: anyOf(addresses), state: 'live' } as Filter<AssetDocument>;
    const found = await findBatch<AssetDocument, LiveAsset>(assets, filter, { limit: addresses.length });
    const current = found.filter(({ expiresAt }) => expiresAt > now());
    const byAddress = new Map(current.map((asset) => [asset.address, asset]));
    return addresses.map((address) => byAddress.get(address) ?? null);
  });
}

/** Whether a user's jobs refer to an asset. */
export function ownershipLoader(
  references: Collection<AssetReference>,
  ownerId: string | undefined,
): DataLoader<string, boolean> {
  return new DataLoader(async (addresses) => {
    if (ownerId === undefined) return addresses.map(() => false);
    const mine = await references
      .aggregate<{ _id: string }>([
        { $match: { address: anyOf(addresses), state: 'live', ownerId } },
        { $group: { _id: '$address' } },
      ])
      .toArray();
    const found = new Set(mine.map(({ _id }) => _id));
    return addresses.map((address) => found.has(address));
  });
}
