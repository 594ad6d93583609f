/** WebP (RFC 9649): one RIFF container that says how long it is. */
import { checkDimensions, type Dimensions, type Format, invalidPicture, type Want } from './reading.js';

const ANIMATED = 0x02;
const FRAME_HEAD = 16;

export function* webp(): Format {
  const riff = yield { take: 12 };
  // The size counts from behind itself, so "WEBP" is part of it.
  const container = new Container(riff.readUInt32LE(4) - 4);
  const first = yield* container.chunk();
  if (first.type === 'VP8X') return yield* extended(container, first.length);
  const dimensions = yield* bitstream(first);
  if (!dimensions) throw invalidPicture('the WebP does not begin with a picture');
  yield* container.rest();
  return dimensions;
}

interface Chunk {
  type: string;
  length: number;
}

/** Counts down what the container holds: its chunks must fill it to the byte. */
class Container {
  #left: number;

  constructor(size: number) {
    this.#left = size;
  }

  get isEmpty(): boolean {
    return this.#left === 0;
  }

  /** Bytes of a chunk's own that are read outside chunk(). */
  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw invalidPicture('the chunks of the WebP do not fit its size');
  }

  *chunk(): Generator<Want, Chunk, Buffer> {
    this.spend(8);
    const head = yield { take: 8 };
    const length = head.readUInt32LE(4);
    this.spend(length + (length & 1));
    return { type: head.toString('latin1', 0, 4), length };
  }

  *rest(): Generator<Want, void, Buffer> {
    while (!this.isEmpty) {
      const { length } = yield* this.chunk();
      yield { skip: length + (length & 1) };
    }
  }
}

function* extended(container: Container, length: number): Generator<Want, Dimensions, Buffer> {
  if (length < 10) throw invalidPicture('the head of the WebP is damaged');
  const head = yield { take: 10 };
  yield { skip: length - 10 + (length & 1) };
  const animated = (head.readUInt8(0) & ANIMATED) !== 0;
  const canvas = checkDimensions(head.readUIntLE(4, 3) + 1, head.readUIntLE(7, 3) + 1);
  let pictures = 0;
  while (!container.isEmpty) {
    const chunk = yield* container.chunk();
    if (animated && chunk.type === 'ANMF') {
      yield* frame(chunk.length, canvas);
      pictures += 1;
      continue;
    }
    const dimensions = yield* bitstream(chunk);
    if (!dimensions) continue;
    if (animated || dimensions.width !== canvas.width || dimensions.height !== canvas.height) {
      throw invalidPicture('the picture of the WebP does not fit its canvas');
    }
    pictures += 1;
  }
  if (pictures === 0 || (!animated && pictures > 1)) throw invalidPicture('the WebP does not hold its picture');
  return canvas;
}

/** A frame is a container of its own, with a place on the canvas. */
function* frame(length: number, canvas: Dimensions): Generator<Want, void, Buffer> {
  if (length < FRAME_HEAD) throw invalidPicture('a frame of the WebP is damaged');
  const head = yield { take: FRAME_HEAD };
  const right = 2 * head.readUIntLE(0, 3) + head.readUIntLE(6, 3) + 1;
  const bottom = 2 * head.readUIntLE(3, 3) + head.readUIntLE(9, 3) + 1;
  if (right > canvas.width || bottom > canvas.height) throw invalidPicture('a frame of the WebP leaves its canvas');
  const inner = new Container(length - FRAME_HEAD);
  let pictures = 0;
  while (!inner.isEmpty) if (yield* bitstream(yield* inner.chunk())) pictures += 1;
  if (pictures !== 1) throw invalidPicture('a frame of the WebP does not hold one picture');
  if (length & 1) yield { skip: 1 };
}

/** Reads a chunk to its end. Null for one that holds no picture. */
function* bitstream({ type, length }: Chunk): Generator<Want, Dimensions | null, Buffer> {
  const padded = length + (length & 1);
  if (type === 'VP8 ') {
    if (length < 10) throw invalidPicture('the picture of the WebP is damaged');
    const head = yield { take: 10 };
    yield { skip: padded - 10 };
    // Bit 0 of the tag is clear in a key frame, and a start code follows it.
    if ((head.readUInt8(0) & 1) !== 0 || head.readUIntBE(3, 3) !== 0x9d012a) {
      throw invalidPicture('the picture of the WebP is damaged');
    }
    return checkDimensions(head.readUInt16LE(6) & 0x3fff, head.readUInt16LE(8) & 0x3fff);
  }
  if (type === 'VP8L') {
    if (length < 5) throw invalidPicture('the picture of the WebP is damaged');
    const head = yield { take: 5 };
    yield { skip: padded - 5 };
    const bits = head.readUInt32LE(1);
    // The top three bits are the version.
    if (head.readUInt8(0) !== 0x2f || bits >>> 29 !== 0) throw invalidPicture('the picture of the WebP is damaged');
    return checkDimensions((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
  }
  yield { skip: padded };
  return null;
}
