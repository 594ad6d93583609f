/** The built-in renderer as a provider. */
import { randomInt } from 'node:crypto';
import sharp, { type Sharp } from 'sharp';
import { MAX_SEED } from '../model/parameters.js';
import type { Size } from '../model/sizes.js';
import { renderPicture } from './local/render.js';
import { bytesOutput } from './picture.js';
import type { ImageRequest, Output, Picture, Provider } from './provider.js';
import { oneByOne } from './providers.js';

export class Local implements Provider {
  readonly name = 'local';
  readonly #render: typeof renderPicture;

  constructor(render = renderPicture) {
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
    const [given] = references;
    if (!given) return bytesOutput((await this.#render({ prompt, seed, width, height })).bytes, seed);
    const strength = Number(params['strength']);
    // Cut to shape here, so that what is painted over and what is kept are cut alike.
    const reference = { bytes: mask ? await covering(given, size).png().toBuffer() : given.bytes };
    const { bytes } = await this.#render({ prompt, seed, width, height, reference, strength });
    return bytesOutput(mask ? await keepUnmasked(bytes, reference.bytes, mask, size) : bytes, seed);
  }
}

function covering({ bytes }: Picture, { width, height }: Size): Sharp {
  return sharp(bytes, { autoOrient: true }).flatten().resize(width, height, { fit: 'cover' });
}

/** What the mask does not mark is the reference as it was. */
async function keepUnmasked(drawn: Buffer, reference: Uint8Array, mask: Picture, size: Size): Promise<Buffer> {
  const { width, height } = size;
  const kept = await covering(mask, size).greyscale().negate().extractChannel(0).raw().toBuffer();
  const original = await sharp(reference)
    .toColourspace('srgb')
    .joinChannel(kept, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
  return sharp(drawn)
    .composite([{ input: original }])
    .removeAlpha()
    .png()
    .toBuffer();
}
