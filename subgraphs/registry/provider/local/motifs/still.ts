import { curve, type Point } from '../canvas.js';
import { type Color, lighter, mix } from '../color.js';
import type { Scene } from '../scene.js';

/** A studio: a seamless backdrop, plinths, and simple things that catch the light. */
export function still(scene: Scene): void {
  const { canvas, palette, random, extras } = scene;
  const { width, height, unit } = canvas;
  const floor = height * random.between(0.62, 0.7);
  const wall = palette.dark ? mix(palette.skyTop, palette.far, 0.4) : mix(palette.skyLow, palette.far, 0.35);
  canvas.rect(
    [0, 0],
    width,
    floor + 2,
    canvas.linear([
      { at: 0, color: lighter(wall, -0.05) },
      { at: 1, color: lighter(wall, 0.05) },
    ]),
  );
  canvas.rect(
    [0, floor],
    width,
    height - floor,
    canvas.linear([
      { at: 0, color: lighter(wall, 0.06) },
      { at: 1, color: lighter(wall, -0.05) },
    ]),
  );
  canvas.rect(
    [0, floor - unit * 26],
    width,
    unit * 70,
    canvas.linear([
      { at: 0, color: lighter(wall, 0.05) },
      { at: 1, color: lighter(wall, 0.06) },
    ]),
  );
  const cx = width / 2 + random.around() * unit * 60;
  canvas.glow([cx, floor - unit * 250], unit * 620, palette.light, palette.dark ? 0.25 : 0.6);
  const disc = mix(palette.accent, wall, 0.35);
  if (random.chance(0.55)) canvas.circle([cx, floor - unit * 250], unit * random.between(230, 300), disc, 0.75);
  else arch(scene, [cx, floor], unit * 470, unit * 610, disc);
  const others: [Thing, ...Thing[]] = [sphere, cone, bowl, bottle, sphere];
  const main = extras.has('bottle') ? bottle : extras.has('cup') ? cup : random.pick([sphere, bottle, sphere, cone]);
  const left: Plinth = {
    at: [cx - unit * 255, floor + unit * 60],
    breadth: unit * 210,
    rise: unit * random.between(60, 120),
  };
  const right: Plinth = {
    at: [cx + unit * 235, floor + unit * 85],
    breadth: unit * 190,
    rise: unit * random.between(110, 190),
  };
  const front: Plinth = { at: [cx, floor + unit * 150], breadth: unit * 350, rise: unit * random.between(80, 130) };
  plinth(scene, left, lighter(wall, 0.03), random.pick(others));
  plinth(scene, right, mix(wall, palette.second, 0.4), random.pick(others));
  plinth(scene, front, mix(wall, palette.accent, 0.25), main);
}

interface Plinth {
  at: Point;
  breadth: number;
  rise: number;
}

function arch({ canvas }: Scene, [x, floor]: Point, breadth: number, rise: number, color: Color): void {
  const half = breadth / 2;
  canvas.path(
    `M${x - half} ${floor}V${floor - rise + half}A${half} ${half} 0 0 1 ${x + half} ${floor - rise + half}V${floor}Z`,
    canvas.linear([
      { at: 0, color: lighter(color, 0.03) },
      { at: 1, color: lighter(color, -0.08) },
    ]),
    0.85,
  );
}

function plinth(scene: Scene, { at: [x, y], breadth, rise }: Plinth, color: Color, thing: Thing): void {
  const { canvas, palette, random } = scene;
  const [rx, ry] = [breadth / 2, breadth * 0.115];
  const top = y - rise;
  shadow(scene, [x + breadth * 0.3, y + ry * 0.3], breadth * 0.8);
  const side = canvas.linear(
    [
      { at: 0, color: lighter(color, 0.02) },
      { at: 0.28, color: lighter(color, 0.08) },
      { at: 1, color: lighter(color, -0.15) },
    ],
    [0, 0],
    [1, 0],
  );
  canvas.path(`M${x - rx} ${top}V${y}A${rx} ${ry} 0 0 0 ${x + rx} ${y}V${top}Z`, side);
  canvas.ellipse(
    [x, top],
    rx,
    ry,
    canvas.linear(
      [
        { at: 0, color: lighter(color, 0.06) },
        { at: 1, color: lighter(color, 0.13) },
      ],
      [0, 0],
      [1, 0],
    ),
  );
  thing(
    scene,
    [x, top + ry * 0.15],
    breadth * random.between(0.52, 0.66),
    random.pick([palette.accent, palette.second, mix(palette.accent, palette.light, 0.5)]),
  );
}

function shadow({ canvas, palette }: Scene, [x, y]: Point, reach: number): void {
  const paint = canvas.radial([
    { at: 0, color: palette.near, opacity: 0.42 },
    { at: 0.6, color: palette.near, opacity: 0.16 },
    { at: 1, color: palette.near, opacity: 0 },
  ]);
  canvas.ellipse([x, y], reach, reach * 0.16, paint);
}

type Thing = (scene: Scene, foot: Point, size: number, color: Color) => void;

const sphere: Thing = (scene, [x, y], size, color) => {
  const { canvas, palette } = scene;
  const radius = size / 2;
  shadow(scene, [x + radius * 0.35, y], radius);
  canvas.circle(
    [x, y - radius],
    radius,
    canvas.radial(
      [
        { at: 0, color: mix(color, palette.light, 0.75) },
        { at: 0.3, color: lighter(color, 0.06) },
        { at: 1, color: lighter(color, -0.22) },
      ],
      [0.32, 0.28],
    ),
  );
};

