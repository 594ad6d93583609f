import type { Point } from '../canvas.js';
import { type Color, lighter, mix } from '../color.js';
import type { Scene } from '../scene.js';

type Tile = (scene: Scene, at: Point, size: number, ink: Color, other: Color) => void;

/** A grid of simple tiles, as a poster of the twenties would have it. */
export function geometry(scene: Scene): void {
  const { canvas, palette, random } = scene;
  const { width, height, unit } = canvas;
  const paper = palette.dark ? palette.skyTop : mix(palette.skyLow, palette.light, 0.4);
  canvas.fill(paper);
  const columns = random.int(4, 6);
  const size = Math.min(width, height) / columns;
  const across = Math.ceil(width / size);
  const down = Math.ceil(height / size);
  const colors: [Color, ...Color[]] = [
    palette.accent,
    palette.second,
    palette.near,
    palette.far,
    mix(palette.accent, palette.light, 0.55),
  ];
  const offset: Point = [(width - across * size) / 2, (height - down * size) / 2];
  for (let row = 0; row < down; row++) {
    for (let column = 0; column < across; column++) {
      const at: Point = [offset[0] + column * size, offset[1] + row * size];
      const ink = random.pick(colors);
      const ground = random.chance(0.45) ? paper : random.pick(colors);
      // Overlapping by half a pixel hides the seams that smoothing would leave.
      canvas.rect([at[0] - 0.5, at[1] - 0.5], size + 1, size + 1, ground);
      const other = random.pick(colors);
      random.pick(TILES)(scene, at, size, ink === ground ? lighter(ink, palette.dark ? 0.2 : -0.2) : ink, other);
    }
  }
  for (let i = 0; i < 2; i++) {
    canvas.circle(
      [width * random.between(0.2, 0.8), height * random.between(0.2, 0.8)],
      unit * random.between(120, 240),
      random.pick(colors),
      0.16,
    );
  }
}

const quarter: Tile = ({ canvas, random }, [x, y], size, ink) => {
  const [cx, cy] = random.pick<Point>([
    [x, y],
    [x + size, y],
    [x + size, y + size],
    [x, y + size],
  ]);
  const [sx, sy] = [cx === x ? 1 : -1, cy === y ? 1 : -1];
  const sweep = sx === sy ? 1 : 0;
  canvas.path(`M${cx} ${cy}L${cx + sx * size} ${cy}A${size} ${size} 0 0 ${sweep} ${cx} ${cy + sy * size}Z`, ink);
};

const disc: Tile = ({ canvas }, [x, y], size, ink, other) => {
  canvas.circle([x + size / 2, y + size / 2], size * 0.42, ink);
  canvas.circle([x + size / 2, y + size / 2], size * 0.17, other);
};

const half: Tile = ({ canvas, random }, [x, y], size, ink) => {
  const r = size / 2;
  if (random.chance(0.5)) canvas.path(`M${x} ${y + r}A${r} ${r} 0 0 1 ${x + size} ${y + r}Z`, ink);
  else canvas.path(`M${x + r} ${y}A${r} ${r} 0 0 1 ${x + r} ${y + size}Z`, ink);
};

const triangle: Tile = ({ canvas, random }, [x, y], size, ink) => {
  const corners: [Point, Point, Point, Point] = [
    [x, y],
    [x + size, y],
    [x + size, y + size],
    [x, y + size],
  ];
  const skip = random.int(0, 3);
  canvas.path(
    `M${corners
      .filter((_, i) => i !== skip)
      .map(([px, py]) => `${px} ${py}`)
      .join('L')}Z`,
    ink,
  );
};

const stripes: Tile = ({ canvas, random }, [x, y], size, ink) => {
  const flat = random.chance(0.5);
  for (let i = 0; i < 4; i++) {
    const step = size / 4;
    if (flat) canvas.rect([x, y + i * step + step * 0.25], size, step * 0.5, ink);
    else canvas.rect([x + i * step + step * 0.25, y], step * 0.5, size, ink);
  }
};

const rings: Tile = ({ canvas, random }, [x, y], size, ink) => {
  const [cx, cy] = random.pick<Point>([
    [x, y],
    [x + size, y],
    [x + size, y + size],
    [x, y + size],
  ]);
  const [sx, sy] = [cx === x ? 1 : -1, cy === y ? 1 : -1];
  for (const share of [0.28, 0.56, 0.84]) {
    const r = size * share;
    canvas.line(`M${cx + sx * r} ${cy}A${r} ${r} 0 0 ${sx === sy ? 1 : 0} ${cx} ${cy + sy * r}`, ink, size * 0.11);
  }
};

const dots: Tile = ({ canvas }, [x, y], size, ink) => {
  for (let i = 0; i < 9; i++) {
    canvas.circle([x + size * (0.2 + (i % 3) * 0.3), y + size * (0.2 + Math.floor(i / 3) * 0.3)], size * 0.075, ink);
  }
};

const TILES: [Tile, ...Tile[]] = [quarter, quarter, disc, half, half, triangle, stripes, rings, dots];
