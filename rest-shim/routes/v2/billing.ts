import { z } from 'zod';
import { choice, type Route, route, toEnum } from '../../route.js';

const packId = z
  .string()
  .max(100)
  .meta({ examples: ['agent-credits-500'] });

const OPENS_PAGES = ['validation_error', 'account_suspended', 'conflict', 'billing_not_configured'] as const;

export const billing: Route[] = [
  route({
    method: 'GET',
    path: '/v2/billing/status',
    tag: 'Billing',
    id: 'billingStatus',
    summary: 'Plan, credits, saved card, and what can be bought',
    auth: 'required',
    scope: 'read',
    status: 200,
    operation: `query BillingStatus {
      billingStatus {
        _: entitlements { tier: plan plan allowedTiers priorityQueue frontierUnlocked }
        subscriptionStatus currentPeriodEnd cancelAtPeriodEnd
        quotaRemaining creditBalance
        credits { available welcome subscription purchased reserved usedPercent }
        hasSavedCard savedCard { brand last4 } purchaseEligible
        plans { name priceUsd credits rollOverUpTo allowedTiers priorityQueue }
        packs { packId priceUsd credits }
      }
    }`,
    errors: [],
  }),
  route({
    method: 'POST',
    path: '/v2/billing/checkout',
    tag: 'Billing',
    id: 'createCheckout',
    summary: 'Open a payment page for a plan or a pack',
    description: 'Send one of the two. An earlier page of the account that is still open is closed.',
    auth: 'required',
    body: z.object({
      plan: choice('pro', 'agency').optional().describe('The plan to subscribe to.'),
      packId: packId.optional().describe('The pack to buy.'),
    }),
    status: 200,
    operation: `mutation CreateCheckout($input: CreateCheckoutInput!) { createCheckout(input: $input) { url } }`,
    variables: ({ body }) => ({ input: { plan: toEnum(body.plan), packId: body.packId } }),
    errors: [...OPENS_PAGES],
  }),
  route({
    method: 'POST',
    path: '/v2/billing/portal',
    tag: 'Billing',
    id: 'createPortal',
    summary: 'Open the page where card and plan are changed',
    auth: 'required',
    status: 200,
    operation: 'mutation CreatePortal { createPortal { url } }',
    errors: ['billing_not_configured'],
  }),
  route({
    method: 'POST',
    path: '/v2/billing/purchase',
    tag: 'Billing',
    id: 'purchaseCredits',
    summary: 'Buy a pack with the saved card',
    description: 'The same idempotencyKey never charges twice: a repetition answers what became of the first.',
    auth: 'required',
    scope: 'generate',
    body: z.object({
      packId: packId.describe('The pack to buy.'),
      idempotencyKey: z.string().min(1).max(200).describe('Of your choice, the same when you try again.'),
    }),
    status: 200,
    operation: `mutation PurchaseCredits($input: PurchaseCreditsInput!) {
      purchaseCredits(input: $input) { packId state credits creditBalance }
    }`,
    variables: ({ body }) => ({ input: { packId: body.packId, idempotencyKey: body.idempotencyKey } }),
    errors: [...OPENS_PAGES, 'card_declined', 'card_authentication_required', 'card_missing'],
  }),
];
