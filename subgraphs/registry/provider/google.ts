/** Google Gemini: models/{model}:generateContent, one picture a call, pictures inline in base64 both ways. */
import { Outbound } from '../../../platform/outbound/http.js';
import { type FailureReason, ProviderFailure } from './failure.js';
import { base64, base64Output, isText } from './picture.js';
import type { ImageRequest, Output, Provider } from './provider.js';
import { oneByOne } from './providers.js';
import { listOf, member, post, readJson } from './service.js';

export interface GoogleSettings {
  apiKey: string;
  baseUrl: string;
}

/** Reasons, of the prompt or of the answer, that mean a refusal rather than a failure. */
const REFUSALS = new Set([
  'SAFETY',
  'IMAGE_SAFETY',
  'PROHIBITED_CONTENT',
  'IMAGE_PROHIBITED_CONTENT',
  'BLOCKLIST',
  'SPII',
  'RECITATION',
  'IMAGE_RECITATION',
]);

const SAFETY_CATEGORIES = [
  'HARM_CATEGORY_HARASSMENT',
  'HARM_CATEGORY_HATE_SPEECH',
  'HARM_CATEGORY_SEXUALLY_EXPLICIT',
  'HARM_CATEGORY_DANGEROUS_CONTENT',
] as const;

export class Google implements Provider {
  readonly name = 'google';
  readonly #service: Outbound;

  constructor({ apiKey, baseUrl }: GoogleSettings) {
    this.#service = new Outbound({ baseUrl, headers: { 'x-goog-api-key': apiKey } });
  }

  generate(request: ImageRequest, signal: AbortSignal): Promise<Output[]> {
    return oneByOne(request, () => this.#draw(request, signal));
  }

  close(): Promise<void> {
    return this.#service.close();
  }

  // A seed is documented for text alone and does not repeat a picture, so none is sent and none is reported.
  async #draw({ model, prompt, references, size, safety, room }: ImageRequest, signal: AbortSignal): Promise<Output> {
    const { aspect, resolution } = size;
    const json = {
      contents: [
        {
          role: 'user',
          parts: [
            { text: prompt },
            ...references.map(({ bytes, contentType }) => ({
              inlineData: { mimeType: contentType, data: base64(bytes) },
            })),
          ],
        },
      ],
      generationConfig: {
        responseModalities: ['IMAGE'],
        imageConfig: { ...(aspect && { aspectRatio: aspect }), ...(resolution && { imageSize: resolution }) },
      },
      ...(!safety && {
        safetySettings: SAFETY_CATEGORIES.map((category) => ({ category, threshold: 'BLOCK_ONLY_HIGH' })),
      }),
    };
    const path = `/v1beta/models/${encodeURIComponent(model.wireName ?? model.slug)}:generateContent`;
    return pictureOf(readJson(await post(this.#service, { path, json, pictures: 1, room }, signal, googleRefusal)));
  }
}

function pictureOf(answer: unknown): Output {
  const blocked = member(answer, 'promptFeedback', 'blockReason');
  if (blocked !== undefined) throw new ProviderFailure('refused');
  for (const candidate of listOf(member(answer, 'candidates'))) {
    for (const part of listOf(member(candidate, 'content', 'parts'))) {
      // Models that think show sketches on the way; only the result counts.
      const data = member(part, 'thought') === true ? undefined : member(part, 'inlineData', 'data');
      if (isText(data)) return base64Output(data, null);
    }
    if (REFUSALS.has(String(member(candidate, 'finishReason')))) throw new ProviderFailure('refused');
  }
  throw new ProviderFailure('unreadable');
}

function googleRefusal(body: unknown): FailureReason | undefined {
  const status = member(body, 'error', 'status');
  // Google answers 400 for a key that is no key, and names the reason in the details.
  const reasons = listOf(member(body, 'error', 'details')).map((detail) => member(detail, 'reason'));
  if (reasons.includes('API_KEY_INVALID')) return 'credentials';
  return status === 'RESOURCE_EXHAUSTED' ? 'rate_limited' : undefined;
}
