/**
 * Reads a picture's bytes as they come, whatever their chunks: which type it is, how large, whether its structure holds
 * to the last byte and ends there. Pixels are not decoded. What is kept of the bytes is a few of them.
 */
import { Problem } from '../../../platform/errors.js';
import type { PictureType } from '../image/image.model.js';
import { gif } from './gif.js';
import { jpeg } from './jpeg.js';
import { png } from './png.js';
import { type Dimensions, type Format, invalidPicture, type Want } from './reading.js';
import { webp } from './webp.js';

interface Kind {
  contentType: PictureType;
  extension: string;
  /** The first bytes; a dot stands for any. */
  beginnings: readonly string[];
  format: () => Format;
}

const SNIFFED = 12;

const KINDS: readonly Kind[] = [
  { contentType: 'image/png', extension: 'png', beginnings: ['\x89PNG\r\n\x1a\n'], format: png },
  { contentType: 'image/jpeg', extension: 'jpg', beginnings: ['\xff\xd8\xff'], format: jpeg },
  { contentType: 'image/webp', extension: 'webp', beginnings: ['RIFF....WEBP'], format: webp },
  { contentType: 'image/gif', extension: 'gif', beginnings: ['GIF87a', 'GIF89a'], format: gif },
];

/** The kind that these bytes begin like, as far as they go. */
function kindOf(bytes: Buffer): Kind | undefined {
  const text = bytes.toString('latin1');
  const alike = (beginning: string) =>
    [...beginning].every((byte, i) => i >= text.length || byte === '.' || byte === text[i]);
  return KINDS.find(({ beginnings }) => beginnings.some(alike));
}

export interface PictureRead extends Dimensions {
  contentType: PictureType;
  extension: string;
}

const NOTHING = Buffer.alloc(0);

export class PictureReader {
  #kind: Kind | null = null;
  #format: Format | null = null;
  #want: Want = { take: SNIFFED };
  /** What has come of the bytes that are wanted. */
  #taken: Buffer = NOTHING;
  #skipped = 0;
  #dimensions: Dimensions | null = null;

  /** Known once the first bytes are. */
  get contentType(): string {
    return this.#kind?.contentType ?? 'application/octet-stream';
  }

  /** Throws as soon as the bytes so far are no picture. */
  write(chunk: Buffer): void {
    let read = 0;
    while (read < chunk.length) {
      if (this.#dimensions) throw invalidPicture('foreign data follows it');
      read = this.#consume(chunk, read);
    }
  }

  /** Throws when something is missing. */
  end(): PictureRead {
    if (!this.#kind) throw this.#tooShort();
    const mayEnd = 'take' in this.#want && this.#want.orEnd && this.#taken.length === 0;
    if (!this.#dimensions && mayEnd) this.#advance(NOTHING);
    if (!this.#dimensions) throw invalidPicture('it is cut short');
    const { contentType, extension } = this.#kind;
    return { contentType, extension, ...this.#dimensions };
  }

  /** Serves what is wanted from a place in the chunk, and returns the place after that. */
  #consume(chunk: Buffer, from: number): number {
    const want = this.#want;
    if ('take' in want) {
      const end = Math.min(chunk.length, from + want.take - this.#taken.length);
      const piece = chunk.subarray(from, end);
      this.#taken = this.#taken.length === 0 ? piece : Buffer.concat([this.#taken, piece]);
      if (this.#taken.length < want.take) {
        // The chunk is not ours to keep.
        this.#taken = Buffer.from(this.#taken);
      } else {
        const taken = this.#taken;
        this.#taken = NOTHING;
        if (this.#format) this.#advance(taken);
        else this.#recognise(taken);
      }
      return end;
    }
    if ('past' in want) {
      const found = chunk.indexOf(want.past, from);
      if (found < 0) return chunk.length;
      this.#advance(NOTHING);
      return found + 1;
    }
    const end = Math.min(chunk.length, from + want.skip - this.#skipped);
    want.through?.(chunk.subarray(from, end));
    this.#skipped += end - from;
    if (this.#skipped === want.skip) this.#advance(NOTHING);
    return end;
  }

  #advance(given: Buffer): void {
    let bytes = given;
    for (;;) {
      const step = this.#format?.next(bytes);
      if (!step) return;
      if (step.done) {
        this.#dimensions = step.value;
        return;
      }
      this.#want = step.value;
      this.#skipped = 0;
      // What wants nothing is served at once: no byte may come after it.
      if (!('skip' in step.value) || step.value.skip > 0) return;
      bytes = NOTHING;
    }
  }

  #recognise(head: Buffer): void {
    const kind = kindOf(head);
    if (!kind) throw new Problem('unsupported_image_type');
    this.#kind = kind;
    this.#format = kind.format();
    this.#advance(NOTHING);
    this.write(head);
  }

  #tooShort(): Problem {
    if (this.#taken.length === 0) return Problem.invalid('file', 'is empty');
    return kindOf(this.#taken) ? invalidPicture('it is cut short') : new Problem('unsupported_image_type');
  }
}
