/** Colours in OKLCH, where equal steps look equal: lightness 0 to 1, chroma 0 to about 0.3, hue in degrees. */
export interface Color {
  l: number;
  c: number;
  h: number;
}

export function lch(l: number, c: number, h: number): Color {
  return { l, c, h: ((h % 360) + 360) % 360 };
}

export function mix(from: Color, to: Color, share: number): Color {
  // The short way around the circle of hues; a grey has no hue of its own to pull with.
  const span = ((to.h - from.h + 540) % 360) - 180;
  const hue = from.c < 0.005 ? to.h : to.c < 0.005 ? from.h : from.h + span * share;
  return lch(from.l + (to.l - from.l) * share, from.c + (to.c - from.c) * share, hue);
}

export function lighter(color: Color, by: number): Color {
  return lch(Math.min(0.99, Math.max(0.02, color.l + by)), color.c, color.h);
}

function toSrgb({ l, c, h }: Color): [number, number, number] {
  const a = c * Math.cos((h * Math.PI) / 180);
  const b = c * Math.sin((h * Math.PI) / 180);
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
  ];
}

/** As bytes. What lies outside sRGB loses chroma, not lightness, until it fits. */
export function rgb(color: Color): [number, number, number] {
  let fitting = color;
  let linear = toSrgb(fitting);
  for (let i = 0; i < 24 && linear.some((channel) => channel < -0.0005 || channel > 1.0005); i++) {
    fitting = { ...fitting, c: fitting.c * 0.92 };
    linear = toSrgb(fitting);
  }
  return linear.map((channel) => {
    const bounded = Math.min(1, Math.max(0, channel));
    const encoded = bounded <= 0.0031308 ? 12.92 * bounded : 1.055 * bounded ** (1 / 2.4) - 0.055;
    return Math.round(encoded * 255);
  }) as [number, number, number];
}

export function hex(color: Color): string {
  return `#${rgb(color)
    .map((channel) => channel.toString(16).padStart(2, '0'))
    .join('')}`;
}
