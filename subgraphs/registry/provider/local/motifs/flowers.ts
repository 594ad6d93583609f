import { curve, type Point, polygon } from '../canvas.js';
import { type Color, lighter, mix } from '../color.js';
import type { Scene } from '../scene.js';

export function flowers(scene: Scene): void {
  const { canvas, palette, random } = scene;
  const { width, height, unit } = canvas;
  const paper = palette.dark ? palette.skyTop : mix(palette.skyLow, palette.light, 0.45);
  canvas.fill(
    canvas.linear([
      { at: 0, color: lighter(paper, 0.01) },
      { at: 1, color: mix(paper, palette.far, 0.3) },
    ]),
  );
  canvas.circle(
    [width * random.between(0.38, 0.62), height * 0.42],
    unit * random.between(300, 380),
    mix(palette.accent, paper, palette.dark ? 0.62 : 0.5),
    0.55,
  );
  const stem = mix(palette.second, palette.near, 0.55);
  const heads = random.int(5, 8);
  const positions = Array.from({ length: heads }, (_, i) => (i + 0.5) / heads);
  for (const [i, share] of positions.entries()) {
    const size = unit * random.between(74, 150);
    const x = width * (0.12 + share * 0.76) + random.around() * unit * 40;
    const y = height * random.between(0.2, 0.62);
    const foot: Point = [width * (0.3 + share * 0.4), height * 1.02];
    const bend: Point = [(x + foot[0]) / 2 + random.around() * unit * 70, (y + foot[1]) / 2];
    canvas.line(curve([[x, y], bend, foot]), stem, unit * 8);
    for (let l = 0; l < 3; l++) {
      const t = 0.3 + l * 0.2;
      const at: Point = [bend[0] + (foot[0] - bend[0]) * t * 0.6, bend[1] + (foot[1] - bend[1]) * (t - 0.3)];
      leaf(
        scene,
        at,
        unit * random.between(80, 165),
        l % 2 === 0 ? -38 : 218,
        lighter(stem, random.between(-0.06, 0.1)),
      );
    }
    const color =
      [
        palette.accent,
        palette.second,
        mix(palette.accent, palette.light, 0.45),
        mix(palette.accent, palette.second, 0.5),
      ][i % 4] ?? palette.accent;
    bloom(scene, [x, y], size, color);
  }
  for (let i = 0; i < 12; i++) {
    leaf(
      scene,
      [random.next() * width, height * random.between(0.96, 1.05)],
      unit * random.between(150, 290),
      -90 + random.around() * 45,
      lighter(stem, random.between(-0.1, 0.05)),
    );
  }
}

function leaf({ canvas }: Scene, [x, y]: Point, length: number, degrees: number, color: Color): void {
  const angle = (degrees * Math.PI) / 180;
  const along = (share: number, off: number): Point => [
    x + Math.cos(angle) * length * share - Math.sin(angle) * length * off,
    y + Math.sin(angle) * length * share + Math.cos(angle) * length * off,
  ];
  canvas.path(
    `${curve([along(0, 0), along(0.35, -0.17), along(0.72, -0.12), along(1, 0)])}${curve([along(1, 0), along(0.68, 0.13), along(0.32, 0.15), along(0, 0)]).replace(/^M[^C]*/, '')}Z`,
    color,
  );
  canvas.line(polygon([along(0.04, 0), along(0.9, 0)], false), lighter(color, 0.1), canvas.unit * 2, 0.7);
}

function bloom({ canvas, palette, random }: Scene, [x, y]: Point, size: number, color: Color): void {
  const petals = random.pick([5, 6, 8, 11]);
  const start = random.between(0, 360);
  const layers = petals > 6 ? 2 : 3;
  for (let layer = 0; layer < layers; layer++) {
    const reach = size * (1 - layer * 0.28);
    const shade = lighter(color, -0.06 + layer * 0.065);
    for (let i = 0; i < petals; i++) {
      const turn = start + (360 / petals) * (i + layer * 0.5);
      const angle = (turn * Math.PI) / 180;
      const at: Point = [x + Math.cos(angle) * reach * 0.52, y + Math.sin(angle) * reach * 0.52];
      canvas.ellipse(at, reach * 0.52, reach * Math.min(0.42, 1.9 / petals), shade, { opacity: 0.93, turn });
    }
  }
  const heart = mix(palette.light, palette.accent, color === palette.accent ? 0.1 : 0.7);
  canvas.circle([x, y], size * 0.2, lighter(palette.near, palette.dark ? 0.3 : 0.04));
  for (let i = 0; i < 12; i++) {
    const angle = i * 2.4;
    const distance = size * 0.05 * Math.sqrt(i);
    canvas.circle([x + Math.cos(angle) * distance, y + Math.sin(angle) * distance], size * 0.025, heart);
  }
}
