import type { CollectionDefinition } from '../../../platform/mongo/store.js';

export interface ApiKeyDoc {
  _id: string;
  userId: string;
  /** SHA-256 of the secret, which itself is stored nowhere. */
  hash: string;
  prefix: string;
  name: string;
  /** Keys that a sign-in made may give way to a later sign-in when the account has too many keys. */
  origin: 'SIGN_IN' | 'CREATED';
  slot: number;
  createdAt: Date;
  lastUsedAt: Date | null;
}

export const API_KEYS: CollectionDefinition = {
  name: 'accounts_keys',
  indexes: [
    { name: 'hash', key: { hash: 1 }, options: { unique: true } },
    { name: 'user', key: { userId: 1, _id: -1 } },
    { name: 'user_name', key: { userId: 1, name: 1 } },
    { name: 'user_slot', key: { userId: 1, slot: 1 }, options: { unique: true } },
  ],
};
