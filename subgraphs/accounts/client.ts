/** What other parts of the platform may ask of accounts. */
import { z } from 'zod';
import type { CredentialKind } from '../../platform/credentials.js';
import { callInternal, type InternalCall } from '../../platform/graph/internal.js';
import type { SubgraphTransport } from '../../platform/graph/transport.js';
import { type Caller, callerSchema } from '../../platform/scope.js';
import type { OwnedThing } from '../registry/ownership/ownerships.js';

const callerByCredential: InternalCall<{ internalCaller: Caller | null }> = {
  query: `query InternalCaller($kind: String!, $hash: String!) {
    internalCaller(kind: $kind, hash: $hash) {
      userId keyId tenantId scopes audience email handle handleClaimedAt createdAt suspended
    }
  }`,
  result: z.object({ internalCaller: callerSchema.nullable() }),
};

const goodCredentials: InternalCall<{ internalGoodCredentials: string[] }> = {
  query: `query InternalGoodCredentials($kind: String!, $hashes: [String!]!) {
    internalGoodCredentials(kind: $kind, hashes: $hashes)
  }`,
  result: z.object({ internalGoodCredentials: z.array(z.string()) }),
};

const userSchema = callerSchema.pick({ userId: true, email: true, handle: true, createdAt: true, suspended: true });

export type KnownUser = z.infer<typeof userSchema>;

const userNamed: InternalCall<{ internalUser: KnownUser | null }> = {
  query: `query InternalUser($identifier: String!) {
    internalUser(identifier: $identifier) { userId email handle createdAt suspended }
  }`,
  result: z.object({ internalUser: userSchema.nullable() }),
};

const setSuspension: InternalCall<{ internalSetSuspension: { userId: string; suspended: boolean } }> = {
  query: `mutation InternalSetSuspension($input: InternalSetSuspensionInput!) {
    internalSetSuspension(input: $input) { userId suspended }
  }`,
  result: z.object({ internalSetSuspension: z.object({ userId: z.string(), suspended: z.boolean() }) }),
};

const announceGateway: InternalCall<{ internalAnnounceGateway: { others: number; unshared: number } }> = {
  query: `mutation InternalAnnounceGateway($input: InternalAnnounceGatewayInput!) {
    internalAnnounceGateway(input: $input) { others unshared }
  }`,
  result: z.object({ internalAnnounceGateway: z.object({ others: z.number(), unshared: z.number() }) }),
};

/** A user or a team. */
const principalSchema = z.object({ type: z.enum(['USER', 'TEAM']), id: z.string(), handle: z.string().nullable() });

export type Principal = z.infer<typeof principalSchema>;

const principalNamed: InternalCall<{ internalPrincipal: Principal | null }> = {
  query: `query InternalPrincipal($identifier: String!, $askedBy: ID!) {
    internalPrincipal(identifier: $identifier, askedBy: $askedBy) { type id handle }
  }`,
  result: z.object({ internalPrincipal: principalSchema.nullable() }),
};

const principalsById: InternalCall<{ internalPrincipals: Principal[] }> = {
  query: 'query InternalPrincipals($ids: [ID!]!) { internalPrincipals(ids: $ids) { type id handle } }',
  result: z.object({ internalPrincipals: z.array(principalSchema) }),
};

const teamsOfUser: InternalCall<{ internalTeamsOf: string[] }> = {
  query: 'query InternalTeamsOf($userId: ID!) { internalTeamsOf(userId: $userId) }',
  result: z.object({ internalTeamsOf: z.array(z.string()) }),
};

export interface OwnershipOffer {
  thing: OwnedThing;
  slug: string;
  ownerId: string;
  /** As the owner named them. */
  newOwner: string;
}

const offerOwnership: InternalCall<{ internalOfferOwnership: { invitationId: string } }> = {
  query: `mutation InternalOfferOwnership($input: InternalOfferOwnershipInput!) {
    internalOfferOwnership(input: $input) { invitationId }
  }`,
  result: z.object({ internalOfferOwnership: z.object({ invitationId: z.string() }) }),
};

const resourceGone: InternalCall<{ internalResourceGone: { id: string } }> = {
  query:
    'mutation InternalResourceGone($input: InternalResourceGoneInput!) { internalResourceGone(input: $input) { id } }',
  result: z.object({ internalResourceGone: z.object({ id: z.string() }) }),
};

