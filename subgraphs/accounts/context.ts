/** What resolvers are given: who asks, the services, and loaders that live as long as the request. */
import DataLoader from 'dataloader';
import { contextsOf } from '../../platform/graph/context.js';
import type { Page, PageRequest } from '../../platform/mongo/page.js';
import type { Caller, Scope } from '../../platform/scope.js';
import type { ApiKeyDoc } from './api-key/api-key.model.js';
import type { ApiKeyService } from './api-key/api-key.service.js';
import type { GatewayService } from './gateway/gateway.service.js';
import type { HandleService } from './handle/handle.service.js';
import type { InvitationDoc } from './invitation/invitation.model.js';
import type { InvitationService } from './invitation/invitation.service.js';
import type { InvitationSettler } from './invitation/invitation.settler.js';
import type { OwnershipOffers } from './invitation/ownership.offers.js';
import type { OAuthClientService } from './oauth/client.service.js';
import type { GrantService } from './oauth/grant.service.js';
import type { OAuthService } from './oauth/oauth.service.js';
import type { PrincipalService } from './principal/principal.service.js';
import type { SignInService } from './sign-in/sign-in.service.js';
import type { Member, TeamSummary } from './team/team.model.js';
import type { TeamService } from './team/team.service.js';
import type { TeamInvitations } from './team/team-invitations.js';
import type { TenantDoc } from './tenant/tenant.model.js';
import type { TenantService } from './tenant/tenant.service.js';
import type { Profile } from './user/user.model.js';
import type { UserService } from './user/user.service.js';
import { type User, userView } from './user/user.type.js';

export interface AccountsServices {
  signInService: SignInService;
  userService: UserService;
  apiKeyService: ApiKeyService;
  handleService: HandleService;
  gatewayService: GatewayService;
  tenantService: TenantService;
  grantService: GrantService;
  oauthClientService: OAuthClientService;
  /** Where this installation is reached. */
  publicUrl: string;
  oauth: OAuthService;
  teamService: TeamService;
  teamInvitations: TeamInvitations;
  invitationService: InvitationService;
  principalService: PrincipalService;
  invitationSettler: InvitationSettler;
  ownershipOffers: OwnershipOffers;
}

export interface MembersOfTeam extends PageRequest {
  teamId: string;
}

/** The loaders know what their caller may see: anything else is null. All of them take bare ids. */
export interface AccountsContext extends AccountsServices {
  scope: Scope;
  users: DataLoader<string, Profile | null>;
  apiKeys: DataLoader<string, ApiKeyDoc | null>;
  tenants: DataLoader<string, TenantDoc | null>;
  teams: DataLoader<string, TeamSummary | null>;
  invitations: DataLoader<string, InvitationDoc | null>;
  memberPages: DataLoader<MembersOfTeam, Page<Member>, string>;
}

const MAX_BATCH = 500;

export function createContexts(services: AccountsServices): (scope: Scope) => AccountsContext {
  const { userService, apiKeyService, tenantService, teamService, invitationService } = services;
  const options = { maxBatchSize: MAX_BATCH };

  /** A loader of what belongs to the caller: without one there is nothing. */
  function ofCaller<T>(load: (caller: Caller, ids: readonly string[]) => Promise<(T | null)[]>) {
    return ({ scope: { caller } }: AccountsContext) =>
      new DataLoader<string, T | null>(async (ids) => (caller ? load(caller, ids) : ids.map(() => null)), options);
  }

  return contextsOf<AccountsContext, 'users' | 'apiKeys' | 'tenants' | 'teams' | 'invitations' | 'memberPages'>(
    services,
    {
      users({ scope: { caller } }) {
        const users = new DataLoader<string, Profile | null>((ids) => userService.byIds(ids), options);
        // The edge resolved the caller a moment ago: showing them costs no query.
        return caller ? users.prime(caller.userId, caller) : users;
      },
      apiKeys: ofCaller(({ userId }, ids) => apiKeyService.byIds(userId, ids)),
      tenants: ofCaller((caller, ids) => tenantService.byIds(caller, ids)),
      teams: ofCaller(({ userId }, ids) => teamService.byIds(userId, ids)),
      invitations: ofCaller(({ userId }, ids) => invitationService.byIds(userId, ids)),
      memberPages: ({ scope }) =>
        new DataLoader((keys) => loadMembers(teamService, scope.caller?.userId, keys), {
          ...options,
          cacheKeyFn: ({ teamId, first, after }) => JSON.stringify([teamId, first ?? null, after ?? null]),
        }),
    },
  );
}

const NOBODY: Page<Member> = { items: [], cursorOf: () => '', hasNextPage: false };

/** Fields of one operation mostly ask for pages of the same size: each size and cursor is one query. */
async function loadMembers(
  teamService: TeamService,
  viewerId: string | undefined,
  keys: readonly MembersOfTeam[],
): Promise<(Page<Member> | Error)[]> {
  if (viewerId === undefined) return keys.map(() => NOBODY);
  const groups = new Map<string, MembersOfTeam[]>();
  for (const key of keys) {
    const kind = JSON.stringify([key.first ?? null, key.after ?? null]);
    groups.set(kind, [...(groups.get(kind) ?? []), key]);
  }
  const pages = new Map<MembersOfTeam, Page<Member> | Error>();
  const loads = [...groups.values()].map(async (alike) => {
    const ids = alike.map(({ teamId }) => teamId);
    const found = await teamService.membersOf(viewerId, ids, alike[0] ?? {}).catch((error: Error) => error);
    for (const key of alike) pages.set(key, found instanceof Error ? found : (found.get(key.teamId) ?? NOBODY));
  });
  await Promise.all(loads);
  return keys.map((key) => pages.get(key) ?? NOBODY);
}

export async function loadUser({ scope, users }: AccountsContext, userId: string): Promise<User | null> {
  const profile = await users.load(userId);
  return profile && userView(profile, scope.caller?.userId);
}
