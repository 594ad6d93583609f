/** Alpha for every pixel of the picture itself, from a subject that was found in its small likeness. */
import type { Picture } from './cut.js';
import type { Lab } from './lab.js';

/** In small pixels: how far on either side of the edge pixels may be of both. */
const BAND = 2;
/** And how far off the colours are looked for that mix there. */
const REACH = 6;
/** Colours nearer to each other than this, of 255, say nothing about a mixture. */
const LEAST_CONTRAST = 12;

interface Colours {
  /** Sums of red, green and blue around each small pixel, and of how many pixels they are. */
  sums: readonly [Float32Array, Float32Array, Float32Array, Float32Array];
}

export function matte({ data, width, height }: Picture, subject: Uint8Array, lab: Lab): Uint8Array {
  const inner = shrunk(subject, lab, BAND, 1);
  const outer = shrunk(subject, lab, BAND, 0);
  const small = smallColours({ data, width, height }, lab);
  const front = coloursAround(small, inner, lab);
  const back = coloursAround(small, outer, lab);
  const smooth = blurred(Float32Array.from(subject), lab, 1);
  const cut = new Uint8Array(data);
  for (let y = 0; y < height; y++) {
    const row = Math.min(lab.height - 1, Math.floor(y / lab.step)) * lab.width;
    for (let x = 0; x < width; x++) {
      const i = row + Math.floor(x / lab.step);
      const at = 4 * (y * width + x);
      if (inner[i] === 1) continue;
      if (outer[i] === 1) cut[at + 3] = 0;
      else mix(cut, at, i, front, back, smooth[i] ?? 0);
    }
  }
  return cut;
}

/** How much of the subject a pixel is, by where its colour lies between those on either side. */
function mix(cut: Uint8Array, at: number, i: number, front: Colours, back: Colours, otherwise: number): void {
  const own = cut[at + 3] ?? 255;
  let along = 0;
  let length = 0;
  for (const channel of [0, 1, 2] as const) {
    const span = meanOf(front, i, channel) - meanOf(back, i, channel);
    along += ((cut[at + channel] ?? 0) - meanOf(back, i, channel)) * span;
    length += span * span;
  }
  const told = length > LEAST_CONTRAST ** 2 && isKnown(front, i) && isKnown(back, i);
  const alpha = Math.min(1, Math.max(0, told ? along / length : otherwise));
  cut[at + 3] = Math.round(own * alpha);
  if (!told || alpha < 0.05) return;
  for (const channel of [0, 1, 2] as const) {
    const clean = ((cut[at + channel] ?? 0) - (1 - alpha) * meanOf(back, i, channel)) / alpha;
    cut[at + channel] = Math.min(255, Math.max(0, Math.round(clean)));
  }
}

function isKnown({ sums }: Colours, i: number): boolean {
  return (sums[3][i] ?? 0) > 1e-6;
}

function meanOf({ sums }: Colours, i: number, channel: 0 | 1 | 2): number {
  return (sums[channel][i] ?? 0) / Math.max(1e-6, sums[3][i] ?? 0);
}

/** What of the subject (1), or of the rest (0), is farther than so much from the other. */
function shrunk(subject: Uint8Array, lab: Lab, by: number, what: 0 | 1): Uint8Array {
  const other = blurred(
    Float32Array.from(subject, (value) => (value === what ? 0 : 1)),
    lab,
    by,
  );
  return Uint8Array.from(other, (value) => (value < 1e-6 ? 1 : 0));
}

function smallColours({ data, width, height }: Picture, lab: Lab): [Float32Array, Float32Array, Float32Array] {
  const size = lab.width * lab.height;
  const colours: [Float32Array, Float32Array, Float32Array] = [
    new Float32Array(size),
    new Float32Array(size),
    new Float32Array(size),
  ];
  const middle = lab.step >> 1;
  for (let i = 0; i < size; i++) {
    const x = Math.min(width - 1, (i % lab.width) * lab.step + middle);
    const y = Math.min(height - 1, Math.floor(i / lab.width) * lab.step + middle);
    for (const channel of [0, 1, 2] as const) colours[channel][i] = data[4 * (y * width + x) + channel] ?? 0;
  }
  return colours;
}

function coloursAround(
  small: readonly [Float32Array, Float32Array, Float32Array],
  mask: Uint8Array,
  lab: Lab,
): Colours {
  const masked = (channel: Float32Array) =>
    blurred(
      channel.map((value, i) => value * (mask[i] ?? 0)),
      lab,
      REACH,
    );
  return { sums: [masked(small[0]), masked(small[1]), masked(small[2]), blurred(Float32Array.from(mask), lab, REACH)] };
}

/** The mean of the square around each pixel. */
function blurred(values: Float32Array, { width, height }: Lab, radius: number): Float32Array {
  const rows = runs(values, width, height, 1, width, radius);
  return runs(rows, height, width, width, 1, radius);
}

/** Running means along lines of so many values, `step` apart, which begin `stride` apart. */
function runs(values: Float32Array, length: number, lines: number, step: number, stride: number, radius: number) {
  const means = new Float32Array(values.length);
  for (let line = 0; line < lines; line++) {
    const start = line * stride;
    let sum = 0;
    for (let k = 0; k < Math.min(radius, length); k++) sum += values[start + k * step] ?? 0;
    for (let k = 0; k < length; k++) {
      const entering = k + radius;
      const leaving = k - radius - 1;
      if (entering < length) sum += values[start + entering * step] ?? 0;
      if (leaving >= 0) sum -= values[start + leaving * step] ?? 0;
      means[start + k * step] = sum / (2 * radius + 1);
    }
  }
  return means;
}
