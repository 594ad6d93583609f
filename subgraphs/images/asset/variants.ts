/** The shapes of an asset: made when they are first asked for, kept as long as the asset is. */
import { buffer } from 'node:stream/consumers';
import type { ObjectStore } from '../../../platform/s3.js';
import type { AssetFormat, AssetPreset } from '../asset-client.js';
import type { AssetKeeper } from './asset.keeper.js';
import { assetKey, holderOfAsset, type LiveAsset } from './asset.model.js';
import type { Encoder } from './encoder.js';
import { PRESETS } from './presets.js';

export interface VariantsDeps {
  keeper: AssetKeeper;
  encoder: Encoder;
  store: ObjectStore;
}

const QUALITY = 85;
const WITH_ITS_ASSET = new Date('9999-12-31T00:00:00Z');
/** Variants have no address of their own: else there were variants of variants, and no end to them. */
const NAMESPACE = 'variant:';

export class Variants {
  readonly #deps: VariantsDeps;
  readonly #underWay = new Map<string, Promise<LiveAsset>>();

  constructor(deps: VariantsDeps) {
    this.#deps = deps;
  }

  /** Throws not_found when the asset has ended meanwhile. */
  async of(asset: LiveAsset, preset: AssetPreset): Promise<LiveAsset> {
    const key = `${asset._id}/${preset}`;
    // A burst of requests for one variant makes it once.
    const asked = this.#underWay.get(key);
    if (asked) return asked;
    const finding = this.#find(asset, preset).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, finding);
    return finding;
  }

  async #find(asset: LiveAsset, preset: AssetPreset): Promise<LiveAsset> {
    const { keeper } = this.#deps;
    const held = await keeper.held(holderOfAsset(asset._id), preset);
    return held ?? this.#make(asset, preset);
  }

  async #make(asset: LiveAsset, preset: AssetPreset): Promise<LiveAsset> {
    const { keeper, encoder, store } = this.#deps;
    const { _id, contentType } = asset;
    const stream = await store.read(assetKey(_id));
    const format = contentType.slice('image/'.length) as AssetFormat;
    const shape = PRESETS[preset];
    const content = await encoder.encodeSoon(stream ? await buffer(stream) : Buffer.alloc(0), {
      format,
      quality: QUALITY,
      shape,
    });
    return keeper.keep({
      holder: holderOfAsset(_id),
      slot: preset,
      namespace: NAMESPACE,
      ownerId: null,
      expiresAt: WITH_ITS_ASSET,
      content,
    });
  }
}
