/** The bytes of public images that fit into memory, bounded as a whole. An image's bytes never change, so they cannot be stale. */
import type { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import type { Images, ServedImage } from '../../subgraphs/images/client.js';
import { type Ahead, LARGEST_KEPT, SMALL } from '../../subgraphs/images/serving/ahead.js';

const MAX_BYTES = 64 * 1024 * 1024;
const REMEMBERED = 10_000;
/** What is being read into memory at one time; whatever comes on top is passed through. */
const MAX_UNDER_WAY_BYTES = 32 * 1024 * 1024;
/** Those who are slow must not take all connections to the bucket. */
const MAX_PASSING = 16;

/** An image on its way into memory. Whoever wants it meanwhile is given what is there, and the rest as it comes. */
export class Coming {
  readonly #room: Buffer;
  readonly #takers = new Set<(chunk: Buffer) => unknown>();
  #length = 0;
  /** All of it; fails where it breaks off. */
  readonly whole: Promise<Buffer>;

  constructor(stream: Readable, size: number) {
    // Copied once, to where it stays.
    this.#room = Buffer.allocUnsafeSlow(size);
    this.whole = this.#read(stream);
    // Whoever waits for it hears of its failure.
    this.whole.catch(() => undefined);
  }

  /** Resolves when all was handed over. Nobody is waited for: what is handed over stays where it is anyway. */
  async sendTo(take: (chunk: Buffer) => unknown): Promise<void> {
    if (this.#length > 0) take(this.#room.subarray(0, this.#length));
    this.#takers.add(take);
    try {
      await this.whole;
    } finally {
      this.#takers.delete(take);
    }
  }

  #read(stream: Readable): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      stream.on('data', (chunk: Buffer) => {
        const start = this.#length;
        this.#length += chunk.length;
        if (this.#length > this.#room.length)
          return void stream.destroy(new Error('an object is longer than its image'));
        this.#room.set(chunk, start);
        for (const take of this.#takers) take(this.#room.subarray(start, this.#length));
      });
      stream.on('end', () => {
        if (this.#length === this.#room.length) resolve(this.#room);
        else reject(new Error('an object is shorter than its image'));
      });
      stream.on('error', reject);
      stream.on('close', () => {
        if (!stream.readableEnded) reject(new Error('the bytes of an image broke off'));
      });
    });
  }
}

/** An image on its way to one caller, at the caller's pace. Nothing of it is kept. */
export class Passing {
  readonly #stream: Readable;
  readonly #size: number;

  constructor(stream: Readable, size: number, ended: () => void) {
    this.#stream = stream;
    this.#size = size;
    stream.once('close', ended);
  }

  /** Once; or else drop(). */
  async sendTo(take: (chunk: Buffer) => boolean, room: () => Promise<void>): Promise<void> {
    let length = 0;
    for await (const chunk of this.#stream as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > this.#size) throw new Error('an object is longer than its image');
      if (!take(chunk)) await room();
    }
    if (length < this.#size) throw new Error('an object is shorter than its image');
  }

  drop(): void {
    this.#stream.destroy();
  }
}

export interface BytesDeps {
  images: Pick<Images, 'open' | 'read'>;
  /** Bytes. What is larger is sent while it comes, and kept when it is asked for again: most pictures are looked at once. */
  small?: number;
}

export class Bytes {
  readonly #images: BytesDeps['images'];
  readonly #small: number;
  readonly #kept = new LRUCache<string, Buffer>({ maxSize: MAX_BYTES, sizeCalculation: ({ length }) => length });
  readonly #underWay = new Map<string, Promise<Coming>>();
  readonly #reading = new Map<string, Promise<Buffer>>();
  /** Large images that were asked for. */
  readonly #asked = new LRUCache<string, true>({ max: REMEMBERED });
  #underWayBytes = 0;
  #passing = 0;

  constructor({ images, small = SMALL }: BytesDeps) {
    this.#images = images;
    this.#small = small;
  }

  kept(id: string): Buffer | undefined {
    return this.#kept.get(id);
  }

