import { isDuplicateKey } from './store.js';

const UPSERT_ATTEMPTS = 5;

/** Two upserts of one missing document can collide; the loser then finds the winner's document. */
export async function retryOnDuplicate<T>(write: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      if (attempt === UPSERT_ATTEMPTS || !isDuplicateKey(error)) throw error;
    }
  }
}
