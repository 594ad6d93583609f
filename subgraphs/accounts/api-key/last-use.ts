/** Remembers when keys were used and writes it down in bulk: a request never costs a write. */
import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import { SECOND_MS } from '../time.js';
import type { ApiKeyDoc } from './api-key.model.js';

const FLUSH_EVERY_MS = 30 * SECOND_MS;
const FLUSH_AT_KEYS = 10_000;

export class LastUse {
  readonly #apiKeys: Collection<ApiKeyDoc>;
  readonly #log: Logger;
  #noted = new Map<string, Date>();
  #timer: NodeJS.Timeout | undefined;

  constructor(apiKeys: Collection<ApiKeyDoc>, log: Logger) {
    this.#apiKeys = apiKeys;
    this.#log = log;
  }

  note(keyId: string, at: Date): void {
    this.#noted.set(keyId, at);
    if (this.#noted.size >= FLUSH_AT_KEYS) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), FLUSH_EVERY_MS).unref();
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const noted = this.#noted;
    if (noted.size === 0) return;
    this.#noted = new Map();
    // $max: another process may have written a later use. A revoked key matches nothing.
    const writes = [...noted].map(([_id, lastUsedAt]) => ({
      updateOne: { filter: { _id }, update: { $max: { lastUsedAt } } },
    }));
    await this.#apiKeys.bulkWrite(writes, { ordered: false }).catch((error: unknown) => {
      this.#log.warn({ err: error, keys: noted.size }, 'last use of keys not written');
    });
  }
}
