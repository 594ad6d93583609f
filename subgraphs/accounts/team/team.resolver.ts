import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { ReferenceResolver } from '../../../platform/graph/build.js';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { PlainId, UserId } from '../../../platform/ids.js';
import { requireCaller } from '../../../platform/scope.js';
import { type AccountsContext, loadUser } from '../context.js';
import { invitationView } from '../invitation/invitation.type.js';
import { User } from '../user/user.type.js';
import { TeamRole } from './team.model.js';
import {
  CreateTeamInput,
  CreateTeamPayload,
  DeleteTeamInput,
  DeleteTeamPayload,
  InviteTeamMemberInput,
  InviteTeamMemberPayload,
  memberView,
  RemoveTeamMemberInput,
  RemoveTeamMemberPayload,
  Team,
  TeamConnection,
  TeamFilter,
  TeamMember,
  TeamMemberConnection,
  TransferTeamOwnershipInput,
  TransferTeamOwnershipPayload,
  teamView,
} from './team.type.js';

const ROLE: Record<TeamFilter, TeamRole | null> = { MINE: TeamRole.OWNER, MEMBER: TeamRole.MEMBER, ALL: null };

@Resolver(() => Team)
export class TeamResolver {
  @Query(() => TeamConnection, { nullable: true, description: "The caller's teams, newest first." })
  async teams(
    @Arg('filter', () => TeamFilter, { nullable: true, defaultValue: TeamFilter.ALL, description: 'Which of them.' })
    filter: TeamFilter | null,
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() { scope, teamService }: AccountsContext,
  ): Promise<Connection<Team>> {
    const caller = requireCaller(scope);
    const found = await teamService.list(caller, ROLE[filter ?? TeamFilter.ALL], page);
    return toConnection(found, (team) => teamView(team, caller.userId));
  }

  @Query(() => Team, { nullable: true, description: "One of the caller's teams." })
  async team(
    @Arg('identifier', () => String, { description: 'Its id, or its handle with or without @.' }) identifier: string,
    @Ctx() { scope, teamService }: AccountsContext,
  ): Promise<Team> {
    const caller = requireCaller(scope);
    return teamView(await teamService.get(caller, identifier), caller.userId);
  }

  @FieldResolver(() => User, { nullable: true, description: 'Who owns the team.' })
  owner(@Root() { ownerUserId }: Team, @Ctx() context: AccountsContext): Promise<User | null> | null {
    const ownerId = UserId.parse(ownerUserId);
    return ownerId === null ? null : loadUser(context, ownerId);
  }

  @FieldResolver(() => TeamMemberConnection, {
    nullable: true,
    description: 'Who belongs to the team: the owner first, then the others by when they joined.',
  })
  async members(
    @Root() { id: teamId }: Team,
    @Args(() => ConnectionArgs) { first, after }: ConnectionArgs,
    @Ctx() { memberPages }: AccountsContext,
  ): Promise<Connection<TeamMember>> {
    return toConnection(await memberPages.load({ teamId, first, after }), memberView);
  }

  @Mutation(() => CreateTeamPayload, { nullable: true, description: 'Makes a team. The caller needs a handle.' })
  async createTeam(
    @Arg('input', () => CreateTeamInput, { description: 'The team to make.' }) { handle }: CreateTeamInput,
    @Ctx() { scope, teamService }: AccountsContext,
  ): Promise<CreateTeamPayload> {
    const caller = requireCaller(scope);
    return { team: teamView(await teamService.create(caller, handle), caller.userId) };
  }

  @Mutation(() => DeleteTeamPayload, {
    nullable: true,
    description: "Deletes a team of the caller's. Its pending invitations are cancelled.",
  })
  async deleteTeam(
    @Arg('input', () => DeleteTeamInput, { description: 'The team to delete.' }) { identifier }: DeleteTeamInput,
    @Ctx() { scope, teamService, teams }: AccountsContext,
  ): Promise<DeleteTeamPayload> {
    const { teamId, handle } = await teamService.delete(requireCaller(scope), identifier);
    teams.clear(teamId);
    return { teamId, handle, deleted: true };
  }

  @Mutation(() => InviteTeamMemberPayload, { nullable: true, description: "Invites a user to a team of the caller's." })
  async inviteTeamMember(
    @Arg('input', () => InviteTeamMemberInput, { description: 'Whom to invite to which team.' })
    { teamIdentifier, userIdentifier }: InviteTeamMemberInput,
    @Ctx() { scope, teamInvitations }: AccountsContext,
  ): Promise<InviteTeamMemberPayload> {
    const invitation = await teamInvitations.inviteMember(scope, teamIdentifier, userIdentifier);
    return { invitation: invitationView(invitation) };
  }

  @Mutation(() => RemoveTeamMemberPayload, {
    nullable: true,
    description: 'Removes a member. The owner can remove anybody else, a member themself.',
  })
  async removeTeamMember(
    @Arg('input', () => RemoveTeamMemberInput, { description: 'Who is to leave which team.' })
    { teamIdentifier, userIdentifier }: RemoveTeamMemberInput,
    @Ctx() { scope, teamService, teams, memberPages }: AccountsContext,
  ): Promise<RemoveTeamMemberPayload> {
    const { teamId, user } = await teamService.removeMember(scope, teamIdentifier, userIdentifier);
    teams.clear(teamId);
    memberPages.clearAll();
    return { teamId, userId: UserId.format(user.userId), removed: true };
  }

  @Mutation(() => TransferTeamOwnershipPayload, {
    nullable: true,
    description: 'Offers the ownership of a team to another user. On acceptance the former owner stays as a member.',
  })
  async transferTeamOwnership(
    @Arg('input', () => TransferTeamOwnershipInput, { description: 'Who is to own which team.' })
    { teamIdentifier, newOwnerIdentifier }: TransferTeamOwnershipInput,
    @Ctx() { scope, teamInvitations }: AccountsContext,
  ): Promise<TransferTeamOwnershipPayload> {
    const invitation = await teamInvitations.transferOwnership(scope, teamIdentifier, newOwnerIdentifier);
    return { invitation: invitationView(invitation) };
  }
}

@Resolver(() => TeamMember)
export class TeamMemberResolver {
  @FieldResolver(() => User, { nullable: true, description: 'Who it is.' })
  user(@Root() { userId }: TeamMember, @Ctx() context: AccountsContext): Promise<User | null> {
    return loadUser(context, userId);
  }
}

export const teamReference: ReferenceResolver<AccountsContext> = async ({ id }, { scope, teams }) => {
  const teamId = PlainId.parse(String(id));
  const team = teamId === null || !scope.caller ? null : await teams.load(teamId);
  return team && scope.caller ? teamView(team, scope.caller.userId) : null;
};
