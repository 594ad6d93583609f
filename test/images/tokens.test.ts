/** Tokens of serving URLs: what they say to whoever has the key, and that they say nothing to anybody else. */
import { randomBytes } from 'node:crypto';
import { beforeEach, expect, it } from 'vitest';
import { fromBase62, toBase62 } from '../../platform/base62.js';
import { newId } from '../../platform/ids.js';
import { randomToken } from '../../platform/secrets.js';
import { ServingTokens } from '../../subgraphs/images/serving/tokens.js';

const KIB = 1024;
const now = new Date();
/** Of so many that are no tokens of ours one may look like one by chance, hardly ever a few. */
const TRIES = 2_000;
const BY_CHANCE = 5;

let tokens: ServingTokens;

beforeEach(() => {
  tokens = new ServingTokens(randomBytes(32));
});

it.each([
  [0, 4 * KIB],
  [4 * KIB, 4 * KIB],
  [4 * KIB + 1, 8 * KIB],
  [256 * KIB, 256 * KIB],
  [256 * KIB + 1, 512 * KIB],
  [25 * KIB * KIB, 32 * KIB * KIB],
  [64 * KIB * KIB, 64 * KIB * KIB],
  [64 * KIB * KIB + 1, Infinity],
  [1_000 * KIB * KIB, Infinity],
])('a token for %i bytes says which image it is of, and that it has at most %d', (sizeBytes, atMostBytes) => {
  for (let i = 0; i < 200; i++) {
    const id = newId();
    const token = tokens.make({ id, sizeBytes });
    expect(token).toMatch(/^[0-9A-Za-z]{43}$/);
    expect(tokens.read(token, now)).toEqual({ id, atMostBytes });
  }
});

it('has 16 random bytes, without which the others mean nothing', () => {
  const id = newId();
  const made = Array.from({ length: 500 }, () => tokens.make({ id, sizeBytes: 1 }));
  for (const part of [0, 16]) {
    const parts = made.map((token) => fromBase62(token)?.toString('hex', part, part + 16));
    expect(new Set(parts).size).toBe(500);
    // Each bit is set about as often as not.
    const bits = parts.map((hex) => BigInt(`0x${hex}`));
    for (let bit = 0n; bit < 128n; bit++) {
      const set = bits.filter((value) => (value >> bit) & 1n).length;
      expect(Math.abs(set - 250), `bit ${bit} of ${part}`).toBeLessThan(75);
    }
  }
});

it('says nothing under another key', () => {
  const other = new ServingTokens(randomBytes(32));
  const read = Array.from({ length: TRIES }, () => other.read(tokens.make({ id: newId(), sizeBytes: 1 }), now));
  expect(read.filter(Boolean).length).toBeLessThan(BY_CHANCE);
});

it('says nothing when a character or a bit of it is another', () => {
  let changed = 0;
  let readable = 0;
  const count = (token: string) => {
    changed += 1;
    if (tokens.read(token, now)) readable += 1;
  };
  for (let i = 0; i < 10; i++) {
    const token = tokens.make({ id: newId(), sizeBytes: 1 });
    for (let at = 0; at < token.length; at++)
      count(`${token.slice(0, at)}${token[at] === '0' ? '1' : '0'}${token.slice(at + 1)}`);
    for (let bit = 0; bit < 256; bit++) {
      const bytes = fromBase62(token) as Buffer;
      bytes[bit >> 3] = bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7));
      count(toBase62(bytes));
    }
  }
  expect(changed).toBeGreaterThan(TRIES);
  expect(readable).toBeLessThan(BY_CHANCE);
});

it('is not taken for one when it is guessed, is older than the platform, or is of the future', () => {
  const guessed = Array.from({ length: TRIES }, () => tokens.read(randomToken(), now));
  expect(guessed.filter(Boolean).length).toBeLessThan(BY_CHANCE);
  const of = (at: string) =>
    tokens.make({ id: `${new Date(at).getTime().toString(16).padStart(12, '0')}7abc8000000000000000`, sizeBytes: 1 });
  const then = new Date('2026-01-01T00:00:00Z');
  expect(tokens.read(of('2024-12-31T23:59:59Z'), then)).toBeNull();
  expect(tokens.read(of('2025-01-01T00:00:00Z'), then)).not.toBeNull();
  expect(tokens.read(of('2026-01-01T00:01:00Z'), then)).not.toBeNull();
  expect(tokens.read(of('2026-01-01T00:01:01Z'), then)).toBeNull();
});

it.each(['', 'x', '0'.repeat(22), 'z'.repeat(43), `${'0'.repeat(42)}-`, '0'.repeat(64)])('is not %j', (text) => {
  expect(tokens.read(text, now)).toBeNull();
});

it('base62 gives back what was put into it, leading zeros included', () => {
  for (const bytes of [
    Buffer.alloc(32),
    Buffer.alloc(32, 255),
    ...Array.from({ length: 200 }, () => randomBytes(32)),
  ]) {
    expect(fromBase62(toBase62(bytes))).toEqual(bytes);
  }
});
