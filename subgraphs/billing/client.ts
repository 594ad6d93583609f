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
}
