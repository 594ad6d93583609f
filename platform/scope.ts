/** Who is calling and for which request: resolved once at the edge, then handed on as a value, signed between processes. */
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { Problem } from './errors.js';
import { RESOURCES } from './resources.js';
import type { Secrets } from './secrets.js';

/**
 * What a credential may be used for. `account` is everything that a user may do; the others are what a tenant's key can
 * have: to spend the user's credits on pictures, and to look at the tenant's jobs.
 */
export const KEY_SCOPES = ['account', 'generate', 'read'] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];

export const callerSchema = z.object({
  /** Bare UUID of the user. */
  userId: z.string(),
  keyId: z.string(),
  /** The tenant on whose behalf the caller acts on /v2: that of the key, or the user's default one. */
  tenantId: z.string(),
  scopes: z.array(z.enum(KEY_SCOPES)),
  /** What an access token was given for; null for keys, which are good everywhere. */
  audience: z.enum(RESOURCES).nullable(),
  email: z.string(),
  handle: z.string().nullable(),
  handleClaimedAt: z.coerce.date().nullable(),
  createdAt: z.coerce.date(),
  suspended: z.boolean(),
});

const claimsSchema = z.object({
  /** The caller's network: an IPv4 address or an IPv6 /64. */
  network: z.string(),
  caller: callerSchema.nullable(),
  /** True for a call that one part of the platform makes of another, false for anything a caller asked for. */
  internal: z.boolean(),
});

export type Caller = z.infer<typeof callerSchema>;
type Claims = z.infer<typeof claimsSchema>;
/** The request's id is for the log: it proves nothing, and is not signed. */
export type Scope = Claims & { requestId: string };

/** Background work and start-up act in this scope. */
export function systemScope(requestId: string): Scope {
  return { requestId, network: 'system', caller: null, internal: true };
}

export function requireCaller(scope: Scope): Caller {
  if (!scope.caller) throw new Problem('auth_required');
  return scope.caller;
}

/** A user's default tenant has the user's own id, so that nobody has to look it up or make it first. */
export function wholeAccount(userId: string): Pick<Caller, 'tenantId' | 'scopes' | 'audience'> {
  return { tenantId: userId, scopes: [...KEY_SCOPES], audience: null };
}

/** Nobody is refused here for having no credential: whether an operation needs one is its own business. */
export function requireKeyScope({ caller }: Scope, needed: KeyScope): void {
  if (!caller || caller.scopes.includes(needed)) return;
  const whose = needed === 'account' ? "This needs the user's own key" : `This needs a key with the scope "${needed}"`;
  throw new Problem('forbidden', `${whose}.`, { extra: { required_scope: needed } });
}

/** For doors beside the graph that are open to the user's own key alone. */
export function requireOwnKey(scope: Scope): Caller {
  const caller = requireCaller(scope);
  requireKeyScope(scope, 'account');
  return caller;
}

/** Operations that only other parts of the platform may use. */
export function requireInternal(scope: Scope): void {
  if (!scope.internal) throw new Problem('forbidden');
}

export const SCOPE_HEADER = 'x-darkroom-scope';
const REQUEST_ID_HEADER = 'x-request-id';
// Long enough for clocks that differ a little, short enough that a captured header is soon worthless.
const LIFETIME_MS = 30_000;
const CLOCK_SKEW_MS = 5_000;

/** The header by which a gateway proves to a subgraph in another process who is calling. */
export function signScope(secrets: Secrets, audience: string, scope: Scope, now = Date.now()): string {
  const { network, caller, internal } = scope;
  const envelope = { aud: audience, exp: now + LIFETIME_MS, scope: { network, caller, internal } };
  const payload = Buffer.from(JSON.stringify(envelope)).toString('base64url');
  return `${payload}.${secrets.mac('scope', payload)}`;
}

const envelopeSchema = z.object({ aud: z.string(), exp: z.number(), scope: claimsSchema });
type Envelope = z.infer<typeof envelopeSchema>;

/** Null for anything but a header that a holder of SECRET_KEY made for this audience a moment ago. */
export function openScope(secrets: Secrets, audience: string, header: unknown, now = Date.now()): Claims | null {
  const envelope = openEnvelope(secrets, header);
  return envelope && holds(envelope, audience, now) ? envelope.scope : null;
}

function openEnvelope(secrets: Secrets, header: unknown): Envelope | null {
  if (typeof header !== 'string') return null;
  const dot = header.indexOf('.');
  const payload = header.slice(0, dot);
  if (dot < 0 || !secrets.verify('scope', payload, header.slice(dot + 1))) return null;
  const envelope = envelopeSchema.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
  return envelope.success ? envelope.data : null;
}

function holds({ aud, exp }: Envelope, audience: string, now: number): boolean {
  return aud === audience && exp > now && exp <= now + LIFETIME_MS + CLOCK_SKEW_MS;
}

const REUSE_MS = 5_000;

interface Signed {
  network: string;
  internal: boolean;
  until: number;
  header: string;
}

/** The headers of calls of one subgraph. A caller's proof is used for some seconds: signing costs more than sending. */
export class ScopeSigner {
  readonly #secrets: Secrets;
  readonly #audience: string;
  // By the value that the edge made of a credential: when it looks again, there is another.
  readonly #signed = new WeakMap<Caller, Signed>();

  constructor(secrets: Secrets, audience: string) {
    this.#secrets = secrets;
    this.#audience = audience;
  }

  headers(scope: Scope): Record<string, string> {
    return { [SCOPE_HEADER]: this.#sign(scope), [REQUEST_ID_HEADER]: scope.requestId };
  }

  #sign(scope: Scope): string {
    const { caller, network, internal } = scope;
    const now = Date.now();
    const known = caller && this.#signed.get(caller);
    if (known && known.until > now && known.network === network && known.internal === internal) return known.header;
    const header = signScope(this.#secrets, this.#audience, scope, now);
    if (caller) this.#signed.set(caller, { network, internal, until: now + REUSE_MS, header });
    return header;
  }
}

const OPENED = 10_000;

/** The other end: a header that was found good is not taken apart again while it holds. */
export class ScopeOpener {
  readonly #secrets: Secrets;
  readonly #audience: string;
  readonly #opened = new LRUCache<string, Envelope>({ max: OPENED, ttl: REUSE_MS });

  constructor(secrets: Secrets, audience: string) {
    this.#secrets = secrets;
    this.#audience = audience;
  }

  open(header: unknown, requestId: string): Scope | null {
    const known = typeof header === 'string' ? this.#opened.get(header) : undefined;
    const envelope = known ?? openEnvelope(this.#secrets, header);
    if (!envelope || !holds(envelope, this.#audience, Date.now())) return null;
    if (!known) this.#opened.set(header as string, envelope);
    return { ...envelope.scope, requestId };
  }
}
