/** Bytes that the bucket is asked for before it is known whether anybody may have them. */
import { Readable } from 'node:stream';

/** Bytes. What is no larger is read and kept whole, the rest as it comes. */
export const SMALL = 256 * 1024;

/** Bytes. What is larger is never kept in memory, and left to ways that do not read ahead. */
export const LARGEST_KEPT = 4 * 1024 * 1024;

type Bytes = Buffer | Readable | null;

/** Taken once, or dropped: whoever has one is to call drop() in the end, which does nothing to what was taken. */
export class Ahead {
  #bytes: Promise<Bytes> | null;
  #end: () => void;

  /** `end` ends the read, however far it has come. */
  constructor(bytes: Promise<Bytes>, end: () => void) {
    this.#bytes = bytes.then(guarded, () => null);
    this.#end = end;
  }

  /** Null where there is nothing of use, or not for this caller: then it is for the ordinary way to say why. */
  async whole(): Promise<Buffer | null> {
    const bytes = await this.#take();
    if (!(bytes instanceof Readable)) return bytes;
    bytes.destroy();
    return null;
  }

  /** The same of what is not small. Nothing of it has been read. */
  async stream(): Promise<Readable | null> {
    const bytes = await this.#take();
    // It may have broken off while nobody looked.
    return bytes instanceof Readable && !bytes.destroyed ? bytes : null;
  }

  drop(): void {
    const end = this.#end;
    // Else the read is somebody's.
    if (this.#take()) end();
  }

  #take(): Promise<Bytes> | null {
    const bytes = this.#bytes;
    // Whoever remembers this for longer holds on to nothing.
    this.#bytes = null;
    this.#end = () => undefined;
    return bytes;
  }
}

/** A stream that fails while nobody listens would end the process. */
function guarded(bytes: Bytes): Bytes {
  return bytes instanceof Readable ? bytes.on('error', () => undefined) : bytes;
}
