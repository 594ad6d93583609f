import { Arg, Ctx, Directive, Mutation, Query, Resolver } from 'type-graphql';
import { requireCaller, requireInternal } from '../../../platform/scope.js';
import type { AccountsContext } from '../context.js';
import { profileOf, type UserDoc } from '../user/user.model.js';
import { type User, userView } from '../user/user.type.js';
import {
  ClaimHandleInput,
  ClaimHandlePayload,
  InternalHandle,
  InternalStampedHandle,
  InternalStampHandleInput,
  RenameHandleInput,
  RenameHandlePayload,
} from './handle.type.js';

@Resolver()
export class HandleResolver {
  @Mutation(() => ClaimHandlePayload, { nullable: true, description: "Claims the caller's first handle." })
  async claimHandle(
    @Arg('input', () => ClaimHandleInput, { description: 'The handle to claim.' }) { handle }: ClaimHandleInput,
    @Ctx() context: AccountsContext,
  ): Promise<ClaimHandlePayload> {
    return changed(await context.handleService.claim(requireCaller(context.scope), handle), context);
  }

  @Mutation(() => RenameHandlePayload, { nullable: true, description: "Changes the caller's handle." })
  async renameHandle(
    @Arg('input', () => RenameHandleInput, { description: 'The new handle.' }) { handle }: RenameHandleInput,
    @Ctx() context: AccountsContext,
  ): Promise<RenameHandlePayload> {
    const { user, selfReclaim } = await context.handleService.rename(requireCaller(context.scope), handle);
    return { ...changed(user, context), renamed: true, selfReclaim };
  }

  @Query(() => InternalHandle, { nullable: true, description: 'Whose a handle is; null when nobody has it.' })
  @Directive('@inaccessible')
  internalResolveHandle(
    @Arg('handle', () => String, { description: 'The handle, with or without @.' }) handle: string,
    @Ctx() { scope, handleService }: AccountsContext,
  ): Promise<InternalHandle | null> {
    requireInternal(scope);
    return handleService.resolve(handle);
  }

  @Mutation(() => InternalStampedHandle, { nullable: true, description: 'Reserves a handle for its owner for good.' })
  @Directive('@inaccessible')
  internalStampHandle(
    @Arg('input', () => InternalStampHandleInput, { description: 'The handle.' }) { handle }: InternalStampHandleInput,
    @Ctx() { scope, handleService }: AccountsContext,
  ): Promise<InternalStampedHandle> {
    requireInternal(scope);
    return handleService.stamp(handle);
  }
}

/** The rest of the request sees the caller with the new handle too. */
function changed(doc: UserDoc, { users }: AccountsContext): { handle: string; claimedAt: Date; user: User } {
  const { handle, handleClaimedAt } = doc;
  if (handle === null || handleClaimedAt === null) throw new Error('a changed handle is missing');
  const profile = profileOf(doc);
  users.clear(doc._id).prime(doc._id, profile);
  return { handle, claimedAt: handleClaimedAt, user: userView(profile, doc._id) };
}
