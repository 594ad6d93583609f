/** Reads JSON of strangers. Its structure is measured before it is built, since small bytes make large trees. */
import { isAscii } from 'node:buffer';
import { randomUUID } from 'node:crypto';

export class UnreadableJson extends Error {}

export interface JsonLimits {
  depth: number;
  /** Members, elements and containers together. */
  values: number;
}

const LIMITS: JsonLimits = { depth: 32, values: 50_000 };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);
const COMMA = 0x2c;
const COLON = 0x3a;
const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d]);

export function parseBounded(bytes: Buffer, limits = LIMITS): unknown {
  return parse(bytes, limits, (text) => text.toString());
}

/** The same, with long strings left as they stand in the bytes. */
export function parseInPlace(bytes: Buffer, limits = LIMITS): unknown {
  return parse(bytes, limits, (text) => text);
}

function parse(bytes: Buffer, limits: JsonLimits, read: (text: LongText) => unknown): unknown {
  const long = measure(bytes, limits);
  try {
    return long.length === 0 ? JSON.parse(bytes.toString('utf8')) : parseAround(bytes, long, read);
  } catch {
    // The parser's own message quotes the text.
    throw new UnreadableJson('not JSON');
  }
}

/** A value's text between its quotes, long and without anything that stands for something else. */
interface LongString {
  start: number;
  end: number;
}

const LONG = 16 * 1024;

/** A multiple of four characters of base64, and as a string small enough to die young. */
const PIECE = 48 * 1024;

export class LongText {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  toString(from = 0, to = this.#bytes.length): string {
    return this.#bytes.toString('latin1', from, to);
  }

  indexOf(part: string): number {
    return this.#bytes.indexOf(part);
  }

  /** What follows the first `from` characters in base64, put where the text was: it can be read once. */
  decode(from = 0): Buffer {
    const text = this.#bytes.subarray(from);
    let written = 0;
    for (let at = 0; at < text.length; at += PIECE) {
      const piece = text.toString('latin1', at, at + PIECE);
      const bytes = text.write(piece, written, 'base64');
      const next = at + PIECE;
      if (bytes !== (PIECE / 4) * 3 && next < text.length) {
        // Something else is among the characters, so that the next piece does not begin where a group of four does.
        const rest = Buffer.from(piece + text.toString('latin1', next), 'base64');
        return Buffer.concat([text.subarray(0, written), rest]);
      }
      written += bytes;
    }
    return text.subarray(0, written);
  }
}

/**
 * Walks over the structure alone: strings, which hold nearly all bytes of an answer with pictures, are leapt over. Returns
 * those that can be taken as they are.
 */
function measure(bytes: Buffer, { depth, values }: JsonLimits): LongString[] {
  const long: LongString[] = [];
  let nesting = 0;
  let seen = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) {
      const start = at + 1;
      at = endOfString(bytes, at);
      if (at - start >= LONG && isPlain(bytes, start, at)) long.push({ start, end: at });
    } else if (OPENING.has(byte)) {
      nesting += 1;
      seen += 1;
    } else if (CLOSING.has(byte)) {
      nesting -= 1;
    } else if (byte === COMMA) {
      seen += 1;
    }
    if (nesting > depth || seen > values) throw new UnreadableJson('too deep or too many values');
  }
  return long;
}

/** A member's name is left where it is. */
function isPlain(bytes: Buffer, start: number, end: number): boolean {
  const text = bytes.subarray(start, end);
  let next = end + 1;
  while (SPACES.has(bytes[next] ?? 0)) next += 1;
  return bytes[next] !== COLON && !text.includes(BACKSLASH) && isAscii(text);
}

/**
 * JSON.parse over everything but the long strings, whose bytes are read once instead of four times. What it cannot find
 * any more is a control character in one of them.
 */
function parseAround(bytes: Buffer, long: readonly LongString[], read: (text: LongText) => unknown): unknown {
  const mark = `${randomUUID()}:`;
  const pieces: string[] = [];
  let from = 0;
  for (const [i, { start, end }] of long.entries()) {
    pieces.push(bytes.toString('utf8', from, start), mark + i);
    from = end;
  }
  pieces.push(bytes.toString('utf8', from));
  return JSON.parse(pieces.join(''), (_, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(mark)) return value;
    const { start, end } = long[Number(value.slice(mark.length))] ?? { start: 0, end: 0 };
    return read(new LongText(bytes.subarray(start, end)));
  });
}

/** Where the closing quote stands. */
function endOfString(bytes: Buffer, start: number): number {
  for (let from = start + 1; ; ) {
    const quote = bytes.indexOf(QUOTE, from);
    if (quote < 0) throw new UnreadableJson('not JSON');
    let slashes = 0;
    while (bytes[quote - 1 - slashes] === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return quote;
    from = quote + 1;
  }
}
