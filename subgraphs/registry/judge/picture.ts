/** Makes a picture one that every judge takes: a common format, not larger than they look at anyway. */
import sharp from 'sharp';
import { Problem } from '../../../platform/errors.js';
import type { JudgedPicture } from './judge.js';

const LONGEST_EDGE = 1_568;
const MAX_BYTES = 3_500_000;
const TAKEN = new Set(['image/jpeg', 'image/png', 'image/webp']);
// A bomb of a picture is refused before its pixels are unpacked.
const MAX_PIXELS = 64_000_000;

export async function pictureForJudge(bytes: Uint8Array, contentType: string): Promise<JudgedPicture> {
  try {
    const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS });
    const { width = 0, height = 0 } = await picture.metadata();
    const small = Math.max(width, height) <= LONGEST_EDGE && bytes.length <= MAX_BYTES;
    if (small && TAKEN.has(contentType)) return { bytes: Buffer.from(bytes), contentType };
    const resized = await picture
      .rotate()
      .resize({ width: LONGEST_EDGE, height: LONGEST_EDGE, fit: 'inside', withoutEnlargement: true })
      .flatten({ background: 'white' })
      .jpeg({ quality: 88 })
      .toBuffer();
    return { bytes: resized, contentType: 'image/jpeg' };
  } catch (error) {
    throw new Problem('validation_error', 'media_url: the picture cannot be decoded', {
      details: [{ field: 'media_url', message: 'the picture cannot be decoded' }],
      cause: error,
    });
  }
}
