import type { CollectionDefinition } from '../../../platform/mongo/store.js';

/** Bytes of an image that is about to go live: counted already, and given back if it never does. */
export interface Hold {
  imageId: string;
  bytes: number;
  at: Date;
}

/** How much an account hosts. Every decision about its quota is one update of this document. */
export interface StorageDocument {
  /** The owner. */
  _id: string;
  /** Of all its live images, and of all holds. */
  bytes: number;
  holds: Hold[];
  /** Goes up with every change, so that a count that took a while is written only if nothing changed meanwhile. */
  version: number;
  /** Goes up with every count, so that who is about to subtract an image knows whether it was left out already. */
  counts: number;
}

export const STORAGE: CollectionDefinition = {
  name: 'images_storage',
  indexes: [{ name: 'held_since', key: { 'holds.at': 1 } }],
};
