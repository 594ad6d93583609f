import type { Point } from '../canvas.js';
import { type Color, lighter, mix } from '../color.js';
import { depths } from '../palette.js';
import { paintSky, type Scene } from '../scene.js';
import { paintReflection } from './water.js';

export function city(scene: Scene): void {
  const { canvas, palette, random, extras } = scene;
  const { width, height, unit } = canvas;
  const lake = extras.has('reflection') || random.chance(0.3);
  const floor = lake ? height * 0.74 : height;
  const light = paintSky(scene, 0.78);
  const rows = 4;
  for (const [i, color] of depths(palette, rows).entries()) {
    const share = i / (rows - 1);
    const tallest = height * (0.68 - share * 0.27) - (height - floor) * 0.5;
    let x = -unit * 30;
    while (x < width) {
      const breadth = unit * random.between(46, 120) * (0.75 + share * 0.5);
      const middle = 1 - Math.abs((x + breadth / 2) / width - 0.5) * 0.9;
      const rise = tallest * middle * random.between(0.42, 1);
      tower(scene, [x, floor], breadth, rise, color, share);
      x += breadth * random.between(0.9, 1.18);
    }
    if (share < 0.9)
      canvas.glow([light[0], floor - unit * 90], unit * 420, palette.dark ? palette.second : palette.skyLow, 0.24);
  }
  if (lake) paintReflection(scene, floor, light);
}

function tower(scene: Scene, [x, floor]: Point, breadth: number, rise: number, color: Color, share: number): void {
  const { canvas, palette } = scene;
  const top = floor - rise;
  const haze = mix(color, palette.skyLow, 0.5 * (1 - share));
  canvas.rect(
    [x, top],
    breadth,
    rise,
    canvas.linear([
      { at: 0, color },
      { at: 1, color: haze },
    ]),
  );
  // One side lies in shade: a block, not a card.
  canvas.rect([x + breadth * 0.68, top], breadth * 0.32, rise, lighter(color, -0.05), { opacity: 0.5 });
  roof(scene, [x, top], breadth, color);
  if (share > 0.3) windows(scene, [x, top], breadth, rise, share);
}

function roof({ canvas, random }: Scene, [x, top]: Point, breadth: number, color: Color): void {
  const kind = random.int(0, 4);
  if (kind === 0) canvas.rect([x + breadth * 0.3, top - breadth * 0.24], breadth * 0.4, breadth * 0.26, color);
  if (kind === 1) {
    canvas.rect([x + breadth * 0.2, top - breadth * 0.16], breadth * 0.6, breadth * 0.18, color);
    canvas.rect([x + breadth * 0.485, top - breadth * 0.85], breadth * 0.03, breadth * 0.72, color);
  }
  if (kind === 2)
    canvas.path(`M${x} ${top + 1}L${x + breadth / 2} ${top - breadth * 0.38}L${x + breadth} ${top + 1}Z`, color);
}

function windows(
  { canvas, palette, random }: Scene,
  [x, top]: Point,
  breadth: number,
  rise: number,
  share: number,
): void {
  const size = canvas.unit * (4.2 + share * 3.4);
  const columns = Math.max(1, Math.floor(breadth / (size * 2.3)));
  const rows = Math.min(24, Math.floor(rise / (size * 2.7)));
  const gap = breadth / columns;
  const lit = palette.dark ? 0.5 : 0.24;
  const warm = mix(palette.light, palette.accent, 0.45);
  // Windows of one kind are one shape: a city has thousands of them.
  const paths = new Map<Color, string>();
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (!random.chance(lit)) continue;
      const color = random.chance(0.14) ? palette.second : warm;
      const left = (x + column * gap + (gap - size) / 2).toFixed(1);
      const upper = (top + size * 1.6 + row * size * 2.7).toFixed(1);
      paths.set(
        color,
        `${paths.get(color) ?? ''}M${left} ${upper}h${size.toFixed(1)}v${(size * 1.35).toFixed(1)}h${(-size).toFixed(1)}Z`,
      );
    }
  }
  for (const [color, d] of paths) canvas.path(d, color, palette.dark ? 0.9 : 0.6);
}
