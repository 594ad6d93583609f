import { curve, type Point } from '../canvas.js';
import { lighter, mix } from '../color.js';
import type { Scene } from '../scene.js';

/** A landscape seen from above: terraces cut out of coloured paper. */
export function contours(scene: Scene): void {
  const { canvas, palette, random } = scene;
  const { width, height, unit } = canvas;
  const low = palette.dark ? palette.skyTop : palette.near;
  const high = palette.dark ? palette.accent : mix(palette.light, palette.accent, 0.3);
  canvas.fill(low);
  const peaks = Array.from(
    { length: random.int(2, 3) },
    (): Point => [width * random.between(0.15, 0.85), height * random.between(0.15, 0.85)],
  );
  const shapes = peaks.map(() => Array.from({ length: 9 }, () => random.between(0.72, 1.28)));
  const levels = 11;
  for (let level = 0; level < levels; level++) {
    const share = level / (levels - 1);
    const color = share < 0.5 ? mix(low, palette.second, share * 2) : mix(palette.second, high, share * 2 - 1);
    const reach = Math.max(width, height) * 0.62 * (1 - share) ** 0.85 + unit * 22;
    for (const [i, peak] of peaks.entries()) {
      const shape = shapes[i] ?? [];
      const outline = shape.map((factor, k): Point => {
        const angle = (k / shape.length) * Math.PI * 2;
        const bent = reach * (1 + (factor - 1) * (0.4 + share * 0.6)) * (i === 0 ? 1 : 0.72);
        return [peak[0] + Math.cos(angle) * bent, peak[1] + Math.sin(angle) * bent];
      });
      const d = curve(outline, true);
      canvas.path(shifted(outline, unit * 7), lighter(low, -0.12), 0.3);
      canvas.path(d, color);
      canvas.line(d, lighter(color, 0.09), unit * 1.6, 0.75);
    }
  }
}

/** The shadow of a layer of paper. */
function shifted(outline: readonly Point[], by: number): string {
  return curve(
    outline.map(([x, y]): Point => [x + by, y + by * 1.4]),
    true,
  );
}
