import DataLoader from 'dataloader';
import type { Collection, Document, Filter } from 'mongodb';

/** Loads documents by id, all ids of one tick with one command; null for an id that does not exist. */
export function byIdLoader<T extends Document & { _id: string }>(
  collection: Collection<T>,
): DataLoader<string, T | null> {
  return new DataLoader(async (ids) => {
    const found = await collection.find({ _id: { $in: ids } } as Filter<T>).toArray();
    const byId = new Map(found.map((document) => [document._id as string, document as unknown as T]));
    return ids.map((id) => byId.get(id) ?? null);
  });
}
