import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { AUTH_METHODS, GRANT_TYPES } from './oauth.contract.js';

export interface OAuthClientDoc {
  _id: string;
  name: string;
  redirectUris: string[];
  grantTypes: (typeof GRANT_TYPES)[number][];
  authMethod: (typeof AUTH_METHODS)[number];
  /** SHA-256 of the secret; null for a client that cannot keep one. */
  secretHash: string | null;
  createdAt: Date;
  /** Anybody may register clients: what is not used until then goes. Each use puts it off. */
  until: Date;
}

export const OAUTH_CLIENTS: CollectionDefinition = {
  name: 'accounts_oauth_clients',
  indexes: [{ name: 'until', key: { until: 1 } }],
};
