/** The proposals that a team's owner can make. */
import { Problem } from '../../../platform/errors.js';
import { requireCaller, type Scope } from '../../../platform/scope.js';
import { type InvitationDoc, InvitationKind, ResourceType } from '../invitation/invitation.model.js';
import type { InvitationService } from '../invitation/invitation.service.js';
import type { UserService } from '../user/user.service.js';
import type { TeamService } from './team.service.js';

export interface TeamInvitationsDeps {
  teamService: TeamService;
  userService: UserService;
  invitationService: InvitationService;
}

export class TeamInvitations {
  readonly #deps: TeamInvitationsDeps;

  constructor(deps: TeamInvitationsDeps) {
    this.#deps = deps;
  }

  async inviteMember(scope: Scope, teamIdentifier: string, userIdentifier: string): Promise<InvitationDoc> {
    return this.#propose(InvitationKind.TEAM_MEMBERSHIP, scope, teamIdentifier, userIdentifier);
  }

  async transferOwnership(scope: Scope, teamIdentifier: string, newOwnerIdentifier: string): Promise<InvitationDoc> {
    return this.#propose(InvitationKind.TEAM_OWNERSHIP, scope, teamIdentifier, newOwnerIdentifier);
  }

  async #propose(kind: InvitationKind, scope: Scope, teamIdentifier: string, userIdentifier: string) {
    const { teamService, userService, invitationService } = this.#deps;
    const caller = requireCaller(scope);
    const team = await teamService.owned(caller, teamIdentifier);
    const { userId: recipientId } = await userService.named(scope, userIdentifier);
    if (recipientId === caller.userId) throw new Problem('conflict', 'You own this team already.');
    if (kind === InvitationKind.TEAM_MEMBERSHIP && (await teamService.hasMember(team._id, recipientId))) {
      throw new Problem('conflict', 'That user is a member of the team already.');
    }
    return invitationService.propose({
      kind,
      resource: { type: ResourceType.TEAM, id: team._id, handle: team.handle },
      proposerId: caller.userId,
      recipientId,
    });
  }
}
