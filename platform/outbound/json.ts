/** Reads JSON of strangers. Its structure is measured before it is built, since small bytes make large trees. */

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

export function parseBounded(bytes: Buffer, limits = LIMITS): unknown {
  measure(bytes, limits);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // The parser's own message quotes the text.
    throw new UnreadableJson('not JSON');
  }
}

/** Walks over the structure alone: strings, which hold nearly all bytes of an answer with pictures, are leapt over. */
function measure(bytes: Buffer, { depth, values }: JsonLimits): void {
  let nesting = 0;
  let seen = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) {
      at = endOfString(bytes, at);
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
