import type { Point } from '../canvas.js';
import { lighter, mix } from '../color.js';
import type { Scene } from '../scene.js';

/** Still water below a line, with the light lying on it. */
export function paintReflection({ canvas, palette, random }: Scene, top: number, light: Point): void {
  const { width, height, unit } = canvas;
  canvas.rect(
    [0, top],
    width,
    height - top,
    canvas.linear([
      { at: 0, color: mix(palette.skyLow, palette.near, 0.25) },
      { at: 0.35, color: mix(palette.skyTop, palette.near, 0.3) },
      { at: 1, color: mix(palette.skyTop, palette.near, 0.75) },
    ]),
  );
  canvas.rect([0, top - unit * 2], width, unit * 5, mix(palette.skyLow, palette.light, 0.6), {
    opacity: 0.5,
    radius: unit * 2,
  });
  for (let i = 0; i < 46; i++) {
    const depth = random.next() ** 1.4;
    const y = top + (height - top) * (0.02 + depth * 0.95);
    const length = unit * (26 + depth * 190) * random.between(0.4, 1);
    const x = random.next() * width;
    canvas.rect([x - length / 2, y], length, unit * (1.2 + depth * 3.4), lighter(palette.skyLow, 0.02), {
      opacity: random.between(0.1, 0.34),
      radius: unit * 3,
    });
  }
  paintGlitter({ canvas, palette, random }, top, light[0]);
}

type Brush = Pick<Scene, 'canvas' | 'palette' | 'random'>;

/** The path of light on water: narrow far away, wide and broken near by. */
export function paintGlitter({ canvas, palette, random }: Brush, top: number, x: number): void {
  const { height, unit } = canvas;
  for (let i = 0; i < 30; i++) {
    const depth = i / 30;
    const y = top + (height - top) * (0.015 + depth * 0.9);
    const length = unit * (30 + depth * 150) * random.between(0.45, 1.1);
    canvas.rect(
      [x - length / 2 + random.around() * unit * 22 * (1 + depth), y],
      length,
      unit * (2 + depth * 5.5),
      palette.light,
      {
        opacity: 0.62 * (1 - depth * 0.75),
        radius: unit * 4,
      },
    );
  }
}
