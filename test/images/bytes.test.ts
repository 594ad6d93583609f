/** The bytes of images on their way into memory: handed on as they come, and kept only whole. */
import { PassThrough, type Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { Bytes, Coming, Passing } from '../../gateway/serving/bytes.js';
import type { ServedImage } from '../../subgraphs/images/client.js';
import { Ahead } from '../../subgraphs/images/serving/ahead.js';

const image = { id: 'i', sizeBytes: 6 } as ServedImage;
let streams: PassThrough[];
let reads: ((bytes: string | Error) => void)[];

/** What is larger than `small` is large. */
function bytesOf(small: number): Bytes {
  streams = [];
  reads = [];
  const images = {
    async open(): Promise<Readable> {
      const stream = new PassThrough();
      streams.push(stream);
      return stream;
    },
    read: () =>
      new Promise<Buffer>((resolve, reject) => {
        reads.push((bytes) => (typeof bytes === 'string' ? resolve(Buffer.from(bytes)) : reject(bytes)));
      }),
  };
  return new Bytes({ images, small });
}

let bytes: Bytes;

/** Asked for once before, so that it is kept. */
beforeEach(async () => {
  bytes = bytesOf(5);
  const first = await bytes.find(image, 'r');
  if (first instanceof Passing) first.drop();
  streams = [];
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
  const fail = async (): Promise<never> => {
    calls += 1;
    throw new Error('no bucket');
  };
  const unlucky = new Bytes({ images: { open: fail, read: fail }, small: 5 });
  await expect(unlucky.find(image, 'r')).rejects.toThrow('no bucket');
  await turn();
  await expect(unlucky.load(image, 'r')).rejects.toThrow('no bucket');
  expect(calls).toBe(2);
});

describe('a small image', () => {
  beforeEach(() => {
    bytes = bytesOf(6);
  });

  it('is read at once, once for all who ask meanwhile, and kept', async () => {
    const found = [bytes.find(image, 'r'), bytes.find(image, 'r'), bytes.load(image, 'r')];
    reads[0]?.('abcdef');
    expect((await Promise.all(found)).map(String)).toEqual(['abcdef', 'abcdef', 'abcdef']);
    expect([reads.length, streams.length, bytes.kept('i')?.toString()]).toEqual([1, 0, 'abcdef']);
  });

  it.each([['abcde'], ['abcdefg'], [new Error('lost')]])('that comes as %j is not kept', async (given) => {
    const found = bytes.find(image, 'r');
    reads[0]?.(given);
    await expect(found).rejects.toThrow();
    expect(bytes.kept('i')).toBeUndefined();
    const again = bytes.find(image, 'r');
    reads[1]?.('abcdef');
    expect(String(await again)).toBe('abcdef');
  });
});

describe('a large image', () => {
  beforeEach(() => {
    bytes = bytesOf(5);
  });

  async function passing(): Promise<Passing> {
    const found = await bytes.find(image, 'r');
    if (!(found instanceof Passing)) throw new Error('kept');
    return found;
  }

  it('is handed on at the pace of the first who asks for it, and kept for the second', async () => {
    const taken: string[] = [];
    let makeRoom = () => {};
    const sent = (await passing()).sendTo(
      (chunk) => {
        taken.push(chunk.toString());
        return false;
      },
      () =>
        new Promise((resolve) => {
          makeRoom = resolve;
        }),
    );
    streams[0]?.write('abc');
    await turn();
    streams[0]?.end('def');
    await turn();
    expect(taken).toEqual(['abc']);
    makeRoom();
    await turn();
    makeRoom();
    await sent;
    expect([taken, bytes.kept('i')]).toEqual([['abc', 'def'], undefined]);
    const again = (await coming()).whole;
    streams[1]?.end('abcdef');
    await again;
    await turn();
    expect(bytes.kept('i')?.toString()).toBe('abcdef');
  });

  it.each([
    ['breaks off', (stream: PassThrough) => stream.destroy()],
    ['is too short', (stream: PassThrough) => stream.end('de')],
    ['is too long', (stream: PassThrough) => stream.end('defg')],
  ])('tells whoever it is sent to when it %s', async (_, end) => {
    const sent = (await passing()).sendTo(
      () => true,
      async () => undefined,
    );
    streams[0]?.write('abc');
    await turn();
    end(streams[0] as PassThrough);
    await expect(sent).rejects.toThrow();
  });

  it('is kept at the first time where sixteen others are passing, so that the slow do not take all connections', async () => {
    const find = (id: string) => bytes.find({ ...image, id }, 'r');
    const others = await Promise.all(Array.from({ length: 16 }, (_, i) => find(`other ${i}`)));
    expect(others.every((found) => found instanceof Passing)).toBe(true);
    const found = await find('kept');
    if (!(found instanceof Coming)) throw new Error('passing');
    streams[16]?.end('abcdef');
    await found.whole;
    await turn();
    expect(bytes.kept('kept')?.toString()).toBe('abcdef');
    (others[0] as Passing).drop();
    await turn();
    expect(await find('next')).toBeInstanceOf(Passing);
  });

  it('is let go of when nobody is left who wants it', async () => {
    (await passing()).drop();
    expect(streams[0]?.destroyed).toBe(true);
  });

  it('is passed through by the framework when it is asked for the first time', async () => {
    expect(await bytes.load(image, 'r')).toBeNull();
    const again = bytes.load(image, 'r');
    await turn();
    streams[0]?.end('abcdef');
    expect(String(await again)).toBe('abcdef');
  });
});

describe('what was read ahead', () => {
  let ended: number;
  const ahead = (come: Promise<Buffer | Readable | null>) =>
    new Ahead(come, () => {
      ended += 1;
    });

  beforeEach(() => {
    ended = 0;
    bytes = bytesOf(6);
  });

  it('of a small image is kept, and given to all who ask meanwhile', async () => {
    const given = ahead(Promise.resolve(Buffer.from('abcdef')));
    const found = [bytes.find(image, 'r', given), bytes.find(image, 'r'), bytes.load(image, 'r')];
    expect((await Promise.all(found)).map(String)).toEqual(['abcdef', 'abcdef', 'abcdef']);
    given.drop();
    expect([reads.length, ended, bytes.kept('i')?.toString()]).toEqual([0, 0, 'abcdef']);
  });

  it.each([
    ['is nothing', () => Promise.resolve(null)],
    ['fails', () => Promise.reject(new Error('lost'))],
    ['is a stream', () => Promise.resolve(new PassThrough())],
  ])('of a small image and %s is read in the ordinary way', async (_, come) => {
    const found = bytes.find(image, 'r', ahead(come()));
    await turn();
    reads[0]?.('abcdef');
    expect(String(await found)).toBe('abcdef');
  });

  it('is left alone by whoever has no use for it, to be dropped', async () => {
    await bytes.find(image, 'r', ahead(Promise.resolve(Buffer.from('abcdef'))));
    const stream = new PassThrough();
    const given = ahead(Promise.resolve(stream));
    expect(String(await bytes.find(image, 'r', given))).toBe('abcdef');
    given.drop();
    given.drop();
    expect(ended).toBe(1);
    // It fails as it is ended, which is nobody's concern.
    stream.destroy(new Error('ended'));
    await turn();
  });

  describe('of a large image', () => {
    beforeEach(() => {
      bytes = bytesOf(5);
    });

    it('is handed on like any other, and counts as one of the sixteen until that has ended', async () => {
      const sources = Array.from({ length: 16 }, () => new PassThrough());
      const find = (i: number) =>
        bytes.find({ ...image, id: `i ${i}` }, 'r', ahead(Promise.resolve(sources[i] ?? new PassThrough())));
      const found = await Promise.all(sources.map((_, i) => find(i)));
      expect(found.every((one) => one instanceof Passing)).toBe(true);
      expect(await find(16)).toBeInstanceOf(Coming);
      (found[0] as Passing).drop();
      await turn();
      expect(await find(17)).toBeInstanceOf(Passing);
      const taken: string[] = [];
      const sent = (found[1] as Passing).sendTo(
        (chunk) => taken.push(chunk.toString()) > 0,
        async () => undefined,
      );
      sources[1]?.end('abcdef');
      await sent;
      expect([taken, streams.length, ended]).toEqual([['abcdef'], 0, 0]);
    });

    it.each([
      ['is nothing', () => Promise.resolve(null)],
      ['fails', () => Promise.reject(new Error('lost'))],
      ['broke off before it was looked at', () => Promise.resolve(new PassThrough().destroy(new Error('lost')))],
    ])('and %s is read in the ordinary way', async (_, come) => {
      const given = ahead(come());
      await turn();
      expect(await bytes.find(image, 'r', given)).toBeInstanceOf(Passing);
      expect(streams.length).toBe(1);
    });
  });
});
