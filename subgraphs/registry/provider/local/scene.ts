import type { Canvas, Point } from './canvas.js';
import { lighter, mix } from './color.js';
import type { Palette } from './palette.js';
import type { Random } from './random.js';
import type { Extra } from './words.js';

/** What a motif is drawn with. */
export interface Scene {
  canvas: Canvas;
  palette: Palette;
  random: Random;
  extras: ReadonlySet<Extra>;
}

/** Heights from 0 to 1 along the width: a few octaves of smooth noise. Rough lines are rock, smooth ones dunes. */
export function ridge(random: Random, samples: number, roughness: number, octaves = 5): number[] {
  const heights = new Array<number>(samples).fill(0);
  let amplitude = 1;
  let total = 0;
  for (let octave = 0; octave < octaves; octave++) {
    const knots = Array.from({ length: 3 + 2 ** (octave + 1) }, () => random.next());
    for (let i = 0; i < samples; i++) {
      const position = (i / (samples - 1)) * (knots.length - 2);
      const cell = Math.floor(position);
      const t = position - cell;
      const smooth = t * t * (3 - 2 * t);
      const [a = 0, b = 0] = [knots[cell], knots[cell + 1]];
      heights[i] = (heights[i] ?? 0) + amplitude * (a + (b - a) * smooth);
    }
    total += amplitude;
    amplitude *= roughness;
  }
  return heights.map((height) => height / total);
}

export function skyline({ canvas }: Scene, heights: readonly number[], base: number, rise: number): Point[] {
  return heights.map((height, i): Point => [(i / (heights.length - 1)) * canvas.width, base - height * rise]);
}

/** The sky with what is in it. Returns where its light comes from; `body` says whether that can be seen. */
export function paintSky(scene: Scene, horizon: number, body: 'shown' | 'hidden' = 'shown'): Point {
  const { canvas, palette, random, extras } = scene;
  const { width, height, unit } = canvas;
  canvas.rect(
    [0, 0],
    width,
    height,
    canvas.linear([
      { at: 0, color: palette.skyTop },
      { at: 0.45 * horizon, color: mix(palette.skyTop, palette.skyLow, 0.45) },
      { at: horizon, color: palette.skyLow },
      { at: 1, color: palette.skyLow },
    ]),
  );
  const light: Point = [width * random.between(0.22, 0.78), height * horizon * random.between(0.3, 0.72)];
  if (palette.dark || extras.has('stars')) paintStars(scene, height * horizon, palette.dark ? 150 : 60);
  if (extras.has('aurora')) paintAurora(scene, horizon);
  const moonlit = extras.has('moon') || (palette.dark && !extras.has('sun'));
  if (body === 'shown' && moonlit) paintMoon(scene, light);
  if (body === 'shown' && !moonlit) paintSun(scene, light, unit * random.between(55, 120));
  if (extras.has('clouds') || random.chance(0.35)) paintClouds(scene, horizon);
  return light;
}

export function paintSun({ canvas, palette }: Scene, at: Point, radius: number): void {
  canvas.glow(at, radius * 5.5, palette.light, 0.55);
  canvas.circle(at, radius * 1.55, palette.light, 0.22);
  canvas.circle(
    at,
    radius,
    canvas.linear([
      { at: 0, color: palette.light },
      { at: 1, color: mix(palette.light, palette.accent, 0.6) },
    ]),
  );
}

function paintMoon({ canvas, palette, random }: Scene, at: Point): void {
  const radius = canvas.unit * random.between(48, 92);
  canvas.glow(at, radius * 5, palette.light, 0.38);
  canvas.circle(
    at,
    radius,
    canvas.radial(
      [
        { at: 0, color: palette.light },
        { at: 1, color: lighter(palette.light, -0.1) },
      ],
      [0.35, 0.35],
    ),
  );
  for (let i = 0; i < 6; i++) {
    const angle = random.between(0, Math.PI * 2);
    const distance = radius * random.between(0.1, 0.68);
    const size = radius * random.between(0.06, 0.2);
    canvas.circle(
      [at[0] + Math.cos(angle) * distance, at[1] + Math.sin(angle) * distance],
      size,
      lighter(palette.light, -0.14),
      0.45,
    );
  }
}

export function paintStars({ canvas, palette, random }: Scene, floor: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const at: Point = [random.next() * canvas.width, random.next() ** 1.25 * floor];
    const size = canvas.unit * (random.chance(0.08) ? random.between(2.6, 4.2) : random.between(0.7, 2));
    canvas.circle(at, size, palette.light, random.between(0.35, 0.95));
    if (size > canvas.unit * 3) canvas.glow(at, size * 6, palette.light, 0.35);
  }
}

function paintAurora({ canvas, palette, random }: Scene, horizon: number): void {
  const { width, height } = canvas;
  for (let band = 0; band < 3; band++) {
    const color = mix(palette.second, palette.accent, band * 0.22 + random.around() * 0.1);
    const curtain = canvas.linear([
      { at: 0, color, opacity: 0 },
      { at: 0.75, color, opacity: 0.34 },
      { at: 1, color: lighter(color, 0.15), opacity: 0.1 },
    ]);
    const base = height * horizon * (0.42 + band * 0.17);
    const tall = height * random.between(0.2, 0.3);
    const folds = 11;
    const lower = ridge(random, folds, 0.6, 3).map(
      (y, i): Point => [(i / (folds - 1)) * width, base + y * height * 0.14],
    );
    const upper = lower.map(([x, y]): Point => [x + width * 0.03, y - tall * random.between(0.75, 1.2)]);
    canvas.path(`${smoothLine(lower)}L${smoothLine([...upper].reverse()).slice(1)}Z`, curtain);
  }
}

