/** An existing picture in the colours of a prompt: its lights and darks stay, everything else is painted anew. */
import sharp, { type Sharp } from 'sharp';
import { type Color, lighter, mix, rgb } from './color.js';
import type { Palette } from './palette.js';

const TONES = 256;
const PLANES = 7;

/**
 * Tones become a few flat planes with soft borders. `strength` says how far to go: at 0 the picture is as it was, at 1
 * nothing of its own colours is left.
 */
export async function restyle(source: Sharp, palette: Palette, strength: number): Promise<Sharp> {
  const { data, info } = await source.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const map = toneMap(data, palette);
  for (let i = 0; i + 2 < data.length; i += info.channels) {
    const tone = luma(data, i) * 3;
    for (let channel = 0; channel < 3; channel++) {
      const own = data[i + channel] ?? 0;
      data[i + channel] = own + ((map[tone + channel] ?? 0) - own) * strength;
    }
  }
  return sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels as 3 } });
}

function luma(data: Uint8Array, i: number): number {
  return ((data[i] ?? 0) * 54 + (data[i + 1] ?? 0) * 183 + (data[i + 2] ?? 0) * 19) >> 8;
}

/** From each tone to a colour; tones are spread by how often they occur, so that a dull picture gets all planes too. */
function toneMap(data: Uint8Array, { near, far, skyLow, light, accent, second, dark }: Palette): Uint8Array {
  const counts = new Uint32Array(TONES);
  for (let i = 0; i + 2 < data.length; i += 12) counts[luma(data, i)] = (counts[luma(data, i)] ?? 0) + 1;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const deep = dark ? near : lighter(near, -0.12);
  const ramp: Color[] = [
    deep,
    mix(near, second, 0.35),
    second,
    mix(far, accent, 0.35),
    accent,
    mix(skyLow, accent, 0.25),
    light,
  ];
  const map = new Uint8Array(TONES * 3);
  let below = 0;
  for (let tone = 0; tone < TONES; tone++) {
    below += counts[tone] ?? 0;
    const rank = (0.5 * below) / Math.max(1, total) + (0.5 * tone) / (TONES - 1);
    const position = rank * (PLANES - 1);
    const plane = Math.min(PLANES - 2, Math.floor(position));
    const within = position - plane;
    const soft = within < 0.35 ? 0 : within > 0.65 ? 1 : (within - 0.35) / 0.3;
    const color = mix(ramp[plane] ?? deep, ramp[plane + 1] ?? light, soft);
    map.set(rgb(color), tone * 3);
  }
  return map;
}
