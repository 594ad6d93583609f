/**
 * Spending in two steps: hold before anything is produced, then charge what it came to, or give it back. Every step may
 * be repeated. A run is charged once whatever happened to its reservation; what it had been charged is remembered as
 * long as the ledger is.
 */
import { Problem } from '../../../platform/errors.js';
import type { Secrets } from '../../../platform/secrets.js';
import { chargeOf, firstHoldOf } from '../ledger/ledger.model.js';
import type { BillingMetrics } from '../metrics.js';
import type { Account, Charged, HoldOutcome, HoldRequest } from './account.js';
import type { Reservation, Unit } from './account.model.js';
import { capAccount, capNamed, networkAccount, userAccount } from './payers.js';
import type { AccountRef, AccountWriter } from './writer.js';

/** Who pays: an account, or a network address without one. */
export type Payer = { userId: string; createdAt: Date; suspended: boolean } | { userId: null; network: string };

export interface ReserveRequest {
  runId: string;
  payer: Payer;
  unit: Unit;
  amount: number;
  purpose: string;
  /** Holds what is held already for as long again. */
  renew?: boolean;
  /** Its id has never been seen anywhere. */
  fresh?: boolean;
}

export interface SpendingServiceDeps {
  writer: AccountWriter;
  secrets: Secrets;
  metrics: BillingMetrics;
  now: () => Date;
}

export class SpendingService {
  readonly #deps: SpendingServiceDeps;

  constructor(deps: SpendingServiceDeps) {
    this.#deps = deps;
  }

  async reserve({ payer, ...request }: ReserveRequest): Promise<{ expiresAt: Date }> {
    requireAmount(request.amount);
    try {
      if (payer.userId === null) return await this.#reserveWithoutAccount(payer.network, request);
      if (payer.suspended) throw new Problem('account_suspended');
      return heldOr(await this.#hold(userAccount(payer), request), () => exhausted(request.unit));
    } catch (error) {
      if (error instanceof Problem) this.#deps.metrics.refused(error.slug, request.unit);
      throw error;
    }
  }

  /** The day's cap first: nothing is held on a network that the cap would not let spend. */
  async #reserveWithoutAccount(address: string, request: Omit<ReserveRequest, 'payer'>): Promise<{ expiresAt: Date }> {
    const network = this.#network(address);
    // The cap is in dollars; pictures are counted for each network alone.
    if (request.unit === 'credits') return heldOr(await this.#hold(network, request), () => exhausted(request.unit));
    const cap = capAccount(this.#deps.now());
    const onCap = await this.#hold(cap, { ...request, partner: network.id });
    heldOr(onCap, () => new Problem('anonymous_daily_cap'));
    const onNetwork = await this.#hold(network, { ...request, partner: cap.id });
    // The run was held before midnight already, on the cap of that day.
    const elsewhere = onNetwork.held && onNetwork.partner !== cap.id;
    if (!onNetwork.held || elsewhere) await this.#release(cap, request.runId);
    return heldOr(onNetwork, () => exhausted(request.unit));
  }

  /** The same answer however often it is asked for. */
  async settle(payer: Payer, runId: string, amount: number): Promise<Charged> {
    requireAmount(amount);
    const charged = await this.#settle(this.#account(payer), runId, amount, capAccount(this.#deps.now()).id);
    if (!charged) throw new Problem('not_found', 'This run was never reserved.');
    if (charged.partner !== undefined) await this.#settle(capNamed(charged.partner), runId, charged.amount);
    if (charged.first) this.#deps.metrics.charged(charged, payer.userId === null ? 'network' : 'user');
    return charged;
  }

  /** False when there was nothing to give back. */
  async release(payer: Payer, runId: string): Promise<boolean> {
    const released = await this.#release(this.#account(payer), runId);
    if (released?.partner !== undefined) await this.#release(capNamed(released.partner), runId);
    return released !== undefined;
  }

  #account(payer: Payer): AccountRef {
    return payer.userId === null ? this.#network(payer.network) : userAccount(payer);
  }

  #network(address: string): AccountRef {
    return networkAccount(this.#deps.secrets, address, this.#deps.now());
  }

  #hold(ref: AccountRef, request: HoldRequest): Promise<HoldOutcome> {
    const { runId, fresh } = request;
    return this.#deps.writer.change(ref, {
      asks: (account) => (fresh ? [] : settlingAsks(account, runId)),
      apply: (account) => account.reserve(request),
    });
  }

  #settle(ref: AccountRef, runId: string, amount: number, latePartner?: string): Promise<Charged | null> {
    return this.#deps.writer.change(ref, {
      asks: (account) => settlingAsks(account, runId),
      apply: (account) => account.settle(runId, amount, latePartner),
    });
  }

  #release(ref: AccountRef, runId: string): Promise<Reservation | undefined> {
    return this.#deps.writer.change(ref, { asks: () => [], apply: (account) => account.release(runId) });
  }
}

/** An open reservation is of a run that was not charged: a charge ends it, and a charged run is not held again. */
export function settlingAsks(account: Account, runId: string): string[] {
  return account.reservations.has(runId) ? [] : [chargeOf(account.id, runId), firstHoldOf(account.id, runId)];
}

function heldOr(outcome: HoldOutcome, refusal: () => Problem): { expiresAt: Date } {
  if (outcome.held) return { expiresAt: outcome.expiresAt };
  throw outcome.why === 'crowded'
    ? new Problem('unavailable', 'Too many runs of this account are under way at once. Try again when some have ended.')
    : refusal();
}

function exhausted(unit: Unit): Problem {
  return new Problem(unit === 'credits' ? 'quota_exhausted' : 'budget_exhausted');
}

function requireAmount(amount: number): void {
  if (!Number.isSafeInteger(amount) || amount < 0) throw Problem.invalid('amount', 'must be a whole number from 0');
}
