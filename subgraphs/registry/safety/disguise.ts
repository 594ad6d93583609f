/**
 * What a text says once its disguises are taken off. Each layer is read by the same rules; what is harmful only there
 * was hidden on purpose, so no explanation around it counts.
 */
import { unconfuse } from './confusables.js';

export interface Layer {
  /** As the author reads it: "… hides, in base64, …". */
  disguise: string;
  text: string;
  /** The same stretch with the disguise on. */
  was: string;
  /** Where the disguise stands in the original. */
  at: number;
}

// A payload inside a payload is unpacked too; deeper nesting is a bomb, not a message.
const MAX_DEPTH = 2;
const MAX_BLOBS = 200;
const AROUND = 200;

// Zero-width and joining characters, fillers, variation selectors, bidirectional controls, tags.
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
// Between two letters: emoji are joined with such characters too. The soft hyphen has an honest use there.
const INVISIBLE_IN_WORD = /[a-z](?!\u00ad)\p{Default_Ignorable_Code_Point}[a-z]/iu;
const FLAG = /\u{1f3f4}[\u{e0020}-\u{e007e}]{1,8}\u{e007f}/gu;
const TAGS = /[\u{e0020}-\u{e007e}]{3,}/gu;

export function* layersOf(text: string, depth = 0): Generator<Layer> {
  yield* asWhole(text);
  for (const layer of decoded(text)) {
    yield layer;
    if (depth + 1 < MAX_DEPTH) for (const inner of layersOf(layer.text, depth + 1)) yield { ...inner, at: layer.at };
  }
}

/** Tag characters draw nothing and spell ASCII: outside of flags they have no honest use. */
export function hiddenTags(text: string): { at: number; text: string }[] {
  const withoutFlags = text.replaceAll(FLAG, (flag) => ' '.repeat(flag.length));
  return [...withoutFlags.matchAll(TAGS)].map(({ index, 0: run }) => ({
    at: index,
    text: [...run].map((tag) => String.fromCharCode((tag.codePointAt(0) ?? 0) - 0xe0000)).join(''),
  }));
}

export function hidesCharacters(text: string): boolean {
  return INVISIBLE_IN_WORD.test(text) || /[\u202d\u202e]/.test(text);
}

