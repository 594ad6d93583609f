import { Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { UserId } from '../../../platform/ids.js';
import type { BillingContext } from '../context.js';
import { User } from '../user/user.type.js';
import { Tier } from './tier.type.js';

@Resolver(() => Tier)
export class TierResolver {
  @Query(() => [Tier], { description: 'The tiers there are. No credentials needed.' })
  tiers(@Ctx() { tiers }: BillingContext): Tier[] {
    return tiers.all();
  }
}

@Resolver(() => User)
export class UserTierResolver {
  @FieldResolver(() => Tier, { nullable: true, description: 'The tier of this user; null for anyone but yourself.' })
  async tier(@Root() user: User, @Ctx() { scope, tiers, accountLoader }: BillingContext): Promise<Tier | null> {
    const { caller } = scope;
    return caller && UserId.parse(user.id) === caller.userId ? tiers.ofUser(caller.userId, accountLoader) : null;
  }
}
