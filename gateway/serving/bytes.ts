/** The bytes of public images that fit into memory, bounded as a whole. An image's bytes never change, so they cannot be stale. */
import { buffer } from 'node:stream/consumers';
import { LRUCache } from 'lru-cache';
import type { Images, ServedImage } from '../../subgraphs/images/client.js';

const MAX_BYTES = 64 * 1024 * 1024;
const MAX_OBJECT_BYTES = 4 * 1024 * 1024;
/** What is being read into memory at one time; whatever comes on top is passed through. */
const MAX_READS = 8;

export class Bytes {
  readonly #images: Pick<Images, 'open'>;
  readonly #kept = new LRUCache<string, Buffer>({ maxSize: MAX_BYTES, sizeCalculation: ({ length }) => length });
  readonly #underWay = new Map<string, Promise<Buffer>>();

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
    if (this.#underWay.size >= MAX_READS) return null;
    const reading = this.#read(image, requestId).finally(() => this.#underWay.delete(image.id));
    this.#underWay.set(image.id, reading);
    return reading;
  }

  async #read({ id, sizeBytes }: ServedImage, requestId: string): Promise<Buffer> {
    const bytes = await buffer(await this.#images.open(id, null, requestId));
    if (bytes.length !== sizeBytes) throw new Error(`image ${id} has ${bytes.length} bytes instead of ${sizeBytes}`);
    this.#kept.set(id, bytes);
    return bytes;
  }
}
