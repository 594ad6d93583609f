import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readFrames, writeFrames } from '../../platform/frames.js';

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function framed(chunks: readonly Uint8Array[], tail: unknown): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of writeFrames(from(chunks), async () => tail)) parts.push(part);
  return Buffer.concat(parts);
}

async function read(body: readonly Uint8Array[]) {
  const { bytes, tail } = readFrames(from(body));
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return { bytes: Buffer.concat(parts), tail: await tail() };
}

const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });

it('bytes and what is said after them come through whole, whatever the chunks', async () => {
  await fc.assert(
    fc.asyncProperty(chunks, fc.jsonValue(), fc.integer({ min: 1, max: 50 }), async (given, tail, size) => {
      const body = await framed(given, tail);
      const pieces = Array.from({ length: Math.ceil(body.length / size) }, (_, i) =>
        body.subarray(i * size, (i + 1) * size),
      );
      const result = await read(pieces);
      expect(result.bytes.equals(Buffer.concat(given))).toBe(true);
      expect(JSON.stringify(result.tail)).toBe(JSON.stringify(tail));
    }),
  );
});

it('a body that ends early is no body', async () => {
  const body = await framed([Buffer.from('some bytes'), Buffer.from('more')], { said: 'after' });
  for (let length = 0; length < body.length; length++) {
    await expect(read([body.subarray(0, length)])).rejects.toThrow();
  }
});

it('a body that is none of these is refused', async () => {
  await expect(read([Buffer.alloc(100, 0xff)])).rejects.toThrow('not a framed body');
});
