import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { Caller } from '../../../platform/scope.js';

/** A handle that its owner gave up and that nobody else may take before the hold ends. */
export interface FormerHandle {
  handle: string;
  heldUntil: Date;
}

export interface UserDoc {
  _id: string;
  /** Normalised: compared and stored in lower case. */
  email: string;
  createdAt: Date;
  handle: string | null;
  handleClaimedAt: Date | null;
  formerHandles: FormerHandle[];
  /** When the handle was renamed; taking a former handle back is not counted. */
  renames: Date[];
  /** Raised by every change of the handle, and by whoever must make sure that no change is still under way. */
  rev: number;
  suspended: boolean;
  suspension: { reason: string | null; at: Date } | null;
}

/** What is shown of a user: the same facts that a request's scope carries about its caller. */
export type Profile = Omit<Caller, 'keyId' | 'tenantId' | 'scopes' | 'audience'>;

export const PROFILE_FIELDS = { email: 1, handle: 1, handleClaimedAt: 1, createdAt: 1, suspended: 1 } as const;

export type ProfileDoc = Pick<UserDoc, '_id' | keyof typeof PROFILE_FIELDS>;

export function profileOf({ _id, email, handle, handleClaimedAt, createdAt, suspended }: ProfileDoc): Profile {
  return { userId: _id, email, handle, handleClaimedAt, createdAt, suspended };
}

export const USERS: CollectionDefinition = {
  name: 'accounts_users',
  indexes: [
    { name: 'email', key: { email: 1 }, options: { unique: true } },
    {
      name: 'handle',
      key: { handle: 1 },
      options: { unique: true, partialFilterExpression: { handle: { $gt: '' } } },
    },
  ],
};
