/** Reads whose results fit into one answer. A cursor of the driver costs about half as much again as a bare command. */
import type { Collection, Document, Filter } from 'mongodb';

export interface BatchOptions {
  projection?: Document;
  sort?: Record<string, 1 | -1>;
  /** As many as there can be. */
  limit: number;
  /** The index to use, by name. */
  hint?: string;
}

/** One id by itself is found without planning; a list of one is not. */
export function anyOf(ids: readonly string[]): string | { $in: string[] } {
  const [first] = ids;
  return ids.length === 1 && first !== undefined ? first : { $in: [...ids] };
}

type Place = Pick<Collection, 'db' | 'bsonOptions' | 'readPreference' | 'collectionName'>;

interface Answer {
  cursor: { id: unknown; firstBatch: Document[] };
}

export async function findBatch<S extends Document, T extends Document = S>(
  collection: Collection<S>,
  filter: Filter<S>,
  { projection, sort, limit, hint }: BatchOptions,
): Promise<T[]> {
  const command = {
    find: collection.collectionName,
    filter,
    ...(sort && { sort }),
    ...(projection && { projection }),
    ...(hint !== undefined && { hint }),
    limit,
    batchSize: limit,
  };
  const found = await firstBatch<T>(collection, command);
  if (found) return found;
  const options = {
    ...(sort && { sort }),
    ...(projection && { projection }),
    ...(hint !== undefined && { hint }),
    limit,
  };
  return (await collection.find(filter, options).toArray()) as unknown as T[];
}

/** Null: the answer came in parts, or not at all. The driver's cursors handle both, and repeat reads after a fail-over. */
async function firstBatch<T>(
  { db, bsonOptions, readPreference, collectionName }: Place,
  command: Document,
): Promise<T[] | null> {
  const options = { ...bsonOptions, ...(readPreference && { readPreference }) };
  const answer = await db.command(command, options).catch(() => null);
  if (!answer) return null;
  const { id, firstBatch: found } = (answer as unknown as Answer).cursor;
  if (Number(id) === 0) return found as T[];
  // Left to the server where it fails.
  await db.command({ killCursors: collectionName, cursors: [id] }).catch(() => undefined);
  return null;
}
