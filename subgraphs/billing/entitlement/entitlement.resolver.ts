import { Arg, Ctx, Directive, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { NeedsScope, OpenToAllKeys } from '../../../platform/graph/key-scopes.js';
import { UserId } from '../../../platform/ids.js';
import { requireCaller, requireInternal } from '../../../platform/scope.js';
import type { BillingContext } from '../context.js';
import { allPacks, allPlans } from '../plan/plan.type.js';
import { User } from '../user/user.type.js';
import {
  BillingStatus,
  CreditBalance,
  Entitlements,
  entitlementsView,
  InternalEntitlements,
  InternalQuota,
} from './entitlement.type.js';

@Resolver()
export class EntitlementResolver {
  @Query(() => BillingStatus, { nullable: true, description: 'How the caller stands with billing.' })
  @NeedsScope('read')
  async billingStatus(@Ctx() context: BillingContext): Promise<BillingStatus> {
    const caller = requireCaller(context.scope);
    const { customerLoader, entitlementService, purchasable } = context;
    const customer = await customerLoader.load(caller.userId);
    const [entitlement, credits] = await Promise.all([
      entitlementService.of(customer),
      entitlementService.credits(caller),
    ]);
    const subscribed = customer?.subscribed ?? null;
    const card = customer?.card ?? null;
    return {
      entitlements: entitlementsView(entitlement),
      subscriptionStatus: subscribed?.status ?? null,
      currentPeriodEnd: subscribed?.periodEnd ?? null,
      cancelAtPeriodEnd: subscribed?.cancelAtPeriodEnd ?? false,
      quotaRemaining: credits.available,
      creditBalance: credits.purchased,
      credits,
      hasSavedCard: card !== null,
      savedCard: card && { brand: card.brand, last4: card.last4 },
      purchaseEligible: purchasable && !caller.suspended,
      plans: allPlans(),
      packs: allPacks(),
    };
  }

  @Query(() => InternalEntitlements, { nullable: true, description: 'What an account, or nobody, may do by its plan.' })
  @Directive('@inaccessible')
  async internalEntitlements(
    @Arg('userId', () => ID, { nullable: true, description: 'The user, without prefix; null without an account.' })
    userId: string | null,
    @Ctx() { scope, customerLoader, entitlementService }: BillingContext,
  ): Promise<InternalEntitlements> {
    requireInternal(scope);
    const customer = userId == null ? null : await customerLoader.load(userId);
    const { plan, tiers, priorityQueue, frontierUnlocked } = await entitlementService.of(customer);
    return { userId, plan, tiers: [...tiers], priorityQueue, frontierUnlocked };
  }

  @Query(() => InternalQuota, { nullable: true, description: 'How much of the credits of an account is left.' })
  @Directive('@inaccessible')
  async internalQuota(
    @Arg('userId', () => ID, { description: 'The user, without prefix.' }) userId: string,
    @Arg('createdAt', () => Date, { description: 'When the account was made.' }) createdAt: Date,
    @Ctx() { scope, entitlementService }: BillingContext,
  ): Promise<InternalQuota> {
    requireInternal(scope);
    const { available, usedPercent } = await entitlementService.credits({ userId, createdAt });
    return { available, usedPercent };
  }
}

@Resolver(() => User)
export class UserEntitlementResolver {
  @FieldResolver(() => Entitlements, {
    nullable: true,
    description: 'What the plan of this user allows; null for anyone but yourself.',
  })
  @OpenToAllKeys()
  async entitlements(
    @Root() user: User,
    @Ctx() { scope, customerLoader, entitlementService }: BillingContext,
  ): Promise<Entitlements | null> {
    const { caller } = scope;
    if (!caller || UserId.parse(user.id) !== caller.userId) return null;
    return entitlementsView(await entitlementService.of(await customerLoader.load(caller.userId)));
  }

  @FieldResolver(() => CreditBalance, {
    nullable: true,
    description: 'The credits of this user; null for anyone but yourself.',
  })
  @OpenToAllKeys()
  async credits(
    @Root() user: User,
    @Ctx() { scope, entitlementService }: BillingContext,
  ): Promise<CreditBalance | null> {
    const { caller } = scope;
    if (!caller || UserId.parse(user.id) !== caller.userId) return null;
    return entitlementService.credits(caller);
  }
}
