/** Bytes of unknown length with something to say after them, as one body: frames that state their length, then JSON. */

const HEAD = 4;
// No sender of ours makes longer ones: a head that says so is not a head.
const MAX_FRAME = 64 * 1024 * 1024;
const MAX_TAIL = 64 * 1024;

export async function* writeFrames(
  bytes: AsyncIterable<Uint8Array>,
  tail: () => Promise<unknown>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    if (chunk.length === 0) continue;
    yield head(chunk.length);
    yield chunk;
  }
  const text = Buffer.from(JSON.stringify(await tail()));
  yield Buffer.concat([head(0), head(text.length), text]);
}

function head(length: number): Buffer {
  const buffer = Buffer.allocUnsafe(HEAD);
  buffer.writeUInt32BE(length);
  return buffer;
}

export interface Framed {
  bytes: AsyncIterable<Uint8Array>;
  /** What was said after the bytes; read it when they have ended. */
  tail(): Promise<unknown>;
}

/** A body that ends early throws where it ends: nobody can take it for a whole one. */
export function readFrames(body: AsyncIterable<Uint8Array>): Framed {
  const reader = new Reader(body[Symbol.asyncIterator]());
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (;;) {
      let left = (await reader.exactly(HEAD)).readUInt32BE();
      if (left === 0) return;
      if (left > MAX_FRAME) throw new Error('not a framed body');
      while (left > 0) {
        const chunk = await reader.upTo(left);
        left -= chunk.length;
        yield chunk;
      }
    }
  }
  return {
    bytes: bytes(),
    async tail() {
      const length = (await reader.exactly(HEAD)).readUInt32BE();
      if (length > MAX_TAIL) throw new Error('not a framed body');
      return JSON.parse((await reader.exactly(length)).toString('utf8'));
    },
  };
}

class Reader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterator<Uint8Array>) {
    this.#source = source;
  }

  async upTo(length: number): Promise<Buffer> {
    if (this.#rest.length === 0) this.#rest = await this.#next();
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  async exactly(length: number): Promise<Buffer> {
    while (this.#rest.length < length) this.#rest = Buffer.concat([this.#rest, await this.#next()]);
    return this.upTo(length);
  }

  async #next(): Promise<Buffer> {
    const { value, done } = await this.#source.next();
    if (done) throw new Error('the body broke off');
    return Buffer.isBuffer(value) ? value : Buffer.from(value);
  }
}
