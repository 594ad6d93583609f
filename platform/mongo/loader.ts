import DataLoader from 'dataloader';
import type { Collection, Document, Filter } from 'mongodb';
import { anyOf, findBatch } from './batch.js';

/** Loads documents by id, all ids of one tick with one command; null for an id that does not exist. */
export function byIdLoader<T extends Document & { _id: string }>(
  collection: Collection<T>,
): DataLoader<string, T | null> {
  return new DataLoader(async (ids) => {
    const found = await findBatch(collection, { _id: anyOf(ids) } as Filter<T>, { limit: ids.length });
    const byId = new Map(found.map((document): [string, T] => [document._id, document]));
    return ids.map((id) => byId.get(id) ?? null);
  });
}
