import type { Collection, Filter } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { newId, PlainId } from '../../../platform/ids.js';
import { anyOf, findBatch } from '../../../platform/mongo/batch.js';
import { decodeCursor, encodeCursor, type Page, type PageRequest, pageSize } from '../../../platform/mongo/page.js';
import { type Caller, requireCaller, type Scope } from '../../../platform/scope.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { HandleOwner } from '../handle/handle.model.js';
import type { HandleRegister, Reservation } from '../handle/handle.register.js';
import type { HandleService } from '../handle/handle.service.js';
import { readHandle } from '../rules.js';
import { ABANDONED_AFTER_MS, MINUTE_MS, plus } from '../time.js';
import type { Profile } from '../user/user.model.js';
import type { UserService } from '../user/user.service.js';
import { collidesOn, withFreeSlot } from '../writes.js';
import { memberPages } from './member-page.js';
import { type Member, SUMMARY_FIELDS, type TeamDoc, type TeamDraft, TeamRole, type TeamSummary } from './team.model.js';

export interface TeamServiceDeps {
  teams: Collection<TeamDoc>;
  drafts: Collection<TeamDraft>;
  register: HandleRegister;
  handleService: HandleService;
  userService: UserService;
  teamsPerUser: number;
  now: () => Date;
}

export type FoundTeam = TeamSummary & Pick<TeamDoc, 'rev'>;

// Every failed attempt means that another change of the same team went through.
const ATTEMPTS = 5;
const RACED = 'The team is being changed by another request. Try again.';

