import type { CollectionDefinition } from '../../../platform/mongo/store.js';

export enum InvitationKind {
  TEAM_MEMBERSHIP = 'TEAM_MEMBERSHIP',
  TEAM_OWNERSHIP = 'TEAM_OWNERSHIP',
  WORKFLOW_OWNERSHIP = 'WORKFLOW_OWNERSHIP',
  TEMPLATE_OWNERSHIP = 'TEMPLATE_OWNERSHIP',
}

export enum InvitationState {
  PENDING = 'PENDING',
  ACCEPTED = 'ACCEPTED',
  DECLINED = 'DECLINED',
  CANCELLED = 'CANCELLED',
  EXPIRED = 'EXPIRED',
}

export enum ResourceType {
  TEAM = 'TEAM',
  WORKFLOW = 'WORKFLOW',
  TEMPLATE = 'TEMPLATE',
}

export interface InvitationResource {
  type: ResourceType;
  /** Bare. */
  id: string;
  handle: string | null;
  /** What a workflow or a template is called in addresses. */
  slug?: string;
}

/**
 * What is left to do for an invitation that was accepted: make it take effect, drop the mark by which its effect is
 * recognised, or make sure that it has none. Absent when nothing is left.
 */
export type Settling = 'APPLY' | 'FORGET' | 'GIVE_UP';

export interface InvitationDoc {
  _id: string;
  kind: InvitationKind;
  state: InvitationState;
  resource: InvitationResource;
  proposerId: string;
  recipientId: string;
  /** Both of them, for the list of everything that concerns a user. */
  parties: [proposerId: string, recipientId: string];
  /** Counts the invitation against its proposer's quota while it is pending. */
  slot: number;
  createdAt: Date;
  expiresAt: Date;
  resolvedAt: Date | null;
  settling?: Settling;
  /** Present until the recipient was written to. */
  mailDueAt?: Date;
}

/** The update that marks what nobody answered in time. */
export const EXPIRE = [{ $set: { state: InvitationState.EXPIRED, resolvedAt: '$expiresAt' } }, { $unset: 'mailDueAt' }];

const whilePending = { partialFilterExpression: { state: InvitationState.PENDING } };

export const INVITATIONS: CollectionDefinition = {
  name: 'accounts_invitations',
  indexes: [
    {
      name: 'one_pending',
      key: { kind: 1, 'resource.id': 1, recipientId: 1 },
      options: { unique: true, ...whilePending },
    },
    { name: 'proposer_slot', key: { proposerId: 1, slot: 1 }, options: { unique: true, ...whilePending } },
    { name: 'recipient', key: { recipientId: 1, _id: -1 } },
    { name: 'recipient_state', key: { recipientId: 1, state: 1, _id: -1 } },
    { name: 'proposer', key: { proposerId: 1, _id: -1 } },
    { name: 'proposer_state', key: { proposerId: 1, state: 1, _id: -1 } },
    { name: 'party', key: { parties: 1, _id: -1 } },
    { name: 'party_state', key: { parties: 1, state: 1, _id: -1 } },
    { name: 'pending_resource', key: { 'resource.id': 1 }, options: whilePending },
    { name: 'pending_expiry', key: { expiresAt: 1 }, options: whilePending },
    {
      name: 'unsettled',
      key: { resolvedAt: 1 },
      options: { partialFilterExpression: { settling: { $exists: true } } },
    },
    { name: 'mail_due', key: { mailDueAt: 1 }, options: { sparse: true } },
  ],
};
