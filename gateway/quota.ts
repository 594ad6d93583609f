/**
 * Tells callers of /v2 that most of their credits are used. What is known of an account is asked for at most once in a
 * while, and after a change that may have spent some; requests in between are told what is remembered.
 */
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Caller } from '../platform/scope.js';
import type { BillingClient, Quota } from '../subgraphs/billing/client.js';

const REMEMBER_MS = 15_000;
const REMEMBERED = 20_000;
const WARN_FROM_PERCENT = 80;

export const QUOTA_HEADER = 'X-Quota-Warning';

export class QuotaWarnings {
  readonly #billing: BillingClient;
  readonly #log: Logger;
  readonly #known = new LRUCache<string, Promise<Quota | null>>({ max: REMEMBERED, ttl: REMEMBER_MS });

  constructor(billing: BillingClient, log: Logger) {
    this.#billing = billing;
    this.#log = log;
  }

  /** What to tell the caller; null when there is nothing to warn of. */
  async of(caller: Caller, requestId: string): Promise<string | null> {
    let quota = this.#known.get(caller.userId);
    if (!quota) {
      quota = this.#ask(caller, requestId);
      this.#known.set(caller.userId, quota);
    }
    return warning(await quota);
  }

  /** The caller may have spent something. */
  forget(caller: Caller): void {
    this.#known.delete(caller.userId);
  }

  async #ask(caller: Caller, requestId: string): Promise<Quota | null> {
    try {
      return await this.#billing.quota(caller, requestId);
    } catch (error) {
      // An answer without its warning is better than none.
      this.#log.warn({ err: error, requestId }, 'credits not known');
      return null;
    }
  }
}

function warning(quota: Quota | null): string | null {
  if (!quota || quota.usedPercent < WARN_FROM_PERCENT) return null;
  return `${quota.usedPercent}% of your credits are used; ${quota.available} left`;
}
