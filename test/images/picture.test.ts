/** The reader of pictures against pictures that another library made, whole, cut, lengthened, damaged. */
import fc from 'fast-check';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../platform/errors.js';
import { PictureReader } from '../../subgraphs/images/picture/picture.js';
import { type Picture, pictures, pngChunk } from './support/pictures.js';

const RUNS = process.env['LONG'] ? 2_000 : 150;

let all: Picture[];
beforeAll(async () => {
  all = await pictures();
});

function read(bytes: Buffer, chunks: readonly Buffer[] = [bytes]) {
  const reader = new PictureReader();
  for (const chunk of chunks) reader.write(chunk);
  return reader.end();
}

function split(bytes: Buffer, borders: readonly number[]): Buffer[] {
  const places = [...new Set(borders.map((border) => border % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((place, i) => bytes.subarray(places[i - 1] ?? 0, place));
}

function slugOf(action: () => unknown): string {
  try {
    action();
    return 'none';
  } catch (error) {
    // Anything else would be a bug of the reader.
    if (!(error instanceof Problem)) throw error;
    return error.slug;
  }
}

const picture = fc.nat().map((n) => all[n % all.length] as Picture);
const borders = fc.array(fc.nat(), { maxLength: 30 });

describe('a picture', () => {
  it('of every kind is recognised, with its extent', () => {
    for (const { name, contentType, width, height, bytes } of all) {
      expect([name, read(bytes)]).toEqual([name, expect.objectContaining({ contentType, width, height })]);
    }
  });

  it('is read alike in whatever chunks it comes', () => {
    fc.assert(
      fc.property(picture, borders, ({ bytes }, places) => {
        expect(read(bytes, split(bytes, places))).toEqual(read(bytes));
      }),
      { numRuns: RUNS },
    );
    for (const { bytes } of all) expect(read(bytes, split(bytes, [...bytes.keys()]))).toEqual(read(bytes));
  });

  it('that is cut short anywhere is refused', () => {
    const wrong = all.flatMap(({ name, bytes }) =>
      [...bytes.keys()]
        .filter((length) => slugOf(() => read(bytes.subarray(0, length))) !== 'validation_error')
        .map((length) => `${name} after ${length} bytes`),
    );
    expect(wrong).toEqual([]);
  });

  it('with anything behind it is refused', () => {
    fc.assert(
      fc.property(picture, fc.uint8Array({ minLength: 1, maxLength: 200 }), borders, ({ bytes }, more, places) => {
        const longer = Buffer.concat([bytes, more]);
        expect(slugOf(() => read(longer, split(longer, places)))).toBe('validation_error');
      }),
      { numRuns: RUNS },
    );
  });

  it('with another picture behind it is refused', () => {
    for (const one of all) {
      for (const other of all) {
        expect(slugOf(() => read(Buffer.concat([one.bytes, other.bytes])))).toBe('validation_error');
      }
    }
  });

  it('that is damaged is refused or read, and never breaks the reader', () => {
    fc.assert(
      fc.property(
        picture,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (one, changes) => {
          const bytes = Buffer.from(one.bytes);
          for (const [place, value] of changes) bytes[place % bytes.length] = value;
          expect(['none', 'validation_error', 'unsupported_image_type', 'file_too_large']).toContain(
            slugOf(() => read(bytes)),
          );
        },
      ),
      { numRuns: 5 * RUNS },
    );
  });

  it('of PNG type is refused for a single wrong bit in any chunk', () => {
    const png = all.find(({ name }) => name === 'png')?.bytes ?? Buffer.alloc(0);
    for (let place = 8; place < png.length; place++) {
      const bytes = Buffer.from(png);
      bytes[place] = (bytes[place] ?? 0) ^ 1;
      expect([place, slugOf(() => read(bytes))]).toEqual([place, 'validation_error']);
    }
  });
});

describe('what is no such picture', () => {
  it.each([
    ['an SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ['a PDF', '%PDF-1.7\n%âãÏÓ\n1 0 obj'],
    ['a page', '<!doctype html><script>alert(1)</script>'],
    ['an AVIF', '\0\0\0\x20ftypavif\0\0\0\0avifmif1'],
    ['a TIFF', 'II*\0\x08\0\0\0\0\0\0\0\0\0'],
    ['a BMP', 'BM\x36\0\0\0\0\0\0\0\x36\0\0\0'],
    ['a sound in RIFF', 'RIFF\x24\0\0\0WAVEfmt '],
    ['a short text', 'hi'],
  ])('%s is not supported', (_name, text) => {
    expect(slugOf(() => read(Buffer.from(text, 'latin1')))).toBe('unsupported_image_type');
  });

  it('is refused once its first twelve bytes are there', () => {
    const reader = new PictureReader();
    expect(() => reader.write(Buffer.from('<svg xmlns="'))).toThrow(Problem);
  });

  it('is invalid when it is empty', () => {
    expect(slugOf(() => read(Buffer.alloc(0)))).toBe('validation_error');
  });
});

function pngWithExtent(width: number, height: number): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = pngChunk('IDAT', Buffer.from([0x78, 0x9c, 3, 0, 0, 0, 0, 1]));
  return Buffer.concat([signature, pngChunk('IHDR', head), data, pngChunk('IEND', Buffer.alloc(0))]);
}

describe('a picture of more than 100 megapixels', () => {
  it('is too large, also when its bytes are few', () => {
    expect(slugOf(() => read(pngWithExtent(10_000, 10_000)))).toBe('none');
    expect(slugOf(() => read(pngWithExtent(10_001, 10_000)))).toBe('file_too_large');
    expect(slugOf(() => read(pngWithExtent(0x7fffffff, 0x7fffffff)))).toBe('file_too_large');
    expect(slugOf(() => read(pngWithExtent(0, 10)))).toBe('validation_error');
  });

  it('is too large as a frame of a GIF', () => {
    const gif = Buffer.from(all.find(({ name }) => name === 'gif')?.bytes ?? []);
    const frame = gif.indexOf(Buffer.from([0x2c, 0, 0, 0, 0]));
    gif.writeUInt16LE(60_000, frame + 5);
    gif.writeUInt16LE(60_000, frame + 7);
    expect(slugOf(() => read(gif))).toBe('file_too_large');
  });
});

describe('a JPEG that announces further pictures', () => {
  const announcement = Buffer.from([0xff, 0xe2, 0, 8, 0x4d, 0x50, 0x46, 0, 0, 0]);

  it('may carry them behind it, and nothing else', async () => {
    const plain = all.find(({ name }) => name === 'jpeg')?.bytes ?? Buffer.alloc(0);
    const announced = Buffer.concat([plain.subarray(0, 2), announcement, plain.subarray(2)]);
    expect(slugOf(() => read(announced))).toBe('none');
    const several = Buffer.concat([announced, plain]);
    expect(read(several)).toEqual(read(plain));
    expect((await sharp(several).metadata()).width).toBe(read(several).width);
    expect(slugOf(() => read(several.subarray(0, -1)))).toBe('validation_error');
    expect(slugOf(() => read(Buffer.concat([several, Buffer.from('PK')])))).toBe('validation_error');
    expect(slugOf(() => read(Buffer.concat([several, Buffer.from([0xff])])))).toBe('validation_error');
  });
});
