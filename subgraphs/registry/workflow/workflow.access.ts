/** Who may do what with a workflow. Every door and every operation asks here, and nowhere else. */
import { Problem } from '../../../platform/errors.js';
import type { Scope } from '../../../platform/scope.js';
import type { WorkflowDocument } from './workflow.model.js';

export const ROLES = ['view', 'edit', 'admin', 'owner'] as const;
export type Role = (typeof ROLES)[number];

export interface Access {
  role: Role;
  /** The oldest version that may be seen; 1: all of them. */
  floor: number;
}

export const OWNER: Access = { role: 'owner', floor: 1 };

/** Null for a stranger: to them the workflow does not exist. */
export interface AccessRules {
  of(scope: Scope, workflow: WorkflowDocument): Promise<Access | null>;
}

export const OWNERS_ONLY: AccessRules = {
  of: async ({ caller }, { ownerId }) => (caller?.userId === ownerId ? OWNER : null),
};

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
