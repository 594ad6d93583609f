import { createHash, createHmac, hash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { toBase62 } from './base62.js';

/** Keys derived from SECRET_KEY, one per purpose, so that a value made for one use means nothing in another. */
export class Secrets {
  readonly #root: Buffer;
  readonly #derived = new Map<string, Buffer>();

  constructor(secretKey: string) {
    this.#root = createHash('sha256').update(secretKey, 'utf8').digest();
  }

  /** 32 bytes, for what takes a key. */
  key(purpose: string): Buffer {
    let key = this.#derived.get(purpose);
    if (!key) {
      key = Buffer.from(hkdfSync('sha256', this.#root, 'darkroom', purpose, 32));
      this.#derived.set(purpose, key);
    }
    return key;
  }

  /** A keyed one-way hash: useless to someone who has the database but not SECRET_KEY. */
  mac(purpose: string, value: string): string {
    return createHmac('sha256', this.key(purpose)).update(value).digest('base64url');
  }

  verify(purpose: string, value: string, mac: string): boolean {
    const expected = Buffer.from(this.mac(purpose, value));
    const given = Buffer.from(mac);
    return expected.length === given.length && timingSafeEqual(expected, given);
  }
}

/** For secrets with at least 128 bits of entropy, where a slow or keyed hash would protect nothing more. */
export function sha256(value: string): string {
  return hash('sha256', value, 'base64url');
}

/** 256 random bits in base62: 43 characters. */
export function randomToken(): string {
  return toBase62(randomBytes(32));
}
