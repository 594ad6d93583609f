import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LongText, parseBounded, parseInPlace, UnreadableJson } from '../../platform/outbound/json.js';

const parse = (text: string, limits?: { depth: number; values: number }) => parseBounded(Buffer.from(text), limits);

describe('JSON of strangers', () => {
  it('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect(parse(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('may hold brackets, commas, quotes and backslashes in its strings without end', () => {
    const text = '[{,"\\'.repeat(10_000);
    expect(parse(JSON.stringify({ [text]: text }), { depth: 1, values: 1 })).toEqual({ [text]: text });
  });

  it('may hold long strings, as values and as names, plain or not', () => {
    const plain = 'QUJD'.repeat(20_000);
    const others = [`${plain}"`, `${plain}\\`, `${plain}ü`, `${plain}\n`];
    for (const text of [plain, ...others]) {
      const value = { [text]: 1, a: text, b: ['x', text, { c: plain, d: 'short' }], e: null };
      expect(parse(JSON.stringify(value, null, 1))).toEqual(value);
      expect(parse(JSON.stringify(value).replace(':1', ' :1'))).toEqual(value);
      expect(parse(JSON.stringify(text))).toBe(text);
    }
    expect(() => parse(`["${plain}"`)).toThrow(new UnreadableJson('not JSON'));
    expect(() => parse(`["${plain}" "${plain}"]`)).toThrow(new UnreadableJson('not JSON'));
    expect(() => parse(`["${plain}`)).toThrow(new UnreadableJson('not JSON'));
  });

  it('may not nest deeper, nor hold more values, than the limits', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(parse(nested(32))).toBeTruthy();
    expect(() => parse(nested(33))).toThrow(UnreadableJson);
    expect(() => parse('['.repeat(5_000_000))).toThrow(UnreadableJson);
    expect(() => parse(`[${'1,'.repeat(60_000)}1]`)).toThrow(UnreadableJson);
  });

  it.each(['', '{', '"', '"\\"', '{"a":}', '[1,]', '\u0000', 'NaN', '{"a":"secret'])(
    'refuses %j in its own words',
    (text) => {
      expect(() => parse(text)).toThrow(new UnreadableJson('not JSON'));
    },
  );
});

