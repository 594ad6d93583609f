import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { Resource } from '../../../platform/resources.js';
import type { KeyScope } from '../../../platform/scope.js';

/** All that came of one sign-in for one client, in one document: each step is one conditional update of it. */
export interface GrantDoc {
  _id: string;
  clientId: string;
  /** Null: a device that nobody has let in yet. */
  userId: string | null;
  resource: Resource;
  scopes: KeyScope[];
  code?: AuthorizationCode;
  device?: DeviceRequest;
  refresh?: RefreshToken;
  /** The last ones; what has expired leaves with the next that comes. */
  access: AccessToken[];
  createdAt: Date;
  revokedAt: Date | null;
  /** When nothing of it can be used any more, nor needs to be recognised. */
  until: Date;
}

export interface AuthorizationCode {
  hash: string;
  /** The S256 challenge that the verifier has to meet. */
  challenge: string;
  redirectUri: string;
  expiresAt: Date;
  used: boolean;
}

export interface DeviceRequest {
  hash: string;
  /** Keyed hash: the code itself is short enough to be guessed from a plain one. */
  userCode: string;
  state: 'PENDING' | 'APPROVED' | 'DENIED' | 'USED';
  expiresAt: Date;
  intervalSeconds: number;
  polledAt: Date | null;
}

export interface RefreshToken {
  hash: string;
  expiresAt: Date;
}

export interface AccessToken {
  hash: string;
  scopes: KeyScope[];
  expiresAt: Date;
}

const present = (field: string) => ({ partialFilterExpression: { [field]: { $gt: '' } } });

export const GRANTS: CollectionDefinition = {
  name: 'accounts_oauth_grants',
  indexes: [
    { name: 'code', key: { 'code.hash': 1 }, options: { unique: true, ...present('code.hash') } },
    { name: 'device', key: { 'device.hash': 1 }, options: { unique: true, ...present('device.hash') } },
    { name: 'user_code', key: { 'device.userCode': 1 }, options: { unique: true, ...present('device.userCode') } },
    { name: 'access', key: { 'access.hash': 1 }, options: present('access.hash') },
    // Of what is in use: what has ended holds no tokens.
    { name: 'user', key: { userId: 1, _id: -1 }, options: present('access.hash') },
    { name: 'until', key: { until: 1 } },
  ],
};
