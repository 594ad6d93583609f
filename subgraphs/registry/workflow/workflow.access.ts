/** Who may do what with a workflow. Every door and every operation asks here, and nowhere else. */
import type { Document } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import type { WorkflowDocument } from './workflow.model.js';

export const HELD_ROLES = ['view', 'edit', 'admin'] as const;
/** What can be given. */
export type HeldRole = (typeof HELD_ROLES)[number];

export const ROLES = [...HELD_ROLES, 'owner'] as const;
export type Role = (typeof ROLES)[number];

export interface Access {
  role: Role;
  /** The oldest version that may be seen; 1: all of them. */
  floor: number;
}

export const OWNER: Access = { role: 'owner', floor: 1 };

/** A caller, and the teams that they belong to at this moment. */
export interface Viewer {
  userId: string;
  teams: readonly string[];
}

/** Null for a stranger: to them the workflow does not exist. Of several grants each gives what it gives. */
export function accessOf(viewer: Viewer, { ownerId, grants }: Pick<WorkflowDocument, 'ownerId' | 'grants'>) {
  if (ownerId === viewer.userId) return OWNER;
  const ids = new Set(granteeIds(viewer));
  return grants
    .filter(({ granteeId }) => ids.has(granteeId))
    .reduce<Access | null>(
      (most, { role, floor }) => (most ? moreGenerous(most, { role, floor }) : { role, floor }),
      null,
    );
}

function moreGenerous(one: Access, other: Access): Access {
  return { role: reaches(one.role, other.role) ? one.role : other.role, floor: Math.min(one.floor, other.floor) };
}

function granteeIds({ userId, teams }: Viewer): string[] {
  return [userId, ...teams];
}

/** The same for the store, so that it does not even read out what is another's. */
export function sharedWith(viewer: Viewer): Document {
  // An expression, because a plain "not" would be looked up as a range of every index that begins with the owner.
  const another = { $ne: ['$ownerId', { $literal: viewer.userId }] };
  return { 'grants.granteeId': { $in: granteeIds(viewer) }, $expr: another };
}

/** For filters on workflows that are the viewer's or shared with them. */
export function visibleTo(viewer: Viewer): Document {
  return { $or: [{ ownerId: viewer.userId }, sharedWith(viewer)] };
}

/** What lets the viewer save: being the owner, or a grant that does. */
export function changeableBy(viewer: Viewer): Document {
  const saving = HELD_ROLES.filter((role) => reaches(role, 'edit'));
  const grant = { granteeId: { $in: granteeIds(viewer) }, role: { $in: saving } };
  return { $or: [{ ownerId: viewer.userId }, { grants: { $elemMatch: grant } }] };
}

export function reaches(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

export function workflowNotFound(): Problem {
  return new Problem('not_found', 'workflow not found');
}

/** For somebody who may see the workflow: what they lack is no secret to them. */
export function requireRole({ role }: Access, needed: Role): void {
  if (!reaches(role, needed)) {
    const whose =
      needed === 'owner' ? 'Only the owner may do this.' : `This needs the role ${needed}; yours is ${role}.`;
    throw new Problem('forbidden', whose);
  }
}
