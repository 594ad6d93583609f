import { type AssetFacts, type AssetType, assetUrl } from '../asset-client.js';
import type { LiveAsset } from './asset.model.js';

/** The hash ends an address, whatever stands before it. */
const HASH = /[0-9a-f]{64}$/;

export function factsOf(publicUrl: string, asset: LiveAsset): AssetFacts {
  const { address, contentType, sizeBytes, width, height } = asset;
  const id = HASH.exec(address)?.[0] ?? '';
  return { id, url: assetUrl(publicUrl, id), contentType: contentType as AssetType, sizeBytes, width, height };
}
