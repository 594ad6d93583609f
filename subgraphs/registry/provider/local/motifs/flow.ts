import { curve, type Point } from '../canvas.js';
import { lighter, mix } from '../color.js';
import type { Scene } from '../scene.js';

/** Ribbons that turn in the light: each is many thin bands between two curves. */
export function flow(scene: Scene): void {
  const { canvas, palette, random } = scene;
  const { width, height, unit } = canvas;
  const base = palette.dark ? palette.skyTop : mix(palette.skyLow, palette.light, 0.3);
  canvas.fill(
    canvas.linear(
      [
        { at: 0, color: mix(base, palette.skyTop, 0.45) },
        { at: 1, color: base },
      ],
      [0, 0],
      [1, 1],
    ),
  );
  canvas.glow([width * random.between(0.2, 0.8), height * random.between(0.2, 0.5)], unit * 650, palette.light, 0.4);
  const ribbons = random.int(4, 6);
  for (let ribbon = 0; ribbon < ribbons; ribbon++) {
    const share = ribbon / (ribbons - 1);
    const level = height * (0.18 + share * 0.66);
    const upper = wavy(scene, level, unit * 190);
    const lower = wavy(scene, level + unit * random.between(90, 230), unit * 190);
    const from = mix(palette.accent, palette.second, share);
    const to = mix(palette.second, palette.near, share * 0.7);
    const bands = 10;
    for (let band = 0; band < bands; band++) {
      const t = band / (bands - 1);
      const top = between(upper, lower, t);
      const bottom = between(upper, lower, t + 1.25 / bands);
      // A fold is light on one side and dark on the other.
      const fold = Math.sin(t * Math.PI * 2.2 + ribbon) * 0.11;
      const color = lighter(mix(from, to, t), fold);
      const paint = canvas.linear(
        [
          { at: 0, color: lighter(color, 0.05) },
          { at: 0.5, color },
          { at: 1, color: lighter(color, -0.07) },
        ],
        [0, 0],
        [1, 0],
      );
      canvas.path(`${curve(top)}L${curve([...bottom].reverse()).slice(1)}Z`, paint, 0.9);
    }
    canvas.line(curve(upper), palette.light, unit * 1.8, 0.55);
  }
}

function wavy({ canvas, random }: Scene, level: number, swing: number): Point[] {
  const { width } = canvas;
  return Array.from({ length: 7 }, (_, i): Point => [(i / 5 - 0.1) * width, level + random.around() * swing]);
}

function between(a: readonly Point[], b: readonly Point[], share: number): Point[] {
  return a.map(([x, y], i): Point => {
    const [bx, by] = b[i] ?? [x, y];
    return [x + (bx - x) * share, y + (by - y) * share];
  });
}
