/** Remembers what was encoded lately: labelled examples and searched phrases come again and again. */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Encoder, Vector } from './encoder.js';

// Two kilobytes each.
const REMEMBERED = 4_000;

export class CachedEncoder implements Encoder {
  readonly model: string;
  readonly #inner: Encoder;
  readonly #known = new LRUCache<string, Vector>({ max: REMEMBERED });

  constructor(inner: Encoder) {
    this.#inner = inner;
    this.model = inner.model;
  }

  async encode(texts: readonly string[], signal?: AbortSignal): Promise<Vector[]> {
    // By hash, so that no text stays in memory because it was looked at once.
    const keys = texts.map((text) => createHash('sha256').update(text).digest('base64url'));
    const found = new Map<string, Vector>();
    const missing = new Map<string, string>();
    keys.forEach((key, i) => {
      const known = this.#known.get(key);
      if (known) found.set(key, known);
      else missing.set(key, texts[i] ?? '');
    });
    const encoded = missing.size === 0 ? [] : await this.#inner.encode([...missing.values()], signal);
    [...missing.keys()].forEach((key, i) => {
      const vector = encoded[i];
      if (!vector) return;
      this.#known.set(key, vector);
      found.set(key, vector);
    });
    return keys.map((key) => found.get(key) ?? new Float32Array());
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
