import { Arg, Ctx, Directive, Mutation, Query, Resolver } from 'type-graphql';
import type { ReferenceResolver } from '../../../platform/graph/build.js';
import { UserId } from '../../../platform/ids.js';
import { requireCaller, requireInternal } from '../../../platform/scope.js';
import { type AccountsContext, loadUser } from '../context.js';
import { InternalSetSuspensionInput, InternalSuspension, InternalUser, User, userView } from './user.type.js';

@Resolver(() => User)
export class UserResolver {
  @Query(() => User, { nullable: true, description: 'The caller.' })
  me(@Ctx() context: AccountsContext): Promise<User | null> {
    return loadUser(context, requireCaller(context.scope).userId);
  }

  @Query(() => User, { nullable: true, description: 'A user by id, e-mail address or handle. Rate-limited.' })
  async user(
    @Arg('identifier', () => String, { description: 'An id, an e-mail address, or a handle with or without @.' })
    identifier: string,
    @Ctx() context: AccountsContext,
  ): Promise<User> {
    const { scope, userService } = context;
    return userView(await userService.named(scope, identifier), scope.caller?.userId);
  }

  @Query(() => InternalUser, { nullable: true, description: 'A user whom an operator names; null when there is none.' })
  @Directive('@inaccessible')
  async internalUser(
    @Arg('identifier', () => String, { description: 'An id, an e-mail address, or a handle with or without @.' })
    identifier: string,
    @Ctx() { scope, userService }: AccountsContext,
  ): Promise<InternalUser | null> {
    requireInternal(scope);
    return userService.find(identifier);
  }

  @Mutation(() => InternalSuspension, { nullable: true, description: 'Suspends an account or lifts its suspension.' })
  @Directive('@inaccessible')
  async internalSetSuspension(
    @Arg('input', () => InternalSetSuspensionInput, { description: 'The account and its new standing.' })
    { userIdentifier, suspended, reason }: InternalSetSuspensionInput,
    @Ctx() context: AccountsContext,
  ): Promise<InternalSuspension> {
    requireInternal(context.scope);
    const user = await context.userService.setSuspension(userIdentifier, suspended, reason ?? null);
    context.users.clear(user.userId);
    return { userId: user.userId, suspended: user.suspended };
  }
}

export const userReference: ReferenceResolver<AccountsContext> = ({ id }, context) => {
  const userId = UserId.parse(String(id));
  return userId === null ? null : loadUser(context, userId);
};
