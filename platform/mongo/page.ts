import type { Collection, Document, Filter } from 'mongodb';
import { Problem } from '../errors.js';
import { findBatch } from './batch.js';

export const DEFAULT_PAGE = 50;
export const MAX_PAGE = 100;

export interface PageRequest {
  first?: number | null;
  after?: string | null;
}

export interface Page<T> {
  items: T[];
  cursorOf(item: T): string;
  hasNextPage: boolean;
}

export function pageSize({ first }: PageRequest): number {
  const size = first ?? DEFAULT_PAGE;
  if (!Number.isInteger(size) || size < 1 || size > MAX_PAGE) {
    throw Problem.invalid('limit', `must be a whole number from 1 to ${MAX_PAGE}`);
  }
  return size;
}

/** A cursor is opaque to callers: the key of the last item of the page before. */
export function encodeCursor(key: string): string {
  return Buffer.from(JSON.stringify({ i: key })).toString('base64url');
}

export function decodeCursor(cursor: string): string {
  try {
    const { i } = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (typeof i === 'string' && i.length <= 200) return i;
  } catch {
    // Falls through to the refusal.
  }
  throw Problem.invalid('cursor', 'is not a cursor of this list');
}

/**
 * One page of a list that is sorted by id, newest first. Ids are UUIDv7, so this is the order of creation, and a page
 * deep in the list costs what the first one does: the filter's index must end in `_id: -1`.
 */
export async function findPage<T extends Document & { _id: string }>(
  collection: Collection<T>,
  filter: Filter<T>,
  request: PageRequest,
): Promise<Page<T>> {
  const size = pageSize(request);
  const after = request.after ? { _id: { $lt: decodeCursor(request.after) } } : {};
  // One more than asked for tells whether there is a next page.
  const found = await findBatch(collection, { ...filter, ...after } as Filter<T>, {
    sort: { _id: -1 },
    limit: size + 1,
  });
  return pageOf(found, size, (item) => encodeCursor(item._id));
}

/** Of what a query found that asked for one more than the page holds. */
export function pageOf<T>(found: readonly T[], size: number, cursorOf: (item: T) => string): Page<T> {
  return { items: found.slice(0, size), cursorOf, hasNextPage: found.length > size };
}
