import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { UserId } from '../../../platform/ids.js';
import { User } from '../user/user.type.js';
import { WorkflowRole } from '../workflow/workflow.type.js';
import type { Grant } from './grant.model.js';

export enum GrantRole {
  VIEW = 'view',
  EDIT = 'edit',
  ADMIN = 'admin',
}
registerEnumType(GrantRole, {
  name: 'GrantRole',
  description: 'A role that can be given.',
  valuesConfig: {
    VIEW: { description: 'To read.' },
    EDIT: { description: 'To read and to save versions.' },
    ADMIN: { description: 'To read, to save versions and to share.' },
  },
});

export enum GranteeKind {
  USER = 'USER',
  TEAM = 'TEAM',
}
registerEnumType(GranteeKind, {
  name: 'GranteeType',
  description: 'Whom something is shared with.',
  valuesConfig: {
    USER: { description: 'One user.' },
    TEAM: { description: 'Whoever belongs to the team at the time.' },
  },
});

@ObjectType({ description: 'What a user or a team was given of a workflow.' })
export class WorkflowGrant {
  @Field(() => ID, { description: 'The id.' })
  id!: string;

  @Field(() => GranteeKind, { description: 'Whether to a user or to a team.' })
  granteeType!: GranteeKind;

  @Field(() => WorkflowRole, { description: 'What may be done.' })
  role!: WorkflowRole;

  @Field(() => Int, { description: 'The oldest version that may be seen.' })
  oldestVersion!: number;

  @Field(() => User, { description: 'Who gave the role.' })
  grantedBy!: User;

  @Field(() => Date, { description: 'When the role was given.' })
  grantedAt!: Date;

  @Field(() => Boolean, { description: 'Whether it holds through a team.' })
  isViaTeam!: boolean;

  /** For the resolvers of its fields. */
  document!: Grant;
}

export const WorkflowGrantConnection = connectionType('WorkflowGrant', () => WorkflowGrant);

const SHOWN_ROLE = { view: WorkflowRole.VIEW, edit: WorkflowRole.EDIT, admin: WorkflowRole.ADMIN } as const;

export function grantView(document: Grant): WorkflowGrant {
  const { _id, granteeType, role, floor, grantedBy, grantedAt } = document;
  return {
    id: _id,
    granteeType: GranteeKind[granteeType],
    role: SHOWN_ROLE[role],
    oldestVersion: floor,
    grantedBy: { id: UserId.format(grantedBy) },
    grantedAt,
    isViaTeam: granteeType === 'TEAM',
    document,
  };
}

@InputType({ description: 'What to give whom of which workflow.' })
export class GrantWorkflowInput {
  @Field(() => ID, { description: 'Id or slug of the workflow.' })
  id!: string;

  @Field(() => String, { description: 'A user by id, e-mail address or @handle, or a team by id or @handle.' })
  grantee!: string;

  @Field(() => GrantRole, { description: 'What they may do.' })
  role!: GrantRole;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether they may see versions before the current one; no when left out.',
  })
  includeHistory?: boolean | null;
}

@ObjectType({ description: 'What was given.' })
export class GrantWorkflowPayload {
  @Field(() => ID, { description: 'Id of the workflow.' })
  workflowId!: string;

  @Field(() => WorkflowGrant, { description: 'The grant as it is now.' })
  grant!: WorkflowGrant;
}

@InputType({ description: 'From whom to take which workflow.' })
export class RevokeWorkflowGrantInput {
  @Field(() => ID, { description: 'Id or slug of the workflow.' })
  id!: string;

  @Field(() => String, { description: 'A user by id, e-mail address or @handle, or a team by id or @handle.' })
  grantee!: string;
}

@ObjectType({ description: 'A grant that is gone.' })
export class RevokeWorkflowGrantPayload {
  @Field(() => ID, { description: 'Id of the workflow.' })
  workflowId!: string;

  @Field(() => Boolean, { description: 'Always true.' })
  revoked!: boolean;
}

@ObjectType({ description: 'A workflow that the caller has left.' })
export class LeaveWorkflowPayload {
  @Field(() => ID, { description: 'Id of the workflow.' })
  workflowId!: string;

  @Field(() => Int, { description: 'How many grants to the caller are gone; those to teams stay.' })
  removedDirectGrants!: number;
}
