import { Problem } from '../../../platform/errors.js';

/** The largest number that a GraphQL Int holds: 68 years. */
export const MAX_TTL_SECONDS = 2 ** 31 - 1;

/** A time to live counts from the moment in which it is applied. */
export function expiryAfter(ttlSeconds: number | null, now: Date): Date | null {
  if (ttlSeconds === null) return null;
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > MAX_TTL_SECONDS) {
    throw Problem.invalid('ttl_seconds', `must be a whole number from 1 to ${MAX_TTL_SECONDS}`);
  }
  return new Date(now.getTime() + ttlSeconds * 1000);
}

export const TTL_OR_PERMANENT = 'ttl_seconds and permanent cannot be given together.';
