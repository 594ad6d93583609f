import { below, curve, type Point } from '../canvas.js';
import { lighter, mix } from '../color.js';
import { depths } from '../palette.js';
import { paintSky, type Scene } from '../scene.js';

export function desert(scene: Scene): void {
  const { canvas, palette, random } = scene;
  const { width, height, unit } = canvas;
  const light = paintSky(scene, 0.6);
  const rows = random.int(4, 6);
  for (const [i, color] of depths(palette, rows).entries()) {
    const share = i / (rows - 1);
    const base = height * (0.56 + share * 0.34);
    const crest: Point = [
      width * random.between(0.15, 0.85),
      base - unit * random.between(70, 170) * (0.6 + share * 0.5),
    ];
    const left: Point[] = [
      [-width * 0.1, base + unit * random.between(0, 60)],
      [crest[0] * 0.45, base + unit * random.between(-25, 25)],
      crest,
    ];
    const right: Point[] = [
      crest,
      [crest[0] + (width - crest[0]) * 0.5, base + unit * random.between(-15, 40)],
      [width * 1.1, base + unit * random.between(-30, 60)],
    ];
    const outline = `${curve(left)}${curve(right).replace(/^M[^C]*/, '')}`;
    const facing = crest[0] > light[0];
    const sunny = mix(color, palette.light, 0.26);
    const shade = lighter(color, -0.07);
    canvas.path(
      below(outline, canvas),
      canvas.linear([
        { at: 0, color: facing ? sunny : shade },
        { at: 0.7, color },
        { at: 1, color: lighter(color, -0.04) },
      ]),
    );
    slipFace(scene, crest, right, facing ? shade : sunny);
  }
  if (random.chance(0.7)) cactus(scene);
}

/** The far side of the crest, with an edge that winds down towards the viewer. */
function slipFace(
  { canvas, random }: Scene,
  crest: Point,
  right: readonly Point[],
  color: ReturnType<typeof lighter>,
): void {
  const { width, height, unit } = canvas;
  const [x, y] = crest;
  const foot: Point[] = [
    crest,
    [x - unit * random.between(10, 60), y + unit * 90],
    [x + unit * random.between(20, 110), y + unit * 210],
    [x - unit * random.between(0, 90), y + unit * 420],
  ];
  const edge = curve(foot);
  const end = foot.at(-1) ?? crest;
  const outer = right.at(-1) ?? crest;
  canvas.path(
    `${edge}L${end[0]} ${height}L${width * 1.1} ${height}L${outer[0]} ${outer[1]}${curve([...right].reverse()).replace(/^M[^C]*/, '')}Z`,
    color,
    0.55,
  );
}

function cactus({ canvas, palette, random }: Scene): void {
  const { width, height, unit } = canvas;
  const x = width * random.pick([0.16, 0.24, 0.78, 0.86]);
  const y = height * random.between(0.84, 0.92);
  const size = unit * random.between(150, 230);
  const thick = size * 0.15;
  const color = mix(palette.second, palette.near, 0.62);
  canvas.line(`M${x} ${y}V${y - size}`, color, thick);
  const arm = (side: 1 | -1, from: number, rise: number) => {
    const reach = x + side * size * 0.27;
    canvas.line(
      `M${x} ${y - size * from}H${reach - side * thick * 0.3}Q${reach} ${y - size * from} ${reach} ${y - size * (from + 0.08)}V${y - size * rise}`,
      color,
      thick * 0.72,
    );
  };
  arm(1, 0.4, 0.78);
  arm(-1, 0.32, 0.62);
  canvas.line(`M${x - thick * 0.2} ${y - size * 0.03}V${y - size * 0.97}`, lighter(color, 0.1), thick * 0.09, 0.6);
  canvas.line(`M${x + thick * 0.12} ${y - size * 0.03}V${y - size * 0.97}`, lighter(color, 0.1), thick * 0.09, 0.6);
}
