/** Real pictures for stand-ins: of any size, each one different from the last at no cost. */
import { crc32 } from 'node:zlib';
import sharp from 'sharp';

const made = new Map<string, Promise<Buffer>>();

export function png(width: number, height: number, background = '#3a6ea5'): Promise<Buffer> {
  const key = `${width}x${height}${background}`;
  let picture = made.get(key);
  if (!picture) {
    picture = sharp({ create: { width, height, channels: 3, background } })
      .png()
      .toBuffer();
    made.set(key, picture);
  }
  return picture;
}

export async function jpeg(width: number, height: number): Promise<Buffer> {
  return sharp(await png(width, height))
    .jpeg()
    .toBuffer();
}

/** A picture with as many bytes as a painted one has: noise does not compress. */
export async function noise(width: number, height: number): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height * 3);
  let state = 1;
  for (let i = 0; i < pixels.length; i++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    pixels[i] = (state >> 16) & 0x3f;
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

const IHDR_END = 33;
let serial = 0;

/** The same picture with a text chunk of its own, so that no two are the same bytes. */
export function distinct(picture: Buffer): Buffer {
  const data = Buffer.from(`serial\0${serial++}`, 'latin1');
  const body = Buffer.concat([Buffer.from('tEXt', 'latin1'), data]);
  const chunk = Buffer.alloc(4 + body.length + 4);
  chunk.writeUInt32BE(data.length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), 4 + body.length);
  return Buffer.concat([picture.subarray(0, IHDR_END), chunk, picture.subarray(IHDR_END)]);
}
