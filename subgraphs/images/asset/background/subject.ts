/** Which pixels are the subject's: those that cannot be reached from the border through background. */
import { type Backdrop, backdropOf, distancesFrom, learntFrom } from './backdrop.js';
import type { Lab } from './lab.js';

/** So many times the noise is still background. */
const REACH = 4;
const LEAST_REACH = 2.5;
/** At most this part of the way to what clearly stands out, where the background is restless. */
const HALFWAY = 0.45;
/** A hole must be so much of the picture, and on average as near to the background as its own noise, to be seen through. */
const LEAST_HOLE = 0.0015;
const HOLE_LIKENESS = 1.3;
/** How often the background is learnt again. */
const ROUNDS = 3;
/** Specks that are so small beside the largest piece, or at all, are dust. */
const DUST_SHARE = 0.01;
const DUST = 0.0003;

/** 1 for the subject. Null where there is none, or nothing else. */
export function subjectOf(lab: Lab): Uint8Array | null {
  let backdrop = backdropOf(lab);
  let subject = reachedFrom(lab, backdrop);
  for (let round = 0; round < ROUNDS; round++) {
    backdrop = learntFrom(lab, backdrop, subject);
    subject = reachedFrom(lab, backdrop);
  }
  dust(lab, subject);
  const share = subject.reduce((sum, value) => sum + value, 0) / subject.length;
  return share > DUST && share < 1 ? subject : null;
}

function reachedFrom(lab: Lab, backdrop: Backdrop): Uint8Array {
  const distance = distancesFrom(lab, backdrop);
  const reach = reachOf(distance, backdrop.noise);
  const subject = new Uint8Array(distance.length).fill(1);
  flood(lab, distance, reach, subject);
  openHoles(lab, distance, reach, HOLE_LIKENESS * backdrop.noise, subject);
  return subject;
}

function reachOf(distance: Float32Array, noise: number): number {
  const reach = Math.max(LEAST_REACH, REACH * noise);
  const clear = distance.filter((value) => value > 2 * reach).sort();
  const typical = clear[clear.length >> 1];
  return typical === undefined ? reach : Math.max(LEAST_REACH, Math.min(reach, HALFWAY * typical));
}

/** Takes away what is like the background and hangs together with the border. */
function flood({ width, height }: Lab, distance: Float32Array, reach: number, subject: Uint8Array): void {
  const stack: number[] = [];
  const visit = (i: number) => {
    if (subject[i] === 0 || (distance[i] ?? 0) > reach) return;
    subject[i] = 0;
    stack.push(i);
  };
  for (let x = 0; x < width; x++) {
    visit(x);
    visit((height - 1) * width + x);
  }
  for (let y = 0; y < height; y++) {
    visit(y * width);
    visit(y * width + width - 1);
  }
  for (let i = stack.pop(); i !== undefined; i = stack.pop()) neighbours(i, width, height, visit);
}

function openHoles(
  { width, height }: Lab,
  distance: Float32Array,
  reach: number,
  likeness: number,
  subject: Uint8Array,
): void {
  const alike = Uint8Array.from(distance, (value, i) => (subject[i] === 1 && value <= reach ? 1 : 0));
  for (const piece of pieces(alike, width, height)) {
    const mean = piece.reduce((sum, i) => sum + (distance[i] ?? 0), 0) / piece.length;
    if (piece.length < LEAST_HOLE * subject.length || mean > likeness) continue;
    for (const i of piece) subject[i] = 0;
  }
}

function dust({ width, height }: Lab, subject: Uint8Array): void {
  const found = pieces(subject, width, height);
  const largest = Math.max(0, ...found.map(({ length }) => length));
  const least = Math.max(DUST_SHARE * largest, DUST * subject.length);
  for (const piece of found) if (piece.length < least) for (const i of piece) subject[i] = 0;
}

/** The connected parts of what is 1. */
function pieces(mask: Uint8Array, width: number, height: number): number[][] {
  const left = mask.slice();
  const found: number[][] = [];
  for (let start = 0; start < left.length; start++) {
    if (left[start] !== 1) continue;
    const piece: number[] = [];
    const visit = (i: number) => {
      if (left[i] !== 1) return;
      left[i] = 0;
      piece.push(i);
    };
    visit(start);
    for (let next = 0; next < piece.length; next++) neighbours(piece[next] ?? 0, width, height, visit);
    found.push(piece);
  }
  return found;
}

function neighbours(i: number, width: number, height: number, visit: (i: number) => void): void {
  const x = i % width;
  if (x > 0) visit(i - 1);
  if (x < width - 1) visit(i + 1);
  if (i >= width) visit(i - width);
  if (i < width * (height - 1)) visit(i + width);
}
