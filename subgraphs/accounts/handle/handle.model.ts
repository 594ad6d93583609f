import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { FormerHandle } from '../user/user.model.js';

export type HandleOwnerType = 'USER' | 'TEAM';

export interface HandleOwner {
  ownerType: HandleOwnerType;
  ownerId: string;
}

/** A change under way. Until it is settled nobody but the owner can touch the handle. */
export interface PendingChange {
  change: 'TAKE' | 'RELEASE';
  /** Who makes the change: it may only be ended by its maker, or by who settles it in the maker's place. */
  token: string;
  at: Date;
}

/**
 * One namespace for users and teams: the unique `_id` lets one claimant win. Whether the owner has the handle now is
 * said by the owner's own document alone; this one follows it.
 */
export interface HandleDoc extends HandleOwner {
  _id: string;
  claimedAt: Date;
  /** The owner's revision that this document reflects. Older news about the owner is ignored. */
  ownerRev: number;
  pending?: PendingChange;
  /** Set once the owner has given the handle up: afterwards anybody may take it. */
  heldUntil?: Date;
  /** A published template bears this handle: it never goes to another owner. */
  stamped?: true;
}

/** The part of a user or team that says which handles it has. */
export interface OwnerDoc {
  _id: string;
  handle: string | null;
  rev: number;
  formerHandles?: FormerHandle[];
}

export const HANDLES: CollectionDefinition = {
  name: 'accounts_handles',
  indexes: [{ name: 'pending', key: { 'pending.at': 1 }, options: { sparse: true } }],
};