function* asWhole(text: string): Generator<Layer> {
  const visible = text.normalize('NFKC').replaceAll(INVISIBLE, '');
  if (visible !== text) yield { disguise: 'invisible or look-alike characters', was: text, text: visible, at: 0 };
  const plain = unconfuse(visible);
  if (plain !== visible) yield { disguise: 'letters of another script', text: plain, was: text, at: 0 };
  const joined = joinSpelled(plain);
  if (joined !== plain) yield { disguise: 'letters set apart', text: joined, was: text, at: 0 };
  const unquoted = plain.replaceAll(/(?<=[a-z])(?:""|''|\\(?=[a-z])|["']\s?\+\s?["'])(?=[a-z-])/gi, '');
  if (unquoted !== plain) yield { disguise: 'quotes inside of words', text: unquoted, was: text, at: 0 };
  const unleeted = unleet(plain);
  if (unleeted !== plain) yield { disguise: 'digits for letters', text: unleeted, was: text, at: 0 };
  for (const { index, 0: run } of text.matchAll(/[\u202d\u202e]([^\u202c\n]{4,2000})/g)) {
    yield { disguise: 'reversed writing', text: reversed(run), was: run, at: index };
  }
  if (/\b(?:erongi|drageressid|draggersid|tegrof|snoitcurtsni|stpmorp|selur)\b/i.test(plain)) {
    yield { disguise: 'reversed writing', text: plain.split('\n').map(reversed).join('\n'), was: text, at: 0 };
  }
  if (/\b(?:vtaber|qvfertneq|sbetrg|vafgehpgvbaf?|ehyrf)\b/i.test(plain)) {
    yield { disguise: 'ROT13', text: rot13(plain), was: text, at: 0 };
  }
}

function* decoded(text: string): Generator<Layer> {
  const kinds: [string, RegExp, (run: string) => string | null][] = [
    ['base64', /[A-Za-z0-9+/_-]{16,}={0,2}/g, fromBase64],
    ['hexadecimal', /\b(?:0x)?(?:[0-9a-f]{2}){8,}\b|\b(?:[0-9a-f]{2}[ ,:]){8,}[0-9a-f]{2}\b/gi, fromHex],
    ['escapes', /(?:\\x[0-9a-f]{2}|\\u\{?[0-9a-f]{4}\}?|\\[0-7]{3}){4,}/gi, fromEscapes],
    ['percent-encoding', /(?:%[0-9a-f]{2}){5,}/gi, (run) => printable(Buffer.from(run.replaceAll('%', ''), 'hex'))],
    ['character references', /(?:&#x?[0-9a-f]{2,6};[ ]?){4,}/gi, fromReferences],
    ['character codes', /(?:\b\d{2,3}\b[,\s+]{1,3}){7,}\d{2,3}\b/g, fromCodes],
  ];
  for (const [disguise, pattern, decode] of kinds) {
    let taken = 0;
    for (const { index, 0: run } of text.matchAll(pattern)) {
      if (++taken > MAX_BLOBS) break;
      const plain = decode(run);
      if (plain === null) continue;
      // In its place, so that a message of which only one word is encoded can be read.
      const before = text.slice(Math.max(0, index - AROUND), index);
      const after = text.slice(index + run.length, index + run.length + AROUND);
      yield { disguise, text: before + plain + after, was: before + run + after, at: index };
    }
  }
  if (/(?:%[0-9a-f]{2}[^%]{0,12}){6}/i.test(text)) {
    const plain = text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) =>
      Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
    );
    yield { disguise: 'percent-encoding', text: plain, was: text, at: 0 };
  }
  if (/(?:&#x?[0-9a-f]{2,6};[^&]{0,12}){6}/i.test(text)) {
    yield { disguise: 'character references', text: fromReferences(text) ?? '', was: text, at: 0 };
  }
}

function fromBase64(run: string): string | null {
  const bytes = Buffer.from(run, 'base64');
  return printable(bytes) ?? printable(bytes, 'utf16le');
}

function fromHex(run: string): string | null {
  return printable(Buffer.from(run.replace(/^0x/i, '').replaceAll(/[^0-9a-f]/gi, ''), 'hex'));
}

function fromEscapes(run: string): string | null {
  const bytes = [...run.matchAll(/\\x([0-9a-f]{2})|\\u\{?([0-9a-f]{4})\}?|\\([0-7]{3})/gi)].map(
    ([, hex, unicode, octal]) =>
      octal === undefined ? Number.parseInt(hex ?? unicode ?? '', 16) : Number.parseInt(octal, 8),
  );
  return printable(Buffer.from(String.fromCharCode(...bytes.slice(0, 20_000)), 'utf8'));
}

function fromReferences(text: string): string | null {
  const plain = text.replaceAll(/&#(x[0-9a-f]{2,6}|\d{2,7});/gi, (_match, code: string) => {
    const point = code[0] === 'x' || code[0] === 'X' ? Number.parseInt(code.slice(1), 16) : Number(code);
    return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : ' ';
  });
  return plain === text ? null : plain;
}

function fromCodes(run: string): string | null {
  const codes = (run.match(/\d+/g) ?? []).slice(0, 20_000).map(Number);
  return codes.every((code) => code < 256) ? printable(Buffer.from(codes)) : null;
}

/** Null for bytes that are not text. */
function printable(bytes: Buffer, encoding: 'utf8' | 'utf16le' = 'utf8'): string | null {
  if (bytes.length < 4 || (encoding === 'utf16le' && bytes.length % 2 !== 0)) return null;
  const text = bytes.toString(encoding);
  const odd = text.match(encoding === 'utf8' ? /[^\t\n\r\x20-\x7e\u00a0-\ufffc]/g : /[^\t\n\r\x20-\x7e]/g)?.length ?? 0;
  return odd / text.length < 0.05 ? text : null;
}

/** "i.g.n.o.r.e" and "i g n o r e": at least four single letters with the same mark between them. */
function joinSpelled(text: string): string {
  return text
    .replaceAll(/(?<![\p{L}\p{N}])\p{L}([.\-_*·|])\p{L}(?:\1\p{L})*(?![\p{L}\p{N}])/gu, (run, mark: string) =>
      run.replaceAll(mark, ''),
    )
    .replaceAll(/(?<![\p{L}\p{N}])\p{L}(?: \p{L}){3,}(?![\p{L}\p{N}])/gu, (run) => run.replaceAll(' ', ''));
}

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
};

function unleet(text: string): string {
  return text.replaceAll(/[a-z013457@$]{3,20}/gi, (word) =>
    /[a-z]/i.test(word) && /[013457@$]/.test(word)
      ? word.replaceAll(/[013457@$]/g, (sign) => LEET[sign] ?? sign)
      : word,
  );
}

function reversed(text: string): string {
  return [...text].reverse().join('');
}

function rot13(text: string): string {
  return text.replaceAll(/[a-z]/gi, (letter) => {
    const base = letter <= 'Z' ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
  });
}
