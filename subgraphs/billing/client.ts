/** What other parts of the platform may ask of billing: to hold money for a run, and to take it or give it back. */
import { z } from 'zod';
import { callInternal, type InternalCall } from '../../platform/graph/internal.js';
import type { SubgraphTransport } from '../../platform/graph/transport.js';
import type { Scope } from '../../platform/scope.js';

/** Who pays: an account, or a network address without one. */
export type Payer =
  | { userId: string; createdAt: Date; suspended: boolean; network: null }
  | { userId: null; network: string };

export function payerOf({ caller, network }: Scope): Payer {
  if (!caller) return { userId: null, network };
  const { userId, createdAt, suspended } = caller;
  return { userId, createdAt, suspended, network: null };
}

/** Dollars are counted in millionths. */
export type Unit = 'USD_MICROS' | 'CREDITS';

export interface Reserve {
  /** The run's own id. Asking twice for one run holds once. */
  runId: string;
  payer: Payer;
  unit: Unit;
  amount: number;
  /** What for, in the ledger and in metrics: `generation`, `verifier_run`. */
  purpose: string;
  /** Holds what is held already for as long again, for what waits longer than a reservation lasts. */
  renew?: boolean;
  /** The id was made for this call and will not be asked about again, so that nothing needs to be looked up. */
  fresh?: boolean;
}

export interface Settle {
  runId: string;
  payer: Payer;
  /** The true cost; what was held beyond it is given back, what it exceeds it by is owed. Settling twice charges once. */
  amount: number;
}

export interface Release {
  runId: string;
  payer: Payer;
}

const reserveCall: InternalCall<{ internalReserve: { expiresAt: Date } }> = {
  query: 'mutation InternalReserve($input: InternalReserveInput!) { internalReserve(input: $input) { expiresAt } }',
  result: z.object({ internalReserve: z.object({ expiresAt: z.coerce.date() }) }),
};

const settleCall: InternalCall<{ internalSettle: { charged: number } }> = {
  query: 'mutation InternalSettle($input: InternalSettleInput!) { internalSettle(input: $input) { charged } }',
  result: z.object({ internalSettle: z.object({ charged: z.number() }) }),
};

const releaseCall: InternalCall<{ internalRelease: { released: boolean } }> = {
  query: 'mutation InternalRelease($input: InternalReleaseInput!) { internalRelease(input: $input) { released } }',
  result: z.object({ internalRelease: z.object({ released: z.boolean() }) }),
};

/** What an account, or nobody, may do by its plan. */
export interface Allowance {
  plan: 'free' | 'pro' | 'agency';
  /** Quality tiers that the plan opens; the ultra tiers also wait for `frontierUnlocked`. */
  tiers: readonly string[];
  /** Whether jobs go ahead of those of others. */
  priorityQueue: boolean;
  frontierUnlocked: boolean;
}

const allowanceCall: InternalCall<{ internalEntitlements: Allowance }> = {
  query: `query InternalEntitlements($userId: ID) {
    internalEntitlements(userId: $userId) { plan tiers priorityQueue frontierUnlocked }
  }`,
  result: z.object({
    internalEntitlements: z.object({
      plan: z.enum(['free', 'pro', 'agency']),
      tiers: z.array(z.string()),
      priorityQueue: z.boolean(),
      frontierUnlocked: z.boolean(),
    }),
  }),
};

const unlockSchema = z.object({
  type: z.enum(['COMMUNITY_MILESTONE', 'UNLOCKED']),
  displayCurrent: z.number(),
  displayGoal: z.number(),
  fundedBasis: z.boolean(),
  unlockUrl: z.string(),
  agentHint: z.string(),
});

/** As the graph's `unlockStatus` answers it. */
export type UnlockProgress = z.infer<typeof unlockSchema>;

const unlockCall: InternalCall<{ unlockStatus: UnlockProgress }> = {
  query: '{ unlockStatus { type displayCurrent displayGoal fundedBasis unlockUrl agentHint } }',
  result: z.object({ unlockStatus: unlockSchema }),
};

export interface Quota {
  available: number;
  usedPercent: number;
}

const quotaCall: InternalCall<{ internalQuota: Quota }> = {
  query: `query InternalQuota($userId: ID!, $createdAt: DateTime!) {
    internalQuota(userId: $userId, createdAt: $createdAt) { available usedPercent }
  }`,
  result: z.object({ internalQuota: z.object({ available: z.number(), usedPercent: z.number() }) }),
};

const paymentEventCall: InternalCall<{ internalPaymentEvent: { applied: boolean } }> = {
  query: `mutation InternalPaymentEvent($input: InternalPaymentEventInput!) {
    internalPaymentEvent(input: $input) { applied }
  }`,
  result: z.object({ internalPaymentEvent: z.object({ applied: z.boolean() }) }),
};

export class BillingClient {
  readonly #transport: SubgraphTransport;

  constructor(transport: SubgraphTransport) {
    this.#transport = transport;
  }

  /** Throws the documented refusal: budget_exhausted, account_suspended, anonymous_daily_cap, quota_exhausted. */
  async reserve(input: Reserve, requestId: string): Promise<{ expiresAt: Date }> {
    return (await callInternal(this.#transport, reserveCall, { input }, requestId)).internalReserve;
  }

  /** Works also after the reservation ran out, so that what was delivered is always paid for. */
  async settle(input: Settle, requestId: string): Promise<{ charged: number }> {
    return (await callInternal(this.#transport, settleCall, { input }, requestId)).internalSettle;
  }

  /** Gives all of it back. False when there was nothing to give back. */
  async release(input: Release, requestId: string): Promise<boolean> {
    return (await callInternal(this.#transport, releaseCall, { input }, requestId)).internalRelease.released;
  }

  /** Without a user: what a caller without an account may do. */
  async allowance(userId: string | null, requestId: string): Promise<Allowance> {
    return (await callInternal(this.#transport, allowanceCall, { userId }, requestId)).internalEntitlements;
  }

  /** How far the community is towards the frontier models. */
  async unlock(requestId: string): Promise<UnlockProgress> {
    return (await callInternal(this.#transport, unlockCall, {}, requestId)).unlockStatus;
  }

  /** How much of an account's credits is used. */
  async quota({ userId, createdAt }: { userId: string; createdAt: Date }, requestId: string): Promise<Quota> {
    return (await callInternal(this.#transport, quotaCall, { userId, createdAt }, requestId)).internalQuota;
  }

  /** Hands on an event of the payment service as it arrived. Throws validation_error when its signature is not good. */
  async paymentEvent(input: { payload: string; signature: string }, requestId: string): Promise<boolean> {
    return (await callInternal(this.#transport, paymentEventCall, { input }, requestId)).internalPaymentEvent.applied;
  }
}
