/**
 * What the background of a picture looks like, learnt from its border: one or more smooth surfaces of colour over the whole
 * picture, so that plain walls, gradients, vignettes and a floor under a wall are all covered.
 */
import type { Lab } from './lab.js';
import { solve } from './solve.js';

export interface Backdrop {
  /** How far each pixel is from the nearest surface. */
  distance: Float32Array;
  /** How far the background itself strays. */
  noise: number;
}

/** 1, x, y, x², xy, y². */
const TERMS = 6;
const ROUNDS = 12;
const MAX_SURFACES = 3;
const LEAST_NOISE = 0.5;
/** Less of the border than this is somebody's elbow. */
const LEAST_SHARE = 0.12;
/** What meets the border on one side only is the subject, unless it is as much as this. */
const ONE_SIDE_SHARE = 0.3;
/** Pixels of the border whose distance is more than so many times the noise are not of the surface. */
const OUTLIER = 4;

interface Sample {
  terms: Float64Array;
  colour: readonly [number, number, number];
  side: number;
}

type Surface = readonly [Float64Array, Float64Array, Float64Array];

export function backdropOf(lab: Lab): Backdrop {
  const border = samplesOf(lab);
  const surfaces: Surface[] = [];
  let rest = border;
  let noise = LEAST_NOISE;
  while (surfaces.length < MAX_SURFACES && isBackground(rest, border.length)) {
    const surface = fitted(rest);
    const residuals = rest.map((sample) => residual(surface, sample));
    const spread = Math.max(LEAST_NOISE, 1.4826 * median(residuals));
    const members = rest.filter((_, i) => (residuals[i] ?? 0) <= OUTLIER * spread);
    if (surfaces.length > 0 && !isBackground(members, border.length)) break;
    if (surfaces.length === 0) noise = Math.max(LEAST_NOISE, 1.4826 * median(members.map((s) => residual(surface, s))));
    surfaces.push(surface);
    rest = rest.filter((_, i) => (residuals[i] ?? 0) > OUTLIER * spread);
  }
  return { distance: distances(lab, surfaces), noise };
}

function isBackground(samples: readonly Sample[], all: number): boolean {
  const share = samples.length / all;
  const least = (LEAST_SHARE / 6) * samples.length;
  const sides = [0, 1, 2, 3].filter((side) => samples.filter((s) => s.side === side).length > least).length;
  return share >= ONE_SIDE_SHARE || (share >= LEAST_SHARE && sides > 1);
}

function samplesOf({ width, height, l, a, b }: Lab): Sample[] {
  const frame = Math.max(1, Math.round(0.012 * Math.min(width, height)));
  const samples: Sample[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const edges = [x, width - 1 - x, y, height - 1 - y];
      const nearest = Math.min(...edges);
      if (nearest >= frame) {
        // Over to the other side of the frame.
        x = Math.max(x, width - 1 - frame);
        continue;
      }
      const i = y * width + x;
      const colour = [l[i] ?? 0, a[i] ?? 0, b[i] ?? 0] as const;
      samples.push({ terms: termsAt(x, y, width, height), colour, side: edges.indexOf(nearest) });
    }
  }
  return samples;
}

function termsAt(px: number, py: number, width: number, height: number): Float64Array {
  const x = (2 * px) / Math.max(1, width - 1) - 1;
  const y = (2 * py) / Math.max(1, height - 1) - 1;
  return Float64Array.of(1, x, y, x * x, x * y, y * y);
}

/** Least squares, again and again, each time believing less in what was far off: a subject that meets the border loses its say. */
function fitted(samples: readonly Sample[]): Surface {
  let surface = flat(samples);
  for (let round = 0; round < ROUNDS; round++) {
    const residuals = samples.map((sample) => residual(surface, sample));
    const scale = Math.max(LEAST_NOISE, 1.4826 * median(residuals)) * 1.5;
    const weights = residuals.map((r) => 1 / (1 + (r / scale) ** 2));
    surface = leastSquares(samples, weights);
  }
  return surface;
}

function flat(samples: readonly Sample[]): Surface {
  const middle = (channel: 0 | 1 | 2) => {
    const coefficients = new Float64Array(TERMS);
    coefficients[0] = median(samples.map(({ colour }) => colour[channel]));
    return coefficients;
  };
  return [middle(0), middle(1), middle(2)];
}

function leastSquares(samples: readonly Sample[], weights: readonly number[]): Surface {
  const matrix = new Float64Array(TERMS * TERMS);
  const sides = [new Float64Array(TERMS), new Float64Array(TERMS), new Float64Array(TERMS)] as const;
  samples.forEach(({ terms, colour }, n) => {
    const weight = weights[n] ?? 0;
    for (let i = 0; i < TERMS; i++) {
      const weighted = weight * (terms[i] ?? 0);
      for (let j = 0; j < TERMS; j++) add(matrix, i * TERMS + j, weighted * (terms[j] ?? 0));
      for (const channel of [0, 1, 2] as const) add(sides[channel], i, weighted * colour[channel]);
    }
  });
  // A frame says little about curvature along itself; a trace of doubt keeps the equations solvable.
  for (let i = 0; i < TERMS; i++) add(matrix, i * TERMS + i, 1e-3 * samples.length * (i < 3 ? 1e-3 : 1));
  return [solve(matrix, sides[0]), solve(matrix, sides[1]), solve(matrix, sides[2])];
}

function add(values: Float64Array, index: number, value: number): void {
  values[index] = (values[index] ?? 0) + value;
}

function residual(surface: Surface, { terms, colour }: Sample): number {
  let sum = 0;
  for (const channel of [0, 1, 2] as const) sum += (valueAt(surface[channel], terms) - colour[channel]) ** 2;
  return Math.sqrt(sum);
}

function valueAt(coefficients: Float64Array, terms: Float64Array): number {
  let value = 0;
  for (let i = 0; i < TERMS; i++) value += (coefficients[i] ?? 0) * (terms[i] ?? 0);
  return value;
}

function distances({ width, height, l, a, b }: Lab, surfaces: readonly Surface[]): Float32Array {
  const distance = new Float32Array(width * height).fill(Number.POSITIVE_INFINITY);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const terms = termsAt(x, y, width, height);
      for (const [first, second, third] of surfaces) {
        const dl = (l[i] ?? 0) - valueAt(first, terms);
        const da = (a[i] ?? 0) - valueAt(second, terms);
        const db = (b[i] ?? 0) - valueAt(third, terms);
        distance[i] = Math.min(distance[i] ?? 0, Math.sqrt(dl * dl + da * da + db * db));
      }
    }
  }
  return distance;
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[sorted.length >> 1] ?? 0;
}
