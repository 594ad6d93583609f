import { below, curve, type Point, polygon } from '../canvas.js';
import { type Color, lighter, mix } from '../color.js';
import { depths } from '../palette.js';
import { paintCabin, paintSky, ridge, type Scene, skyline } from '../scene.js';

export function forest(scene: Scene): void {
  const { canvas, palette, random, extras } = scene;
  const { height, unit } = canvas;
  const horizon = 0.66;
  const light = paintSky(scene, horizon);
  const rows = 5;
  const leafy = !extras.has('snow') && random.chance(0.35);
  for (const [i, color] of depths(palette, rows).entries()) {
    const share = i / (rows - 1);
    const base = height * (0.56 + share * 0.36);
    const ground = skyline(scene, ridge(random, 24, 0.45, 3), base + unit * 60, unit * 110);
    const trees = Math.round(26 - share * 15);
    for (let t = 0; t < trees; t++) {
      const at = ground[Math.floor(random.next() * ground.length)] ?? [0, base];
      const size = unit * (95 + share * 250) * random.between(0.65, 1.2);
      const x = at[0] + random.around() * unit * 50;
      // The clearing in the middle keeps the light in sight.
      const clearing = Math.abs(x - light[0]) < canvas.width * 0.12 * (1 + share) && share > 0.4;
      if (clearing) continue;
      if (leafy) roundTree(scene, [x, at[1] + unit * 8], size * 0.8, color);
      else pine(scene, [x, at[1] + unit * 12], size, color);
    }
    const paint = canvas.linear([
      { at: 0, color },
      { at: 0.4, color: mix(color, palette.near, 0.3) },
      { at: 1, color: mix(color, palette.near, 0.7) },
    ]);
    canvas.path(below(curve(ground), canvas), paint);
    if (share < 0.8) canvas.glow([light[0], base], unit * 330, palette.light, palette.dark ? 0.1 : 0.2);
    if (i === rows - 2 && extras.has('cabin')) paintCabin(scene, [light[0], base + unit * 45], unit * 150);
  }
}

function pine({ canvas, random }: Scene, [x, y]: Point, size: number, color: Color): void {
  const tiers = 5;
  const half = size * random.between(0.17, 0.23);
  canvas.rect([x - size * 0.018, y - size * 0.12], size * 0.036, size * 0.14, lighter(color, -0.06));
  const left: Point[] = [];
  const right: Point[] = [];
  for (let tier = 0; tier < tiers; tier++) {
    const share = (tier + 1) / tiers;
    const level = y - size + size * 0.92 * share;
    const reach = half * share ** 0.9;
    left.push([x - reach * random.between(0.9, 1.1), level], [x - reach * 0.52, level - size * 0.035]);
    right.push([x + reach * random.between(0.9, 1.1), level], [x + reach * 0.52, level - size * 0.035]);
  }
  left.pop();
  right.pop();
  canvas.path(polygon([[x, y - size], ...right, ...left.reverse()]), color);
  canvas.path(polygon([[x, y - size], ...right, [x, y - size * 0.1]]), lighter(color, -0.045), 0.75);
}

function roundTree({ canvas, palette, random }: Scene, [x, y]: Point, size: number, color: Color): void {
  canvas.rect([x - size * 0.022, y - size * 0.5], size * 0.044, size * 0.52, lighter(color, -0.1));
  const leaf = random.chance(0.22) ? mix(color, palette.accent, 0.45) : color;
  for (let i = 0; i < 4; i++) {
    const at: Point = [x + random.around() * size * 0.13, y - size * random.between(0.5, 0.85)];
    canvas.ellipse(
      at,
      size * random.between(0.15, 0.23),
      size * random.between(0.17, 0.25),
      lighter(leaf, random.between(-0.04, 0.05)),
      { opacity: 0.95 },
    );
  }
}
