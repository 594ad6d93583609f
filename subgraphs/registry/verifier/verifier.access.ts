/** Who may see, run and change which verifier. Decided here and nowhere else; what is not allowed does not exist. */
import { Problem } from '../../../platform/errors.js';
import { VerifierId } from '../../../platform/ids.js';
import { type Caller, requireCaller, type Scope } from '../../../platform/scope.js';
import { pinOf } from '../generator/generator.service.js';
import type { LiveReferences } from '../versioned/live-references.js';
import { type Reference, readReference } from '../versioned/reference.js';
import { VersionedStatus } from '../versioned/versioned.model.js';
import type { Loader, VersionedService } from '../versioned/versioned.service.js';
import type { VerifierSharing } from './sharing.js';
import type { VerifierConfig, VerifierDocument, VerifierVersion } from './verifier.model.js';

export type Verifiers = VersionedService<VerifierConfig>;
export type VerifierLoader = Loader<VerifierConfig>;

/** `own` is the owner's: everything. `tune` shows and runs, `exec` runs. */
export type Right = 'own' | 'tune' | 'exec';

const RANK: Readonly<Record<Right, number>> = { exec: 0, tune: 1, own: 2 };

/** A verifier at one of its versions. */
export interface PinnedVerifier {
  verifier: VerifierDocument;
  version: VerifierVersion;
}

export interface VerifierAccessDeps {
  verifiers: Verifiers;
  sharing: VerifierSharing;
  live: LiveReferences;
}

export class VerifierAccess {
  readonly #deps: VerifierAccessDeps;

  constructor(deps: VerifierAccessDeps) {
    this.#deps = deps;
  }

  /** A verifier that is not there is asked for like another's, so that both take the same time. */
  async rightOf(scope: Scope, id: string, verifier: VerifierDocument | null): Promise<Right | null> {
    if (verifier?.ownerId === requireCaller(scope).userId) return 'own';
    const shared = await this.#deps.sharing.roleOf(scope, id);
    return verifier && shared;
  }

  /** One that can be used, at the version that is named in the reference or beside it, by whoever has the right. */
  async pinned(
    scope: Scope,
    reference: string,
    version: number | null,
    right: Right,
    loader: VerifierLoader,
  ): Promise<PinnedVerifier> {
    requireCaller(scope);
    const named = this.#read(reference);
    const verifier = await this.#usable(scope, named, right, loader);
    return this.#at(verifier, pinOf(named.version, version));
  }

  /** For callers without an account: what a live template runs. Whether there is anything else is not theirs to learn. */
  async publicly(reference: string, version: number | null, loader: VerifierLoader): Promise<PinnedVerifier> {
    const named = readReference(reference, VerifierId);
    if (named?.kind !== 'id') throw new Problem('auth_required');
    const verifier = await loader.load(named.id);
    const found = await this.#public(named.id, pinOf(named.version, version), verifier);
    if (!found) throw new Problem('auth_required');
    return found;
  }

  /** What the caller may run by a right of their own; else what anybody may. */
  async runnable(scope: Scope, reference: string, version: number | null, loader: VerifierLoader) {
    if (!scope.caller) return this.publicly(reference, version, loader);
    const { userId } = scope.caller;
    return this.pinned(scope, reference, version, 'exec', loader).catch(async (error: unknown) => {
      const named = readReference(reference, VerifierId);
      if (!(error instanceof Problem && error.slug === 'not_found') || named?.kind !== 'id') throw error;
      const verifier = await loader.load(named.id);
      // For its owner a revoked verifier is over, whoever else still follows a template that froze it.
      const others = verifier?.ownerId === userId ? null : verifier;
      const found = await this.#public(named.id, pinOf(named.version, version), others);
      if (!found) throw error;
      return found;
    });
  }

  /** Revoked or not: what a template froze goes on. */
  async #public(id: string, pin: number | null, verifier: VerifierDocument | null): Promise<PinnedVerifier | null> {
    const live = await this.#deps.live.publicVersion(id, pin);
    return verifier && live !== null ? this.#at(verifier, live) : null;
  }

  /** One of the caller's own, revoked or not, by its id or name, for what concerns all of its versions. */
  async owned({ userId }: Caller, reference: string, loader: VerifierLoader): Promise<VerifierDocument> {
    const named = this.#read(reference);
    if (named.version !== null) throw this.#deps.verifiers.notFound();
    const verifier =
      named.kind === 'id' ? await loader.load(named.id) : await this.#deps.verifiers.named(userId, named.name);
    if (verifier?.ownerId !== userId) throw this.#deps.verifiers.notFound();
    return verifier;
  }

  /** The platform's own can be run, and nothing else. */
  #read(reference: string): Exclude<Reference, { kind: 'system' }> {
    const named = readReference(reference, VerifierId);
    if (!named || named.kind === 'system') throw this.#deps.verifiers.notFound();
    return named;
  }

  async #usable(
    scope: Scope,
    named: Exclude<Reference, { kind: 'system' }>,
    right: Right,
    loader: VerifierLoader,
  ): Promise<VerifierDocument> {
    const found =
      named.kind === 'id'
        ? await this.#allowed(scope, named.id, right, loader)
        : await this.#byName(scope, named.name, right, loader);
    if (!found) throw this.#deps.verifiers.notFound();
    return found;
  }

  /** One's own first, else the one that was shared; of several that were, none can be meant. */
  async #byName(scope: Scope, name: string, right: Right, loader: VerifierLoader): Promise<VerifierDocument | null> {
    const own = await this.#deps.verifiers.byName(requireCaller(scope).userId, name);
    if (own) return own;
    const shared = await this.#deps.sharing.named(scope, name);
    const allowed = await Promise.all(shared.map((id) => this.#allowed(scope, id, right, loader)));
    const reachable = allowed.filter((verifier) => verifier?.name === name);
    if (reachable.length > 1) {
      throw new Problem('conflict', `Several verifiers named "${name}" are shared with you.`, {
        hint: 'Name the one that you mean by its id.',
      });
    }
    return reachable[0] ?? null;
  }

  async #allowed(scope: Scope, id: string, right: Right, loader: VerifierLoader): Promise<VerifierDocument | null> {
    const verifier = await loader.load(id);
    const held = await this.rightOf(scope, id, verifier);
    return verifier?.status === VersionedStatus.ACTIVE && held !== null && RANK[held] >= RANK[right] ? verifier : null;
  }

  async #at(verifier: VerifierDocument, pin: number | null): Promise<PinnedVerifier> {
    const version = await this.#deps.verifiers.version(verifier, pin);
    if (!version) throw this.#deps.verifiers.notFound();
    return { verifier, version };
  }
}
