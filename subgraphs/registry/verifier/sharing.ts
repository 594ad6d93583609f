/** What others than its owner may do with a verifier. Asked by verifier.access.ts alone. */

/** `tune` shows and runs, `exec` runs. */
export type SharedRole = 'tune' | 'exec';

export interface VerifierSharing {
  /** The role that a user was given on a verifier; null: none. */
  roleOf(userId: string, verifierId: string): Promise<SharedRole | null>;
  /** Ids of all verifiers of that name that were shared with a user. */
  named(userId: string, name: string): Promise<string[]>;
  /** The version that anybody may run, since a live template has it: the named one, or that of the newest template. */
  publicVersion(verifierId: string, version: number | null): Promise<number | null>;
}

/** For an installation in which nothing can be shared. */
export const NOTHING_SHARED: VerifierSharing = {
  roleOf: async () => null,
  named: async () => [],
  publicVersion: async () => null,
};
