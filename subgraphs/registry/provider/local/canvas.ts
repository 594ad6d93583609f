/** Collects the shapes of one picture as SVG. Everything in it is a number or a colour of ours: no caller's text. */
import { type Color, hex } from './color.js';

export type Point = readonly [x: number, y: number];

/** What to fill with: a colour, or a gradient that was defined before. */
export type Paint = Color | { id: string };

export interface Stop {
  at: number;
  color: Color;
  opacity?: number;
}

export class Canvas {
  readonly width: number;
  readonly height: number;
  /** A thousandth of the shorter side: sizes in it look alike at every resolution. */
  readonly unit: number;
  readonly #defs: string[] = [];
  readonly #shapes: string[] = [];

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.unit = Math.min(width, height) / 1000;
  }

  linear(stops: readonly Stop[], from: Point = [0, 0], to: Point = [0, 1]): Paint {
    const id = `g${this.#defs.length}`;
    const [x1, y1] = from;
    const [x2, y2] = to;
    this.#defs.push(
      `<linearGradient id="${id}" x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}">${marks(stops)}</linearGradient>`,
    );
    return { id };
  }

  radial(stops: readonly Stop[], [fx, fy]: Point = [0.5, 0.5]): Paint {
    const id = `g${this.#defs.length}`;
    this.#defs.push(`<radialGradient id="${id}" fx="${n(fx)}" fy="${n(fy)}">${marks(stops)}</radialGradient>`);
    return { id };
  }

  /** Light that fades out: cheaper than a blur, and without its edges. */
  glow([x, y]: Point, radius: number, color: Color, opacity: number): void {
    const paint = this.radial([
      { at: 0, color, opacity },
      { at: 0.35, color, opacity: opacity * 0.45 },
      { at: 1, color, opacity: 0 },
    ]);
    this.circle([x, y], radius, paint);
  }

  fill(paint: Paint, opacity = 1): void {
    this.rect([0, 0], this.width, this.height, paint, { opacity });
  }

  rect([x, y]: Point, width: number, height: number, paint: Paint, { opacity = 1, radius = 0 } = {}): void {
    this.#shapes.push(
      `<rect x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}"${radius ? ` rx="${n(radius)}"` : ''} fill="${value(paint)}"${alpha(opacity)}/>`,
    );
  }

  circle([x, y]: Point, radius: number, paint: Paint, opacity = 1): void {
    this.#shapes.push(`<circle cx="${n(x)}" cy="${n(y)}" r="${n(radius)}" fill="${value(paint)}"${alpha(opacity)}/>`);
  }

  ellipse([x, y]: Point, rx: number, ry: number, paint: Paint, { opacity = 1, turn = 0 } = {}): void {
    const rotate = turn ? ` transform="rotate(${n(turn)} ${n(x)} ${n(y)})"` : '';
    this.#shapes.push(
      `<ellipse cx="${n(x)}" cy="${n(y)}" rx="${n(rx)}" ry="${n(ry)}" fill="${value(paint)}"${alpha(opacity)}${rotate}/>`,
    );
  }

  path(d: string, paint: Paint, opacity = 1): void {
    this.#shapes.push(`<path d="${d}" fill="${value(paint)}"${alpha(opacity)}/>`);
  }

  line(d: string, paint: Paint, width: number, opacity = 1): void {
    this.#shapes.push(
      `<path d="${d}" fill="none" stroke="${value(paint)}" stroke-width="${n(width)}" stroke-linecap="round" stroke-linejoin="round"${alpha(opacity, 'stroke')}/>`,
    );
  }

  svg(): string {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}"><defs>${this.#defs.join('')}</defs>${this.#shapes.join('')}</svg>`;
  }
}

function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function value(paint: Paint): string {
  return 'id' in paint ? `url(#${paint.id})` : hex(paint);
}

/** On the paint and not on the element: an element's own opacity would be composed on a layer as large as the picture. */
function alpha(opacity: number, of: 'fill' | 'stroke' = 'fill'): string {
  return opacity >= 1 ? '' : ` ${of}-opacity="${n(Math.max(0, opacity))}"`;
}

function marks(stops: readonly Stop[]): string {
  return stops
    .map(({ at, color, opacity = 1 }) => {
      const faint = opacity < 1 ? ` stop-opacity="${n(opacity)}"` : '';
      return `<stop offset="${n(at)}" stop-color="${hex(color)}"${faint}/>`;
    })
    .join('');
}

/** A closed or open polygon. */
export function polygon(points: readonly Point[], closed = true): string {
  return `M${points.map(([x, y]) => `${n(x)} ${n(y)}`).join('L')}${closed ? 'Z' : ''}`;
}

/** A smooth curve through all points (Catmull-Rom as cubic Béziers). */
export function curve(points: readonly Point[], closed = false): string {
  const count = points.length;
  const at = (i: number): Point => {
    const index = closed ? (i + count) % count : Math.min(count - 1, Math.max(0, i));
    return points[index] ?? [0, 0];
  };
  let d = `M${n(at(0)[0])} ${n(at(0)[1])}`;
  for (let i = 0; i < (closed ? count : count - 1); i++) {
    const [p0, p1, p2, p3] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    const c1: Point = [p1[0] + (p2[0] - p0[0]) / 6, p1[1] + (p2[1] - p0[1]) / 6];
    const c2: Point = [p2[0] - (p3[0] - p1[0]) / 6, p2[1] - (p3[1] - p1[1]) / 6];
    d += `C${n(c1[0])} ${n(c1[1])} ${n(c2[0])} ${n(c2[1])} ${n(p2[0])} ${n(p2[1])}`;
  }
  return closed ? `${d}Z` : d;
}

/** The ground below a skyline, down to the lower edge. */
export function below(outline: string, { width, height }: Canvas): string {
  return `${outline}L${n(width)} ${n(height)}L0 ${n(height)}Z`;
}
