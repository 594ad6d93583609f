/** What the acceptance of a team's invitations does. */
import type { Collection, Document } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import type { Applier } from '../invitation/applier.js';
import { type InvitationDoc, InvitationKind } from '../invitation/invitation.model.js';
import { withFreeSlot } from '../writes.js';
import { MEMBER_ORDER, type Member, type TeamDoc, TeamRole } from './team.model.js';
import { tooManyTeams } from './team.service.js';

export interface TeamApplierDeps {
  teams: Collection<TeamDoc>;
  membersPerTeam: number;
  teamsPerUser: number;
  now: () => Date;
}

const ATTEMPTS = 20;

export class TeamApplier implements Applier {
  readonly #deps: TeamApplierDeps;

  constructor(deps: TeamApplierDeps) {
    this.#deps = deps;
  }

  async obstacle(invitation: InvitationDoc): Promise<Problem | null> {
    return this.#obstacleIn(await this.#read(invitation), invitation);
  }

  #read({ resource }: InvitationDoc): Promise<TeamDoc | null> {
    return this.#deps.teams.findOne({ _id: resource.id });
  }

  #obstacleIn(team: TeamDoc | null, { kind, proposerId, recipientId }: InvitationDoc): Problem | null {
    if (!team) return new Problem('not_found', 'The team no longer exists.');
    if (team.ownerId !== proposerId) {
      return new Problem('conflict', 'Whoever proposed this no longer owns the team. Ask for a new invitation.');
    }
    const isMember = team.members.some(({ userId }) => userId === recipientId);
    if (isMember && kind === InvitationKind.TEAM_MEMBERSHIP) {
      return new Problem('conflict', 'You are a member of this team already.');
    }
    const { membersPerTeam } = this.#deps;
    if (!isMember && team.members.length >= membersPerTeam) {
      return new Problem('quota_exceeded', `The team is full: it can have ${membersPerTeam} members.`);
    }
    return null;
  }

  async apply(invitation: InvitationDoc, stillOpen: () => Promise<boolean>): Promise<Problem | null> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const team = await this.#read(invitation);
      if (team?.appliedInvitations.includes(invitation._id)) return null;
      if (!(await stillOpen())) return null;
      const obstacle = this.#obstacleIn(team, invitation);
      if (obstacle || !team) return obstacle;
      const outcome = await this.#write(team, invitation);
      if (outcome === 'full') return tooManyTeams(this.#deps.teamsPerUser);
      if (outcome) return null;
    }
    throw new Problem('unavailable', 'The team is being changed by many requests. It will be tried again.');
  }

  /**
   * The turnover that was read before the invitation was found to be open guards against a late second effect: had the
   * invitation taken effect and been undone since, by a removal or a transfer, the turnover would have changed.
   */
  async #write(team: TeamDoc, { _id: invitationId, kind, recipientId }: InvitationDoc): Promise<boolean | 'full'> {
    const { teams, membersPerTeam, teamsPerUser, now } = this.#deps;
    const at = now();
    const unchanged = { _id: team._id, ownerId: team.ownerId, turnover: team.turnover };
    const hasRoom = { [`members.${membersPerTeam - 1}`]: { $exists: false } };
    if (kind === InvitationKind.TEAM_MEMBERSHIP) {
      const member: Member = { userId: recipientId, role: TeamRole.MEMBER, joinedAt: at };
      const { matchedCount } = await teams.updateOne(
        { ...unchanged, ...hasRoom, 'members.userId': { $ne: recipientId } },
        {
          $push: { members: { $each: [member], $sort: MEMBER_ORDER }, appliedInvitations: invitationId },
          $set: { updatedAt: at },
        },
      );
      return matchedCount === 1;
    }
    return withFreeSlot(teams, { ownerId: recipientId }, teamsPerUser, async (slot) => {
      const { matchedCount } = await teams.updateOne(
        { ...unchanged, $or: [{ 'members.userId': recipientId }, hasRoom] },
        [
          {
            $set: {
              ownerId: recipientId,
              slot,
              members: handedOver(recipientId, at),
              turnover: { $add: ['$turnover', 1] },
              appliedInvitations: { $concatArrays: ['$appliedInvitations', [invitationId]] },
              updatedAt: at,
            },
          },
        ],
      );
      return matchedCount === 1;
    });
  }

  async fence({ _id, resource }: InvitationDoc): Promise<boolean> {
    const team = await this.#deps.teams.findOneAndUpdate(
      { _id: resource.id },
      { $inc: { turnover: 1 } },
      { projection: { appliedInvitations: 1 } },
    );
    return team?.appliedInvitations.includes(_id) ?? false;
  }

  async forget({ _id, resource }: InvitationDoc): Promise<void> {
    await this.#deps.teams.updateOne({ _id: resource.id }, { $pull: { appliedInvitations: _id } });
  }
}

/** The members with a new owner, who may have been one of them; the former owner stays as a member. */
function handedOver(ownerId: string, at: Date): Document {
  const others = { $filter: { input: '$members', cond: { $ne: ['$$this.userId', ownerId] } } };
  const own = { $filter: { input: '$members', cond: { $eq: ['$$this.userId', ownerId] } } };
  const joinedAt = { $ifNull: [{ $first: { $map: { input: own, in: '$$this.joinedAt' } } }, at] };
  return {
    $sortArray: {
      input: {
        $concatArrays: [
          [{ userId: ownerId, role: TeamRole.OWNER, joinedAt }],
          { $map: { input: others, in: { $mergeObjects: ['$$this', { role: TeamRole.MEMBER }] } } },
        ],
      },
      sortBy: MEMBER_ORDER,
    },
  };
}
