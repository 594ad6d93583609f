import { below, type Canvas, curve, type Point, polygon } from '../canvas.js';
import { type Color, lighter, mix } from '../color.js';
import { depths } from '../palette.js';
import type { Random } from '../random.js';
import { paintSky, type Scene } from '../scene.js';
import { paintReflection } from './water.js';

export function mountains(scene: Scene): void {
  const { canvas, palette, random, extras } = scene;
  const { height, unit } = canvas;
  const lake = extras.has('reflection');
  const horizon = lake ? 0.62 : random.between(0.6, 0.72);
  const light = paintSky(scene, horizon);
  const ranges = random.int(4, 5);
  const floor = lake ? height * horizon : height;
  for (const [i, color] of depths(palette, ranges).entries()) {
    const share = i / (ranges - 1);
    const base = lake ? floor + unit * 4 : height * (horizon + 0.02 + share * 0.34);
    const rise = height * (lake ? 0.46 * (1 - share * 0.78) : 0.42 - share * 0.24);
    const range = chain(canvas, random, base, rise, share);
    const foot = mix(color, palette.skyLow, palette.dark ? 0.14 : 0.45 * (1 - share * 0.7));
    const paint = canvas.linear([
      { at: 0, color: lighter(color, 0.03) },
      { at: 1, color: foot },
    ]);
    canvas.path(below(polygon(range.line, false), canvas), paint);
    if (share < 0.85) for (const peak of range.peaks) relief(scene, range.line, peak, light, color, share);
    if (!lake && share < 0.95) paintMist(scene, base - rise * 0.1, 1 - share);
  }
  if (lake) paintReflection(scene, floor, light);
}

interface Range {
  line: Point[];
  /** Where in the line the summits are. */
  peaks: number[];
}

const BETWEEN = 12;

/** Summits and saddles by turns, with broken rock between them. */
function chain({ width, unit }: Canvas, random: Random, base: number, rise: number, share: number): Range {
  const summits = Math.max(3, Math.round((width / (unit * 1000)) * random.between(3.2, 4.6)));
  const step = width / summits;
  const corners: Point[] = [[-step * 0.6, base - rise * random.between(0.2, 0.5)]];
  for (let i = 0; i < summits; i++) {
    const middle = (i + 0.5) * step;
    const tall = rise * random.between(0.62, 1) * (1 - share * 0.15);
    corners.push([middle + random.around() * step * 0.3, base - tall]);
    corners.push([middle + step * 0.5 + random.around() * step * 0.12, base - tall * random.between(0.28, 0.55)]);
  }
  corners.push([width + step * 0.6, base - rise * random.between(0.3, 0.7)]);
  const line: Point[] = [];
  const peaks: number[] = [];
  for (let i = 0; i + 1 < corners.length; i++) {
    const [from, to] = [corners[i] ?? [0, base], corners[i + 1] ?? [width, base]];
    if (i % 2 === 1) peaks.push(line.length);
    for (let k = 0; k < BETWEEN; k++) {
      const t = k / BETWEEN;
      const rough = k === 0 ? 0 : random.around() * unit * 13 * (1 - share * 0.4);
      line.push([from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t + rough]);
    }
  }
  line.push(corners.at(-1) ?? [width, base]);
  return { line, peaks };
}

/** The slope that faces away from the light, and the snow that lies on top. */
function relief(scene: Scene, line: readonly Point[], peak: number, light: Point, color: Color, share: number): void {
  const { canvas, palette, random } = scene;
  const [x, y] = line[peak] ?? [0, 0];
  const away = light[0] < x ? 1 : -1;
  const slope = Array.from({ length: BETWEEN + 1 }, (_, k): Point => line[peak + away * k] ?? [x, y]);
  const [, lowest] = slope.at(-1) ?? [x, y];
  const fall = lowest - y;
  const spine = [0.28, 0.52, 0.78, 1].map((t, i): Point => {
    const bend = canvas.unit * (i % 2 === 0 ? 24 : -13) * random.between(0.7, 1.3);
    return [x + bend - away * canvas.unit * 16 * t, y + fall * t * 1.12];
  });
  canvas.path(
    polygon([...slope, ...spine.reverse()]),
    lighter(color, palette.dark ? -0.05 : -0.055),
    0.6 * (1 - share * 0.5),
  );
  if (share > 0.6) return;
  const depth = 0.4 - share * 0.15;
  const reach = Math.round(BETWEEN * depth);
  const [left, right] = [line.slice(Math.max(0, peak - reach), peak), line.slice(peak, peak + reach + 1)];
  const [first, last] = [left[0] ?? [x, y], right.at(-1) ?? [x, y]];
  const hem = Array.from({ length: 6 }, (_, i): Point => {
    const t = (i + 1) / 7;
    const level = last[1] + (first[1] - last[1]) * t;
    return [last[0] + (first[0] - last[0]) * t, level + (i % 2 === 0 ? -1 : 0.55) * fall * random.between(0.07, 0.15)];
  });
  const snow = mix(palette.light, palette.skyLow, 0.2);
  canvas.path(polygon([...left, ...right, ...hem]), snow, palette.dark ? 0.5 : 0.85);
  const shaded =
    away > 0
      ? [...right, ...hem.slice(0, 3), [x, y + fall * 0.2] as Point]
      : [...left, [x, y] as Point, [x, y + fall * 0.2] as Point, ...hem.slice(3)];
  canvas.path(polygon(shaded), mix(color, palette.skyTop, 0.4), 0.38);
}

function paintMist({ canvas, palette, random }: Scene, y: number, strength: number): void {
  const { width, height } = canvas;
  const top = Array.from({ length: 7 }, (_, i): Point => [(i / 6) * width, y + random.around() * height * 0.02]);
  const mist = palette.dark ? palette.far : palette.skyLow;
  const paint = canvas.linear([
    { at: 0, color: mist, opacity: 0 },
    { at: 0.5, color: mist, opacity: 0.45 * strength },
    { at: 1, color: mist, opacity: 0 },
  ]);
  canvas.path(`${curve(top)}L${width} ${y + height * 0.16}L0 ${y + height * 0.16}Z`, paint);
}
