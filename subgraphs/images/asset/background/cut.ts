/**
 * Cuts the subject out of a picture. The border says what the background is; what is like it and hangs together with the
 * border is background, and so are holes that cannot be told from it. Along the edge, where pixels are of both, alpha says
 * how much of each, and the colour is that of the subject alone.
 */
import { labOf } from './lab.js';
import { matte } from './matte.js';
import { subjectOf } from './subject.js';

export interface Picture {
  /** Red, green, blue, alpha. */
  data: Uint8Array;
  width: number;
  height: number;
}

/** The pixels with their new alpha. Where nothing stands out from the background, the picture stays as it is. */
export function cutOut(picture: Picture): Uint8Array {
  const lab = labOf(picture);
  const subject = subjectOf(lab);
  return subject ? matte(picture, subject, lab) : picture.data;
}
