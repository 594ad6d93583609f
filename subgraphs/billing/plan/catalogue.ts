/** What is sold, and what each plan may do: the one place where prices, credits and tiers are written. */

export const QUALITY_TIERS = ['draft', 'standard', 'premium', 'ultra', 'ultra_plus'] as const;
export type QualityTier = (typeof QUALITY_TIERS)[number];

const OPEN_TIERS: readonly QualityTier[] = ['draft', 'standard', 'premium'];

export type PlanId = 'free' | 'pro' | 'agency';
export type PaidPlanId = Exclude<PlanId, 'free'>;

export interface PlanTerms {
  name: string;
  priceCents: number;
  /** A month, for paid plans; once, for the free one. */
  credits: number;
  tiers: readonly QualityTier[];
  priorityQueue: boolean;
  /** Null: what is left at the end of a month is gone. */
  rollOver: { upTo: number; daysAfterCancelling: number } | null;
  /** Whether what is paid for it counts towards the community milestone. */
  countsTowardsMilestone: boolean;
}

export const PLANS: Readonly<Record<PlanId, PlanTerms>> = {
  free: {
    name: 'Free',
    priceCents: 0,
    credits: 50,
    tiers: OPEN_TIERS,
    priorityQueue: false,
    rollOver: null,
    countsTowardsMilestone: false,
  },
  pro: {
    name: 'Pro',
    priceCents: 2_900,
    credits: 1_000,
    tiers: QUALITY_TIERS,
    priorityQueue: false,
    rollOver: null,
    countsTowardsMilestone: false,
  },
  agency: {
    name: 'Agency',
    priceCents: 7_500,
    credits: 4_000,
    tiers: QUALITY_TIERS,
    priorityQueue: true,
    rollOver: { upTo: 8_000, daysAfterCancelling: 45 },
    countsTowardsMilestone: true,
  },
};

export interface Pack {
  name: string;
  priceCents: number;
  credits: number;
}

export const PACKS: Readonly<Record<string, Pack>> = {
  'agent-credits-500': { name: 'Builder: 500 credits', priceCents: 1_250, credits: 500 },
  'agent-credits-1000': { name: 'Studio: 1,000 credits', priceCents: 2_000, credits: 1_000 },
};

export function isPaidPlan(value: unknown): value is PaidPlanId {
  return value === 'pro' || value === 'agency';
}

export function packOf(packId: string): Pack | null {
  return Object.hasOwn(PACKS, packId) ? (PACKS[packId] ?? null) : null;
}

/** The id under which Stripe knows a plan, whatever its price is there. */
export function productOf(plan: PaidPlanId): string {
  return `darkroom_plan_${plan}`;
}

export function planOfProduct(productId: string): PaidPlanId | null {
  const plan = productId.replace(/^darkroom_plan_/, '');
  return plan !== productId && isPaidPlan(plan) ? plan : null;
}

/** From the least to the most, for an account to which several apply. */
export const PLAN_RANK: Readonly<Record<PlanId, number>> = { free: 0, pro: 1, agency: 2 };
