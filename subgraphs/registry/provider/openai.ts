/** OpenAI Images: POST /images/generations in JSON, POST /images/edits in multipart; pictures come in base64. */
import { Blob } from 'node:buffer';
import sharp from 'sharp';
import { FormData } from 'undici';
import { Outbound } from '../../../platform/outbound/http.js';
import type { FailureReason } from './failure.js';
import { ProviderFailure } from './failure.js';
import { base64Output, isText } from './picture.js';
import type { ImageRequest, Output, Picture, Provider } from './provider.js';
import { listOf, member, post, readJson } from './service.js';

export interface OpenAiSettings {
  apiKey: string;
  baseUrl: string;
}

export class OpenAi implements Provider {
  readonly name = 'openai';
  readonly #service: Outbound;

  constructor({ apiKey, baseUrl }: OpenAiSettings) {
    this.#service = new Outbound({ baseUrl, headers: { authorization: `Bearer ${apiKey}` } });
  }

  async generate(request: ImageRequest, signal: AbortSignal): Promise<Output[]> {
    const fields = imageFields(request);
    const expected = { pictures: request.count, room: request.room };
    // Edits have no say about moderation: they are filtered as usual.
    const call =
      request.references.length === 0
        ? {
            ...expected,
            path: '/images/generations',
            json: { ...fields, moderation: request.safety ? 'auto' : 'low' },
          }
        : { ...expected, path: '/images/edits', form: await editForm(fields, request, 'image[]') };
    const answer = await post(this.#service, call, signal, openAiRefusal);
    return listOf(member(readJson(answer), 'data')).map((item) => {
      const b64 = member(item, 'b64_json');
      return isText(b64) ? base64Output(b64, null) : unreadable();
    });
  }

  close(): Promise<void> {
    return this.#service.close();
  }
}

/** What generations and edits have in common, also at servers that speak like OpenAI. */
export function imageFields({ model, prompt, count, size, params }: ImageRequest): Record<string, string | number> {
  const fields: Record<string, string | number> = {
    model: model.wireName ?? model.slug,
    prompt,
    n: count,
    size: size.slug,
  };
  for (const name of ['quality', 'background', 'output_format']) {
    const value = params[name];
    if (typeof value === 'string') fields[name] = value;
  }
  return fields;
}

export async function editForm(
  fields: Readonly<Record<string, string | number>>,
  { references, mask }: ImageRequest,
  imageField: string,
): Promise<FormData> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, String(value));
  references.forEach((picture, i) => {
    appendPicture(form, imageField, picture, `image-${i + 1}`);
  });
  if (mask) appendPicture(form, 'mask', await transparentWhereWhite(mask), 'mask');
  return form;
}

/** OpenAI's mask says with its alpha channel what ours says with white: transparent is drawn anew. */
async function transparentWhereWhite({ bytes }: Picture): Promise<Picture> {
  const alpha = await sharp(bytes)
    .flatten()
    .greyscale()
    .negate()
    .extractChannel(0)
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = alpha.info;
  const masked = await sharp({ create: { width, height, channels: 3, background: 'black' } })
    .joinChannel(alpha.data, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
  return { bytes: masked, contentType: 'image/png' };
}

export function appendPicture(form: FormData, field: string, { bytes, contentType }: Picture, name: string): void {
  form.append(field, new Blob([bytes], { type: contentType }), `${name}.${contentType.replace('image/', '')}`);
}

const REFUSED = new Set(['moderation_blocked', 'content_policy_violation', 'content_filter']);
const EXHAUSTED = new Set(['rate_limit_exceeded', 'insufficient_quota', 'billing_hard_limit_reached']);

export function openAiRefusal(body: unknown): FailureReason | undefined {
  const code = String(member(body, 'error', 'code') ?? member(body, 'error', 'type'));
  if (REFUSED.has(code)) return 'refused';
  if (EXHAUSTED.has(code)) return 'rate_limited';
  return undefined;
}

export function unreadable(): Output {
  return { kind: 'failure', failure: new ProviderFailure('unreadable') };
}
