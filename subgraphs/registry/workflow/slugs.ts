import { Problem } from '../../../platform/errors.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';

const ATTEMPTS = 200;
const MAX_SLUG = 100;

/** Writes under a slug that nothing else of its owner has: as it is, or with -2, -3 and so on. The store's index decides. */
export async function withFreeSlug<T>(slug: string, write: (slug: string) => Promise<T>): Promise<T> {
  for (let nth = 1; nth <= ATTEMPTS; nth++) {
    const suffix = nth === 1 ? '' : `-${nth}`;
    try {
      return await write(`${slug.slice(0, MAX_SLUG - suffix.length)}${suffix}`);
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }
  throw new Problem('conflict', `There are too many of the slug ${slug}.`);
}
