/** Makes of what a provider gave what the job asked for, and keeps it. */
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { Problem } from '../../../platform/errors.js';
import { FetchError } from '../../../platform/fetch/error.js';
import type { SafeFetcher } from '../../../platform/fetch/fetcher.js';
import type { FetchRules } from '../../../platform/fetch/rules.js';
import type { ObjectStore } from '../../../platform/s3.js';
import { assetUrl, type KeptOutput, type OutputResult, type OutputToKeep } from '../asset-client.js';
import { type AssetKeeper, contentHash } from './asset.keeper.js';
import { assetKey, holderOfJob, type LiveAsset } from './asset.model.js';
import type { BackgroundRemover } from './background/remover.js';
import { type Encoded, type Encoder, judge } from './encoder.js';
import { factsOf } from './facts.js';
import { AssetFailure } from './failure.js';
import type { Variants } from './variants.js';

export interface OutputKeeperDeps {
  keeper: AssetKeeper;
  variants: Variants;
  encoder: Encoder;
  remover: BackgroundRemover;
  fetcher: SafeFetcher;
  /** Where outputs may be fetched from. */
  outputRules: FetchRules;
  store: ObjectStore;
  publicUrl: string;
}

const ATTEMPTS = 3;
const RETRY_AFTER_MS = 250;
const IMAGE = 'image';
const CUT_OUT = 'cut_out';

interface Made {
  image: Encoded;
  cutOut: Encoded | null;
}

type Times = Pick<KeptOutput, 'encodeMs' | 'storeMs'>;

export class OutputKeeper {
  readonly #deps: OutputKeeperDeps;

  constructor(deps: OutputKeeperDeps) {
    this.#deps = deps;
  }

  async keep(output: OutputToKeep, _requestId: string): Promise<OutputResult> {
    try {
      return { kept: await this.#keep(output) };
    } catch (error) {
      if (error instanceof AssetFailure) return { failed: { step: error.step, message: error.message } };
      throw error;
    }
  }

  async #keep(output: OutputToKeep): Promise<KeptOutput> {
    const { keeper, variants, publicUrl } = this.#deps;
    const { jobId, preset } = output;
    const times: Times = { encodeMs: 0, storeMs: 0 };
    // What a worker kept that died is what the job has: another picture from the provider would be another one.
    const earlier = await keeper.held(holderOfJob(jobId), IMAGE);
    // All is made before any of it is kept, so that what fails leaves nothing.
    const made = earlier ? null : await this.#make(output, times);
    const image = made ? await this.#store(output, IMAGE, made.image, times) : (earlier as LiveAsset);
    const cutOut = output.removeBackground ? await this.#cutOutOf(image, made, output, times) : null;
    if (preset) await timed(times, 'encodeMs', () => variants.of(image, preset));
    const facts = factsOf(publicUrl, image);
    return {
      image: facts,
      presetUrl: preset && assetUrl(publicUrl, facts.id, preset),
      backgroundRemoved: cutOut && factsOf(publicUrl, cutOut),
      ...times,
    };
  }

  async #make({ source, format, quality, size, removeBackground }: OutputToKeep, times: Times): Promise<Made> {
    const { encoder, remover } = this.#deps;
    const bytes = 'bytes' in source ? source.bytes : await timed(times, 'storeMs', () => this.#fetch(source.url));
    requirePicture(bytes);
    return timed(times, 'encodeMs', async () => {
      const shape = size && { ...size, fit: 'cover' as const };
      const image = await encoder.encode(bytes, { format, quality, shape });
      if (!removeBackground) return { image, cutOut: null };
      // The alpha is of the picture that is kept, to the pixel; its colours are those that no lossy format has been over.
      const whole = shape ? await encoder.encode(bytes, { format: 'png', quality, shape }) : { bytes };
      return { image, cutOut: await remover.remove(whole.bytes) };
    });
  }

  async #fetch(url: string): Promise<Uint8Array> {
    const { fetcher, outputRules } = this.#deps;
    for (let attempt = 1; ; attempt++) {
      try {
        const { chunks } = await fetcher.open(url, outputRules);
        return await buffer(chunks);
      } catch (cause) {
        if (!(cause instanceof FetchError)) throw cause;
        if (!cause.transient || attempt === ATTEMPTS) {
          throw new AssetFailure('fetching', 'The provider’s picture cannot be fetched.', { cause });
        }
        await pause(RETRY_AFTER_MS * 2 ** (attempt - 1));
      }
    }
  }

  async #cutOutOf(image: LiveAsset, made: Made | null, output: OutputToKeep, times: Times): Promise<LiveAsset> {
    const { keeper, remover, store } = this.#deps;
    const earlier = await keeper.held(holderOfJob(output.jobId), CUT_OUT);
    if (earlier) return earlier;
    // Another worker may have been first with another picture.
    if (made?.cutOut && contentHash(made.image.bytes) === image.address) {
      return this.#store(output, CUT_OUT, made.cutOut, times);
    }
    const stream = await store.read(assetKey(image._id));
    if (!stream) throw new Problem('not_found', 'The picture is gone.');
    const bytes = await buffer(stream);
    return this.#store(output, CUT_OUT, await timed(times, 'encodeMs', () => remover.remove(bytes)), times);
  }

  #store(output: OutputToKeep, slot: string, content: Encoded, times: Times): Promise<LiveAsset> {
    const { jobId, ownerId, expiresAt } = output;
    const toKeep = { holder: holderOfJob(jobId), slot, namespace: '', ownerId, expiresAt, content };
    return timed(times, 'storeMs', () => this.#deps.keeper.keep(toKeep));
  }
}

function requirePicture(bytes: Uint8Array): void {
  try {
    judge(bytes);
  } catch (cause) {
    throw new AssetFailure('encoding', 'The provider’s bytes are no picture.', { cause });
  }
}

async function timed<T>(times: Times, what: keyof Times, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    times[what] += performance.now() - start;
  }
}
