/** What the door to assets does; see asset-client.ts. */
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Collection } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import type { ByteRange, ObjectStore } from '../../../platform/s3.js';
import {
  type AssetPreset,
  type Assets,
  assetUrl,
  type InputFacts,
  type InputRole,
  type InputToKeep,
  parseAssetId,
  type ServedAsset,
} from '../asset-client.js';
import type { ReferenceImage } from '../client.js';
import { tooLarge } from '../image/image.ingest.js';
import type { AssetEnd } from './asset.end.js';
import type { AssetKeeper } from './asset.keeper.js';
import { type AssetReference, assetKey, holderOfJob, type LiveAsset } from './asset.model.js';
import { type Encoder, judge } from './encoder.js';
import { factsOf } from './facts.js';
import type { OutputKeeper } from './output.keeper.js';
import type { Variants } from './variants.js';

export interface AssetServiceDeps {
  references: Collection<AssetReference>;
  keeper: AssetKeeper;
  assetEnd: AssetEnd;
  outputs: OutputKeeper;
  variants: Variants;
  encoder: Encoder;
  store: ObjectStore;
  publicUrl: string;
  maxBytes: number;
  now: () => Date;
}

/** Before the slot and the hash of a job's inputs: no caller can name them, and equal ones of two jobs are two. */
const INPUT = 'input:';

export class AssetService implements Assets {
  readonly #deps: AssetServiceDeps;

  constructor(deps: AssetServiceDeps) {
    this.#deps = deps;
  }

  keepOutput: Assets['keepOutput'] = (output, requestId) => this.#deps.outputs.keep(output, requestId);

  async keepInput({ jobId, role, ownerId, expiresAt, bytes }: InputToKeep): Promise<InputFacts> {
    const { keeper, maxBytes } = this.#deps;
    if (bytes.length > maxBytes) throw tooLarge(maxBytes);
    const { contentType, width, height } = judge(bytes);
    const asset = await keeper.keep({
      holder: holderOfJob(jobId),
      slot: INPUT + role,
      namespace: `${INPUT}${jobId}/`,
      ownerId,
      expiresAt,
      content: { bytes, contentType, width, height },
    });
    return { contentType: asset.contentType, sizeBytes: asset.sizeBytes, width: asset.width, height: asset.height };
  }

  async readInput(jobId: string, role: InputRole): Promise<ReferenceImage | null> {
    const asset = await this.#deps.keeper.held(holderOfJob(jobId), INPUT + role);
    return this.#bytesOf(asset);
  }

  async keepInputsUntil(jobId: string, expiresAt: Date): Promise<void> {
    const { references, keeper } = this.#deps;
    const inputs = {
      holder: holderOfJob(jobId),
      slot: { $in: [`${INPUT}image`, `${INPUT}mask`] },
      state: 'live',
    } as const;
    await references.updateMany(inputs, { $set: { expiresAt } });
    for (const { address } of await references.find(inputs).toArray()) await keeper.extend(address, expiresAt);
  }

  drop(jobId: string): Promise<void> {
    return this.#deps.assetEnd.dropHolder(holderOfJob(jobId));
  }

  read(id: string): Promise<ReferenceImage | null> {
    return this.picture(id, null);
  }

  /** An output or its variant, for work on it: as a PNG where it is of a kind that providers do not take. */
  async picture(id: string, preset: AssetPreset | null): Promise<ReferenceImage | null> {
    const { encoder } = this.#deps;
    const picture = await this.#bytesOf(await this.#shape(id, preset));
    if (picture?.contentType !== 'image/avif') return picture;
    return encoder.encode(picture.bytes, { format: 'png', quality: 100, shape: null });
  }

  async find(id: string, preset: AssetPreset | null): Promise<ServedAsset | null> {
    const asset = await this.#shape(id, preset);
    if (!asset) return null;
    const facts = factsOf(this.#deps.publicUrl, asset);
    const url = preset === null ? facts.url : assetUrl(this.#deps.publicUrl, id.toLowerCase(), preset);
    return { ...facts, url, objectId: asset._id, createdAt: asset.createdAt };
  }

  async open(objectId: string, range: ByteRange | null, _requestId: string, signal?: AbortSignal): Promise<Readable> {
    const bytes = await this.#deps.store.read(assetKey(objectId), range, signal);
    // Ended since it was found.
    if (!bytes) throw new Problem('not_found', 'No such asset.');
    return bytes;
  }

  async #shape(text: string, preset: AssetPreset | null): Promise<LiveAsset | null> {
    const id = parseAssetId(text);
    const asset = id === null ? null : this.#current(await this.#deps.keeper.live(id));
    if (!asset || preset === null) return asset;
    try {
      return await this.#deps.variants.of(asset, preset);
    } catch (error) {
      // It ended while its variant was made.
      if (error instanceof Problem && error.slug === 'not_found') return null;
      throw error;
    }
  }

  #current(asset: LiveAsset | null): LiveAsset | null {
    return asset && asset.expiresAt > this.#deps.now() ? asset : null;
  }

  async #bytesOf(found: LiveAsset | null): Promise<ReferenceImage | null> {
    const asset = this.#current(found);
    const stream = asset && (await this.#deps.store.read(assetKey(asset._id)));
    if (!asset || !stream) return null;
    const { contentType, width, height } = asset;
    return { bytes: await buffer(stream), contentType, width, height };
  }
}
