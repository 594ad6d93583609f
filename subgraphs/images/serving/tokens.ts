/**
 * The unguessable part of a serving URL. To us, and to nobody without SECRET_KEY, it says which image it is of and how
 * large that is, so that the bucket can be asked before the database has answered. What it says is a hint and never a
 * reason to show anything: only a record with this very token is that.
 */
import { type Cipher, createCipheriv, createDecipheriv, type Decipher, randomBytes } from 'node:crypto';
import { fromBase62, toBase62 } from '../../../platform/base62.js';
import type { Secrets } from '../../../platform/secrets.js';

export interface Hint {
  /** Bare UUID. */
  id: string;
  /** Infinite where it is too large for a size class. */
  atMostBytes: number;
}

const CIPHER = 'aes-256-ecb';
/** Of a block of the cipher, of a UUID, and of what is random in a token. */
const BLOCK = 16;
const SMALLEST_CLASS = 4 * 1024;
const LAST_CLASS = 15;
/** No image is older. */
const FIRST_MS = Date.UTC(2025, 0);
/** By so much may the clock of whoever made the id be ahead of ours. */
const AHEAD_MS = 60_000;

export class ServingTokens {
  // In this mode no block depends on those before it, so one of each does for all tokens.
  readonly #cipher: Cipher;
  readonly #decipher: Decipher;

  /** 32 bytes. */
  constructor(key: Buffer) {
    this.#cipher = createCipheriv(CIPHER, key, null).setAutoPadding(false);
    this.#decipher = createDecipheriv(CIPHER, key, null).setAutoPadding(false);
  }

  static of(secrets: Secrets): ServingTokens {
    return new ServingTokens(secrets.key('serving-token'));
  }

  /**
   * 16 random bytes, and a block in which they hide the id: 128 bits that nobody can guess. They are enciphered first, so
   * that from a token nobody can make one whose id differs in chosen bits, and learn from the time it takes what they are.
   */
  make({ id, sizeBytes }: { id: string; sizeBytes: number }): string {
    const random = randomBytes(BLOCK);
    const block = Buffer.from(id.replaceAll('-', ''), 'hex');
    // The version is 7 for all of ours.
    block[6] = (classOf(sizeBytes) << 4) | (block.readUInt8(6) & 0x0f);
    const hidden = this.#cipher.update(xor(block, this.#cipher.update(random)));
    return toBase62(Buffer.concat([random, hidden]));
  }

  /** Null for a token of another key, of none, or guessed; one of these in many thousands names what does not exist. */
  read(token: string, now: Date): Hint | null {
    const bytes = fromBase62(token);
    if (!bytes) return null;
    const random = bytes.subarray(0, BLOCK);
    const block = xor(this.#decipher.update(bytes.subarray(BLOCK)), this.#cipher.update(random));
    const madeMs = block.readUIntBE(0, 6);
    const isOurs = block.readUInt8(8) >> 6 === 0b10 && madeMs >= FIRST_MS && madeMs <= now.getTime() + AHEAD_MS;
    if (!isOurs) return null;
    const sizeClass = block.readUInt8(6) >> 4;
    block[6] = 0x70 | (block.readUInt8(6) & 0x0f);
    return { id: uuidOf(block), atMostBytes: sizeClass === LAST_CLASS ? Infinity : SMALLEST_CLASS << sizeClass };
  }
}

/** The smallest class that holds so many bytes; the last one holds any number. */
function classOf(sizeBytes: number): number {
  let sizeClass = 0;
  while (sizeClass < LAST_CLASS && sizeBytes > SMALLEST_CLASS << sizeClass) sizeClass += 1;
  return sizeClass;
}

/** One block, changed in its place. */
function xor(block: Buffer, other: Buffer): Buffer {
  for (let i = 0; i < BLOCK; i++) block[i] = block.readUInt8(i) ^ other.readUInt8(i);
  return block;
}

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
