/** Who is calling and for which request: resolved once at the edge, then handed on as a value, signed between processes. */
import { z } from 'zod';
import { Problem } from './errors.js';
import type { Secrets } from './secrets.js';

export const callerSchema = z.object({
  /** Bare UUID of the user. */
  userId: z.string(),
  keyId: z.string(),
  email: z.string(),
  handle: z.string().nullable(),
  handleClaimedAt: z.coerce.date().nullable(),
  createdAt: z.coerce.date(),
  suspended: z.boolean(),
});

const scopeSchema = z.object({
  requestId: z.string(),
  /** The caller's network: an IPv4 address or an IPv6 /64. */
  network: z.string(),
  caller: callerSchema.nullable(),
  /** True for a call that one part of the platform makes of another, false for anything a caller asked for. */
  internal: z.boolean(),
});

export type Caller = z.infer<typeof callerSchema>;
export type Scope = z.infer<typeof scopeSchema>;

/** Background work and start-up act in this scope. */
export function systemScope(requestId: string): Scope {
  return { requestId, network: 'system', caller: null, internal: true };
}

export function requireCaller(scope: Scope): Caller {
  if (!scope.caller) throw new Problem('auth_required');
  return scope.caller;
}

/** Operations that only other parts of the platform may use. */
export function requireInternal(scope: Scope): void {
  if (!scope.internal) throw new Problem('forbidden');
}

export const SCOPE_HEADER = 'x-darkroom-scope';
// Long enough for clocks that differ a little, short enough that a captured header is soon worthless.
const LIFETIME_MS = 30_000;
const CLOCK_SKEW_MS = 5_000;

/** The header by which a gateway proves to a subgraph in another process who is calling. */
export function signScope(secrets: Secrets, audience: string, scope: Scope, now = Date.now()): string {
  const payload = Buffer.from(JSON.stringify({ aud: audience, exp: now + LIFETIME_MS, scope })).toString('base64url');
  return `${payload}.${secrets.mac('scope', payload)}`;
}

const envelopeSchema = z.object({ aud: z.string(), exp: z.number(), scope: scopeSchema });

/** Null for anything but a header that a holder of SECRET_KEY made for this audience a moment ago. */
export function openScope(secrets: Secrets, audience: string, header: unknown, now = Date.now()): Scope | null {
  if (typeof header !== 'string') return null;
  const dot = header.indexOf('.');
  const payload = header.slice(0, dot);
  if (dot < 0 || !secrets.verify('scope', payload, header.slice(dot + 1))) return null;
  const envelope = envelopeSchema.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  if (!envelope.success) return null;
  const { aud, exp, scope } = envelope.data;
  const fresh = exp > now && exp <= now + LIFETIME_MS + CLOCK_SKEW_MS;
  return aud === audience && fresh ? scope : null;
}
