/** The built-in renderer as a provider. */
import { randomInt } from 'node:crypto';
import sharp from 'sharp';
import { MAX_SEED } from '../model/parameters.js';
import { bytesOutput } from './picture.js';
import type { ImageRequest, Output, Picture, Provider } from './provider.js';
import { oneByOne } from './providers.js';

export interface RenderRequest {
  prompt: string;
  seed: number;
  width: number;
  height: number;
  reference?: { bytes: Uint8Array };
  /** 0 keeps the reference, 1 ignores it. */
  strength?: number;
}

export type Render = (request: RenderRequest) => Promise<{ bytes: Buffer; width: number; height: number }>;

export class Local implements Provider {
  readonly name = 'local';
  readonly #render: Render;

  constructor(render: Render) {
    this.#render = render;
  }

  generate(request: ImageRequest): Promise<Output[]> {
    // Without a seed every run is another picture, and says which seed would give it again.
    const seed = request.seed ?? randomInt(MAX_SEED);
    return oneByOne({ ...request, seed }, (own) => this.#draw(request, own ?? seed));
  }

  async close(): Promise<void> {}

  async #draw({ prompt, size, params, references, mask }: ImageRequest, seed: number): Promise<Output> {
    const { width, height } = size;
    const [reference] = references;
    const strength = params['strength'];
    const drawn = await this.#render({
      prompt,
      seed,
      width,
      height,
      ...(reference && { reference: { bytes: reference.bytes } }),
      ...(reference && typeof strength === 'number' && { strength }),
    });
    const bytes = reference && mask ? await keepUnmasked(drawn.bytes, reference, mask, width, height) : drawn.bytes;
    return bytesOutput(bytes, seed);
  }
}

/** What the mask does not mark is the reference as it was. */
async function keepUnmasked(drawn: Buffer, reference: Picture, mask: Picture, width: number, height: number) {
  const kept = sharp(mask.bytes).flatten().greyscale().negate().resize(width, height, { fit: 'fill' });
  const alpha = await kept.extractChannel(0).raw().toBuffer();
  const original = await sharp(reference.bytes)
    .flatten()
    .toColourspace('srgb')
    .resize(width, height, { fit: 'cover' })
    .joinChannel(alpha, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
  return sharp(drawn)
    .composite([{ input: original }])
    .png()
    .toBuffer();
}
