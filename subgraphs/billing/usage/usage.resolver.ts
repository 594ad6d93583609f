import { Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { ReferenceResolver } from '../../../platform/graph/build.js';
import { UserId } from '../../../platform/ids.js';
import { type Caller, requireCaller } from '../../../platform/scope.js';
import type { BillingContext } from '../context.js';
import { User } from '../user/user.type.js';
import { UsageSummary, usageView } from './usage.type.js';

@Resolver(() => UsageSummary)
export class UsageResolver {
  @Query(() => UsageSummary, { nullable: true, description: 'Your billing month: what was granted, used and is left.' })
  usage(@Ctx() context: BillingContext): Promise<UsageSummary> {
    return usageOf(requireCaller(context.scope), context);
  }
}

@Resolver(() => User)
export class UserUsageResolver {
  @FieldResolver(() => UsageSummary, {
    nullable: true,
    description: 'The billing month of this user; null for anyone but yourself.',
  })
  async usage(@Root() { id }: User, @Ctx() context: BillingContext): Promise<UsageSummary | null> {
    const { caller } = context.scope;
    return caller && UserId.parse(id) === caller.userId ? usageOf(caller, context) : null;
  }
}

async function usageOf(caller: Caller, { moneyIn, tiers, accountLoader }: BillingContext): Promise<UsageSummary> {
  const account = moneyIn.view(caller, await accountLoader.load(caller.userId));
  return usageView(account, tiers.of(account.tier));
}

export const usageReference: ReferenceResolver<BillingContext> = async ({ id }, context) => {
  const { caller } = context.scope;
  return caller && UserId.parse(String(id)) === caller.userId ? usageOf(caller, context) : null;
};