  /** Null where the bytes should be passed through instead of kept. */
  async load(image: ServedImage, requestId: string): Promise<Buffer | null> {
    const kept = this.#kept.get(image.id);
    if (kept) return kept;
    if (image.sizeBytes <= this.#small) return this.#read(image, requestId);
    const coming = this.#isFirst(image) ? null : await this.#coming(image, requestId);
    return coming?.whole ?? null;
  }

  /** The same, as soon as the first of them are there. What was read ahead is taken where the bucket would be asked now. */
  async find(
    image: ServedImage,
    requestId: string,
    ahead: Ahead | null = null,
  ): Promise<Buffer | Coming | Passing | null> {
    const { id, sizeBytes } = image;
    const kept = this.#kept.get(id);
    if (kept) return kept;
    if (sizeBytes <= this.#small) return this.#read(image, requestId, ahead);
    return this.#isFirst(image) ? this.#pass(image, requestId, ahead) : this.#coming(image, requestId, ahead);
  }

  /** A burst of requests for one image reads it once. */
  #read(image: ServedImage, requestId: string, ahead: Ahead | null = null): Promise<Buffer> | null {
    const { id, sizeBytes } = image;
    const asked = this.#reading.get(id);
    if (asked) return asked;
    if (this.#underWayBytes + sizeBytes > MAX_UNDER_WAY_BYTES) return null;
    this.#underWayBytes += sizeBytes;
    const reading = (async () => (ahead && (await ahead.whole())) ?? this.#images.read(image, requestId))()
      .then((bytes) => {
        if (bytes.length !== sizeBytes) throw new Error('an object is not as long as its image');
        this.#kept.set(id, bytes);
        return bytes;
      })
      .finally(() => {
        this.#reading.delete(id);
        this.#underWayBytes -= sizeBytes;
      });
    this.#reading.set(id, reading);
    return reading;
  }

  /** Of a large image that is not being read for others. */
  #isFirst({ id, sizeBytes }: ServedImage): boolean {
    if (sizeBytes > LARGEST_KEPT || this.#passing >= MAX_PASSING || this.#underWay.has(id) || this.#asked.has(id))
      return false;
    this.#asked.set(id, true);
    return true;
  }

  async #pass(image: ServedImage, requestId: string, ahead: Ahead | null): Promise<Passing> {
    const ended = () => {
      this.#passing -= 1;
    };
    this.#passing += 1;
    try {
      return new Passing(await this.#open(image, requestId, ahead), image.sizeBytes, ended);
    } catch (error) {
      ended();
      throw error;
    }
  }

  #coming(image: ServedImage, requestId: string, ahead: Ahead | null = null): Promise<Coming> | null {
    if (image.sizeBytes > LARGEST_KEPT) return null;
    // A burst of requests for one image reads it once.
    const asked = this.#underWay.get(image.id);
    if (asked) return asked;
    if (this.#underWayBytes + image.sizeBytes > MAX_UNDER_WAY_BYTES) return null;
    this.#underWayBytes += image.sizeBytes;
    const opening = this.#comeIn(image, requestId, ahead);
    this.#underWay.set(image.id, opening);
    void this.#keep(image, opening);
    return opening;
  }

  async #comeIn(image: ServedImage, requestId: string, ahead: Ahead | null): Promise<Coming> {
    return new Coming(await this.#open(image, requestId, ahead), image.sizeBytes);
  }

  async #open({ id }: ServedImage, requestId: string, ahead: Ahead | null): Promise<Readable> {
    return (ahead && (await ahead.stream())) ?? this.#images.open(id, null, requestId);
  }

  /** A failure is told to those who asked. */
  async #keep({ id, sizeBytes }: ServedImage, opening: Promise<Coming>): Promise<void> {
    const bytes = await opening.then(({ whole }) => whole).catch(() => null);
    if (bytes) this.#kept.set(id, bytes);
    this.#underWay.delete(id);
    this.#underWayBytes -= sizeBytes;
  }
}
