/** How a format says what it needs of the bytes. It never sees the chunks that they come in, and nobody keeps more. */
import { Problem } from '../../../platform/errors.js';

/** The next `take` bytes, or with `orEnd` none at all if the bytes end here. */
interface Take {
  take: number;
  orEnd?: boolean;
}

/** Bytes that are passed over, perhaps through a checksum. */
interface Skip {
  skip: number;
  through?: (bytes: Buffer) => void;
}

/** Everything up to and with the next byte of this value. */
interface SkipPast {
  past: number;
}

export type Want = Take | Skip | SkipPast;

export interface Dimensions {
  width: number;
  height: number;
}

/** Yields what it wants and is given what it wanted to take; returns at the picture's last byte. */
export type Format = Generator<Want, Dimensions, Buffer>;

const MAX_PIXELS = 100_000_000;

export function invalidPicture(what: string): Problem {
  return Problem.invalid('file', `is not a whole picture: ${what}`);
}

export function checkDimensions(width: number, height: number): Dimensions {
  if (width === 0 || height === 0) throw invalidPicture('it has no extent');
  if (width * height > MAX_PIXELS) {
    throw new Problem('file_too_large', `The picture has more than ${MAX_PIXELS / 1e6} megapixels.`);
  }
  return { width, height };
}
