import { type Color, lch, lighter, mix } from './color.js';
import type { Random } from './random.js';

/** The colours of one picture, from what is far and light to what is near. */
export interface Palette {
  skyTop: Color;
  skyLow: Color;
  light: Color;
  far: Color;
  near: Color;
  accent: Color;
  second: Color;
  dark: boolean;
}

export const MOODS = {
  dawn: palette(
    [0.62, 0.1, 285],
    [0.9, 0.07, 55],
    [0.97, 0.05, 80],
    [0.74, 0.08, 330],
    [0.33, 0.08, 285],
    [0.78, 0.14, 45],
    [0.72, 0.12, 350],
  ),
  sunset: palette(
    [0.42, 0.13, 300],
    [0.8, 0.15, 55],
    [0.95, 0.09, 85],
    [0.6, 0.16, 20],
    [0.25, 0.08, 300],
    [0.74, 0.18, 40],
    [0.65, 0.2, 15],
  ),
  day: palette(
    [0.72, 0.1, 240],
    [0.94, 0.03, 210],
    [0.99, 0.03, 95],
    [0.8, 0.06, 235],
    [0.42, 0.08, 225],
    [0.82, 0.15, 75],
    [0.7, 0.17, 35],
  ),
  night: palette(
    [0.16, 0.05, 275],
    [0.36, 0.09, 260],
    [0.95, 0.04, 95],
    [0.34, 0.07, 255],
    [0.1, 0.03, 270],
    [0.82, 0.12, 85],
    [0.68, 0.13, 195],
    true,
  ),
  storm: palette(
    [0.38, 0.03, 250],
    [0.74, 0.03, 225],
    [0.93, 0.02, 200],
    [0.6, 0.03, 235],
    [0.25, 0.03, 250],
    [0.8, 0.12, 90],
    [0.6, 0.08, 200],
  ),
  forest: palette(
    [0.78, 0.06, 175],
    [0.95, 0.05, 110],
    [0.98, 0.06, 105],
    [0.76, 0.07, 165],
    [0.29, 0.06, 165],
    [0.8, 0.15, 85],
    [0.62, 0.13, 145],
  ),
  ocean: palette(
    [0.58, 0.1, 235],
    [0.9, 0.06, 195],
    [0.98, 0.05, 100],
    [0.7, 0.09, 215],
    [0.3, 0.08, 245],
    [0.82, 0.13, 70],
    [0.72, 0.15, 35],
  ),
  ice: palette(
    [0.76, 0.05, 250],
    [0.96, 0.015, 230],
    [0.99, 0.01, 200],
    [0.85, 0.03, 240],
    [0.48, 0.06, 255],
    [0.72, 0.13, 20],
    [0.68, 0.1, 210],
  ),
  desert: palette(
    [0.72, 0.08, 225],
    [0.93, 0.06, 75],
    [0.98, 0.06, 85],
    [0.78, 0.11, 60],
    [0.44, 0.11, 40],
    [0.64, 0.17, 35],
    [0.6, 0.1, 195],
  ),
  autumn: palette(
    [0.8, 0.05, 80],
    [0.94, 0.06, 85],
    [0.98, 0.06, 90],
    [0.73, 0.13, 65],
    [0.33, 0.08, 35],
    [0.64, 0.19, 40],
    [0.55, 0.16, 25],
  ),
  neon: palette(
    [0.15, 0.08, 295],
    [0.42, 0.2, 320],
    [0.92, 0.12, 330],
    [0.38, 0.17, 290],
    [0.11, 0.05, 285],
    [0.78, 0.17, 200],
    [0.68, 0.27, 345],
    true,
  ),
  pastel: palette(
    [0.85, 0.05, 300],
    [0.95, 0.04, 30],
    [0.98, 0.04, 90],
    [0.85, 0.07, 350],
    [0.6, 0.09, 285],
    [0.85, 0.1, 60],
    [0.82, 0.09, 180],
  ),
  candy: palette(
    [0.82, 0.1, 350],
    [0.95, 0.05, 20],
    [0.98, 0.04, 70],
    [0.8, 0.12, 0],
    [0.45, 0.15, 350],
    [0.84, 0.15, 85],
    [0.75, 0.12, 200],
  ),
  fire: palette(
    [0.2, 0.07, 25],
    [0.58, 0.2, 40],
    [0.94, 0.12, 90],
    [0.5, 0.19, 30],
    [0.14, 0.05, 20],
    [0.84, 0.17, 75],
    [0.66, 0.22, 35],
    true,
  ),
  mono: palette([0.72, 0, 0], [0.95, 0, 0], [0.99, 0, 0], [0.78, 0, 0], [0.2, 0, 0], [0.12, 0, 0], [0.5, 0, 0]),
  studio: palette(
    [0.9, 0.015, 70],
    [0.97, 0.01, 80],
    [0.99, 0.01, 90],
    [0.84, 0.03, 65],
    [0.42, 0.05, 50],
    [0.72, 0.13, 45],
    [0.62, 0.06, 180],
  ),
} satisfies Record<string, Palette>;

