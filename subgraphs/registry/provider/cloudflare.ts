/**
 * Cloudflare Workers AI: accounts/{account}/ai/run/{model}, one picture a call. Older models take JSON and answer with
 * the bytes of the picture, newer ones answer with base64 in the API's envelope, and those of FLUX.2 take multipart.
 */

import sharp from 'sharp';
import { FormData } from 'undici';
import { Outbound } from '../../../platform/outbound/http.js';
import { type FailureReason, ProviderFailure } from './failure.js';
import { appendPicture } from './openai.js';
import { base64, base64Output, bytesOutput, isText } from './picture.js';
import type { ImageRequest, Output, Picture, Provider } from './provider.js';
import { oneByOne } from './providers.js';
import { type Call, listOf, member, post, readJson } from './service.js';

export interface CloudflareSettings {
  accountId: string;
  apiToken: string;
  baseUrl: string;
}

const FLUX_2 = /\/flux-2-/;
const FLUX_1 = /\/flux-1-/;
/** FLUX.2 refuses larger references. */
const MAX_REFERENCE_SIDE = 512;

export class Cloudflare implements Provider {
  readonly name = 'cloudflare';
  readonly #service: Outbound;
  readonly #run: string;

  constructor({ accountId, apiToken, baseUrl }: CloudflareSettings) {
    this.#service = new Outbound({ baseUrl, headers: { authorization: `Bearer ${apiToken}` } });
    this.#run = `/accounts/${encodeURIComponent(accountId)}/ai/run/`;
  }

  async generate(request: ImageRequest, signal: AbortSignal): Promise<Output[]> {
    const path = this.#run + (request.model.wireName ?? request.model.slug);
    const references = FLUX_2.test(path) ? await Promise.all(request.references.map(smallEnough)) : request.references;
    return oneByOne(request, async (seed) => {
      const call: Call = FLUX_2.test(path)
        ? { pictures: 1, room: request.room, path, form: fluxForm({ ...request, references }, seed) }
        : { pictures: 1, room: request.room, path, json: jsonInput(request, seed) };
      const answer = await post(this.#service, call, signal, cloudflareRefusal);
      const { seedControl } = request.model.capabilities;
      const seedUsed = seedControl ? seed : null;
      if (answer.contentType.startsWith('image/')) return bytesOutput(answer.body, seedUsed);
      return enveloped(readJson(answer), seedUsed);
    });
  }

  close(): Promise<void> {
    return this.#service.close();
  }
}

function enveloped(answer: unknown, seedUsed: number | null): Output {
  if (member(answer, 'success') === false) throw new ProviderFailure(cloudflareRefusal(answer) ?? 'failed');
  const image = member(answer, 'result', 'image');
  if (!isText(image)) throw new ProviderFailure('unreadable');
  return base64Output(image, seedUsed);
}

function jsonInput(request: ImageRequest, seed: number | null): Record<string, unknown> {
  const { model, prompt, params, size, references, mask } = request;
  const { num_steps, guidance, negative_prompt, strength } = params;
  // FLUX.1 has one size and its own word for steps, and refuses members that it does not know.
  if (FLUX_1.test(model.slug)) return { prompt, ...(num_steps !== undefined && { steps: num_steps }) };
  const [reference] = references;
  return {
    prompt,
    width: size.width,
    height: size.height,
    ...(seed !== null && { seed }),
    ...(negative_prompt !== undefined && negative_prompt !== '' && { negative_prompt }),
    ...(num_steps !== undefined && { num_steps }),
    ...(guidance !== undefined && { guidance }),
    ...(reference && { image_b64: base64(reference.bytes) }),
    ...(reference && strength !== undefined && { strength }),
    // There is no base64 form of the mask: it goes as the numbers of its bytes.
    ...(mask && { mask: [...mask.bytes] }),
  };
}

function fluxForm({ prompt, params, size, references }: ImageRequest, seed: number | null): FormData {
  const form = new FormData();
  form.append('prompt', prompt);
  form.append('width', String(size.width));
  form.append('height', String(size.height));
  if (params['num_steps'] !== undefined) form.append('steps', String(params['num_steps']));
  if (params['guidance'] !== undefined) form.append('guidance', String(params['guidance']));
  if (seed !== null) form.append('seed', String(seed));
  references.forEach((picture, i) => {
    appendPicture(form, `input_image_${i}`, picture, `input-${i}`);
  });
  return form;
}

async function smallEnough({ bytes }: Picture): Promise<Picture> {
  const resized = await sharp(bytes)
    .resize(MAX_REFERENCE_SIDE, MAX_REFERENCE_SIDE, { fit: 'inside', withoutEnlargement: true })
    .png()
    .toBuffer();
  return { bytes: resized, contentType: 'image/png' };
}

const ACCOUNT_LIMITED = 3036;
const OUT_OF_CAPACITY = 3040;
const NOT_AUTHENTICATED = new Set([9109, 10000, 10001]);

function cloudflareRefusal(body: unknown): FailureReason | undefined {
  const [first] = listOf(member(body, 'errors'));
  const code = Number(member(first, 'code'));
  if (code === ACCOUNT_LIMITED || code === OUT_OF_CAPACITY) return 'rate_limited';
  if (NOT_AUTHENTICATED.has(code)) return 'credentials';
  // The filter has no code of its own; only its words tell it from an input that does not validate.
  if (/NSFW/i.test(String(member(first, 'message')))) return 'refused';
  return undefined;
}
