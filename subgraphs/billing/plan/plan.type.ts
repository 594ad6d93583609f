import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { OpenToAllKeys } from '../../../platform/graph/key-scopes.js';
import { PACKS, type Pack, PLANS, type PlanId, type QualityTier as Tier } from './catalogue.js';

export enum PlanName {
  FREE = 'FREE',
  PRO = 'PRO',
  AGENCY = 'AGENCY',
}

registerEnumType(PlanName, {
  name: 'PlanName',
  description: 'What an account is subscribed to.',
  valuesConfig: {
    FREE: { description: 'Nothing: welcome credits, and packs.' },
    PRO: { description: 'Monthly credits, and every quality tier.' },
    AGENCY: { description: 'More monthly credits, which roll over, and a place ahead in the queue.' },
  },
});

export enum QualityTier {
  DRAFT = 'DRAFT',
  STANDARD = 'STANDARD',
  PREMIUM = 'PREMIUM',
  ULTRA = 'ULTRA',
  ULTRA_PLUS = 'ULTRA_PLUS',
}

registerEnumType(QualityTier, { name: 'QualityTier', description: 'How much effort a picture is worth.' });

export const planName = (plan: PlanId) => PlanName[plan.toUpperCase() as keyof typeof PlanName];
export const qualityTier = (tier: Tier) => QualityTier[tier.toUpperCase() as keyof typeof QualityTier];

@ObjectType({ description: 'Something to subscribe to.' })
@OpenToAllKeys()
export class Plan {
  @Field(() => PlanName, { description: 'Which one.' })
  name!: PlanName;

  @Field(() => Float, { description: 'Dollars a month.' })
  priceUsd!: number;

  @Field(() => Int, { description: 'Credits a month; of the free plan, once.' })
  credits!: number;

  @Field(() => Int, { nullable: true, description: 'Up to how many credits roll over; null: none do.' })
  rollOverUpTo!: number | null;

  @Field(() => [QualityTier], { description: 'Quality tiers that it opens.' })
  allowedTiers!: QualityTier[];

  @Field(() => Boolean, { description: 'Whether its jobs go first.' })
  priorityQueue!: boolean;
}

@ObjectType({ description: 'Credits to buy once. They do not expire.' })
@OpenToAllKeys()
export class CreditPack {
  @Field(() => ID, { description: 'What to order it by.' })
  packId!: string;

  @Field(() => Float, { description: 'Its price in dollars.' })
  priceUsd!: number;

  @Field(() => Int, { description: 'How many credits.' })
  credits!: number;
}

export function allPlans(): Plan[] {
  return (Object.keys(PLANS) as PlanId[]).map((id) => {
    const { priceCents, credits, rollOver, tiers, priorityQueue } = PLANS[id];
    return {
      name: planName(id),
      priceUsd: priceCents / 100,
      credits,
      rollOverUpTo: rollOver?.upTo ?? null,
      allowedTiers: tiers.map(qualityTier),
      priorityQueue,
    };
  });
}

export function allPacks(): CreditPack[] {
  return Object.entries(PACKS).map(([packId, { priceCents, credits }]: [string, Pack]) => ({
    packId,
    priceUsd: priceCents / 100,
    credits,
  }));
}
