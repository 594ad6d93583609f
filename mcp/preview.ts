/** The picture behind an answer, small enough for a model to be shown. */
import sharp from 'sharp';

export interface Preview {
  /** Base64. */
  data: string;
  mimeType: string;
}

const MAX_SIDE = 512;
const MAX_PIXELS = 64_000_000;
const SECONDS = 10;

export async function previewOf(bytes: Uint8Array): Promise<Preview> {
  const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS, autoOrient: true }).timeout({ seconds: SECONDS });
  const { hasAlpha } = await picture.metadata();
  const small = picture.resize(MAX_SIDE, MAX_SIDE, { fit: 'inside', withoutEnlargement: true });
  // Models know these two; webp and avif not all of them.
  const encoded = hasAlpha ? small.png({ palette: true }) : small.jpeg({ quality: 80 });
  return { data: (await encoded.toBuffer()).toString('base64'), mimeType: hasAlpha ? 'image/png' : 'image/jpeg' };
}
