/** Who is calling, decided once. Answers are remembered for less than two seconds, and forgotten on notice. */
import { LRUCache } from 'lru-cache';
import { CREDENTIAL_KINDS, type CredentialKind, credentialKind } from '../platform/credentials.js';
import { Problem } from '../platform/errors.js';
import { type Events, IDENTITY_CHANGED } from '../platform/events.js';
import type { Metrics } from '../platform/metrics.js';
import type { Resource } from '../platform/resources.js';
import type { Caller } from '../platform/scope.js';
import { sha256 } from '../platform/secrets.js';

/** A revoked key must stop everywhere within two seconds; the rest of them is for the look-up itself. */
const REMEMBER_MS = 1_800;
const REMEMBERED_KEYS = 20_000;
const ASKED_AT_ONCE = 500;

export interface IdentityDeps {
  findCaller(kind: CredentialKind, hash: string, requestId: string): Promise<Caller | null>;
  findGood(kind: CredentialKind, hashes: readonly string[], requestId: string): Promise<string[]>;
  events: Events;
  metrics: Metrics;
}

export class Identity {
  readonly #deps: IdentityDeps;
  readonly #known = new LRUCache<string, Caller>({ max: REMEMBERED_KEYS, ttl: REMEMBER_MS });
  readonly #hashesOf = new Map<string, Set<string>>();
  readonly #underWay = new Map<string, Promise<Caller | null>>();
  readonly #listeners = new Set<(userId: string) => void>();
  readonly #stopListening: () => void;
  /** Goes up with every notice, so that a look-up that began before one is not remembered after it. */
  #epoch = 0;

  constructor(deps: IdentityDeps) {
    this.#deps = deps;
    this.#stopListening = deps.events.subscribe(IDENTITY_CHANGED, (userId) => this.forget(userId));
  }

  /** The caller behind a credential; throws auth_required for one that is not good, or not for what is asked for. */
  resolve(credential: string, requestId: string, resource: Resource = ''): Caller | Promise<Caller> {
    const kind = credentialKind(credential);
    if (!kind) throw badKey();
    const hash = sha256(credential);
    const known = this.#known.get(hash);
    if (known) return forResource(known, resource);
    return this.#lookUp(kind, hash, requestId).then((caller) => forResource(caller, resource));
  }

  async #lookUp(kind: CredentialKind, hash: string, requestId: string): Promise<Caller> {
    // A burst of requests with one key asks once.
    let lookup = this.#underWay.get(hash);
    if (!lookup) {
      lookup = this.#fetch(kind, hash, requestId).finally(() => this.#underWay.delete(hash));
      this.#underWay.set(hash, lookup);
    }
    const caller = await lookup;
    if (!caller) throw badKey();
    return caller;
  }

  async #fetch(kind: CredentialKind, hash: string, requestId: string): Promise<Caller | null> {
    const epoch = this.#epoch;
    const caller = await this.#deps.findCaller(kind, hash, requestId);
    this.#deps.metrics.identityLookups.inc({ source: caller ? 'found' : 'unknown' });
    if (caller && epoch === this.#epoch) this.#remember(hash, caller);
    return caller;
  }

  #remember(hash: string, caller: Caller): void {
    this.#known.set(hash, caller);
    const hashes = this.#hashesOf.get(caller.userId) ?? new Set();
    this.#hashesOf.set(caller.userId, hashes.add(hash));
    // The index by user may outlive entries that aged out; it is rebuilt when it has grown past what is remembered.
    if (this.#hashesOf.size > 2 * REMEMBERED_KEYS) this.#reindex();
  }

  #reindex(): void {
    this.#hashesOf.clear();
    for (const [hash, { userId }] of this.#known.entries()) {
      this.#hashesOf.set(userId, (this.#hashesOf.get(userId) ?? new Set()).add(hash));
    }
  }

  forget(userId: string): void {
    this.#epoch += 1;
    this.#underWay.clear();
    for (const hash of this.#hashesOf.get(userId) ?? []) this.#known.delete(hash);
    this.#hashesOf.delete(userId);
    for (const listener of this.#listeners) listener(userId);
  }

  /** Hears of users whose keys may have changed. Returns the way to stop listening. */
  onForgotten(listener: (userId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Which of these credentials, once good, are no longer. Asked anew, whatever is remembered. */
  async revoked(credentials: ReadonlySet<string>, requestId: string): Promise<ReadonlySet<string>> {
    const revoked = new Set(credentials);
    for (const kind of CREDENTIAL_KINDS) {
      const byHash = new Map<string, string>();
      for (const one of credentials) if (credentialKind(one) === kind) byHash.set(sha256(one), one);
      const hashes = [...byHash.keys()];
      for (let from = 0; from < hashes.length; from += ASKED_AT_ONCE) {
        const good = await this.#deps.findGood(kind, hashes.slice(from, from + ASKED_AT_ONCE), requestId);
        for (const hash of good) revoked.delete(byHash.get(hash) ?? '');
      }
    }
    return revoked;
  }

  close(): void {
    this.#stopListening();
  }
}

function forResource(caller: Caller, resource: Resource): Caller {
  if (caller.audience === null || caller.audience === resource) return caller;
  throw new Problem('auth_required', 'The access token was given for another address of this server.');
}

function badKey(): Problem {
  return new Problem('auth_required', 'The credential is not valid: it may be mistyped, expired or revoked.');
}

/** The credential of a request, null when there is none. A header that is there but unreadable is a bad credential. */
export function credentialOf(headers: Readonly<Record<string, unknown>>, acceptApiKeyHeader: boolean): string | null {
  const { authorization } = headers;
  if (typeof authorization === 'string') {
    const match = /^Bearer +(\S+) *$/i.exec(authorization);
    if (!match?.[1]) throw new Problem('auth_required', 'The Authorization header must read "Bearer <API key>".');
    return match[1];
  }
  const apiKey = acceptApiKeyHeader ? headers['x-api-key'] : undefined;
  return typeof apiKey === 'string' ? apiKey : null;
}
