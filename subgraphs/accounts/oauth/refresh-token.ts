/**
 * A refresh token names its grant and carries a proof that it was made here. So one that was used before is told from one
 * that somebody made up, without keeping those that were used: the first ends the grant, the second must not be able to.
 */
import { randomBytes } from 'node:crypto';
import type { Secrets } from '../../../platform/secrets.js';

const PREFIX = 'good_rt_';
const RANDOM_BYTES = 32;
const ID_BYTES = 16;
const PURPOSE = 'oauth-refresh';

export function newRefreshToken(secrets: Secrets, grantId: string): string {
  const id = Buffer.from(grantId.replaceAll('-', ''), 'hex');
  const payload = Buffer.concat([id, randomBytes(RANDOM_BYTES)]).toString('base64url');
  return `${PREFIX}${payload}.${secrets.mac(PURPOSE, payload)}`;
}

/** The grant that a token was made for; null when it was not made here. */
export function grantOf(secrets: Secrets, token: string): string | null {
  const [payload = '', mac = '', ...rest] = token.startsWith(PREFIX) ? token.slice(PREFIX.length).split('.') : [];
  if (rest.length > 0 || !secrets.verify(PURPOSE, payload, mac)) return null;
  const id = Buffer.from(payload, 'base64url').subarray(0, ID_BYTES).toString('hex');
  return [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join('-');
}
