/** fal: POST to the model's own path, pictures at addresses of its CDN, with a flag for each that its filter disliked. */
import { Outbound } from '../../../platform/outbound/http.js';
import type { FailureReason } from './failure.js';
import { ProviderFailure } from './failure.js';
import { unreadable } from './openai.js';
import { base64Output, dataUri, httpUrl, isDataUri, isText } from './picture.js';
import type { ImageRequest, Output, Provider } from './provider.js';
import { oneByOne } from './providers.js';
import { listOf, member, post, readJson } from './service.js';

export interface FalSettings {
  apiKey: string;
  baseUrl: string;
}

export class Fal implements Provider {
  readonly name = 'fal';
  readonly #service: Outbound;

  constructor({ apiKey, baseUrl }: FalSettings) {
    this.#service = new Outbound({
      baseUrl,
      // Prompts are not to be kept, by fal neither.
      headers: { authorization: `Key ${apiKey}`, 'x-fal-store-io': '0' },
    });
  }

  async generate(request: ImageRequest, signal: AbortSignal): Promise<Output[]> {
    if (!request.model.oneByOne) return this.#draw(request, signal);
    return oneByOne(request, async (seed) => {
      const [output] = await this.#draw({ ...request, count: 1, seed }, signal);
      return output ?? unreadable();
    });
  }

  close(): Promise<void> {
    return this.#service.close();
  }

  async #draw(request: ImageRequest, signal: AbortSignal): Promise<Output[]> {
    const { model, references } = request;
    const name = references.length > 0 && model.editName ? model.editName : (model.wireName ?? model.slug);
    const answer = readJson(
      await post(
        this.#service,
        { path: `/${name}`, json: input(request), pictures: request.count, room: request.room },
        signal,
        falRefusal,
      ),
    );
    const flags = listOf(member(answer, 'has_nsfw_concepts'));
    const seed = member(answer, 'seed');
    const seedUsed = Number.isSafeInteger(seed) ? Number(seed) : null;
    return listOf(member(answer, 'images')).map((image, i) =>
      request.safety && flags[i] === true
        ? { kind: 'failure', failure: new ProviderFailure('refused') }
        : pictureOf(image, seedUsed),
    );
  }
}

function input({
  model,
  prompt,
  count,
  seed,
  size,
  params,
  references,
  safety,
}: ImageRequest): Record<string, unknown> {
  const { width, height } = size;
  const { enable_safety_checker: _, strength, ...own } = params;
  const sources = references.map(dataUri);
  // Models with a strength repaint one picture in its own size; the others are told about several.
  const repaints = sources.length > 0 && model.parameters['strength'] !== undefined;
  return {
    prompt,
    ...(!model.oneByOne && { num_images: count }),
    ...(!repaints && { image_size: { width, height } }),
    enable_safety_checker: safety,
    ...(seed !== null && { seed }),
    ...own,
    ...(repaints && { image_url: sources[0], ...(strength !== undefined && { strength }) }),
    ...(!repaints && sources.length > 0 && { image_urls: sources }),
  };
}

function pictureOf(image: unknown, seedUsed: number | null): Output {
  const url = member(image, 'url');
  if (isText(url) && isDataUri(url)) return base64Output(url, seedUsed);
  const address = httpUrl(url);
  if (address === null) return unreadable();
  const side = (name: string) => {
    const value = member(image, name);
    return Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : null;
  };
  return { kind: 'url', url: address, width: side('width'), height: side('height'), seedUsed };
}

function falRefusal(body: unknown, status: number): FailureReason | undefined {
  const types = listOf(member(body, 'detail')).map((detail) => member(detail, 'type'));
  if (types.includes('content_policy_violation')) return 'refused';
  // fal locks an account out of credit rather than answering 402.
  return status === 403 && /balance|locked/i.test(String(member(body, 'detail'))) ? 'rate_limited' : undefined;
}
