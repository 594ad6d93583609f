import { below, curve, type Point } from '../canvas.js';
import { lighter, mix } from '../color.js';
import { paintSky, paintSun, ridge, type Scene, skyline } from '../scene.js';

/** Somebody small on a hill, before a large sun. */
export function animal(scene: Scene): void {
  const { canvas, palette, random } = scene;
  const { width, height, unit } = canvas;
  paintSky(scene, 0.8, 'hidden');
  const x = width * random.between(0.4, 0.6);
  const ground = height * 0.78;
  paintSun(scene, [x + random.around() * unit * 60, ground - unit * 260], unit * random.between(250, 300));
  const far = skyline(scene, ridge(random, 20, 0.4, 3), ground + unit * 20, unit * 130);
  canvas.path(below(curve(far), canvas), mix(palette.far, palette.near, 0.35));
  const near: Point[] = [
    [-width * 0.05, ground + unit * 110],
    [x - unit * 260, ground + unit * 25],
    [x, ground],
    [x + unit * 280, ground + unit * 30],
    [width * 1.05, ground + unit * 130],
  ];
  const color = palette.dark ? lighter(palette.near, 0.06) : palette.near;
  canvas.path(
    below(curve(near), canvas),
    canvas.linear([
      { at: 0, color },
      { at: 1, color: lighter(color, -0.08) },
    ]),
  );
  sitting(scene, [x, ground + unit * 14], unit * random.between(270, 330));
  for (let i = 0; i < 40; i++) {
    const at: Point = [random.next() * width, ground + unit * random.between(70, 220)];
    const tall = unit * random.between(18, 52);
    canvas.line(
      `M${at[0]} ${at[1]}q${random.around() * 8 * unit} ${-tall * 0.6} ${random.around() * 18 * unit} ${-tall}`,
      lighter(color, 0.08),
      unit * 2.6,
      0.7,
    );
  }
}

function sitting({ canvas, palette, random }: Scene, [x, y]: Point, size: number): void {
  const side = random.chance(0.5) ? 1 : -1;
  const fur = mix(palette.near, palette.dark ? palette.second : palette.near, 0.3);
  const ink = lighter(fur, palette.dark ? 0.02 : -0.06);
  const at = (px: number, py: number): Point => [x + side * size * px, y - size * py];
  const tail = curve([at(-0.2, 0.05), at(-0.42, 0.06), at(-0.55, 0.24), at(-0.44, 0.42), at(-0.5, 0.52)]);
  canvas.line(tail, ink, size * 0.075);
  canvas.path(
    curve(
      [at(-0.27, 0), at(-0.29, 0.2), at(-0.17, 0.46), at(0.02, 0.62), at(0.17, 0.52), at(0.19, 0.25), at(0.2, 0)],
      true,
    ),
    ink,
  );
  canvas.ellipse(at(0.1, 0.7), size * 0.185, size * 0.16, ink);
  const ear = (px: number) =>
    `M${at(px - 0.085, 0.76).join(' ')}L${at(px - 0.03, 1.0).join(' ')}L${at(px + 0.085, 0.83).join(' ')}Z`;
  canvas.path(ear(0.0), ink);
  canvas.path(ear(0.19), ink);
  canvas.ellipse(at(0.13, 0.02), size * 0.12, size * 0.045, ink);
  canvas.line(curve([at(0.24, 0.8), at(0.3, 0.68), at(0.21, 0.5)]), palette.light, size * 0.012, 0.55);
}
