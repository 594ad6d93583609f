/**
 * Who besides its owner may do what with a workflow. Grants live in the workflow's own document: giving, changing and
 * taking one is one update, a decision about access reads one document, and an erased workflow leaves none behind.
 */
import type { HeldRole } from '../workflow/workflow.access.js';

export type GranteeType = 'USER' | 'TEAM';

export interface Grant {
  _id: string;
  granteeType: GranteeType;
  granteeId: string;
  role: HeldRole;
  /** The oldest version that the grantee may see. */
  floor: number;
  /** Who gave the role that it has. */
  grantedBy: string;
  grantedAt: Date;
}

export const GRANTS_PER_WORKFLOW = 500;

/** What is given to the owner of a workflow is nothing; it must not come up again when they own it no longer. */
export function withoutGrantsTo(granteeId: string) {
  return { $pull: { grants: { granteeId } }, $inc: { grantsRev: 1 } };
}
