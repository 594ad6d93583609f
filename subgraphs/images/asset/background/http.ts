/** A remover elsewhere: takes the picture as the field `file` of a form and answers with a PNG, as `rembg s` does. */

import { FormData } from 'undici';
import { Problem } from '../../../../platform/errors.js';
import { Outbound, OutboundError } from '../../../../platform/outbound/http.js';
import { type Encoded, type Encoder, judge } from '../encoder.js';
import { AssetFailure } from '../failure.js';
import type { BackgroundRemover } from './remover.js';

export interface HttpRemoverOptions {
  url: string;
  apiKey: string | undefined;
  encoder: Encoder;
  maxBytes: number;
}

const MAX_MS = 60_000;

export class HttpRemover implements BackgroundRemover {
  readonly #service: Outbound;
  readonly #encoder: Encoder;
  readonly #query: string;
  readonly #maxBytes: number;

  constructor({ url, apiKey, encoder, maxBytes }: HttpRemoverOptions) {
    const { search } = new URL(url);
    this.#service = new Outbound({
      baseUrl: url,
      ...(apiKey !== undefined && { headers: { authorization: `Bearer ${apiKey}` } }),
    });
    this.#encoder = encoder;
    this.#query = search;
    this.#maxBytes = maxBytes;
  }

  async remove(bytes: Uint8Array): Promise<Encoded> {
    const form = new FormData();
    form.set('file', new Blob([bytes]), 'picture');
    const { status, body } = await this.#ask(form);
    if (status >= 500 || status === 429) throw new Problem('unavailable', 'The background remover is not available.');
    if (status !== 200) throw refused(`it answered ${status}`);
    try {
      judge(body);
    } catch (cause) {
      throw refused('it answered with no picture', cause);
    }
    return this.#encoder.encode(body, { format: 'png', quality: 100, shape: null });
  }

  async #ask(form: FormData) {
    try {
      const request = { method: 'POST', path: this.#query, body: form, maxBytes: this.#maxBytes } as const;
      return await this.#service.send(request, AbortSignal.timeout(MAX_MS));
    } catch (cause) {
      if (cause instanceof OutboundError && cause.problem === 'too_large')
        throw refused('its answer is too large', cause);
      throw new Problem('unavailable', 'The background remover is not available.', { cause });
    }
  }

  close(): Promise<void> {
    return this.#service.close();
  }
}

function refused(why: string, cause?: unknown): AssetFailure {
  return new AssetFailure('background_removal', `The background remover did not do its work: ${why}.`, { cause });
}
