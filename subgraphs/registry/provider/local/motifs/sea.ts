import { below, curve, type Point, polygon } from '../canvas.js';
import { lighter, mix } from '../color.js';
import { paintSky, type Scene } from '../scene.js';
import { paintGlitter } from './water.js';

export function sea(scene: Scene): void {
  const { canvas, palette, random } = scene;
  const { width, height } = canvas;
  const horizon = random.between(0.42, 0.55);
  const [x] = paintSky(scene, horizon);
  const top = height * horizon;
  canvas.rect(
    [0, top],
    width,
    height - top,
    canvas.linear([
      { at: 0, color: mix(palette.far, palette.skyLow, 0.35) },
      { at: 1, color: palette.near },
    ]),
  );
  if (random.chance(0.6)) island(scene, top);
  paintGlitter(scene, top, x);
  const rows = random.int(6, 8);
  for (let i = 0; i < rows; i++) wave(scene, top, (i + 0.6) / rows);
  if (random.chance(0.75)) sail(scene, top, x);
}

/** Each row of waves is nearer, larger and darker than the one behind it. */
function wave(scene: Scene, top: number, depth: number): void {
  const { canvas, palette, random } = scene;
  const { width, height, unit } = canvas;
  const y = top + (height - top) * depth ** 1.35;
  const swell = unit * (5 + depth * 42);
  const crests = Math.round(3 + (1 - depth) * 9);
  const shift = random.next();
  const points = Array.from({ length: crests * 2 + 3 }, (_, i): Point => {
    const up = i % 2 === 0 ? 1 : -1;
    return [((i - 1 + shift) / (crests * 2)) * width, y + up * swell * random.between(0.25, 0.6)];
  });
  const line = curve([[-width * 0.05, y], ...points, [width * 1.05, y]]);
  const color = mix(mix(palette.far, palette.second, 0.25), palette.near, 0.15 + depth * 0.85);
  const paint = canvas.linear([
    { at: 0, color: lighter(color, 0.07) },
    { at: 1, color: lighter(color, -0.05) },
  ]);
  canvas.path(below(line, canvas), paint, 0.82);
  canvas.line(line, mix(palette.light, color, 0.3), unit * (1 + depth * 3.2), 0.5);
}

function island(scene: Scene, top: number): void {
  const { canvas, palette, random } = scene;
  const { width, unit } = canvas;
  const x = width * random.pick([0.12, 0.85, 0.3]);
  const span = unit * random.between(190, 330);
  const rise = unit * random.between(60, 130);
  const line: Point[] = [
    [x - span, top],
    [x - span * 0.55, top - rise * 0.45],
    [x - span * 0.1, top - rise],
    [x + span * 0.3, top - rise * 0.5],
    [x + span, top],
  ];
  canvas.path(`${curve(line)}Z`, mix(palette.far, palette.near, 0.3), 0.8);
}

function sail({ canvas, palette, random }: Scene, top: number, lightX: number): void {
  const { width, unit } = canvas;
  const x = lightX < width / 2 ? width * random.between(0.6, 0.8) : width * random.between(0.2, 0.4);
  const size = unit * random.between(55, 110);
  const y = top + size * 0.28;
  const hull: Point[] = [
    [x - size * 0.55, y],
    [x + size * 0.6, y],
    [x + size * 0.38, y + size * 0.2],
    [x - size * 0.38, y + size * 0.2],
  ];
  const main: Point[] = [
    [x, y - size * 1.5],
    [x + size * 0.55, y - size * 0.08],
    [x, y - size * 0.08],
  ];
  const jib: Point[] = [
    [x - size * 0.06, y - size * 1.3],
    [x - size * 0.06, y - size * 0.08],
    [x - size * 0.48, y - size * 0.08],
  ];
  canvas.path(polygon(main), palette.light, 0.96);
  canvas.path(polygon(jib), palette.accent, 0.96);
  canvas.path(polygon(hull), lighter(palette.near, -0.04));
}
