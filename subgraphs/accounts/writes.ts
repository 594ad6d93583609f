/** Ways to write that stay right when several processes write at once. */
import type { Collection, Document, Filter } from 'mongodb';
import { isDuplicateKey } from '../../platform/mongo/store.js';

/** Whether a write failed because a unique index over this field refused it. */
export function collidesOn(error: unknown, field: string): boolean {
  return isDuplicateKey(error) && Object.hasOwn((error as { keyPattern?: object }).keyPattern ?? {}, field);
}

/** A document that takes up one of a limited number of places. */
interface Slotted extends Document {
  slot: number;
}

/**
 * Quotas without counters: every counted document holds a slot number below the limit, unique per owner. Racing
 * writers cannot exceed the quota, nothing is left to repair when one dies, and a deleted document frees its place.
 */
export async function withFreeSlot<D extends Slotted, T>(
  collection: Collection<D>,
  owner: Filter<D>,
  limit: number,
  write: (slot: number) => Promise<T>,
): Promise<T | 'full'> {
  for (;;) {
    const slot = await freeSlot(collection, owner, limit);
    if (slot === null) return 'full';
    try {
      return await write(slot);
    } catch (error) {
      // Each collision means that another writer got a place, so this ends.
      if (!collidesOn(error, 'slot')) throw error;
    }
  }
}

async function freeSlot<D extends Slotted>(
  collection: Collection<D>,
  owner: Filter<D>,
  limit: number,
): Promise<number | null> {
  const found = await collection.find(owner).project<{ slot: number }>({ _id: 0, slot: 1 }).sort({ slot: 1 }).toArray();
  const taken = new Set(found.map(({ slot }) => slot));
  if (taken.size >= limit) return null;
  // A random one, so that racing writers seldom choose the same.
  const wanted = Math.floor(Math.random() * (limit - taken.size));
  let free = -1;
  for (let slot = 0; slot < limit; slot++) {
    if (!taken.has(slot) && ++free === wanted) return slot;
  }
  return null;
}