const cone: Thing = (scene, [x, y], size, color) => {
  const { canvas } = scene;
  const half = size * 0.42;
  shadow(scene, [x + half * 0.5, y], half);
  canvas.path(
    `M${x} ${y - size * 1.35}L${x + half} ${y}A${half} ${half * 0.2} 0 0 1 ${x - half} ${y}Z`,
    canvas.linear(
      [
        { at: 0, color: lighter(color, 0.03) },
        { at: 0.35, color: lighter(color, 0.13) },
        { at: 1, color: lighter(color, -0.17) },
      ],
      [0, 0],
      [1, 0],
    ),
  );
};

const bowl: Thing = (scene, [x, y], size, color) => {
  const { canvas } = scene;
  const half = size * 0.62;
  const rim = y - size * 0.5;
  shadow(scene, [x + half * 0.4, y], half * 0.8);
  canvas.path(
    `M${x - half} ${rim}C${x - half} ${y + size * 0.06} ${x + half} ${y + size * 0.06} ${x + half} ${rim}Z`,
    canvas.linear(
      [
        { at: 0, color: lighter(color, 0.06) },
        { at: 0.3, color: lighter(color, 0.1) },
        { at: 1, color: lighter(color, -0.16) },
      ],
      [0, 0],
      [1, 0],
    ),
  );
  canvas.ellipse([x, rim], half, half * 0.2, lighter(color, -0.12));
  canvas.ellipse([x, rim + half * 0.05], half * 0.9, half * 0.14, lighter(color, -0.2));
};

const cup: Thing = (scene, [x, y], size, color) => {
  const { canvas, palette } = scene;
  const half = size * 0.42;
  const rim = y - size * 0.92;
  shadow(scene, [x + half * 0.7, y], half * 1.3);
  canvas.line(
    `M${x + half * 0.9} ${rim + size * 0.18}C${x + half * 1.9} ${rim + size * 0.1} ${x + half * 1.8} ${rim + size * 0.66} ${x + half * 0.78} ${rim + size * 0.62}`,
    lighter(color, -0.12),
    size * 0.085,
  );
  const side = canvas.linear(
    [
      { at: 0, color: lighter(color, -0.02) },
      { at: 0.28, color: mix(color, palette.light, 0.35) },
      { at: 1, color: lighter(color, -0.18) },
    ],
    [0, 0],
    [1, 0],
  );
  canvas.path(
    `M${x - half} ${rim}L${x - half * 0.84} ${y - half * 0.14}A${half * 0.84} ${half * 0.17} 0 0 0 ${x + half * 0.84} ${y - half * 0.14}L${x + half} ${rim}Z`,
    side,
  );
  canvas.ellipse([x, rim], half, half * 0.21, mix(color, palette.light, 0.3));
  canvas.ellipse([x, rim + half * 0.02], half * 0.88, half * 0.165, lighter(palette.near, -0.04));
  for (const [dx, bend] of [
    [-0.16, 1],
    [0.14, -1],
  ] as const) {
    const [sx, top] = [x + size * dx, rim - size * 0.14];
    canvas.line(
      `M${sx} ${top}c${bend * size * 0.12} ${-size * 0.13} ${-bend * size * 0.12} ${-size * 0.25} 0 ${-size * 0.38}`,
      palette.light,
      size * 0.034,
      0.6,
    );
  }
};

const bottle: Thing = (scene, [x, y], size, color) => {
  const { canvas, palette } = scene;
  const half = size * 0.34;
  const body = size * 1.25;
  const neck = half * 0.36;
  shadow(scene, [x + half * 0.7, y], half * 1.2);
  const outline: Point[] = [
    [x - neck, y - body * 1.12],
    [x - neck, y - body * 0.98],
    [x - half * 0.82, y - body * 0.84],
    [x - half, y - body * 0.66],
  ];
  const mirrored = outline.map(([px, py]): Point => [2 * x - px, py]).reverse();
  canvas.path(
    `${curve(outline)}V${y - half * 0.2}Q${x - half} ${y} ${x - half * 0.8} ${y}H${x + half * 0.8}Q${x + half} ${y} ${x + half} ${y - half * 0.2}V${y - body * 0.66}${curve(mirrored).replace(/^M[^C]*/, '')}Z`,
    canvas.linear(
      [
        { at: 0, color: lighter(color, -0.04) },
        { at: 0.25, color: mix(color, palette.light, 0.42) },
        { at: 0.5, color },
        { at: 1, color: lighter(color, -0.2) },
      ],
      [0, 0],
      [1, 0],
    ),
  );
  canvas.rect(
    [x - neck * 1.3, y - body * 1.3],
    neck * 2.6,
    body * 0.2,
    lighter(palette.near, palette.dark ? 0.2 : 0.05),
    { radius: neck * 0.3 },
  );
  canvas.rect([x - half * 0.62, y - body * 0.5], half * 1.24, body * 0.28, palette.light, {
    opacity: 0.88,
    radius: neck * 0.2,
  });
  canvas.rect([x - half * 0.4, y - body * 0.42], half * 0.8, body * 0.025, color, { opacity: 0.9 });
  canvas.rect([x - half * 0.4, y - body * 0.36], half * 0.52, body * 0.018, color, { opacity: 0.6 });
};
