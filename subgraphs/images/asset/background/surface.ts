/** A smooth surface of colour over a picture, fitted to samples of it. */
import { solve } from './solve.js';

export interface Sample {
  terms: Float64Array;
  colour: readonly [number, number, number];
}

/** How much a surface may bend: 3 terms make a plane, 6 a bowl, 15 all of the fourth degree. */
export type Terms = 3 | 6 | 15;

export type Surface = readonly [Float64Array, Float64Array, Float64Array];

const ALL = 15;
/** Keeps the equations solvable where samples say nothing about a term. */
const DOUBT = 1e-6;

/** The powers of x and y in each term. */
const POWERS = [
  [0, 0],
  [1, 0],
  [0, 1],
  [2, 0],
  [1, 1],
  [0, 2],
  [3, 0],
  [2, 1],
  [1, 2],
  [0, 3],
  [4, 0],
  [3, 1],
  [2, 2],
  [1, 3],
  [0, 4],
] as const;

/** All terms at a place, from the corner (-1, -1) to (1, 1). */
export function termsAt(column: number, row: number, width: number, height: number): Float64Array {
  const x = (2 * column) / Math.max(1, width - 1) - 1;
  const y = (2 * row) / Math.max(1, height - 1) - 1;
  return Float64Array.from(POWERS, ([i, j]) => x ** i * y ** j);
}

/** One channel along one row, as a polynomial of x alone: to be evaluated for many pixels. */
export function alongRow(coefficients: Float64Array, row: number, height: number): Float64Array {
  const y = (2 * row) / Math.max(1, height - 1) - 1;
  const line = new Float64Array(5);
  for (const [term, [i, j]] of POWERS.entries()) add(line, i, (coefficients[term] ?? 0) * y ** j);
  return line;
}

export function at(line: Float64Array, x: number): number {
  return (line[0] ?? 0) + x * ((line[1] ?? 0) + x * ((line[2] ?? 0) + x * ((line[3] ?? 0) + x * (line[4] ?? 0))));
}

/** Least squares, in which each sample has a weight. */
export function surfaceOf(samples: readonly Sample[], weights: ArrayLike<number>, terms: Terms): Surface {
  const matrix = new Float64Array(terms * terms);
  const sides = [new Float64Array(terms), new Float64Array(terms), new Float64Array(terms)] as const;
  samples.forEach((sample, n) => {
    const weight = weights[n] ?? 0;
    for (let i = 0; i < terms; i++) {
      const weighted = weight * (sample.terms[i] ?? 0);
      for (let j = 0; j < terms; j++) add(matrix, i * terms + j, weighted * (sample.terms[j] ?? 0));
      for (const channel of [0, 1, 2] as const) add(sides[channel], i, weighted * sample.colour[channel]);
    }
  });
  for (let i = 0; i < terms; i++) add(matrix, i * terms + i, DOUBT * samples.length);
  return [padded(solve(matrix, sides[0])), padded(solve(matrix, sides[1])), padded(solve(matrix, sides[2]))];
}

function padded(coefficients: Float64Array): Float64Array {
  const all = new Float64Array(ALL);
  all.set(coefficients);
  return all;
}

function add(values: Float64Array, index: number, value: number): void {
  values[index] = (values[index] ?? 0) + value;
}

/** How far a sample is from the surface. */
export function residualOf(surface: Surface, { terms, colour }: Sample): number {
  let sum = 0;
  for (const channel of [0, 1, 2] as const) {
    let difference = -colour[channel];
    for (let i = 0; i < ALL; i++) difference += (surface[channel][i] ?? 0) * (terms[i] ?? 0);
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[sorted.length >> 1] ?? 0;
}
