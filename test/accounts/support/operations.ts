/** The operations that the tests share. */
export const REGISTER = 'mutation ($email: String!) { register(input: { email: $email }) { status message } }';
export const LOGIN = 'mutation ($email: String!) { login(input: { email: $email }) { status message } }';
const VERIFIED = '{ apiKey key { id name prefix createdAt lastUsedAt } user { id email handle createdAt suspended } }';
export const VERIFY_REGISTRATION = `mutation ($email: String!, $code: String!) {
  verifyRegistration(input: { email: $email, code: $code }) ${VERIFIED}
}`;
export const VERIFY_LOGIN = `mutation ($email: String!, $code: String!) {
  verifyLogin(input: { email: $email, code: $code }) ${VERIFIED}
}`;
export const ME = '{ me { id email handle handleClaimedAt createdAt suspended } }';
export const USER = `query ($identifier: String!) {
  user(identifier: $identifier) { id email handle handleClaimedAt createdAt suspended }
}`;
export const API_KEYS = `query ($first: Int, $after: String) {
  apiKeys(first: $first, after: $after) {
    nodes { id name prefix createdAt lastUsedAt } nextCursor pageInfo { hasNextPage endCursor }
  }
}`;
export const CREATE_KEY = `mutation ($name: String!) {
  createApiKey(input: { name: $name }) { apiKey { id name prefix createdAt lastUsedAt } key }
}`;
export const REVOKE_KEY = `mutation ($identifier: String!) {
  revokeApiKey(input: { identifier: $identifier }) { id revoked }
}`;
const TENANT = '{ id name keyPrefix scopes isDefault createdAt rotatedAt owner { id } }';
export const CREATE_TENANT = `mutation ($name: String, $scopes: [TenantScope!]) {
  createTenant(input: { name: $name, scopes: $scopes }) { tenant ${TENANT} key }
}`;
export const ROTATE_TENANT = `mutation ($id: ID!) { rotateTenantKey(input: { id: $id }) { tenant ${TENANT} key } }`;
export const TENANT_BY_ID = `query ($id: ID!) { tenant(id: $id) ${TENANT} }`;
export const TENANTS = `query ($first: Int, $after: String) {
  tenants(first: $first, after: $after) { nodes ${TENANT} nextCursor }
}`;
export const CLAIM = `mutation ($handle: String!) {
  claimHandle(input: { handle: $handle }) { handle claimedAt user { id handle } }
}`;
export const RENAME = `mutation ($handle: String!) {
  renameHandle(input: { handle: $handle }) { handle claimedAt renamed selfReclaim user { handle } }
}`;
export const CREATE_TEAM = `mutation ($handle: String!) {
  createTeam(input: { handle: $handle }) { team { id handle role ownerUserId createdAt updatedAt owner { id handle } } }
}`;
export const DELETE_TEAM = `mutation ($identifier: String!) {
  deleteTeam(input: { identifier: $identifier }) { teamId handle deleted }
}`;
const INVITATION = `{
  id kind state resource { type id handle } proposer { id handle email } recipient { id handle email }
  createdAt expiresAt resolvedAt
}`;
export const INVITE = `mutation ($team: String!, $user: String!) {
  inviteTeamMember(input: { teamIdentifier: $team, userIdentifier: $user }) { invitation ${INVITATION} }
}`;
export const TRANSFER = `mutation ($team: String!, $user: String!) {
  transferTeamOwnership(input: { teamIdentifier: $team, newOwnerIdentifier: $user }) { invitation ${INVITATION} }
}`;
export const OFFER = `mutation ($kind: String!, $id: ID!, $slug: String!, $ownerId: ID!, $newOwner: String!) {
  internalOfferOwnership(input: { kind: $kind, id: $id, slug: $slug, ownerId: $ownerId, newOwner: $newOwner }) {
    invitationId
  }
}`;
export const RESOURCE_GONE = 'mutation ($id: ID!) { internalResourceGone(input: { id: $id }) { id } }';
export const REMOVE = `mutation ($team: String!, $user: String!) {
  removeTeamMember(input: { teamIdentifier: $team, userIdentifier: $user }) { teamId userId removed }
}`;
export const ACCEPT = `mutation ($id: ID!) { acceptInvitation(input: { id: $id }) { invitation ${INVITATION} } }`;
export const DECLINE = `mutation ($id: ID!) { declineInvitation(input: { id: $id }) { invitation ${INVITATION} } }`;
export const CANCEL = `mutation ($id: ID!) { cancelInvitation(input: { id: $id }) { invitation ${INVITATION} } }`;
export const INVITATIONS = `query ($filter: InvitationFilter, $state: InvitationStateFilter, $first: Int, $after: String) {
  invitations(filter: $filter, state: $state, first: $first, after: $after) { nodes ${INVITATION} nextCursor }
}`;
export const TEAMS = `query ($filter: TeamFilter, $first: Int, $after: String) {
  teams(filter: $filter, first: $first, after: $after) { nodes { id handle role } nextCursor }
}`;
export const TEAM = `query ($identifier: String!, $first: Int, $after: String) {
  team(identifier: $identifier) {
    id handle role owner { id handle }
    members(first: $first, after: $after) { nodes { role joinedAt user { id email handle } } nextCursor }
  }
}`;
export const ENTITIES = `query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on User { id email handle createdAt suspended }
    ... on ApiKey { id name }
    ... on Tenant { id name }
    ... on Team { id handle role }
    ... on Invitation { id state }
  }
}`;
