/** The bytes of public images that fit into memory, bounded as a whole. An image's bytes never change, so they cannot be stale. */
import type { Readable } from 'node:stream';
import { LRUCache } from 'lru-cache';
import type { Images, ServedImage } from '../../subgraphs/images/client.js';

const MAX_BYTES = 64 * 1024 * 1024;
const MAX_OBJECT_BYTES = 4 * 1024 * 1024;
/** What is being read into memory at one time; whatever comes on top is passed through. */
const MAX_UNDER_WAY_BYTES = 32 * 1024 * 1024;

export class Bytes {
  readonly #images: Pick<Images, 'open'>;
  readonly #kept = new LRUCache<string, Buffer>({ maxSize: MAX_BYTES, sizeCalculation: ({ length }) => length });
  readonly #underWay = new Map<string, Promise<Buffer>>();
  #underWayBytes = 0;

  constructor(images: Pick<Images, 'open'>) {
    this.#images = images;
  }

  kept(id: string): Buffer | undefined {
    return this.#kept.get(id);
  }

  /** Null where the bytes should be passed through instead of kept. */
  async load(image: ServedImage, requestId: string): Promise<Buffer | null> {
    const kept = this.#kept.get(image.id);
    if (kept) return kept;
    if (image.sizeBytes > MAX_OBJECT_BYTES) return null;
    // A burst of requests for one image reads it once.
    const asked = this.#underWay.get(image.id);
    if (asked) return asked;
    if (this.#underWayBytes + image.sizeBytes > MAX_UNDER_WAY_BYTES) return null;
    this.#underWayBytes += image.sizeBytes;
    const reading = this.#read(image, requestId).finally(() => {
      this.#underWay.delete(image.id);
      this.#underWayBytes -= image.sizeBytes;
    });
    this.#underWay.set(image.id, reading);
    return reading;
  }

  async #read({ id, sizeBytes }: ServedImage, requestId: string): Promise<Buffer> {
    const bytes = await wholeOf(await this.#images.open(id, null, requestId), sizeBytes);
    if (!bytes) throw new Error(`image ${id} does not have ${sizeBytes} bytes`);
    this.#kept.set(id, bytes);
    return bytes;
  }
}

/** Copied once, to where it stays. Null where it has another size. */
function wholeOf(stream: Readable, size: number): Promise<Buffer | null> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let length = 0;
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      if (length + chunk.length <= size) bytes.set(chunk, length);
      length += chunk.length;
    });
    stream.on('end', () => resolve(length === size ? bytes : null));
    stream.on('error', reject);
    stream.on('close', () => {
      if (!stream.readableEnded) reject(new Error('the bytes of an image broke off'));
    });
  });
}