const handleSchema = z.object({ ownerType: z.enum(['USER', 'TEAM']), ownerId: z.string(), handle: z.string() });

export type HandleOwner = z.infer<typeof handleSchema>;

/** `redirected`: the owner was asked for by a handle that it gave up. */
const resolvedSchema = handleSchema.extend({ redirected: z.boolean() });

export type ResolvedHandle = z.infer<typeof resolvedSchema>;

const ownerOfHandle: InternalCall<{ internalResolveHandle: ResolvedHandle | null }> = {
  query: `query InternalResolveHandle($handle: String!) {
    internalResolveHandle(handle: $handle) { ownerType ownerId handle redirected }
  }`,
  result: z.object({ internalResolveHandle: resolvedSchema.nullable() }),
};

const stampHandle: InternalCall<{ internalStampHandle: HandleOwner }> = {
  query: `mutation InternalStampHandle($input: InternalStampHandleInput!) {
    internalStampHandle(input: $input) { ownerType ownerId handle }
  }`,
  result: z.object({ internalStampHandle: handleSchema }),
};

export class AccountsClient {
  readonly #transport: SubgraphTransport;

  constructor(transport: SubgraphTransport) {
    this.#transport = transport;
  }

  /** Whom a credential belongs to; null when it is unknown. */
  async caller(kind: CredentialKind, hash: string, requestId: string): Promise<Caller | null> {
    const { internalCaller } = await callInternal(this.#transport, callerByCredential, { kind, hash }, requestId);
    return internalCaller;
  }

  /** Those of these that are good at this moment; at most a thousand at a time. */
  async goodCredentials(kind: CredentialKind, hashes: readonly string[], requestId: string): Promise<string[]> {
    return (await callInternal(this.#transport, goodCredentials, { kind, hashes }, requestId)).internalGoodCredentials;
  }

  /** By id, e-mail address or handle; null when there is no such user. */
  async user(identifier: string, requestId: string): Promise<KnownUser | null> {
    return (await callInternal(this.#transport, userNamed, { identifier }, requestId)).internalUser;
  }

  /** The user or team that a caller names by id, e-mail address or handle. `rate_limited` when they name too many. */
  async principal(input: { identifier: string; askedBy: string }, requestId: string): Promise<Principal | null> {
    return (await callInternal(this.#transport, principalNamed, input, requestId)).internalPrincipal;
  }

  /** Those that are there, in no order. */
  async principals(ids: readonly string[], requestId: string): Promise<Principal[]> {
    return (await callInternal(this.#transport, principalsById, { ids }, requestId)).internalPrincipals;
  }

  /** Ids of the teams that a user belongs to at this moment. */
  async teamsOf(userId: string, requestId: string): Promise<string[]> {
    return (await callInternal(this.#transport, teamsOfUser, { userId }, requestId)).internalTeamsOf;
  }

  /** Invites somebody to take over what the owner has. The id of the invitation. */
  async offerOwnership({ thing, ...offer }: OwnershipOffer, requestId: string): Promise<string> {
    const input = { ...thing, ...offer };
    return (await callInternal(this.#transport, offerOwnership, { input }, requestId)).internalOfferOwnership
      .invitationId;
  }

  /** Ends the pending invitations that are about it. Again changes nothing. */
  async resourceGone(id: string, requestId: string): Promise<void> {
    await callInternal(this.#transport, resourceGone, { input: { id } }, requestId);
  }

  /** Whose a handle is; null when it is nobody's. */
  async ownerOfHandle(handle: string, requestId: string): Promise<ResolvedHandle | null> {
    return (await callInternal(this.#transport, ownerOfHandle, { handle }, requestId)).internalResolveHandle;
  }

  /** From now on the handle goes to nobody but its owner, who is told. */
  async stampHandle(handle: string, requestId: string): Promise<HandleOwner> {
    return (await callInternal(this.#transport, stampHandle, { input: { handle } }, requestId)).internalStampHandle;
  }

  async setSuspension(input: { userIdentifier: string; suspended: boolean; reason: string | null }, requestId: string) {
    const { internalSetSuspension } = await callInternal(this.#transport, setSuspension, { input }, requestId);
    return internalSetSuspension;
  }

  async announceGateway(input: { id: string; shared: boolean; running: boolean }, requestId: string) {
    const { internalAnnounceGateway } = await callInternal(this.#transport, announceGateway, { input }, requestId);
    return internalAnnounceGateway;
  }
}
