import DataLoader from 'dataloader';
import type { Document } from 'mongodb';
import type { Lookups } from './lookups.js';

/** Of one request: what it looked up once, it has. Null for an id that does not exist. */
export function byIdLoader<T extends Document & { _id: string }>(lookups: Lookups<T>): DataLoader<string, T | null> {
  return new DataLoader((ids) => Promise.all(ids.map((id) => lookups.find(id))));
}
