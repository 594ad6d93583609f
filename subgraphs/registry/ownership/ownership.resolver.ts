import { Arg, Ctx, Directive, ID, Mutation, Query, Resolver } from 'type-graphql';
import { Problem } from '../../../platform/errors.js';
import { requireInternal } from '../../../platform/scope.js';
import type { RegistryContext } from '../context.js';
import {
  InternalHandOverInput,
  InternalInvitedThingInput,
  InternalOwnedThingInput,
  InternalOwnershipPayload,
  InternalStanding,
} from './ownership.type.js';
import { OWNED_KINDS, type OwnedThing } from './ownerships.js';

@Resolver()
export class OwnershipResolver {
  @Query(() => InternalStanding, { nullable: true, description: 'Who owns a thing; null when it is gone.' })
  @Directive('@inaccessible')
  async internalStanding(
    @Arg('thing', () => InternalOwnedThingInput, { description: 'The thing.' }) thing: InternalOwnedThingInput,
    @Arg('invitationId', () => ID, { description: 'The invitation that is asked about.' }) invitationId: string,
    @Ctx() { scope, ownerships }: RegistryContext,
  ): Promise<InternalStanding | null> {
    requireInternal(scope);
    return ownerships.standing(read(thing), invitationId);
  }

  @Mutation(() => InternalOwnershipPayload, { description: 'Gives a thing to a new owner, if it is as it was read.' })
  @Directive('@inaccessible')
  async internalHandOver(
    @Arg('input', () => InternalHandOverInput, { description: 'Who gives it to whom.' }) input: InternalHandOverInput,
    @Ctx() { scope, ownerships }: RegistryContext,
  ): Promise<InternalOwnershipPayload> {
    requireInternal(scope);
    return { applied: await ownerships.handOver({ ...input, thing: read(input.thing) }) };
  }

  @Mutation(() => InternalOwnershipPayload, { description: 'Makes what is under way for an invitation fail.' })
  @Directive('@inaccessible')
  async internalFenceOwnership(
    @Arg('input', () => InternalInvitedThingInput, { description: 'The invitation.' })
    { thing, invitationId }: InternalInvitedThingInput,
    @Ctx() { scope, ownerships }: RegistryContext,
  ): Promise<InternalOwnershipPayload> {
    requireInternal(scope);
    return { applied: await ownerships.fence(read(thing), invitationId) };
  }

  @Mutation(() => InternalOwnershipPayload, { description: 'Drops the mark of a settled invitation.' })
  @Directive('@inaccessible')
  async internalForgetOwnership(
    @Arg('input', () => InternalInvitedThingInput, { description: 'The invitation.' })
    { thing, invitationId }: InternalInvitedThingInput,
    @Ctx() { scope, ownerships }: RegistryContext,
  ): Promise<InternalOwnershipPayload> {
    requireInternal(scope);
    await ownerships.forget(read(thing), invitationId);
    return { applied: true };
  }
}

function read({ kind, id }: InternalOwnedThingInput): OwnedThing {
  const known = OWNED_KINDS.find((name) => name === kind);
  if (!known) throw Problem.invalid('kind', `must be one of ${OWNED_KINDS.join(', ')}`);
  return { kind: known, id };
}
