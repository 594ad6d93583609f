/** What others than its owner may do with a verifier. Asked by verifier.access.ts alone. */
import type { Scope } from '../../../platform/scope.js';

/** `tune` shows and runs, `exec` runs. */
export type SharedRole = 'tune' | 'exec';

export interface VerifierSharing {
  /** The role that the caller was given on a verifier; null: none. Asked for missing ones too, and takes as long. */
  roleOf(scope: Scope, verifierId: string): Promise<SharedRole | null>;
  /** Ids of verifiers of that name among which are all that were shared with the caller. */
  named(scope: Scope, name: string): Promise<string[]>;
}