export type Mood = keyof typeof MOODS;

type Lch = [number, number, number];

function palette(top: Lch, low: Lch, light: Lch, far: Lch, near: Lch, accent: Lch, second: Lch, dark = false): Palette {
  const [skyTop, skyLow, sun, back, front, first, other] = [top, low, light, far, near, accent, second].map((parts) =>
    lch(...parts),
  ) as [Color, Color, Color, Color, Color, Color, Color];
  return { skyTop, skyLow, light: sun, far: back, near: front, accent: first, second: other, dark };
}

/** A palette of one's own for each prompt: the mood's, turned a little. */
export function varied(base: Palette, random: Random): Palette {
  const turn = random.around() * 16;
  const lift = random.around() * 0.025;
  const vivid = 1 + random.around() * 0.15;
  const vary = ({ l, c, h }: Color) => lighter(lch(l, c * vivid, h + turn), lift);
  return {
    skyTop: vary(base.skyTop),
    skyLow: vary(base.skyLow),
    light: base.light,
    far: vary(base.far),
    near: vary(base.near),
    accent: lch(base.accent.l, base.accent.c, base.accent.h + random.around() * 22),
    second: lch(base.second.l, base.second.c, base.second.h + random.around() * 30),
    dark: base.dark,
  };
}

/** Pulled towards a colour that the prompt names; the first one carries the scene, the second the accents. */
export function tinted(base: Palette, [main, extra]: readonly Color[]): Palette {
  if (!main) return base;
  const towards = (color: Color, share: number): Color => {
    const strength = Math.min(1, main.c / 0.12);
    return mix(color, lch(color.l, color.c + (main.c - color.c) * 0.6, main.h), share * Math.max(0.35, strength));
  };
  return {
    ...base,
    skyTop: towards(base.skyTop, 0.75),
    skyLow: towards(base.skyLow, 0.55),
    far: towards(base.far, 0.85),
    near: towards(base.near, 0.7),
    accent: extra ?? lch(main.l, main.c, main.h),
    second: extra ? main : base.second,
  };
}

/** The steps from the far colour to the near one, for layers that stand one before the other. */
export function depths({ far, near, skyLow }: Palette, count: number): Color[] {
  return Array.from({ length: count }, (_, i) => {
    const share = count === 1 ? 1 : i / (count - 1);
    return mix(mix(far, skyLow, 0.35 * (1 - share)), near, share ** 1.15);
  });
}

/** The same place after dark. */
export function atNight(base: Palette): Palette {
  if (base.dark) return base;
  const { night } = MOODS;
  return {
    skyTop: mix(base.skyTop, night.skyTop, 0.82),
    skyLow: mix(base.skyLow, night.skyLow, 0.8),
    light: night.light,
    far: mix(base.far, night.far, 0.72),
    near: mix(base.near, night.near, 0.82),
    accent: base.accent,
    second: base.second,
    dark: true,
  };
}
