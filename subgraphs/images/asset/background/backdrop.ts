/**
 * What the background of a picture looks like: one or more smooth surfaces of colour over the whole of it, so that plain
 * walls, gradients, vignettes and a floor under a wall are all covered. They are learnt from the border first, and then
 * again from all that was found to be background.
 */
import type { Lab } from './lab.js';
import {
  alongRow,
  at,
  median,
  residualOf,
  type Sample,
  type Surface,
  surfaceOf,
  type Terms,
  termsAt,
} from './surface.js';

export interface Backdrop {
  surfaces: readonly Surface[];
  /** How far the background itself strays from them. */
  noise: number;
}

const MAX_SURFACES = 3;
const LEAST_NOISE = 0.5;
const MOST_NOISE = 6;
/** Less of the border than this is somebody's elbow. */
const LEAST_SHARE = 0.1;
/** What meets the border on one side only is the subject, unless it is as much as this. */
const ONE_SIDE_SHARE = 0.3;
/** A surface that so much of the border lies on may bend. */
const BENDING_SHARE = 0.6;
/** So many times the noise away, a sample is not of the surface. */
const OUTLIER = 4;
/** Samples so close to each other are of one colour. */
const ALIKE = 5;
const ROUNDS = 10;
const SAMPLES = 3000;

interface BorderSample extends Sample {
  side: number;
}

export function backdropOf(lab: Lab): Backdrop {
  const border = borderOf(lab);
  const surfaces: Surface[] = [];
  let noise = LEAST_NOISE;
  let rest = border;
  while (surfaces.length < MAX_SURFACES && rest.length >= LEAST_SHARE * border.length) {
    const found = grown(rest, border.length);
    const left = rest.filter((sample) => residualOf(found.surface, sample) > OUTLIER * found.noise);
    if (left.length === rest.length) break;
    rest = left;
    if (surfaces.length > 0 && !isBackground(found.members, border.length)) continue;
    noise = Math.max(noise, found.noise);
    surfaces.push(found.surface);
  }
  return { surfaces, noise };
}

/** Learnt anew from the pixels that are not the subject's. */
export function learntFrom(lab: Lab, { surfaces }: Backdrop, subject: Uint8Array): Backdrop {
  const found = subject.reduce((count, value) => count + (value === 0 ? 1 : 0), 0);
  const every = Math.max(1, Math.floor(found / SAMPLES));
  const groups = surfaces.map((): Sample[] => []);
  let seen = 0;
  for (let i = 0; i < subject.length; i++) {
    if (subject[i] === 1 || seen++ % every !== 0) continue;
    const sample = sampleAt(lab, i % lab.width, Math.floor(i / lab.width));
    groups[nearest(surfaces, sample)]?.push(sample);
  }
  let noise = LEAST_NOISE;
  const learnt = surfaces.map((surface, n) => {
    const samples = groups[n] ?? [];
    if (samples.length < SAMPLES / 20) return surface;
    const better = robust(samples, surface, 15);
    noise = Math.max(noise, strayOf(samples.map((sample) => residualOf(better, sample))));
    return better;
  });
  return { surfaces: learnt, noise };
}

/** How far each pixel is from the nearest surface. */
export function distancesFrom({ width, height, l, a, b }: Lab, { surfaces }: Backdrop): Float32Array {
  const distance = new Float32Array(width * height).fill(Number.POSITIVE_INFINITY);
  for (const surface of surfaces) {
    for (let row = 0; row < height; row++) {
      const [first, second, third] = [0, 1, 2].map((channel) => alongRow(surface[channel as 0 | 1 | 2], row, height));
      if (!first || !second || !third) continue;
      for (let column = 0; column < width; column++) {
        const i = row * width + column;
        const x = (2 * column) / Math.max(1, width - 1) - 1;
        const dl = at(first, x) - (l[i] ?? 0);
        const da = at(second, x) - (a[i] ?? 0);
        const db = at(third, x) - (b[i] ?? 0);
        distance[i] = Math.min(distance[i] ?? 0, Math.sqrt(dl * dl + da * da + db * db));
      }
    }
  }
  return distance;
}

function borderOf(lab: Lab): BorderSample[] {
  const { width, height } = lab;
  const frame = Math.max(1, Math.round(0.012 * Math.min(width, height)));
  const samples: BorderSample[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const edges = [x, width - 1 - x, y, height - 1 - y];
      const least = Math.min(...edges);
      // Over to the other side of the frame.
      if (least >= frame) x = width - 1 - frame;
      else samples.push({ ...sampleAt(lab, x, y), side: edges.indexOf(least) });
    }
  }
  return samples;
}

function sampleAt({ width, height, l, a, b }: Lab, x: number, y: number): Sample {
  const i = y * width + x;
  return { terms: termsAt(x, y, width, height), colour: [l[i] ?? 0, a[i] ?? 0, b[i] ?? 0] };
}

/** From the colour that most of the samples have, to all that a surface through them reaches. */
function grown(samples: readonly BorderSample[], all: number) {
  const [l, a, b] = commonest(samples);
  let members = samples.filter(({ colour }) => Math.hypot(colour[0] - l, colour[1] - a, colour[2] - b) < ALIKE);
  let surface = surfaceOf(members, new Float64Array(members.length).fill(1), 3);
  let noise = LEAST_NOISE;
  for (let round = 0; round < ROUNDS; round++) {
    const terms: Terms = members.length > BENDING_SHARE * all ? 6 : 3;
    surface = surfaceOf(members, new Float64Array(members.length).fill(1), terms);
    noise = strayOf(members.map((sample) => residualOf(surface, sample)));
    const reached = samples.filter((sample) => residualOf(surface, sample) <= OUTLIER * noise);
    if (reached.length === members.length) break;
    members = reached;
  }
  return { surface, members, noise };
}

function commonest(samples: readonly Sample[]): Sample['colour'] {
  const every = Math.max(1, Math.floor(samples.length / 300));
  const some = samples.filter((_, i) => i % every === 0);
  let most = -1;
  let best: Sample['colour'] = [0, 0, 0];
  for (const { colour } of some) {
    const [l, a, b] = colour;
    const near = some.filter(
      (other) => Math.hypot(other.colour[0] - l, other.colour[1] - a, other.colour[2] - b) < ALIKE,
    );
    if (near.length <= most) continue;
    most = near.length;
    best = colour;
  }
  return best;
}

function isBackground(members: readonly BorderSample[], all: number): boolean {
  const share = members.length / all;
  const sides = [0, 1, 2, 3].filter((side) => members.filter((s) => s.side === side).length > 0.02 * all).length;
  return share >= ONE_SIDE_SHARE || (share >= LEAST_SHARE && sides > 1);
}

function nearest(surfaces: readonly Surface[], sample: Sample): number {
  const distances = surfaces.map((surface) => residualOf(surface, sample));
  return distances.indexOf(Math.min(...distances));
}

/** Believes less in what is far off, so that what was taken for background by mistake has little say. */
function robust(samples: readonly Sample[], from: Surface, terms: Terms): Surface {
  let surface = from;
  for (let round = 0; round < 4; round++) {
    const residuals = samples.map((sample) => residualOf(surface, sample));
    const scale = 2 * strayOf(residuals);
    surface = surfaceOf(
      samples,
      Float64Array.from(residuals, (value) => 1 / (1 + (value / scale) ** 2)),
      terms,
    );
  }
  return surface;
}

function strayOf(residuals: readonly number[]): number {
  return Math.min(MOST_NOISE, Math.max(LEAST_NOISE, 1.4826 * median(residuals)));
}
