/** PNG (third edition) and APNG: chunks with checksums, from IHDR to IEND. */
import { crc32 } from 'node:zlib';
import { checkDimensions, type Dimensions, type Format, invalidPicture } from './reading.js';

const SIGNATURE = 8;
/** Length and type, before what a chunk holds. */
const HEAD = 8;
/** After it. */
const CHECKSUM = 4;
const HEADER = 13;
const MAX_LENGTH = 0x7fff_ffff;
const CRITICAL = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND']);
/** Table 8: which sample depths each colour type has. */
const DEPTHS: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
const INDEXED = 3;

interface Chunk {
  type: string;
  length: number;
  /** Of the type: a chunk's checksum begins with that. */
  crc: number;
}

/** Pixels come in chunks of a few kilobytes, so there are hundreds of these for each of any other type. */
const PIXELS = Buffer.from('IDAT');
const PIXELS_CODE = PIXELS.readUInt32BE();
const PIXELS_CRC = crc32(PIXELS);

/** Each step takes the checksum of one chunk with the head of the next, so that a chunk is two steps. */
export function* png(): Format {
  const first = chunkIn(yield { take: SIGNATURE + HEAD }, SIGNATURE);
  if (first.type !== 'IHDR' || first.length !== HEADER) throw invalidPicture('a PNG begins with IHDR');
  // What is given lasts until the next step.
  const header = Buffer.from(yield { take: HEADER });
  let crc = crc32(header, first.crc);
  const between = { take: CHECKSUM + HEAD };
  let next = yield between;
  requireSame(next, crc, first);
  const { dimensions, colour } = readHeader(header);
  const content = {
    skip: 0,
    through(bytes: Buffer): void {
      crc = crc32(bytes, crc);
    },
  };
  let palette = false;
  let data: 'none' | 'open' | 'closed' = 'none';
  for (;;) {
    const chunk = chunkIn(next, CHECKSUM);
    const { type, length } = chunk;
    if (type === 'IDAT') {
      if (data === 'closed' || (colour === INDEXED && !palette)) {
        throw invalidPicture('the chunks of the PNG are out of order');
      }
      data = 'open';
    } else {
      requireKnown(type);
      if (type === 'PLTE') {
        if (palette || data !== 'none' || length % 3 !== 0 || length === 0 || length > 768) {
          throw invalidPicture('the palette of the PNG is wrong');
        }
        palette = true;
      } else if (data === 'open') {
        data = 'closed';
      }
    }
    ({ crc } = chunk);
    content.skip = length;
    yield content;
    if (type === 'IEND') {
      requireSame(yield { take: CHECKSUM }, crc, chunk);
      if (data === 'none' || length !== 0) throw invalidPicture('the PNG holds no pixels');
      return dimensions;
    }
    next = yield between;
    requireSame(next, crc, chunk);
  }
}

function chunkIn(bytes: Buffer, at: number): Chunk {
  const length = bytes.readUInt32BE(at);
  if (length > MAX_LENGTH) throw damaged();
  if (bytes.readUInt32BE(at + 4) === PIXELS_CODE) return { type: 'IDAT', length, crc: PIXELS_CRC };
  const name = bytes.subarray(at + 4, at + HEAD);
  const type = name.toString('latin1');
  if (!/^[A-Za-z]{4}$/.test(type)) throw damaged();
  return { type, length, crc: crc32(name) };
}

function damaged(): Error {
  return invalidPicture('a chunk of the PNG is damaged');
}

function requireSame(checksum: Buffer, crc: number, { type }: Chunk): void {
  if (checksum.readUInt32BE() !== crc) throw invalidPicture(`the chunk ${type} of the PNG is damaged`);
}

function requireKnown(type: string): void {
  if (type === 'IHDR') throw invalidPicture('a PNG has one IHDR chunk');
  if (type[0] === type[0]?.toUpperCase() && !CRITICAL.has(type)) {
    throw invalidPicture(`the PNG chunk ${type} is not known`);
  }
}

function readHeader(header: Buffer): { dimensions: Dimensions; colour: number } {
  const colour = header.readUInt8(9);
  const known = header.readUInt8(10) === 0 && header.readUInt8(11) === 0 && header.readUInt8(12) <= 1;
  if (!known || !DEPTHS[colour]?.includes(header.readUInt8(8))) throw invalidPicture('the IHDR of the PNG is wrong');
  return { dimensions: checkDimensions(header.readUInt32BE(0), header.readUInt32BE(4)), colour };
}
