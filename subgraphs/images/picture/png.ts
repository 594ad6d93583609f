/** PNG (third edition) and APNG: chunks with checksums, from IHDR to IEND. */
import { crc32 } from 'node:zlib';
import { checkDimensions, type Dimensions, type Format, invalidPicture, type Want } from './reading.js';

const SIGNATURE_LENGTH = 8;
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

export function* png(): Format {
  yield { take: SIGNATURE_LENGTH };
  const { dimensions, colour } = yield* header();
  let palette = false;
  let data: 'none' | 'open' | 'closed' = 'none';
  for (;;) {
    const { type, length, crc } = yield* chunkHead();
    if (type === 'IHDR') throw invalidPicture('a PNG has one IHDR chunk');
    if (type[0] === type[0]?.toUpperCase() && !CRITICAL.has(type)) {
      throw invalidPicture(`the PNG chunk ${type} is not known`);
    }
    if (type === 'PLTE') {
      if (palette || data !== 'none' || length % 3 !== 0 || length === 0 || length > 768) {
        throw invalidPicture('the palette of the PNG is wrong');
      }
      palette = true;
    } else if (type === 'IDAT') {
      if (data === 'closed' || (colour === INDEXED && !palette)) {
        throw invalidPicture('the chunks of the PNG are out of order');
      }
      data = 'open';
    } else if (data === 'open') {
      data = 'closed';
    }
    yield* chunkBody(type, length, crc);
    if (type !== 'IEND') continue;
    if (data === 'none' || length !== 0) throw invalidPicture('the PNG holds no pixels');
    return dimensions;
  }
}

function* header(): Generator<Want, { dimensions: Dimensions; colour: number }, Buffer> {
  const { type, length, crc } = yield* chunkHead();
  if (type !== 'IHDR' || length !== 13) throw invalidPicture('a PNG begins with IHDR');
  const body = yield { take: 13 };
  yield* checksum(type, crc32(body, crc));
  const colour = body.readUInt8(9);
  const known = body.readUInt8(10) === 0 && body.readUInt8(11) === 0 && body.readUInt8(12) <= 1;
  if (!known || !DEPTHS[colour]?.includes(body.readUInt8(8))) throw invalidPicture('the IHDR of the PNG is wrong');
  return { dimensions: checkDimensions(body.readUInt32BE(0), body.readUInt32BE(4)), colour };
}

function* chunkHead(): Generator<Want, { type: string; length: number; crc: number }, Buffer> {
  const head = yield { take: 8 };
  const length = head.readUInt32BE();
  const type = head.toString('latin1', 4);
  if (length > MAX_LENGTH || !/^[A-Za-z]{4}$/.test(type)) throw invalidPicture('a chunk of the PNG is damaged');
  return { type, length, crc: crc32(head.subarray(4)) };
}

function* chunkBody(type: string, length: number, start: number): Generator<Want, void, Buffer> {
  let crc = start;
  yield {
    skip: length,
    through: (bytes) => {
      crc = crc32(bytes, crc);
    },
  };
  yield* checksum(type, crc);
}

function* checksum(type: string, crc: number): Generator<Want, void, Buffer> {
  if ((yield { take: 4 }).readUInt32BE() !== crc) throw invalidPicture(`the chunk ${type} of the PNG is damaged`);
}
