/** Real pictures of every kind that the platform hosts, made by the library that most servers decode them with. */
import sharp from 'sharp';

export interface Picture {
  name: string;
  contentType: string;
  width: number;
  height: number;
  bytes: Buffer;
}

/** Pixels that do not compress to nothing. */
function pixels(width: number, height: number, channels: 1 | 3 | 4, pages = 1): Buffer {
  const bytes = Buffer.alloc(width * height * channels * pages);
  let state = 7;
  for (let i = 0; i < bytes.length; i++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    bytes[i] = (i & 0xff) ^ ((state >> 16) & 0x3f);
  }
  return bytes;
}

function raw(width: number, height: number, channels: 1 | 3 | 4 = 3) {
  return sharp(pixels(width, height, channels), { raw: { width, height, channels } });
}

function pages(width: number, height: number, count: number) {
  return sharp(pixels(width, height, 4, count), {
    raw: { width, height: height * count, channels: 4, pageHeight: height },
  });
}

export async function pictures(): Promise<Picture[]> {
  const [width, height] = [61, 47];
  const exif = { IFD0: { Copyright: 'nobody', ImageDescription: 'x'.repeat(300) } };
  const made: [string, string, Promise<Buffer>][] = [
    ['png', 'image/png', raw(width, height).png().toBuffer()],
    ['png with alpha', 'image/png', raw(width, height, 4).png().toBuffer()],
    ['png with palette', 'image/png', raw(width, height).png({ palette: true }).toBuffer()],
    ['png interlaced', 'image/png', raw(width, height).png({ progressive: true }).toBuffer()],
    [
      'png of 16 bits with exif',
      'image/png',
      raw(width, height).toColourspace('rgb16').withExif(exif).png().toBuffer(),
    ],
    ['jpeg', 'image/jpeg', raw(width, height).jpeg().toBuffer()],
    ['jpeg progressive', 'image/jpeg', raw(width, height).jpeg({ progressive: true }).toBuffer()],
    ['jpeg grey', 'image/jpeg', raw(width, height, 1).toColourspace('b-w').jpeg().toBuffer()],
    [
      'jpeg with exif and profile',
      'image/jpeg',
      raw(width, height).withIccProfile('p3').withExif(exif).jpeg().toBuffer(),
    ],
    ['gif', 'image/gif', raw(width, height).gif().toBuffer()],
    [
      'gif animated',
      'image/gif',
      pages(width, height, 3)
        .gif({ delay: [50, 60, 70] })
        .toBuffer(),
    ],
    ['webp', 'image/webp', raw(width, height).webp().toBuffer()],
    ['webp lossless', 'image/webp', raw(width, height).webp({ lossless: true }).toBuffer()],
    ['webp with alpha', 'image/webp', raw(width, height, 4).webp().toBuffer()],
    [
      'webp with exif and profile',
      'image/webp',
      raw(width, height).withIccProfile('p3').withExif(exif).webp().toBuffer(),
    ],
    [
      'webp animated',
      'image/webp',
      pages(width, height, 3)
        .webp({ delay: [50, 60, 70] })
        .toBuffer(),
    ],
  ];
  return Promise.all(
    made.map(async ([name, contentType, bytes]) => ({ name, contentType, width, height, bytes: await bytes })),
  );
}

const CRC = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

export function pngChunk(type: string, body: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body]);
  const chunk = Buffer.alloc(named.length + 8);
  chunk.writeUInt32BE(body.length);
  named.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(named), named.length + 4);
  return chunk;
}

/** A whole PNG of exactly this many bytes: a small picture, and a private chunk for the rest. */
export function pngOfSize(picture: Buffer, size: number): Buffer {
  const end = picture.length - 12;
  const filler = pngChunk('ruSt', Buffer.alloc(size - picture.length - 12, size & 0xff));
  return Buffer.concat([picture.subarray(0, end), filler, picture.subarray(end)]);
}

export async function smallPng(width = 8, height = 6): Promise<Buffer> {
  return raw(width, height).png().toBuffer();
}
