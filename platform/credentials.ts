/** The kinds of credentials, each told by how it begins. What has the shape of none is not looked up. */
import { randomBytes } from 'node:crypto';
import { randomToken } from './secrets.js';

export const CREDENTIAL_KINDS = ['USER_KEY', 'TENANT_KEY', 'ACCESS_TOKEN'] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

const SHAPES: Readonly<Record<CredentialKind, RegExp>> = {
  USER_KEY: /^good_live_[0-9A-Za-z]{43}$/,
  TENANT_KEY: /^imgf_[0-9a-f]{64}$/,
  ACCESS_TOKEN: /^good_at_[0-9A-Za-z]{43}$/,
};

export function credentialKind(credential: string): CredentialKind | null {
  return CREDENTIAL_KINDS.find((kind) => SHAPES[kind].test(credential)) ?? null;
}

export const newUserKey = () => `good_live_${randomToken()}`;
export const newTenantKey = () => `imgf_${randomBytes(32).toString('hex')}`;
export const newAccessToken = () => `good_at_${randomToken()}`;
