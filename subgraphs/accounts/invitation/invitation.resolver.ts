import { Arg, Args, Ctx, Directive, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { Problem } from '../../../platform/errors.js';
import type { ReferenceResolver } from '../../../platform/graph/build.js';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { PlainId } from '../../../platform/ids.js';
import { requireCaller, requireInternal } from '../../../platform/scope.js';
import { OWNED_KINDS } from '../../registry/ownership/ownerships.js';
import { type AccountsContext, loadUser } from '../context.js';
import { User } from '../user/user.type.js';
import type { InvitationDoc } from './invitation.model.js';
import {
  AcceptInvitationInput,
  AcceptInvitationPayload,
  CancelInvitationInput,
  CancelInvitationPayload,
  DeclineInvitationInput,
  DeclineInvitationPayload,
  InternalOfferOwnershipInput,
  InternalOwnershipOffer,
  InternalResourceGone,
  InternalResourceGoneInput,
  Invitation,
  InvitationConnection,
  InvitationFilter,
  type InvitationPayload,
  InvitationStateFilter,
  invitationView,
} from './invitation.type.js';

@Resolver(() => Invitation)
export class InvitationResolver {
  @Query(() => InvitationConnection, { nullable: true, description: "The caller's invitations, newest first." })
  async invitations(
    @Arg('filter', () => InvitationFilter, {
      nullable: true,
      defaultValue: InvitationFilter.RECEIVED,
      description: 'Whether those received, those sent or both.',
    })
    filter: InvitationFilter | null,
    @Arg('state', () => InvitationStateFilter, {
      nullable: true,
      defaultValue: InvitationStateFilter.PENDING,
      description: 'In which state.',
    })
    state: InvitationStateFilter | null,
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() { scope, invitationService }: AccountsContext,
  ): Promise<Connection<Invitation>> {
    const pendingOnly = (state ?? InvitationStateFilter.PENDING) === InvitationStateFilter.PENDING;
    const side = filter ?? InvitationFilter.RECEIVED;
    return toConnection(await invitationService.list(requireCaller(scope), side, pendingOnly, page), invitationView);
  }

  @Query(() => Invitation, { nullable: true, description: 'An invitation that the caller proposed or received.' })
  async invitation(
    @Arg('id', () => ID, { description: 'Its id.' }) id: string,
    @Ctx() context: AccountsContext,
  ): Promise<Invitation> {
    requireCaller(context.scope);
    const found = await loadInvitation(context, id);
    if (!found) throw new Problem('not_found', 'Invitation not found.');
    return found;
  }

  @FieldResolver(() => User, { nullable: true, description: 'Who made it.' })
  proposer(@Root() { proposerId }: Invitation, @Ctx() context: AccountsContext): Promise<User | null> {
    return loadUser(context, proposerId);
  }

  @FieldResolver(() => User, { nullable: true, description: 'Whom it was made to.' })
  recipient(@Root() { recipientId }: Invitation, @Ctx() context: AccountsContext): Promise<User | null> {
    return loadUser(context, recipientId);
  }

  @Mutation(() => AcceptInvitationPayload, {
    nullable: true,
    description: 'Accepts an invitation that the caller received.',
  })
  async acceptInvitation(
    @Arg('input', () => AcceptInvitationInput, { description: 'The invitation to accept.' }) {
      id,
    }: AcceptInvitationInput,
    @Ctx() context: AccountsContext,
  ): Promise<AcceptInvitationPayload> {
    return answered(await context.invitationService.accept(requireCaller(context.scope), id), context);
  }

  @Mutation(() => DeclineInvitationPayload, {
    nullable: true,
    description: 'Declines an invitation that the caller received.',
  })
  async declineInvitation(
    @Arg('input', () => DeclineInvitationInput, { description: 'The invitation to decline.' }) {
      id,
    }: DeclineInvitationInput,
    @Ctx() context: AccountsContext,
  ): Promise<DeclineInvitationPayload> {
    return answered(await context.invitationService.decline(requireCaller(context.scope), id), context);
  }

  @Mutation(() => CancelInvitationPayload, {
    nullable: true,
    description: 'Cancels an invitation that the caller proposed.',
  })
  async cancelInvitation(
    @Arg('input', () => CancelInvitationInput, { description: 'The invitation to cancel.' }) {
      id,
    }: CancelInvitationInput,
    @Ctx() context: AccountsContext,
  ): Promise<CancelInvitationPayload> {
    return answered(await context.invitationService.cancel(requireCaller(context.scope), id), context);
  }

  @Mutation(() => InternalOwnershipOffer, { description: 'Invites somebody to take over a workflow or a template.' })
  @Directive('@inaccessible')
  async internalOfferOwnership(
    @Arg('input', () => InternalOfferOwnershipInput, { description: 'What is offered to whom.' })
    { kind: name, ...offer }: InternalOfferOwnershipInput,
    @Ctx() { scope, ownershipOffers }: AccountsContext,
  ): Promise<InternalOwnershipOffer> {
    requireInternal(scope);
    const kind = OWNED_KINDS.find((known) => known === name);
    if (!kind) throw Problem.invalid('kind', `must be one of ${OWNED_KINDS.join(', ')}`);
    return { invitationId: (await ownershipOffers.make({ ...offer, kind }))._id };
  }

  @Mutation(() => InternalResourceGone, { description: 'Ends the pending invitations that are about something gone.' })
  @Directive('@inaccessible')
  async internalResourceGone(
    @Arg('input', () => InternalResourceGoneInput, { description: 'What is gone.' }) { id }: InternalResourceGoneInput,
    @Ctx() { scope, invitationSettler }: AccountsContext,
  ): Promise<InternalResourceGone> {
    requireInternal(scope);
    await invitationSettler.resourceGone(id);
    return { id };
  }
}

function answered(invitation: InvitationDoc, { invitations, teams, memberPages }: AccountsContext): InvitationPayload {
  invitations.clear(invitation._id);
  teams.clear(invitation.resource.id);
  memberPages.clearAll();
  return { invitation: invitationView(invitation) };
}

async function loadInvitation({ scope, invitations }: AccountsContext, id: string): Promise<Invitation | null> {
  const invitationId = PlainId.parse(id);
  const found = invitationId === null || !scope.caller ? null : await invitations.load(invitationId);
  return found && invitationView(found);
}

export const invitationReference: ReferenceResolver<AccountsContext> = ({ id }, context) =>
  loadInvitation(context, String(id));
