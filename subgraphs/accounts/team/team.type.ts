import { Directive, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { connectionType } from '../../../platform/graph/connection.js';
import { UserId } from '../../../platform/ids.js';
import { InvitationPayload } from '../invitation/invitation.type.js';
import { type Member, TeamRole, type TeamSummary } from './team.model.js';

registerEnumType(TeamRole, {
  name: 'TeamRole',
  description: 'What a user is in a team.',
  valuesConfig: {
    OWNER: { description: 'Owns the team: invites, removes, hands over, deletes.' },
    MEMBER: { description: 'Belongs to the team.' },
  },
});

export enum TeamFilter {
  MINE = 'MINE',
  MEMBER = 'MEMBER',
  ALL = 'ALL',
}

registerEnumType(TeamFilter, {
  name: 'TeamFilter',
  description: 'Which teams to list.',
  valuesConfig: {
    MINE: { description: 'Those that the caller owns.' },
    MEMBER: { description: 'Those that the caller belongs to without owning them.' },
    ALL: { description: 'All that the caller belongs to.' },
  },
});

@ObjectType({ description: 'A team. Only its members can see it.' })
@Directive('@key(fields: "id")')
export class Team {
  @Field(() => ID, { description: 'The id.' })
  id!: string;

  @Field(() => String, { description: 'The handle, without @.' })
  handle!: string;

  @Field(() => ID, { description: 'The id of the owner.' })
  ownerUserId!: string;

  @Field(() => TeamRole, { description: 'What the caller is in the team.' })
  role!: TeamRole;

  @Field(() => Date, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => Date, { description: 'When its members or owner last changed.' })
  updatedAt!: Date;
}

/** A team as one of its members sees it. */
export function teamView({ _id, handle, ownerId, createdAt, updatedAt }: TeamSummary, viewerId: string): Team {
  const role = ownerId === viewerId ? TeamRole.OWNER : TeamRole.MEMBER;
  return { id: _id, handle, ownerUserId: UserId.format(ownerId), role, createdAt, updatedAt };
}

export const TeamConnection = connectionType('Team', () => Team);

@ObjectType({ description: 'Somebody who belongs to a team.' })
export class TeamMember {
  @Field(() => TeamRole, { description: 'What they are in the team.' })
  role!: TeamRole;

  @Field(() => Date, { description: 'When they joined.' })
  joinedAt!: Date;

  userId!: string;
}

export function memberView({ userId, role, joinedAt }: Member): TeamMember {
  return { userId, role, joinedAt };
}

export const TeamMemberConnection = connectionType('TeamMember', () => TeamMember);

@InputType({ description: 'The team to make.' })
export class CreateTeamInput {
  @Field(() => String, {
    description: 'Its handle: 3 to 40 of a-z, 0-9 and hyphen. Users and teams share one namespace.',
  })
  handle!: string;
}

@ObjectType({ description: 'A new team.' })
export class CreateTeamPayload {
  @Field(() => Team, { description: 'The team, owned by the caller.' })
  team!: Team;
}

@InputType({ description: 'The team to delete.' })
export class DeleteTeamInput {
  @Field(() => String, { description: 'Its id, or its handle with or without @.' })
  identifier!: string;
}

@ObjectType({ description: 'A deleted team.' })
export class DeleteTeamPayload {
  @Field(() => ID, { description: 'The id it had.' })
  teamId!: string;

  @Field(() => String, { description: 'The handle it had. Nobody can claim it for 90 days.' })
  handle!: string;

  @Field(() => Boolean, { description: 'Always true.' })
  deleted!: boolean;
}

@InputType({ description: 'Whom to invite to which team.' })
export class InviteTeamMemberInput {
  @Field(() => String, { description: 'The id of the team, or its handle with or without @.' })
  teamIdentifier!: string;

  @Field(() => String, { description: 'An id, an e-mail address, or a handle with or without @.' })
  userIdentifier!: string;
}

@InputType({ description: 'Who is to leave which team.' })
export class RemoveTeamMemberInput {
  @Field(() => String, { description: 'The id of the team, or its handle with or without @.' })
  teamIdentifier!: string;

  @Field(() => String, { description: 'An id, an e-mail address, or a handle with or without @.' })
  userIdentifier!: string;
}

@ObjectType({ description: 'Somebody who no longer belongs to a team.' })
export class RemoveTeamMemberPayload {
  @Field(() => ID, { description: 'The id of the team.' })
  teamId!: string;

  @Field(() => ID, { description: 'The id of the user.' })
  userId!: string;

  @Field(() => Boolean, { description: 'Always true.' })
  removed!: boolean;
}

@InputType({ description: 'Who is to own which team.' })
export class TransferTeamOwnershipInput {
  @Field(() => String, { description: 'The id of the team, or its handle with or without @.' })
  teamIdentifier!: string;

  @Field(() => String, { description: 'An id, an e-mail address, or a handle with or without @.' })
  newOwnerIdentifier!: string;
}

@ObjectType({ description: 'An invitation to a team.' })
export class InviteTeamMemberPayload extends InvitationPayload {}

@ObjectType({ description: 'An offer to own a team.' })
export class TransferTeamOwnershipPayload extends InvitationPayload {}