export class TeamService {
  readonly #deps: TeamServiceDeps;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: TeamServiceDeps) {
    this.#deps = deps;
    this.tasks = [{ name: 'accounts-team-drafts', everyMs: MINUTE_MS, run: () => this.#sweepDrafts() }];
  }

  async list({ userId }: Caller, role: TeamRole | null, request: PageRequest): Promise<Page<TeamSummary>> {
    const size = pageSize(request);
    const after = request.after ? { _id: { $lt: decodeCursor(request.after) } } : {};
    const items = await findBatch<TeamDoc, TeamSummary>(
      this.#deps.teams,
      { ...inRole(userId, role), ...after },
      { projection: SUMMARY_FIELDS, sort: { _id: -1 }, limit: size + 1 },
    );
    return {
      items: items.slice(0, size),
      cursorOf: ({ _id }) => encodeCursor(_id),
      hasNextPage: items.length > size,
    };
  }

  /** Null in place of teams that are not there or that this user does not belong to. */
  async byIds(userId: string, ids: readonly string[]): Promise<(TeamSummary | null)[]> {
    const found = await findBatch<TeamDoc, TeamSummary>(
      this.#deps.teams,
      { _id: anyOf(ids), 'members.userId': userId },
      { projection: SUMMARY_FIELDS, limit: ids.length },
    );
    const byId = new Map(found.map((team) => [team._id, team]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  membersOf(viewerId: string, teamIds: readonly string[], page: PageRequest): Promise<Map<string, Page<Member>>> {
    return memberPages(this.#deps.teams, teamIds, viewerId, page);
  }

  /** A team of the caller's; any other answers as one that does not exist. */
  async get({ userId }: Caller, identifier: string): Promise<FoundTeam> {
    const id = PlainId.parse(identifier.trim());
    const handle = readHandle(identifier);
    const named = id !== null ? { _id: id } : handle !== null ? { handle } : null;
    const projection = { ...SUMMARY_FIELDS, rev: 1 } as const;
    const [team] = named
      ? await findBatch<TeamDoc, FoundTeam>(
          this.#deps.teams,
          { ...named, 'members.userId': userId },
          { projection, limit: 1 },
        )
      : [];
    if (!team) throw new Problem('not_found', 'Team not found.');
    return team;
  }

  async hasMember(teamId: string, userId: string): Promise<boolean> {
    const filter = { _id: teamId, 'members.userId': userId };
    return (await this.#deps.teams.findOne(filter, { projection: { _id: 1 } })) !== null;
  }

  async owned(caller: Caller, identifier: string): Promise<FoundTeam> {
    const team = await this.get(caller, identifier);
    if (team.ownerId !== caller.userId) throw new Problem('forbidden', "Only the team's owner may do this.");
    return team;
  }

  async create(caller: Caller, text: string): Promise<TeamSummary> {
    const { register, handleService, userService, drafts, now } = this.#deps;
    const handle = handleService.claimable(text);
    if ((await userService.fresh(caller)).handle === null) throw new Problem('handle_not_claimed');
    const draft: TeamDraft = { _id: newId(), handle: null, draftedAt: now(), rev: 0 };
    await drafts.insertOne(draft);
    const owner: HandleOwner = { ownerType: 'TEAM', ownerId: draft._id };
    let reservation: Reservation | undefined;
    try {
      reservation = await register.reserve(handle, owner, draft.rev);
      const team = await this.#publish(draft, handle, caller.userId);
      await register.confirm(reservation, draft.rev + 1);
      return team;
    } catch (error) {
      // The draft goes first: without it nobody can finish this creation.
      await drafts.deleteOne({ _id: draft._id, handle: null });
      if (reservation) await register.settle(reservation);
      throw error;
    }
  }

  /** The write that brings the team into being. */
  async #publish({ _id, rev }: TeamDraft, handle: string, ownerId: string): Promise<TeamSummary> {
    const { teams, drafts, teamsPerUser, now } = this.#deps;
    const at = now();
    const team: Omit<TeamDoc, '_id' | 'rev' | 'slot'> = {
      handle,
      ownerId,
      members: [{ userId: ownerId, role: TeamRole.OWNER, joinedAt: at }],
      appliedInvitations: [],
      turnover: 0,
      createdAt: at,
      updatedAt: at,
    };
    const published = await withFreeSlot(teams, { ownerId }, teamsPerUser, (slot) =>
      drafts
        .findOneAndUpdate(
          { _id, rev, handle: null },
          { $set: { ...team, slot } as object, $unset: { draftedAt: 1 }, $inc: { rev: 1 } },
          { projection: { _id: 1 } },
        )
        .catch((error: unknown) => {
          throw collidesOn(error, 'handle') ? new Problem('handle_taken') : error;
        }),
    );
    if (published === 'full') throw tooManyTeams(teamsPerUser);
    if (published === null) throw new Problem('unavailable', 'Making the team took too long. Try again.');
    return { ...team, _id };
  }

  async delete(caller: Caller, identifier: string): Promise<{ teamId: string; handle: string }> {
    const { teams, register } = this.#deps;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { _id, handle, rev } = await this.owned(caller, identifier);
      const reservation = await register.beginRelease(handle, { ownerType: 'TEAM', ownerId: _id });
      const { deletedCount } = await teams.deleteOne({ _id, ownerId: caller.userId, rev });
      // Holds the handle, or keeps it with a team that was not deleted.
      await register.settle(reservation);
      if (deletedCount === 1) return { teamId: _id, handle };
    }
    throw new Problem('conflict', RACED);
  }

  async removeMember(
    scope: Scope,
    teamIdentifier: string,
    userIdentifier: string,
  ): Promise<{ teamId: string; user: Profile }> {
    const caller = requireCaller(scope);
    const { teams, userService, now } = this.#deps;
    await this.get(caller, teamIdentifier);
    const user = await userService.named(scope, userIdentifier);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const team = await this.get(caller, teamIdentifier);
      const isSelf = user.userId === caller.userId;
      if (team.ownerId !== caller.userId && !isSelf) {
        throw new Problem('forbidden', "Only the team's owner may remove others.");
      }
      if (user.userId === team.ownerId) {
        throw new Problem('conflict', 'The owner cannot be removed: transfer the ownership first.');
      }
      const { matchedCount } = await teams.updateOne(
        { _id: team._id, ownerId: team.ownerId, 'members.userId': user.userId },
        { $pull: { members: { userId: user.userId } }, $inc: { turnover: 1 }, $set: { updatedAt: now() } },
      );
      if (matchedCount === 1) return { teamId: team._id, user };
      if (!(await this.hasMember(team._id, user.userId))) {
        throw new Problem('not_found', 'That user is not a member of the team.');
      }
    }
    throw new Problem('conflict', RACED);
  }

  /** Drafts of creations that died. One that was only slow fails at its last step. */
  async #sweepDrafts(): Promise<void> {
    await this.#deps.drafts.deleteMany({ draftedAt: { $lte: plus(this.#deps.now(), -ABANDONED_AFTER_MS) } });
  }
}

function inRole(userId: string, role: TeamRole | null): Filter<TeamDoc> {
  if (role === TeamRole.OWNER) return { ownerId: userId };
  if (role === TeamRole.MEMBER) return { members: { $elemMatch: { userId, role } } };
  return { 'members.userId': userId };
}

export function tooManyTeams(limit: number): Problem {
  return new Problem('quota_exceeded', `An account can own ${limit} teams.`);
}