function smoothLine(points: readonly Point[]): string {
  // Short flat steps look like folds of a curtain here, which is what an aurora is.
  const first = points[0] ?? [0, 0];
  let d = `M${first[0].toFixed(1)} ${first[1].toFixed(1)}`;
  for (let i = 1; i < points.length; i++) {
    const [x, y] = points[i] ?? first;
    const [px, py] = points[i - 1] ?? first;
    const middle = (px + x) / 2;
    d += `C${middle.toFixed(1)} ${py.toFixed(1)} ${middle.toFixed(1)} ${y.toFixed(1)} ${x.toFixed(1)} ${y.toFixed(1)}`;
  }
  return d;
}

export function paintClouds({ canvas, palette, random }: Scene, horizon: number): void {
  const { width, height, unit } = canvas;
  const color = mix(palette.skyLow, palette.light, 0.55);
  for (let i = 0; i < random.int(2, 5); i++) {
    const x = random.next() * width;
    const y = height * horizon * random.between(0.12, 0.72);
    const length = unit * random.between(140, 380);
    const thick = unit * random.between(9, 20);
    for (let part = 0; part < 4; part++) {
      const inset = random.between(0, 0.5) * length;
      canvas.rect([x - length / 2 + inset, y + part * thick * 1.15], length * random.between(0.35, 0.8), thick, color, {
        opacity: palette.dark ? 0.13 : 0.42,
        radius: thick / 2,
      });
    }
  }
}

/** What falls or flies before everything else. */
export function paintWeather(scene: Scene): void {
  const { canvas, palette, random, extras } = scene;
  const { width, height, unit } = canvas;
  if (extras.has('birds')) paintBirds(scene);
  if (extras.has('mist')) paintHaze(scene);
  if (extras.has('snow')) {
    for (let i = 0; i < 170; i++) {
      const near = random.next() ** 3;
      const size = unit * (1.2 + near * 6);
      canvas.circle([random.next() * width, random.next() * height], size, palette.light, 0.45 + 0.5 * (1 - near));
    }
  }
  if (extras.has('rain')) {
    for (let i = 0; i < 130; i++) {
      const [x, y] = [random.next() * width * 1.1, random.next() * height];
      const length = unit * random.between(24, 62);
      const d = `M${x.toFixed(1)} ${y.toFixed(1)}l${(-length * 0.22).toFixed(1)} ${length.toFixed(1)}`;
      canvas.line(d, palette.light, unit * random.between(0.9, 1.9), random.between(0.14, 0.4));
    }
  }
}

function paintHaze({ canvas, palette, random }: Scene): void {
  const { width, height } = canvas;
  const color = palette.dark ? palette.far : mix(palette.skyLow, palette.light, 0.4);
  for (let i = 0; i < 3; i++) {
    const y = height * (0.42 + i * 0.19) + random.around() * height * 0.04;
    const band = canvas.linear([
      { at: 0, color, opacity: 0 },
      { at: 0.5, color, opacity: 0.4 },
      { at: 1, color, opacity: 0 },
    ]);
    canvas.rect([0, y], width, height * random.between(0.12, 0.2), band);
  }
}

/** A small house with a light in its window. */
export function paintCabin({ canvas, palette, random }: Scene, [x, y]: Point, size: number): void {
  const wall = mix(palette.near, palette.accent, 0.22);
  const [half, rise] = [size / 2, size * 0.5];
  canvas.rect([x - half, y - rise], size, rise, wall);
  canvas.rect([x, y - rise], half, rise, lighter(wall, -0.05), { opacity: 0.6 });
  const eaves: Point[] = [
    [x - half * 1.25, y - rise],
    [x, y - rise * 2],
    [x + half * 1.25, y - rise],
  ];
  canvas.path(`M${eaves.map((point) => point.join(' ')).join('L')}Z`, lighter(palette.near, -0.03));
  canvas.line(
    `M${eaves.map((point) => point.join(' ')).join('L')}`,
    mix(palette.light, palette.skyLow, 0.3),
    size * 0.05,
    0.8,
  );
  const lamp = mix(palette.light, palette.accent, 0.4);
  const side = random.pick([-1, 1]);
  canvas.glow([x + side * half * 0.35, y - rise * 0.5], size * 1.3, lamp, palette.dark ? 0.5 : 0.2);
  canvas.rect([x + side * half * 0.35 - size * 0.11, y - rise * 0.68], size * 0.22, size * 0.2, lamp);
  canvas.rect([x - side * half * 0.45 - size * 0.08, y - rise * 0.72], size * 0.16, rise * 0.72, lighter(wall, -0.12));
}

function paintBirds({ canvas, palette, random }: Scene): void {
  const [cx, cy] = [canvas.width * random.between(0.25, 0.75), canvas.height * random.between(0.14, 0.34)];
  for (let i = 0; i < random.int(5, 11); i++) {
    const [x, y] = [cx + random.around() * canvas.unit * 190, cy + random.around() * canvas.unit * 85];
    const span = canvas.unit * random.between(9, 21);
    const lift = span * random.between(0.35, 0.65);
    const d = `M${x - span} ${y - lift}Q${x - span * 0.4} ${y - lift * 0.9} ${x} ${y}Q${x + span * 0.4} ${y - lift * 0.9} ${x + span} ${y - lift}`;
    canvas.line(d, lighter(palette.near, palette.dark ? 0.45 : 0), span * 0.14, 0.85);
  }
}
