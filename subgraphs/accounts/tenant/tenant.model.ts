import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { KeyScope } from '../../../platform/scope.js';

export type TenantScope = Exclude<KeyScope, 'account'>;

export interface TenantKey {
  /** Another one after each rotation. */
  id: string;
  /** SHA-256 of the key, which itself is stored nowhere. */
  hash: string;
  prefix: string;
}

export interface TenantDoc {
  /** Of a user's default tenant: the user's own id. */
  _id: string;
  userId: string;
  name: string | null;
  scopes: TenantScope[];
  /** Null: a default tenant that was not given a key of its own. */
  key: TenantKey | null;
  /** Below zero for the default tenant, which takes up no place. */
  slot: number;
  createdAt: Date;
  rotatedAt: Date | null;
}

export const TENANTS: CollectionDefinition = {
  name: 'accounts_tenants',
  indexes: [
    {
      name: 'key_hash',
      key: { 'key.hash': 1 },
      options: { unique: true, partialFilterExpression: { 'key.hash': { $gt: '' } } },
    },
    { name: 'user', key: { userId: 1, _id: -1 } },
    { name: 'user_slot', key: { userId: 1, slot: 1 }, options: { unique: true } },
  ],
};