describe('JSON whose long strings are left where they are', () => {
  /** Of bytes, in one of the pieces that base64 is read in. */
  const PIECE = 36 * 1024;
  const PIECE_OF_TEXT = (PIECE / 3) * 4;
  const plain = 'QUJD'.repeat(10_000);

  const inPlace = (value: unknown) => parseInPlace(Buffer.from(JSON.stringify(value)));

  function spelledOut(value: unknown): unknown {
    if (value instanceof LongText) return value.toString();
    if (Array.isArray(value)) return value.map(spelledOut);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, spelledOut(each)]));
  }

  function longText(text: string): LongText {
    const [value] = inPlace([text]) as [unknown];
    if (!(value instanceof LongText)) throw new Error(`${text.length} characters are read as a ${typeof value}`);
    return value;
  }

  /** Without the diff that a matcher would make of so many bytes. */
  function expectSame(found: Buffer, expected: Buffer, what = ''): void {
    expect(`${found.length} bytes ${what} ${found.equals(expected)}`).toBe(`${expected.length} bytes ${what} true`);
  }

  const expectDecoded = (text: string, from = 0, what = '') =>
    expectSame(longText(text).decode(from), Buffer.from(text.slice(from), 'base64'), what);

  const seeded = (length: number, seed: number) => {
    const bytes = Buffer.alloc(length);
    let state = seed | 1;
    for (let at = 0; at < length; at++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      bytes[at] = state >>> 24;
    }
    return bytes;
  };

  it('is otherwise read as before', () => {
    const long = fc.constantFrom(plain, `${plain}"`, `${plain}ü`, `\\${plain}`, `${plain}\n`, plain.slice(0, 16_384));
    const { document } = fc.letrec((tie) => ({
      document: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        long,
        fc.jsonValue({ maxDepth: 2 }),
        fc.array(tie('document'), { maxLength: 4 }),
        fc.dictionary(fc.oneof(fc.string(), long), tie('document'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(document, fc.constantFrom(0, 1), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(spelledOut(parseInPlace(Buffer.from(text)))).toEqual(spelledOut(parse(text)));
      }),
    );
  });

  it('has text in the place of long plain values, and strings in all others', () => {
    const others = ['short', `${plain}"`, `${plain}\\`, `${plain}ü`, `${plain}\n`];
    const read = inPlace({ plain, others, [plain]: 1, nested: [{ plain }] }) as Record<string, unknown>;
    expect(read.plain).toBeInstanceOf(LongText);
    expect(read.nested).toEqual([{ plain: expect.any(LongText) }]);
    expect(read.others).toEqual(others);
    expect(read[plain]).toBe(1);
    expect(String(inPlace(plain))).toBe(plain);
  });

  it('is refused where it would be', () => {
    const refused = [`["${plain}"`, `["${plain}" "${plain}"]`, `["${plain}`, `"${plain}",`, `{"a":"${plain}",}`];
    for (const text of refused) {
      expect(() => parseInPlace(Buffer.from(text))).toThrow(new UnreadableJson('not JSON'));
    }
    const nested = Buffer.from(`${'['.repeat(33)}"${plain}"${']'.repeat(33)}`);
    expect(() => parseInPlace(nested)).toThrow(UnreadableJson);
    expect(() => parseInPlace(Buffer.from(`["${plain}",1,2]`), { depth: 1, values: 2 })).toThrow(UnreadableJson);
  });

  it('lets parts of the text be read and searched', () => {
    const text = `data:image/png;base64,${plain}`;
    const read = longText(text);
    expect(read.indexOf(';base64,')).toBe(14);
    expect(read.indexOf('nowhere')).toBe(-1);
    expect(read.toString(5, 14)).toBe('image/png');
    expect(read.toString(22)).toBe(plain);
    expect(read.toString()).toBe(text);
  });

  const borders = [1, 2, 3].flatMap((piece) => [-3, -2, -1, 0, 1, 2, 3].map((off) => ({ piece, off })));

  it.each(borders)('decodes $piece pieces and $off bytes, padded or not, in either alphabet', ({ piece, off }) => {
    const bytes = seeded(piece * PIECE + off, piece * 10 + off);
    const padded = bytes.toString('base64');
    for (const text of [padded, padded.replace(/=+$/, ''), bytes.toString('base64url')]) {
      expectSame(longText(text).decode(), bytes);
    }
    // One character more or less is no whole byte.
    for (const text of [`${padded}Q`, padded.slice(0, -1), padded.slice(0, -3)]) expectDecoded(text);
  });

  it('decodes what follows the head of a data: URI', () => {
    for (const head of ['data:image/png;base64,', 'data:,', 'data:image/webp;charset=utf-8;base64,']) {
      for (const { piece, off } of borders) {
        const bytes = seeded(piece * PIECE + off, piece);
        const read = longText(head + bytes.toString('base64'));
        expectSame(read.decode(read.indexOf(',') + 1), bytes);
      }
    }
  });

  const strange = ['=', '==', '===', ' ', '    ', '*', '*=', '= ', '-', '_', '\u007f'];

  it.each(strange)(
    'passes over %j wherever Buffer.from does, also where one piece ends and the next begins',
    (mark) => {
      const text = seeded(2 * PIECE + 100, 7).toString('base64url');
      const places = [0, PIECE_OF_TEXT / 2, PIECE_OF_TEXT, 2 * PIECE_OF_TEXT, text.length];
      for (const place of places) {
        for (let at = place - 5; at <= place + 5; at++) {
          if (at < 0 || at > text.length) continue;
          const [before, after] = [text.slice(0, at), text.slice(at)];
          expectDecoded(before + mark + after, 0, `with ${mark} put in at ${at}`);
          expectDecoded(before + mark + after.slice(mark.length), 0, `with ${mark} instead at ${at}`);
          expectDecoded(`data:,${before}${mark}${after}`, 6, `with ${mark} put in at ${at} after a head`);
        }
      }
    },
  );

  it('decodes whatever Buffer.from does, to the same bytes', () => {
    const near = fc
      .tuple(fc.nat(3), fc.integer({ min: -6, max: 6 }))
      .map(([piece, off]) => Math.max(0, piece * PIECE_OF_TEXT + off));
    const marks = fc.array(
      fc.record({ at: fc.oneof(near, fc.nat(4 * PIECE_OF_TEXT)), mark: fc.constantFrom(...strange) }),
      { maxLength: 4 },
    );
    const lengths = fc.integer({ min: 16_384, max: 3 * PIECE });
    fc.assert(
      fc.property(lengths, fc.integer(), marks, fc.nat(50), (length, seed, put, from) => {
        let text = seeded(length, seed).toString(seed % 2 ? 'base64' : 'base64url');
        for (const { at, mark } of put) text = text.slice(0, at) + mark + text.slice(at);
        expectDecoded(text, from);
      }),
    );
  });

  it.each([
    ['first', ['a', 'b']],
    ['last', ['b', 'a']],
  ] as const)('has strings that do not disturb each other, when what stands %s is decoded first', (_, order) => {
    const bytes = { a: seeded(2 * PIECE + 1, 3), b: seeded(3 * PIECE - 1, 5) };
    const odd = `${bytes.a.toString('base64').slice(0, PIECE_OF_TEXT - 2)}*${bytes.b.toString('base64')}`;
    const texts = { a: bytes.a.toString('base64'), b: bytes.b.toString('base64url') };
    const whole = Buffer.from(JSON.stringify({ before: plain, a: texts.a, odd, b: texts.b, after: plain }));
    const read = parseInPlace(whole) as Record<'before' | 'a' | 'odd' | 'b' | 'after', LongText>;
    const decoded = order.map((name) => ({ name, found: read[name].decode() }));
    const fromOdd = read.odd.decode();
    for (const { name, found } of decoded) expectSame(found, bytes[name], name);
    expectSame(fromOdd, Buffer.from(odd, 'base64'), 'odd');
    expect(read.before.toString() === plain && read.after.toString() === plain).toBe(true);
  });
});
