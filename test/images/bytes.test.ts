/** The bytes of images on their way into memory: handed on as they come, and kept only whole. */
import { PassThrough, type Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { Bytes, Coming } from '../../gateway/serving/bytes.js';
import type { ServedImage } from '../../subgraphs/images/client.js';

const image = { id: 'i', sizeBytes: 6 } as ServedImage;
let streams: PassThrough[];
let bytes: Bytes;

beforeEach(() => {
  streams = [];
  bytes = new Bytes({
    async open(): Promise<Readable> {
      const stream = new PassThrough();
      streams.push(stream);
      return stream;
    },
  });
});

async function coming(): Promise<Coming> {
  const found = await bytes.find(image, 'r');
  if (!(found instanceof Coming)) throw new Error('not on its way');
  return found;
}

it('hands on what is there and what comes, to all who ask, and reads the bucket once', async () => {
  const first: string[] = [];
  const second: string[] = [];
  const one = (await coming()).sendTo((chunk) => void first.push(chunk.toString()));
  streams[0]?.write('abc');
  await turn();
  expect(first).toEqual(['abc']);
  const other = (await coming()).sendTo((chunk) => void second.push(chunk.toString()));
  const whole = bytes.load(image, 'r');
  streams[0]?.end('def');
  await Promise.all([one, other]);
  expect([first.join(''), second.join(''), (await whole)?.toString()]).toEqual(['abcdef', 'abcdef', 'abcdef']);
  expect([streams.length, bytes.kept('i')?.toString()]).toEqual([1, 'abcdef']);
});

it.each([
  ['breaks off', (stream: PassThrough) => stream.destroy()],
  ['fails', (stream: PassThrough) => stream.destroy(new Error('lost'))],
  ['is too short', (stream: PassThrough) => stream.end('de')],
  ['is too long', (stream: PassThrough) => stream.end('defg')],
])('tells those who wait when it %s, and keeps nothing of it', async (_, end) => {
  const sent = (await coming()).sendTo(() => undefined);
  const whole = bytes.load(image, 'r');
  streams[0]?.write('abc');
  await turn();
  end(streams[0] as PassThrough);
  await expect(sent).rejects.toThrow();
  await expect(whole).rejects.toThrow();
  expect(bytes.kept('i')).toBeUndefined();
  const again = (await coming()).whole;
  streams[1]?.end('abcdef');
  expect((await again).toString()).toBe('abcdef');
});

it('is asked for anew when the bucket could not be reached', async () => {
  let calls = 0;
  const unlucky = new Bytes({
    async open(): Promise<Readable> {
      calls += 1;
      throw new Error('no bucket');
    },
  });
  await expect(unlucky.find(image, 'r')).rejects.toThrow('no bucket');
  await turn();
  await expect(unlucky.load(image, 'r')).rejects.toThrow('no bucket');
  expect(calls).toBe(2);
});
