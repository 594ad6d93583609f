import { curve, type Point } from '../canvas.js';
import { lch, lighter, mix } from '../color.js';
import type { Scene } from '../scene.js';

/** Head and shoulders in flat planes, lit from one side. */
export function portrait(scene: Scene): void {
  const { canvas, palette, random } = scene;
  const { width, height, unit } = canvas;
  const back = palette.dark ? palette.skyTop : mix(palette.skyLow, palette.far, 0.4);
  canvas.fill(
    canvas.linear(
      [
        { at: 0, color: lighter(back, 0.03) },
        { at: 1, color: lighter(back, -0.06) },
      ],
      [0, 0],
      [1, 1],
    ),
  );
  const x = width / 2;
  const y = height * 0.43;
  const size = unit * 205;
  canvas.circle(
    [x + random.around() * unit * 90, y - unit * 20],
    unit * random.between(300, 360),
    palette.accent,
    palette.dark ? 0.75 : 0.85,
  );
  const skin = lch(random.between(0.5, 0.86), random.between(0.06, 0.1), random.between(45, 65));
  const shade = lighter(skin, -0.09);
  const hair = random.pick([
    lch(0.22, 0.03, 40),
    lch(0.35, 0.07, 45),
    palette.second,
    lch(0.72, 0.11, 80),
    palette.near,
  ]);
  const side = random.chance(0.5) ? 1 : -1;
  const long = random.chance(0.55);
  if (long) canvas.path(`${curve(hairBehind([x, y], size), true)}`, lighter(hair, -0.05));
  body(scene, [x, y], size);
  const neck = size * 0.34;
  canvas.path(
    `M${x - neck} ${y + size * 0.55}V${y + size * 1.3}Q${x} ${y + size * 1.7} ${x + neck} ${y + size * 1.3}V${y + size * 0.55}Z`,
    shade,
  );
  canvas.ellipse([x - size * 0.72, y + size * 0.08], size * 0.12, size * 0.2, shade);
  canvas.ellipse([x + size * 0.72, y + size * 0.08], size * 0.12, size * 0.2, shade);
  const face: Point[] = [
    [x, y - size * 0.92],
    [x + size * 0.68, y - size * 0.42],
    [x + size * 0.6, y + size * 0.42],
    [x, y + size * 0.95],
    [x - size * 0.6, y + size * 0.42],
    [x - size * 0.68, y - size * 0.42],
  ];
  canvas.path(curve(face, true), skin);
  // The side that lies in shadow, with the nose as its edge.
  const edge: Point[] = [
    [x + side * size * 0.1, y - size * 0.9],
    [x + side * size * 0.04, y - size * 0.2],
    [x + side * size * 0.2, y + size * 0.22],
    [x + side * size * 0.03, y + size * 0.34],
    [x + side * size * 0.1, y + size * 0.92],
    [x + side * size * 0.58, y + size * 0.46],
    [x + side * size * 0.67, y - size * 0.42],
  ];
  canvas.path(curve(edge, true), shade, 0.75);
  features(scene, [x, y], size);
  fringe(scene, [x, y], size, hair, side);
}

function hairBehind([x, y]: Point, size: number): Point[] {
  return [
    [x, y - size * 1.22],
    [x + size * 0.95, y - size * 0.5],
    [x + size * 1.02, y + size * 0.75],
    [x + size * 0.72, y + size * 1.5],
    [x, y + size * 1.2],
    [x - size * 0.72, y + size * 1.5],
    [x - size * 1.02, y + size * 0.75],
    [x - size * 0.95, y - size * 0.5],
  ];
}

function body({ canvas, palette }: Scene, [x, y]: Point, size: number): void {
  const bottom = canvas.height + size;
  const shoulder = y + size * 1.32;
  const cloth = palette.dark ? mix(palette.second, palette.near, 0.45) : palette.near;
  canvas.path(
    `M${x - size * 2.1} ${bottom}C${x - size * 2} ${shoulder + size * 0.3} ${x - size * 1.2} ${shoulder + size * 0.1} ${x - size * 0.4} ${shoulder - size * 0.12}Q${x} ${shoulder + size * 0.34} ${x + size * 0.4} ${shoulder - size * 0.12}C${x + size * 1.2} ${shoulder + size * 0.1} ${x + size * 2} ${shoulder + size * 0.3} ${x + size * 2.1} ${bottom}Z`,
    canvas.linear([
      { at: 0, color: lighter(cloth, 0.06) },
      { at: 1, color: lighter(cloth, -0.06) },
    ]),
  );
}

function features({ canvas, palette }: Scene, [x, y]: Point, size: number): void {
  const ink = lch(0.22, 0.03, 40);
  for (const side of [-1, 1]) {
    const ex = x + side * size * 0.29;
    const ey = y + size * 0.02;
    canvas.line(
      `M${ex - size * 0.13} ${ey}Q${ex} ${ey + size * 0.1} ${ex + size * 0.13} ${ey}`,
      ink,
      size * 0.028,
      0.9,
    );
    canvas.line(
      `M${ex - size * 0.15} ${ey - size * 0.2}Q${ex} ${ey - size * 0.27} ${ex + size * 0.15} ${ey - size * 0.2}`,
      ink,
      size * 0.034,
      0.8,
    );
    canvas.circle([x + side * size * 0.4, y + size * 0.3], size * 0.11, palette.accent, 0.28);
  }
  canvas.path(
    `M${x - size * 0.16} ${y + size * 0.56}Q${x - size * 0.06} ${y + size * 0.5} ${x} ${y + size * 0.54}Q${x + size * 0.06} ${y + size * 0.5} ${x + size * 0.16} ${y + size * 0.56}Q${x} ${y + size * 0.68} ${x - size * 0.16} ${y + size * 0.56}Z`,
    mix(lch(0.55, 0.15, 20), palette.accent, 0.3),
  );
}

function fringe({ canvas }: Scene, [x, y]: Point, size: number, hair: ReturnType<typeof lch>, side: 1 | -1): void {
  const points: Point[] = [
    [x + side * size * 0.78, y + size * 0.1],
    [x + side * size * 0.74, y - size * 0.62],
    [x + side * size * 0.2, y - size * 1.16],
    [x - side * size * 0.5, y - size * 1.02],
    [x - side * size * 0.82, y - size * 0.4],
    [x - side * size * 0.76, y + size * 0.1],
    [x - side * size * 0.6, y - size * 0.36],
    [x - side * size * 0.05, y - size * 0.56],
    [x + side * size * 0.5, y - size * 0.5],
  ];
  canvas.path(curve(points, true), hair);
  for (let i = 0; i < 3; i++) {
    const d = `M${x + side * size * (0.5 - i * 0.22)} ${y - size * (0.78 + i * 0.08)}Q${x} ${y - size * (1.06 + i * 0.02)} ${x - side * size * (0.45 + i * 0.08)} ${y - size * (0.72 - i * 0.1)}`;
    canvas.line(d, lighter(hair, 0.09), size * 0.022, 0.6);
  }
}
