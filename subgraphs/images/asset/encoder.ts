/** Makes pictures of the formats and shapes in which assets are handed out. All the work is in sharp's own threads. */
import { availableParallelism } from 'node:os';
import sharp, { type Sharp } from 'sharp';
import { Problem } from '../../../platform/errors.js';
import type { AssetFormat, AssetType } from '../asset-client.js';
import { type PictureRead, PictureReader } from '../picture/picture.js';
import { AssetFailure } from './failure.js';
import type { PresetShape } from './presets.js';
import { Turns } from './turns.js';

export interface Encoding {
  format: AssetFormat;
  quality: number;
  /** Null: as large as it is. */
  shape: PresetShape | null;
}

export interface Encoded {
  bytes: Buffer;
  contentType: AssetType;
  width: number;
  height: number;
}

export interface Pixels {
  /** Red, green, blue, alpha. */
  data: Buffer;
  width: number;
  height: number;
}

/** The largest picture that is taken in; it decodes to four bytes a pixel. */
const MAX_PIXELS = 100_000_000;
const MAX_SECONDS = 30;
/** Callers who wait longer than for so many others are better told so. */
const MAX_WAITING = 64;
/** From here on more time buys next to nothing: a third of a second for a megapixel becomes one second, then three. */
const AVIF_EFFORT = 1;

export class Encoder {
  // Threads of sharp come from the pool that files and sockets use too.
  readonly #turns = new Turns(Math.min(2, availableParallelism()));

  /** Throws AssetFailure. What describes the picture (EXIF, XMP, profiles) is left behind; what it looks like is not. */
  encode(bytes: Uint8Array, { format, quality, shape }: Encoding): Promise<Encoded> {
    return this.#turns.take(() =>
      attempt('encoding', async () => {
        const picture = shape ? shaped(opened(bytes), shape) : opened(bytes);
        const { data, info } = await inFormat(picture, format, quality).toBuffer({ resolveWithObject: true });
        return { bytes: data, contentType: `image/${format}`, width: info.width, height: info.height };
      }),
    );
  }

  /** The same for work that a caller asked for just now: `unavailable` when too many did. */
  encodeSoon(bytes: Uint8Array, encoding: Encoding): Promise<Encoded> {
    if (this.#turns.waiting >= MAX_WAITING) return Promise.reject(new Problem('unavailable'));
    return this.encode(bytes, encoding);
  }

  pixels(bytes: Uint8Array): Promise<Pixels> {
    return this.#turns.take(() =>
      attempt('background_removal', async () => {
        const { data, info } = await opened(bytes)
          .toColourspace('srgb')
          .ensureAlpha()
          .raw()
          .toBuffer({ resolveWithObject: true });
        return { data, width: info.width, height: info.height };
      }),
    );
  }

  png({ data, width, height }: Pixels): Promise<Encoded> {
    return this.#turns.take(() =>
      attempt('background_removal', async () => {
        const raw = sharp(data, { raw: { width, height, channels: 4 } });
        return { bytes: await inFormat(raw, 'png', 100).toBuffer(), contentType: 'image/png', width, height };
      }),
    );
  }
}

/** What the bytes say of themselves. Only what hosted images may be is handed to the decoders, whatever else they read. */
export function judge(bytes: Uint8Array): PictureRead {
  const reader = new PictureReader();
  reader.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  return reader.end();
}

function opened(bytes: Uint8Array): Sharp {
  return sharp(bytes, { autoOrient: true, limitInputPixels: MAX_PIXELS, failOn: 'error' });
}

function shaped(picture: Sharp, { width, height, fit }: PresetShape): Sharp {
  return picture.resize(width, height, { fit, withoutEnlargement: fit === 'inside' });
}

function inFormat(picture: Sharp, format: AssetFormat, quality: number): Sharp {
  const limited = picture.toColourspace('srgb').timeout({ seconds: MAX_SECONDS });
  if (format === 'png') return limited.png({ compressionLevel: 6 });
  return format === 'webp' ? limited.webp({ quality }) : limited.avif({ quality, effort: AVIF_EFFORT });
}

async function attempt<T>(step: 'encoding' | 'background_removal', work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    // The library's words may hold parts of the picture's text.
    throw new AssetFailure(step, 'The picture cannot be decoded or encoded.', { cause });
  }
}
