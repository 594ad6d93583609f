import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { TierSlug } from '../account/account.model.js';
import { type PaidPlanId, PLAN_RANK, type PlanId } from '../plan/catalogue.js';

/** A subscription in force, as Stripe had it when it was last asked. */
export interface Subscribed {
  plan: PaidPlanId;
  subscriptionId: string;
  /** Stripe's word: active, trialing or past_due. */
  status: string;
  periodEnd: Date;
  cancelAtPeriodEnd: boolean;
  latestInvoice: string | null;
}

/** A plan that an operator gave; its credits come monthly, counted from its start. */
export interface GivenPlan {
  plan: PaidPlanId;
  actId: string;
  since: Date;
  until: Date | null;
  monthsGranted: number;
}

export interface SavedCard {
  paymentMethodId: string;
  brand: string;
  last4: string;
}

/** What an account is to those who sell: one document a user, made when the user first buys or is given something. */
export interface CustomerDoc {
  /** The user's id. */
  _id: string;
  accountCreatedAt: Date;
  email: string | null;
  /** Null: Stripe has not been asked for one, or has not answered. */
  customerId: string | null;
  /** When Stripe was first asked. */
  askedAt: Date | null;
  /** How many customers at Stripe the user has lost: somebody deleted them there. */
  lost: number;
  subscribed: Subscribed | null;
  card: SavedCard | null;
  given: GivenPlan | null;
  givenTier: TierSlug | null;
  /** Subscriptions that came to their end: what rolled over of them can be spent for a while. */
  ended: { subscriptionId: string; at: Date }[];
  /** Raised by every change. A change is written only over the state that it was worked out from. */
  rev: number;
  /** There while the ledger has not been told of the change. */
  settleAt?: Date;
  /** When to look again although nobody says that anything happened. */
  checkAt?: Date;
}

export const CUSTOMERS: CollectionDefinition = {
  name: 'billing_customers',
  indexes: [
    {
      name: 'customer',
      key: { customerId: 1 },
      options: { unique: true, partialFilterExpression: { customerId: { $gt: '' } } },
    },
    { name: 'settle', key: { settleAt: 1 }, options: { sparse: true } },
    { name: 'check', key: { checkAt: 1 }, options: { sparse: true } },
  ],
};

/** How a plan that an operator gave is called beside Stripe's subscriptions. */
export const GIVEN = 'act:';
export const givenId = (actId: string) => GIVEN + actId;

/** The best plan that is in force. */
export function planInForce(customer: CustomerDoc | null, now: Date): PlanId {
  const given = customer?.given;
  const plans: PlanId[] = [
    ...(customer?.subscribed ? [customer.subscribed.plan] : []),
    ...(given && (given.until === null || given.until > now) ? [given.plan] : []),
  ];
  return plans.reduce<PlanId>((best, plan) => (PLAN_RANK[plan] > PLAN_RANK[best] ? plan : best), 'free');
}

export function tierInForce(customer: CustomerDoc, now: Date): TierSlug {
  return planInForce(customer, now) === 'free' ? (customer.givenTier ?? 'hobby') : 'pro';
}
