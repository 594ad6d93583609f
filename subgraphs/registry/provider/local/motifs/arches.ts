import type { Point } from '../canvas.js';
import { type Color, lighter, mix } from '../color.js';
import { paintSky, type Scene } from '../scene.js';
import { paintReflection } from './water.js';

/** Doors within doors, and behind the last of them the light. */
export function arches(scene: Scene): void {
  const { canvas, palette, random } = scene;
  const { width, height, unit } = canvas;
  const light = paintSky(scene, 0.66);
  paintReflection(scene, height * 0.66, light);
  const frames = random.int(3, 5);
  const wall = palette.dark ? palette.far : mix(palette.far, palette.skyLow, 0.3);
  for (let i = 0; i < frames; i++) {
    const share = i / (frames - 1);
    const color = mix(mix(wall, palette.accent, 0.18), palette.near, share * 0.8);
    const opening = Math.min(width * 0.86, unit * (290 + share * 400));
    const x = width / 2 + random.around() * unit * 34 * (1 - share);
    const top = height * (0.34 - share * 0.25);
    frame(scene, [x, top], opening, color);
  }
  stairs(scene);
}

function frame({ canvas, palette }: Scene, [x, top]: Point, opening: number, color: Color): void {
  const { width, height, unit } = canvas;
  const half = opening / 2;
  const floor = height * 1.02;
  const hole = `M${x - half} ${floor}V${top + half}A${half} ${half} 0 0 1 ${x + half} ${top + half}V${floor}Z`;
  const paint = canvas.linear([
    { at: 0, color: lighter(color, 0.04) },
    { at: 1, color: lighter(color, -0.05) },
  ]);
  canvas.path(
    `M0 0H${width}V${height}H${x + half}V${top + half}A${half} ${half} 0 0 0 ${x - half} ${top + half}V${height}H0Z`,
    paint,
  );
  // The thickness of the wall, lit on one side.
  const inner = unit * 26;
  canvas.line(
    `M${x + half - inner * 0.4} ${floor}V${top + half}A${half - inner * 0.4} ${half - inner * 0.4} 0 0 0 ${x} ${top + inner * 0.4}`,
    mix(color, palette.light, 0.4),
    inner * 0.8,
    0.8,
  );
  canvas.line(hole, lighter(color, -0.1), unit * 4, 0.5);
}

function stairs({ canvas, palette }: Scene): void {
  const { width, height, unit } = canvas;
  const steps = 4;
  for (let i = 0; i < steps; i++) {
    const breadth = Math.min(width, unit * (430 + i * 190));
    const y = height - unit * (steps - i) * 32;
    const color = mix(palette.far, palette.near, 0.35 + i * 0.16);
    canvas.rect([width / 2 - breadth / 2, y], breadth, height - y, lighter(color, 0.05));
    canvas.rect([width / 2 - breadth / 2, y + unit * 8], breadth, height - y, color);
  }
}
