/** The collections of this subgraph. Nobody else reads them. */
import type { Collection, Db } from 'mongodb';
import { ensureIndexes } from '../../platform/mongo/store.js';
import { API_KEYS, type ApiKeyDoc } from './api-key/api-key.model.js';
import { GATEWAYS, type GatewayDoc } from './gateway/gateway.model.js';
import { HANDLES, type HandleDoc, type HandleOwnerType, type OwnerDoc } from './handle/handle.model.js';
import { INVITATIONS, type InvitationDoc } from './invitation/invitation.model.js';
import { LIMITS, type LimitDoc } from './limiter.js';
import { OAUTH_CLIENTS, type OAuthClientDoc } from './oauth/client.model.js';
import { GRANTS, type GrantDoc } from './oauth/grant.model.js';
import { CODES, type CodeDoc } from './sign-in/sign-in.model.js';
import { TEAMS, type TeamDoc, type TeamDraft } from './team/team.model.js';
import { TENANTS, type TenantDoc } from './tenant/tenant.model.js';
import { USERS, type UserDoc } from './user/user.model.js';

export interface AccountsStore {
  users: Collection<UserDoc>;
  apiKeys: Collection<ApiKeyDoc>;
  codes: Collection<CodeDoc>;
  limits: Collection<LimitDoc>;
  handles: Collection<HandleDoc>;
  teams: Collection<TeamDoc>;
  invitations: Collection<InvitationDoc>;
  gateways: Collection<GatewayDoc>;
  tenants: Collection<TenantDoc>;
  oauthClients: Collection<OAuthClientDoc>;
  grants: Collection<GrantDoc>;
  /** Other views of the teams and users above. */
  drafts: Collection<TeamDraft>;
  owners: Record<HandleOwnerType, Collection<OwnerDoc>>;
}

export async function openStore(db: Db): Promise<AccountsStore> {
  await ensureIndexes(db, [
    USERS,
    API_KEYS,
    CODES,
    LIMITS,
    HANDLES,
    TEAMS,
    INVITATIONS,
    GATEWAYS,
    TENANTS,
    OAUTH_CLIENTS,
    GRANTS,
  ]);
  return {
    users: db.collection<UserDoc>(USERS.name),
    apiKeys: db.collection<ApiKeyDoc>(API_KEYS.name),
    codes: db.collection<CodeDoc>(CODES.name),
    limits: db.collection<LimitDoc>(LIMITS.name),
    handles: db.collection<HandleDoc>(HANDLES.name),
    teams: db.collection<TeamDoc>(TEAMS.name),
    invitations: db.collection<InvitationDoc>(INVITATIONS.name),
    gateways: db.collection<GatewayDoc>(GATEWAYS.name),
    tenants: db.collection<TenantDoc>(TENANTS.name),
    oauthClients: db.collection<OAuthClientDoc>(OAUTH_CLIENTS.name),
    grants: db.collection<GrantDoc>(GRANTS.name),
    drafts: db.collection<TeamDraft>(TEAMS.name),
    owners: {
      USER: db.collection<OwnerDoc>(USERS.name),
      TEAM: db.collection<OwnerDoc>(TEAMS.name),
    },
  };
}
