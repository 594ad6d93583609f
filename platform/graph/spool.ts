/** The temporary files that GraphQL uploads wait in: how much of the disk they may take, and what a kill left of them. */
import { readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../errors.js';

/** What graphql-upload calls them. */
const SPOOLED = /^capacitor-[0-9a-f]{32}\.tmp$/;
/** No upload takes this long. */
const LEFT_AFTER_MS = 60 * 60_000;

export class Spool {
  #left: number;

  constructor(totalBytes: number) {
    this.#left = totalBytes;
  }

  /** For one request. */
  share(): SpoolShare {
    let taken = 0;
    return {
      take: (bytes) => {
        if (bytes > this.#left) {
          throw new Problem('unavailable', 'Too many uploads are under way.', { retryAfterSeconds: 1 });
        }
        this.#left -= bytes;
        taken += bytes;
      },
      giveBack: () => {
        this.#left += taken;
        taken = 0;
      },
    };
  }
}

export interface SpoolShare {
  /** Throws where there is no room for them. */
  take(bytes: number): void;
  /** All of it, once nothing more is taken. */
  giveBack(): void;
}

/** Removes what processes left that were killed; a living one removes its files however a request ends. */
export async function clearSpool(directory = tmpdir(), now = Date.now()): Promise<void> {
  const names = (await readdir(directory)).filter((name) => SPOOLED.test(name));
  for (const name of names) {
    const path = join(directory, name);
    // Another process may clear it at the same time, and it may be another user's.
    const left = await stat(path).catch(() => null);
    if (left && left.uid === process.getuid?.() && now - left.mtimeMs > LEFT_AFTER_MS) await rm(path, { force: true });
  }
}
