/** Reads pictures that callers refer to. What a refusal says tells nothing about the network that we are in. */

import { Problem } from '../../../platform/errors.js';
import { FetchError, type FetchFailure } from '../../../platform/fetch/error.js';
import type { SafeFetcher } from '../../../platform/fetch/fetcher.js';
import type { FetchRules } from '../../../platform/fetch/rules.js';
import { ownPath, tokenOf } from '../address.js';
import type { AssetService } from '../asset/asset.service.js';
import { isPreset } from '../asset/presets.js';
import { assetIdOf } from '../asset-client.js';
import type { ReferenceImage, ReferenceToRead } from '../client.js';
import type { PictureFacts } from '../image/image.model.js';
import type { ServingService } from '../serving/serving.service.js';

export interface ReferenceServiceDeps {
  fetcher: SafeFetcher;
  rules: FetchRules;
  serving: ServingService;
  assets: Pick<AssetService, 'picture'>;
  publicUrl: string;
  /** Judges bytes as they come. */
  reader(): { write(chunk: Buffer): void; end(): Pick<PictureFacts, 'contentType' | 'width' | 'height'> };
}

export class ReferenceService {
  readonly #deps: ReferenceServiceDeps;

  constructor(deps: ReferenceServiceDeps) {
    this.#deps = deps;
  }

  async read({ url: text, userId }: ReferenceToRead): Promise<ReferenceImage> {
    const { rules, publicUrl } = this.#deps;
    const own = URL.canParse(text) ? ownPath(new URL(text), publicUrl) : null;
    try {
      if (own !== null) return await this.#own(own, new URL(text).searchParams, userId);
      return await this.#picture(await this.#fetch(text));
    } catch (error) {
      throw error instanceof FetchError ? refusal(error, rules) : error;
    }
  }

  async #fetch(url: string): Promise<AsyncIterable<Buffer>> {
    const { fetcher, rules, publicUrl } = this.#deps;
    const { chunks } = await fetcher.open(url, { ...rules, barred: (target) => ownPath(target, publicUrl) !== null });
    return chunks;
  }

  async #own(path: string, query: URLSearchParams, userId: string | null): Promise<ReferenceImage> {
    const picture = (await this.#asset(path, query)) ?? (await this.#hosted(path, userId));
    // The same words for what does not exist and for what is somebody else's.
    if (!picture) throw new Problem('validation_error', 'The URL names no picture here that you may read.');
    return picture;
  }

  async #hosted(path: string, userId: string | null): Promise<ReferenceImage | null> {
    const { serving } = this.#deps;
    const token = tokenOf(path);
    const image = token === null ? null : await serving.find(token);
    if (!image || (image.visibility === 'private' && image.ownerId !== userId)) return null;
    return this.#picture(await serving.open(image.id, null));
  }

  async #asset(path: string, query: URLSearchParams): Promise<ReferenceImage | null> {
    const id = assetIdOf(path);
    const preset = query.get('preset');
    if (id === null || (preset !== null && !isPreset(preset))) return null;
    return this.#deps.assets.picture(id, preset);
  }

  /** Stops reading at the first byte that is no picture's. */
  async #picture(chunks: AsyncIterable<Buffer>): Promise<ReferenceImage> {
    const reader = this.#deps.reader();
    const parts: Buffer[] = [];
    for await (const chunk of chunks) {
      judged(() => reader.write(chunk));
      parts.push(chunk);
    }
    const { contentType, width, height } = judged(() => reader.end());
    return { bytes: Buffer.concat(parts), contentType, width, height };
  }
}

function judged<T>(judge: () => T): T {
  try {
    return judge();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem('validation_error', `What is at the URL cannot be used: ${error.message}`, { cause: error });
  }
}

/** Whether a name exists inside, or something listens there, must not be told apart from any other failure. */
const UNREACHABLE = 'The URL cannot be read. It must be a public http or https address that answers with a picture.';

function refusal(error: FetchError, { maxBytes, totalMs }: FetchRules): Problem {
  const words: Partial<Record<FetchFailure, string>> = {
    redirects: 'The URL redirects too often.',
    status: `The URL did not answer with a picture (${error.message}).`,
    encoding: 'The URL answered with compressed data.',
    too_large: `The picture at the URL is larger than ${maxBytes} bytes.`,
    timeout: `The URL took longer than the ${totalMs / 1000} seconds that it may take, or fell silent.`,
  };
  return new Problem('validation_error', words[error.failure] ?? UNREACHABLE, { cause: error });
}
