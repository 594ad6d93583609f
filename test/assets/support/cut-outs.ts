/** Pictures whose subject is known to the pixel: drawings laid over backgrounds of many kinds. */
import sharp from 'sharp';

export interface Scene {
  subject: string;
  backdrop: string;
  /** As a provider would give it. */
  picture: Buffer;
  /** 0 to 255: how much of each pixel is the subject. */
  mask: Buffer;
  width: number;
  height: number;
}

const SIZE = 240;

/** On a square of 100 by 100. */
const SUBJECTS: Readonly<Record<string, string>> = {
  ball: `<defs><radialGradient id="g" cx=".35" cy=".3" r=".8"><stop offset="0" stop-color="#ffb0a0"/><stop offset="1" stop-color="#801510"/></radialGradient></defs>
    <circle cx="50" cy="50" r="30" fill="url(#g)"/>`,
  mug: `<path d="M66 38h10a12 12 0 0 1 0 26h-10" fill="none" stroke="#1c4b7a" stroke-width="6"/>
    <path d="M25 28h42v44a8 8 0 0 1-8 8H33a8 8 0 0 1-8-8z" fill="#27639e"/><rect x="25" y="40" width="42" height="9" fill="#f2c14e"/>`,
  ring: `<circle cx="50" cy="50" r="26" fill="none" stroke="#b8860b" stroke-width="13"/>
    <circle cx="50" cy="50" r="29" fill="none" stroke="#e6c35c" stroke-width="3"/>`,
  tree: `<rect x="45" y="62" width="10" height="28" fill="#5b3a1e"/><path d="M50 8l26 34H62l18 24H20l18-24H24z" fill="#1f5d2e"/>
    <path d="M50 8l12 16-16 10z" fill="#3f8d4e"/>`,
  bust: `<path d="M14 100c0-26 16-34 36-34s36 8 36 34z" fill="#35406b"/><circle cx="50" cy="40" r="21" fill="#d9a074"/>
    <path d="M29 38c0-16 10-24 21-24s21 8 21 24c-8-2-12-8-14-12-8 8-18 10-28 12z" fill="#2b1a10"/>
    <circle cx="43" cy="42" r="3" fill="#fdfdfd"/><circle cx="57" cy="42" r="3" fill="#fdfdfd"/>`,
  bottle: `<path d="M44 8h12v18c0 6 10 10 10 22v40a6 6 0 0 1-6 6H40a6 6 0 0 1-6-6V48c0-12 10-16 10-22z" fill="#13603a"/>
    <rect x="34" y="54" width="32" height="22" fill="#f4ead0"/><rect x="38" y="60" width="24" height="3" fill="#444"/>`,
  three: `<circle cx="24" cy="34" r="14" fill="#c2372c"/><rect x="52" y="18" width="28" height="28" fill="#2c6ac2"/>
    <path d="M50 60l20 30H30z" fill="#d98b0b"/>`,
  star: `<path d="M50 8l12 29 31 2-24 20 8 31-27-17-27 17 8-31L7 39l31-2z" fill="#7a2a8a"/>`,
  leaf: `<path d="M18 82C10 40 40 12 86 12c2 44-24 76-60 66" fill="#4c8c2b"/><path d="M14 90C30 62 50 40 74 24" stroke="#2d5a17" stroke-width="3" fill="none"/>`,
};

const PLAIN: Readonly<Record<string, Backdrop>> = {
  white: plain('#fbfbfb'),
  grey: plain('#9aa0a6'),
  black: plain('#101014'),
  'pale blue': plain('#cfe4f5'),
  pink: plain('#f0a5b8'),
  'white, noisy': plain('#f0f0ee', 5),
};

