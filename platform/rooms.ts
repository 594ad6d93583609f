/**
 * Memory for bytes that pass through. Large buffers count against the collector's limits until it has looked at the whole
 * heap, so making one for every picture has it look all the time; these are used again instead.
 */

/** What is smaller costs the collector little. */
const SMALLEST = 256 * 1024;
const LARGEST = 16 * 1024 * 1024;
const SIZES = sizesBetween(SMALLEST, LARGEST);
/** What is kept while nobody uses it. */
const MOST_IDLE = 96 * 1024 * 1024;
const LOOK_EVERY_MS = 10_000;

interface Shelf {
  free: Buffer[];
  /** The fewest that were free at a time since the last look: so many were not needed. */
  least: number;
}

/** One for the process, as its heap is. */
class Pool {
  readonly #shelves = new Map<number, Shelf>(SIZES.map((size) => [size, { free: [], least: 0 }]));
  #idle = 0;
  #timer: NodeJS.Timeout | undefined;

  take(size: number): Buffer {
    const shelf = this.#shelves.get(size);
    const known = shelf?.free.pop();
    if (!shelf || !known) return Buffer.allocUnsafeSlow(size);
    shelf.least = Math.min(shelf.least, shelf.free.length);
    this.#idle -= size;
    return known;
  }

  give(buffer: Buffer): void {
    if (this.#idle + buffer.length > MOST_IDLE) return;
    this.#shelves.get(buffer.length)?.free.push(buffer);
    this.#idle += buffer.length;
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  #look(): void {
    for (const [size, shelf] of this.#shelves) {
      shelf.free.splice(0, shelf.least);
      this.#idle -= size * shelf.least;
      shelf.least = shelf.free.length;
    }
    if (this.#idle > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

const pool = new Pool();

/** What one piece of work needs. Left behind, its memory is used by others; forgotten, it is the collector's. */
export class Room {
  #taken: Buffer[] = [];

  /** At least so many bytes, holding whatever was in them before. */
  take(bytes: number): Buffer {
    const size = SIZES.find((known) => known >= bytes);
    if (bytes < SMALLEST / 2 || size === undefined) return Buffer.allocUnsafeSlow(bytes);
    const buffer = pool.take(size);
    this.#taken.push(buffer);
    return buffer;
  }

  /** One buffer ahead of the others, on the same condition. */
  giveBack(buffer: Buffer): void {
    const place = this.#taken.indexOf(buffer);
    if (place < 0) return;
    this.#taken.splice(place, 1);
    pool.give(buffer);
  }

  /** Only once nobody will read what was taken, nor write to it: not after a failure, which may leave others at work. */
  leave(): void {
    for (const buffer of this.#taken) pool.give(buffer);
    this.#taken = [];
  }
}

function sizesBetween(smallest: number, largest: number): number[] {
  const sizes = [];
  for (let size = smallest; size < largest; size *= 2)
    for (let part = 4; part < 8; part++) sizes.push((size / 4) * part);
  return [...sizes, largest];
}
