/** Texts as directions in a space of meanings: what is alike points alike. */

/** Of length one, so that the dot product of two is their similarity. */
export type Vector = Float32Array;

export interface Encoder {
  /** Names the space: vectors of different models cannot be compared. */
  readonly model: string;
  /** One vector a text, in the same order. */
  encode(texts: readonly string[], signal?: AbortSignal): Promise<Vector[]>;
  close(): Promise<void>;
}

/** The encoder did not do its work; whoever needs it answers that it is unavailable. */
export class EncoderFailure extends Error {
  override readonly name = 'EncoderFailure';
}

export function similarity(one: Vector, other: Vector): number {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += (one[i] ?? 0) * (other[i] ?? 0);
  return sum;
}

/** The direction between several, for a text that was encoded in pieces. */
export function mean(vectors: readonly Vector[]): Vector {
  const sum = new Float32Array(vectors[0]?.length ?? 0);
  for (const vector of vectors) for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (vector[i] ?? 0);
  return unit(sum);
}

export function unit(vector: Vector): Vector {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return length === 0 ? vector : vector.map((value) => value / length);
}
