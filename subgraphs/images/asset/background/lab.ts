/** A picture made small, in a space in which distances are about what an eye makes of them (OKLab, times 100). */
import type { Picture } from './cut.js';

export interface Lab {
  width: number;
  height: number;
  l: Float32Array;
  a: Float32Array;
  b: Float32Array;
  /** The side of the square of pixels that one of these stands for. */
  step: number;
}

const LARGEST_SIDE = 512;

const LINEAR = Float32Array.from({ length: 256 }, (_, i) => {
  const value = i / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

export function labOf({ data, width, height }: Picture): Lab {
  const step = Math.max(1, Math.ceil(Math.max(width, height) / LARGEST_SIDE));
  const columns = Math.ceil(width / step);
  const rows = Math.ceil(height / step);
  const size = columns * rows;
  const lab: Lab = {
    width: columns,
    height: rows,
    step,
    l: new Float32Array(size),
    a: new Float32Array(size),
    b: new Float32Array(size),
  };
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let [red, green, blue, count] = [0, 0, 0, 0];
      for (let y = row * step; y < Math.min(height, (row + 1) * step); y++) {
        for (let x = column * step; x < Math.min(width, (column + 1) * step); x++) {
          const at = 4 * (y * width + x);
          red += LINEAR[data[at] ?? 0] ?? 0;
          green += LINEAR[data[at + 1] ?? 0] ?? 0;
          blue += LINEAR[data[at + 2] ?? 0] ?? 0;
          count += 1;
        }
      }
      write(lab, row * columns + column, red / count, green / count, blue / count);
    }
  }
  return lab;
}

/** By the matrices of Ottosson's OKLab. */
function write({ l, a, b }: Lab, i: number, red: number, green: number, blue: number): void {
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const medium = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  l[i] = 100 * (0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short);
  a[i] = 100 * (1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short);
  b[i] = 100 * (0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short);
}
