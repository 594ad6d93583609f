import { Arg, Ctx, Directive, ID, Query, Resolver } from 'type-graphql';
import { requireInternal } from '../../../platform/scope.js';
import type { AccountsContext } from '../context.js';
import { InternalPrincipal } from './principal.type.js';

@Resolver(() => InternalPrincipal)
export class PrincipalResolver {
  @Query(() => InternalPrincipal, {
    nullable: true,
    description: 'The user or team that a caller names; null when there is none. Rate-limited for that caller.',
  })
  @Directive('@inaccessible')
  internalPrincipal(
    @Arg('identifier', () => String, { description: 'An id, an e-mail address, or a handle with or without @.' })
    identifier: string,
    @Arg('askedBy', () => ID, { description: 'The user who names them, without prefix.' }) askedBy: string,
    @Ctx() { scope, principalService }: AccountsContext,
  ): Promise<InternalPrincipal | null> {
    requireInternal(scope);
    return principalService.named(askedBy, identifier);
  }

  @Query(() => [InternalPrincipal], {
    nullable: true,
    description: 'Users and teams by their ids; those that are gone are left out.',
  })
  @Directive('@inaccessible')
  internalPrincipals(
    @Arg('ids', () => [ID], { description: 'The users and teams, without prefix.' }) ids: string[],
    @Ctx() { scope, principalService }: AccountsContext,
  ): Promise<InternalPrincipal[]> {
    requireInternal(scope);
    return principalService.byIds(ids);
  }

  @Query(() => [ID], { nullable: true, description: 'The teams that a user belongs to, without prefix.' })
  @Directive('@inaccessible')
  internalTeamsOf(
    @Arg('userId', () => ID, { description: 'The user, without prefix.' }) userId: string,
    @Ctx() { scope, principalService }: AccountsContext,
  ): Promise<string[]> {
    requireInternal(scope);
    return principalService.teamsOf(userId);
  }
}
