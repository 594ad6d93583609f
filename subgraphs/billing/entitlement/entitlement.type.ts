import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import { OpenToAllKeys } from '../../../platform/graph/key-scopes.js';
import { CreditPack, Plan, PlanName, planName, QualityTier, qualityTier } from '../plan/plan.type.js';
import type { Entitlement } from './entitlement.service.js';

@ObjectType({ description: 'What an account may do by its plan.' })
@OpenToAllKeys()
export class Entitlements {
  @Field(() => PlanName, { description: 'The plan in force.' })
  plan!: PlanName;

  @Field(() => [QualityTier], {
    description: 'Quality tiers that the plan opens. The ultra tiers also wait for the community milestone.',
  })
  allowedTiers!: QualityTier[];

  @Field(() => Boolean, { description: 'Whether jobs go ahead of those of others.' })
  priorityQueue!: boolean;

  @Field(() => Boolean, { description: 'Whether the community milestone is reached.' })
  frontierUnlocked!: boolean;
}

export function entitlementsView({ plan, tiers, priorityQueue, frontierUnlocked }: Entitlement): Entitlements {
  return { plan: planName(plan), allowedTiers: tiers.map(qualityTier), priorityQueue, frontierUnlocked };
}

@ObjectType({ description: 'A card that purchases without a page are charged to.' })
@OpenToAllKeys()
export class SavedCard {
  @Field(() => String, { description: 'Its brand, such as visa.' })
  brand!: string;

  @Field(() => String, { description: 'The last four digits.' })
  last4!: string;
}

@ObjectType({ description: 'The credits that an account can spend, by where they come from.' })
@OpenToAllKeys()
export class CreditBalance {
  @Field(() => Int, { description: 'All that can be spent.' })
  available!: number;

  @Field(() => Int, { description: 'Of the welcome grant; spent first.' })
  welcome!: number;

  @Field(() => Int, { description: 'Of the plan.' })
  subscription!: number;

  @Field(() => Int, { description: 'Of packs and gifts; spent last.' })
  purchased!: number;

  @Field(() => Int, { description: 'Held for jobs that are under way.' })
  reserved!: number;

  @Field(() => Int, { description: 'How much is used of what was there after the last grant, in percent.' })
  usedPercent!: number;
}

@ObjectType({ description: 'How an account stands with billing.' })
@OpenToAllKeys()
export class BillingStatus {
  @Field(() => Entitlements, { description: 'What the plan in force allows.' })
  entitlements!: Entitlements;

  @Field(() => String, {
    nullable: true,
    description:
      'Of the subscription: active, trialing, or past_due while a failed payment is tried again. Null: none.',
  })
  subscriptionStatus!: string | null;

  @Field(() => Date, { nullable: true, description: 'When the paid month ends.' })
  currentPeriodEnd!: Date | null;

  @Field(() => Boolean, { description: 'Whether the subscription ends with the paid month.' })
  cancelAtPeriodEnd!: boolean;

  @Field(() => Int, { description: 'Credits that can be spent.' })
  quotaRemaining!: number;

  @Field(() => Int, { description: 'Of those, what was bought or given.' })
  creditBalance!: number;

  @Field(() => CreditBalance, { description: 'The credits.' })
  credits!: CreditBalance;

  @Field(() => Boolean, { description: 'Whether a card is saved for purchases without a page.' })
  hasSavedCard!: boolean;

  @Field(() => SavedCard, { nullable: true, description: 'That card.' })
  savedCard!: SavedCard | null;

  @Field(() => Boolean, { description: 'Whether purchases are set up here, and open to this account.' })
  purchaseEligible!: boolean;

  @Field(() => [Plan], { description: 'The plans there are.' })
  plans!: Plan[];

  @Field(() => [CreditPack], { description: 'The packs there are.' })
  packs!: CreditPack[];
}

@ObjectType({ description: 'What other parts of the platform ask before they let an account do something.' })
@Directive('@inaccessible')
export class InternalEntitlements {
  @Field(() => ID, { nullable: true, description: 'The user, without prefix; null without an account.' })
  userId!: string | null;

  @Field(() => String, { description: 'The plan in force: free, pro or agency.' })
  plan!: string;

  @Field(() => [String], { description: 'Quality tiers that the plan opens, in lower case.' })
  tiers!: string[];

  @Field(() => Boolean, { description: 'Whether jobs go ahead of those of others.' })
  priorityQueue!: boolean;

  @Field(() => Boolean, { description: 'Whether the community milestone is reached.' })
  frontierUnlocked!: boolean;
}

@ObjectType({ description: 'How much of the credits of an account is left.' })
@Directive('@inaccessible')
export class InternalQuota {
  @Field(() => Int, { description: 'Credits that can be spent.' })
  available!: number;

  @Field(() => Int, { description: 'How much is used, in percent.' })
  usedPercent!: number;
}
