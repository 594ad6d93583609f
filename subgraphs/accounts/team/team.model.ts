import type { CollectionDefinition } from '../../../platform/mongo/store.js';

export enum TeamRole {
  OWNER = 'OWNER',
  MEMBER = 'MEMBER',
}

export interface Member {
  userId: string;
  role: TeamRole;
  joinedAt: Date;
}

/** Members are stored in the order in which they are shown: the owner, then the others by joining. */
export const MEMBER_ORDER = { role: -1, joinedAt: 1, userId: 1 } as const;

export interface TeamDoc {
  _id: string;
  handle: string;
  ownerId: string;
  /** Counts the team against its owner's quota. */
  slot: number;
  members: Member[];
  /** Accepted invitations that took effect here but are not marked as applied yet. */
  appliedInvitations: string[];
  /** Raised when a member leaves and when the owner changes: a late attempt to apply an invitation then fails. */
  turnover: number;
  createdAt: Date;
  updatedAt: Date;
  rev: number;
}

/** A team whose handle is not claimed yet. It has no members, so nobody can see it. */
export interface TeamDraft {
  _id: string;
  handle: null;
  draftedAt: Date;
  rev: number;
}

/** Lists leave the members out: a page of large teams would be megabytes. */
export type TeamSummary = Pick<TeamDoc, '_id' | 'handle' | 'ownerId' | 'createdAt' | 'updatedAt'>;
export const SUMMARY_FIELDS = { handle: 1, ownerId: 1, createdAt: 1, updatedAt: 1 } as const;

export const TEAMS: CollectionDefinition = {
  name: 'accounts_teams',
  indexes: [
    {
      name: 'handle',
      key: { handle: 1 },
      options: { unique: true, partialFilterExpression: { handle: { $gt: '' } } },
    },
    { name: 'owner', key: { ownerId: 1, _id: -1 } },
    {
      name: 'owner_slot',
      key: { ownerId: 1, slot: 1 },
      options: { unique: true, partialFilterExpression: { ownerId: { $gt: '' } } },
    },
    { name: 'member', key: { 'members.userId': 1, _id: -1 } },
    { name: 'member_role', key: { 'members.userId': 1, 'members.role': 1, _id: -1 } },
    { name: 'draft', key: { draftedAt: 1 }, options: { sparse: true } },
  ],
};