const UNEVEN: Readonly<Record<string, Backdrop>> = {
  gradient: drawn(
    '<defs><linearGradient id="b" x2="1" y2="1"><stop offset="0" stop-color="#f7f3ea"/><stop offset="1" stop-color="#a9b7c9"/></linearGradient></defs><rect width="100" height="100" fill="url(#b)"/>',
  ),
  vignette: drawn(
    '<defs><radialGradient id="b" r=".8"><stop offset="0" stop-color="#eef1f4"/><stop offset="1" stop-color="#8c939c"/></radialGradient></defs><rect width="100" height="100" fill="url(#b)"/>',
  ),
  'a shadow': drawn(
    '<defs><filter id="f" x="-50%" y="-200%" width="200%" height="500%"><feGaussianBlur stdDeviation="4"/></filter></defs><rect width="100" height="100" fill="#eceae6"/><ellipse cx="54" cy="90" rx="36" ry="6" fill="#8d8a86" filter="url(#f)"/>',
  ),
  'wall and floor': drawn(
    '<rect width="100" height="100" fill="#d8dde3"/><rect y="72" width="100" height="28" fill="#b39a7c"/>',
  ),
};

interface Backdrop {
  drawing: string;
  noise: number;
}

function plain(colour: string, noise = 1.5): Backdrop {
  return { drawing: `<rect width="100" height="100" fill="${colour}"/>`, noise };
}

function drawn(drawing: string, noise = 1.5): Backdrop {
  return { drawing, noise };
}

function svg(content: string, width: number, height: number): Buffer {
  const box = `viewBox="0 0 100 100" preserveAspectRatio="xMidYMax meet"`;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ${box}>${content}</svg>`,
  );
}

function sheet(content: string, width: number, height: number): Buffer {
  const box = `viewBox="0 0 100 100" preserveAspectRatio="none"`;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ${box}>${content}</svg>`,
  );
}

async function scene(subject: string, backdrop: string, { drawing, noise }: Backdrop, index: number): Promise<Scene> {
  const width = index % 3 === 1 ? Math.round(1.5 * SIZE) : SIZE;
  const height = index % 3 === 2 ? Math.round(1.3 * SIZE) : SIZE;
  const figure = await sharp(svg(SUBJECTS[subject] ?? '', width, height))
    .ensureAlpha()
    .png()
    .toBuffer();
  const mask = await sharp(figure).extractChannel(3).raw().toBuffer();
  const laid = await sharp(sheet(drawing, width, height))
    .composite([{ input: figure }])
    .removeAlpha()
    .raw()
    .toBuffer();
  let state = 11 + index;
  for (let i = 0; i < laid.length; i++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    // The sum of two is near enough to what sensors do.
    const grain = (((state >> 16) & 0xff) + ((state >> 8) & 0xff)) / 255 - 1;
    laid[i] = Math.min(255, Math.max(0, Math.round((laid[i] ?? 0) + 2.4 * noise * grain)));
  }
  const picture = sharp(laid, { raw: { width, height, channels: 3 } });
  const bytes = index % 2 ? picture.jpeg({ quality: 85 }).toBuffer() : picture.png().toBuffer();
  return { subject, backdrop, picture: await bytes, mask, width, height };
}

/** Each subject on each backdrop; or every so-manieth of these. */
async function scenes(backdrops: Readonly<Record<string, Backdrop>>, every: number): Promise<Scene[]> {
  const pairs = Object.entries(backdrops).flatMap(([name, backdrop]) =>
    Object.keys(SUBJECTS).map((subject) => [subject, name, backdrop] as const),
  );
  const all: Scene[] = [];
  for (const [i, [subject, name, backdrop]] of pairs.entries()) {
    if (i % every === 0) all.push(await scene(subject, name, backdrop, i));
  }
  return all;
}

export const plainScenes = (every: number) => scenes(PLAIN, every);
export const unevenScenes = (every: number) => scenes(UNEVEN, every);

/** Intersection over union of what is more subject than not. */
export function overlap(alpha: Uint8Array, mask: Uint8Array): number {
  let both = 0;
  let either = 0;
  for (let i = 0; i < mask.length; i++) {
    const [a, b] = [(alpha[i] ?? 0) >= 128, (mask[i] ?? 0) >= 128];
    if (a && b) both += 1;
    if (a || b) either += 1;
  }
  return both / either;
}
