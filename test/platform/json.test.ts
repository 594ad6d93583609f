import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBounded, UnreadableJson } from '../../platform/outbound/json.js';

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
