/** Long texts are encoded in pieces: an encoder's work grows with the square of the length, and its attention fades. */

import { mean, type Vector } from './encoder.js';

const PIECE_CHARS = 600;
const MAX_PIECES = 8;

/** At most eight pieces; of a longer text, pieces spread over the whole of it. Never empty. */
export function piecesOf(text: string): string[] {
  const trimmed = text.trim();
  if (trimmed === '') return [' '];
  const count = Math.ceil(trimmed.length / PIECE_CHARS);
  if (count <= MAX_PIECES) return Array.from({ length: count }, (_, i) => piece(trimmed, i));
  return Array.from({ length: MAX_PIECES }, (_, i) => piece(trimmed, Math.round((i * (count - 1)) / (MAX_PIECES - 1))));
}

function piece(text: string, index: number): string {
  return text.slice(index * PIECE_CHARS, (index + 1) * PIECE_CHARS).trim() || ' ';
}

/** From the vectors of all pieces, one after another, to one vector a text. */
export function rejoin(pieces: readonly (readonly string[])[], vectors: readonly Vector[]): Vector[] {
  let next = 0;
  return pieces.map(({ length }) => {
    next += length;
    return mean(vectors.slice(next - length, next));
  });
}
