/** Users, sign-in, keys, tenants, handles, teams and invitations. */
import { buildSubgraph, type SubgraphSchema } from '../../platform/graph/build.js';
import type { Subgraph } from '../../platform/subgraph.js';
import { ApiKeyResolver, apiKeyReference } from './api-key/api-key.resolver.js';
import { ApiKeyService } from './api-key/api-key.service.js';
import { LastUse } from './api-key/last-use.js';
import { type AccountsContext, createContexts } from './context.js';
import { CredentialResolver } from './credential/credential.resolver.js';
import type { AccountsDeps } from './deps.js';
import { GatewayResolver } from './gateway/gateway.resolver.js';
import { GatewayService } from './gateway/gateway.service.js';
import { HandleRegister } from './handle/handle.register.js';
import { HandleResolver } from './handle/handle.resolver.js';
import { HandleService } from './handle/handle.service.js';
import { reservedHandles } from './handle/reserved.js';
import { InvitationResolver, invitationReference } from './invitation/invitation.resolver.js';
import { InvitationService } from './invitation/invitation.service.js';
import { InvitationSettler } from './invitation/invitation.settler.js';
import { OwnershipApplier } from './invitation/ownership.applier.js';
import { OwnershipOffers } from './invitation/ownership.offers.js';
import { Limiter } from './limiter.js';
import { ApplicationResolver } from './oauth/application.resolver.js';
import { OAuthClientService } from './oauth/client.service.js';
import { DeviceService } from './oauth/device.service.js';
import { GrantService } from './oauth/grant.service.js';
import { OAuthResolver } from './oauth/oauth.resolver.js';
import { createOAuthService } from './oauth/oauth.service.js';
import { AfterAnswer } from './outbox.js';
import { PrincipalResolver } from './principal/principal.resolver.js';
import { PrincipalService } from './principal/principal.service.js';
import { SignInResolver } from './sign-in/sign-in.resolver.js';
import { SignInService } from './sign-in/sign-in.service.js';
import { openStore } from './store.js';
import { TeamApplier } from './team/team.applier.js';
import { TeamMemberResolver, TeamResolver, teamReference } from './team/team.resolver.js';
import { TeamService } from './team/team.service.js';
import { TeamInvitations } from './team/team-invitations.js';
import { TenantResolver, tenantReference } from './tenant/tenant.resolver.js';
import { TenantService } from './tenant/tenant.service.js';
import { MINUTE_MS } from './time.js';
import { UserResolver, userReference } from './user/user.resolver.js';
import { UserService } from './user/user.service.js';

export function accountsSchema(): Promise<SubgraphSchema> {
  return buildSubgraph<AccountsContext>({
    resolvers: [
      UserResolver,
      SignInResolver,
      ApiKeyResolver,
      CredentialResolver,
      OAuthResolver,
      ApplicationResolver,
      TenantResolver,
      HandleResolver,
      TeamResolver,
      TeamMemberResolver,
      InvitationResolver,
      GatewayResolver,
      PrincipalResolver,
    ],
    references: {
      User: userReference,
      ApiKey: apiKeyReference,
      Tenant: tenantReference,
      Team: teamReference,
      Invitation: invitationReference,
    },
  });
}

export async function createAccounts(deps: AccountsDeps): Promise<Subgraph> {
  const { db, secrets, mailer, events, ownerships, log, settings, now } = deps;
  const [store, { schema }] = await Promise.all([openStore(db), accountsSchema()]);
  const limiter = new Limiter(store.limits, now);
  const lastUse = new LastUse(store.apiKeys, log);
  const outbox = new AfterAnswer(mailer);
  const userService = new UserService({ ...store, limiter, events, settings, now });
  const apiKeyService = new ApiKeyService({ ...store, ...settings, userService, lastUse, events, now });
  const signInService = new SignInService({
    ...store,
    userService,
    apiKeyService,
    limiter,
    outbox,
    secrets,
    settings,
    now,
  });
  const oauthClientService = new OAuthClientService({ ...store, limiter, settings, now });
  const grantService = new GrantService({ ...store, oauthClientService, secrets, events, now });
  const deviceService = new DeviceService({
    ...store,
    grantService,
    oauthClientService,
    limiter,
    secrets,
    settings,
    now,
  });
  const teamApplier = new TeamApplier({ ...store, ...settings, now });
  const appliers = {
    TEAM_MEMBERSHIP: teamApplier,
    TEAM_OWNERSHIP: teamApplier,
    WORKFLOW_OWNERSHIP: new OwnershipApplier('workflow', ownerships),
    TEMPLATE_OWNERSHIP: new OwnershipApplier('template', ownerships),
  };
  const settler = new InvitationSettler({ ...store, ...settings, appliers, userService, mailer, log, now });
  const invitationService = new InvitationService({ ...store, ...settings, appliers, settler, now });
  const register = new HandleRegister({ ...store, teamGone: (id) => settler.resourceGone(id), log, now });
  const reserved = reservedHandles(settings.reservedHandles);
  const handleService = new HandleService({ ...store, register, reserved, events, now });
  const teamService = new TeamService({ ...store, ...settings, register, handleService, userService, now });
  const teamInvitations = new TeamInvitations({ teamService, userService, invitationService });
  const services = {
    signInService,
    userService,
    apiKeyService,
    handleService,
    teamService,
    teamInvitations,
    invitationService,
    principalService: new PrincipalService({ ...store, userService }),
    tenantService: new TenantService({ ...store, ...settings, userService, events, now }),
    invitationSettler: settler,
    ownershipOffers: new OwnershipOffers({ userService, invitationService }),
    grantService,
    oauthClientService,
    publicUrl: settings.publicUrl,
    oauth: createOAuthService({ oauthClientService, grantService, deviceService, signInService }),
    gatewayService: new GatewayService({ ...store, now }),
  };
  return {
    name: 'accounts',
    schema,
    context: createContexts(services),
    tasks: [
      ...signInService.tasks,
      ...handleService.tasks,
      ...teamService.tasks,
      ...settler.tasks,
      {
        name: 'accounts-oauth-sweep',
        everyMs: MINUTE_MS,
        async run() {
          await grantService.sweep();
          await oauthClientService.sweep();
        },
      },
    ],
    async ready() {
      await db.command({ ping: 1 });
    },
    async close() {
      outbox.flush();
      await lastUse.flush();
    },
  };
}
