/** The built-in renderer: a picture for every prompt, always the same one for the same prompt, seed and size. */
import sharp, { type Sharp } from 'sharp';
import { draw } from './draw.js';
import { restyle } from './restyle.js';

export interface RenderRequest {
  prompt: string;
  seed: number;
  width: number;
  height: number;
  /** A picture to restyle rather than to draw anew: checked bytes of PNG, JPEG, WebP or GIF. */
  reference?: { bytes: Uint8Array } | undefined;
  /** How much of the reference is painted over, 0 to 1. */
  strength?: number | undefined;
}

export interface RenderedPicture {
  bytes: Buffer;
  width: number;
  height: number;
}

export const MAX_SIDE = 2048;
const MAX_REFERENCE_PIXELS = 100_000_000;
const DEFAULT_STRENGTH = 0.85;
// Flat shapes compress well at once; higher levels cost ten times the time for a few per cent.
const PNG = { compressionLevel: 3, adaptiveFiltering: false } as const;

export async function renderPicture(request: RenderRequest): Promise<RenderedPicture> {
  const { prompt, seed, width, height, reference, strength = DEFAULT_STRENGTH } = request;
  const { svg, palette } = draw(prompt, seed, width, height);
  if (!reference) return encode(sharp(Buffer.from(svg)));
  const source = sharp(reference.bytes, { limitInputPixels: MAX_REFERENCE_PIXELS, autoOrient: true })
    .resize(width, height, { fit: 'cover', position: 'attention' })
    // Painted planes have no grain.
    .median(Math.min(width, height) > 256 ? 5 : 3);
  return encode(await restyle(source, palette, Math.min(1, Math.max(0, strength))));
}

async function encode(image: Sharp): Promise<RenderedPicture> {
  const { data, info } = await image.removeAlpha().png(PNG).toBuffer({ resolveWithObject: true });
  return { bytes: data, width: info.width, height: info.height };
}
