import { curve, type Point } from '../canvas.js';
import { type Color, lighter, mix } from '../color.js';
import { paintStars, type Scene } from '../scene.js';

export function space(scene: Scene): void {
  const { canvas, palette, random } = scene;
  const { width, height, unit } = canvas;
  const deep = lighter({ ...palette.skyTop, l: Math.min(palette.skyTop.l, 0.2) }, 0);
  canvas.fill(
    canvas.linear(
      [
        { at: 0, color: lighter(deep, -0.05) },
        { at: 1, color: mix(deep, palette.second, 0.22) },
      ],
      [0, 0],
      [1, 1],
    ),
  );
  nebula(scene);
  paintStars({ ...scene, palette: { ...palette, dark: true } }, height, 240);
  const size = unit * random.between(190, 290);
  const at: Point = [width * random.between(0.35, 0.65), height * random.between(0.42, 0.6)];
  const ringed = random.chance(0.65);
  const tilt = random.between(-26, 26);
  if (ringed) rings(scene, at, size, tilt, 'behind');
  planet(scene, at, size, mix(palette.accent, palette.second, random.next() * 0.5));
  if (ringed) rings(scene, at, size, tilt, 'before');
  for (let i = 0; i < random.int(1, 3); i++) {
    const angle = random.between(0, Math.PI * 2);
    const distance = size * random.between(1.5, 2.2);
    const moon: Point = [at[0] + Math.cos(angle) * distance, at[1] + Math.sin(angle) * distance * 0.75];
    planet(scene, moon, size * random.between(0.08, 0.2), mix(palette.light, palette.far, 0.4));
  }
}

function nebula({ canvas, palette, random }: Scene): void {
  const { width, height, unit } = canvas;
  const turn = random.between(-0.6, 0.6);
  for (let i = 0; i < 7; i++) {
    const along = random.between(-0.6, 0.6);
    const at: Point = [
      width * (0.5 + along) + random.around() * unit * 90,
      height * (0.5 + along * turn) + random.around() * unit * 130,
    ];
    const color = random.pick([palette.accent, palette.second, palette.skyLow]);
    canvas.glow(at, unit * random.between(170, 360), color, random.between(0.14, 0.34));
  }
}

function planet({ canvas, palette, random }: Scene, [x, y]: Point, size: number, color: Color): void {
  canvas.glow([x, y], size * 1.75, color, 0.4);
  canvas.circle(
    [x, y],
    size,
    canvas.radial(
      [
        { at: 0, color: mix(color, palette.light, 0.55) },
        { at: 0.5, color },
        { at: 1, color: lighter(color, -0.36) },
      ],
      [0.3, 0.28],
    ),
  );
  if (size < canvas.unit * 100) return;
  // Bands that follow the curve of the sphere, cut off where the sphere ends.
  for (let i = 0; i < 6; i++) {
    const level = -0.75 + i * 0.28 + random.around() * 0.05;
    const half = Math.sqrt(Math.max(0, 1 - level * level)) * size * 0.985;
    const sag = size * 0.1;
    const band = size * random.between(0.03, 0.1);
    const upper = y + level * size;
    const points: Point[] = [
      [x - half, upper],
      [x, upper + sag],
      [x + half, upper],
      [x, upper + sag + band],
    ];
    canvas.path(
      `${curve(points.slice(0, 3))}${curve([points[2] ?? [x, y], points[3] ?? [x, y], points[0] ?? [x, y]]).replace('M', 'L')}Z`,
      lighter(color, random.chance(0.5) ? -0.1 : 0.1),
      0.34,
    );
  }
}

function rings({ canvas, palette }: Scene, [x, y]: Point, size: number, tilt: number, side: 'behind' | 'before'): void {
  const sweep = side === 'behind' ? 1 : 0;
  const radians = (tilt * Math.PI) / 180;
  for (const [reach, thickness, opacity] of [
    [1.5, 0.09, 0.75],
    [1.7, 0.13, 0.5],
    [1.92, 0.045, 0.7],
  ] as const) {
    const [rx, ry] = [size * reach, size * reach * 0.24];
    const [dx, dy] = [Math.cos(radians) * rx, Math.sin(radians) * rx];
    const d = `M${x - dx} ${y - dy}A${rx} ${ry} ${tilt} 0 ${sweep} ${x + dx} ${y + dy}`;
    canvas.line(
      d,
      mix(palette.light, palette.accent, 0.35),
      size * thickness,
      side === 'behind' ? opacity * 0.6 : opacity,
    );
  }
}
