/** GIF 87a and 89a: blocks up to the trailer. */
import { checkDimensions, type Dimensions, type Format, invalidPicture, type Want } from './reading.js';

const EXTENSION = 0x21;
const IMAGE = 0x2c;
const TRAILER = 0x3b;
const COLOUR_TABLE = 0x80;

export function* gif(): Format {
  const head = yield { take: 13 };
  const screen = { width: head.readUInt16LE(6), height: head.readUInt16LE(8) };
  yield* colourTable(head.readUInt8(10));
  let dimensions: Dimensions | null = null;
  for (;;) {
    const block = (yield { take: 1 }).readUInt8();
    if (block === TRAILER) {
      if (!dimensions) throw invalidPicture('the GIF holds no pixels');
      return dimensions;
    }
    if (block === EXTENSION) {
      yield { take: 1 };
      yield* subBlocks();
    } else if (block === IMAGE) {
      const frame = yield { take: 9 };
      const right = frame.readUInt16LE(0) + frame.readUInt16LE(4);
      const bottom = frame.readUInt16LE(2) + frame.readUInt16LE(6);
      checkDimensions(frame.readUInt16LE(4), frame.readUInt16LE(6));
      // A screen without extent is as large as its first frame needs it, and decoders make room for frames beyond it.
      dimensions ??= checkDimensions(screen.width || right, screen.height || bottom);
      checkDimensions(Math.max(dimensions.width, right), Math.max(dimensions.height, bottom));
      yield* colourTable(frame.readUInt8(8));
      const minimumCodeSize = (yield { take: 1 }).readUInt8();
      if (minimumCodeSize < 1 || minimumCodeSize > 11) throw invalidPicture('a frame of the GIF is damaged');
      yield* subBlocks();
    } else {
      throw invalidPicture('a block of the GIF is damaged');
    }
  }
}

function* colourTable(flags: number): Generator<Want, void, Buffer> {
  if (flags & COLOUR_TABLE) yield { skip: 3 * 2 ** ((flags & 7) + 1) };
}

function* subBlocks(): Generator<Want, void, Buffer> {
  for (;;) {
    const length = (yield { take: 1 }).readUInt8();
    if (length === 0) return;
    yield { skip: length };
  }
}
