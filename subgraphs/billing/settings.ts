import type { TierSlug } from './account/account.model.js';
import { PLANS } from './plan/catalogue.js';
import type { StripeSettings } from './stripe/stripe.js';
import type { UnlockSettings } from './unlock/unlock.service.js';

/** Amounts of dollars are whole millionths. */
export interface BillingSettings {
  /** What the monthly grant of a tier refills to. */
  refills: Readonly<Record<TierSlug, number>>;
  /** What one network without an account may spend a month, and all of them together on a UTC day. */
  anonymousGrant: number;
  anonymousDailyCap: number;
  anonymousMonthlyImages: number;
  reservationTtlMs: number;
}

export interface SalesSettings {
  /** Null: nothing can be bought. */
  stripe: StripeSettings | null;
  unlock: UnlockSettings;
  publicUrl: string;
}

/** Credits that a new account is given, once. */
export const WELCOME_CREDITS = PLANS.free.credits;

const MICROS = 1_000_000;

export function microsOf(usd: number): number {
  return Math.round(usd * MICROS);
}

/** The nearest number to the decimal amount, so that it prints exactly. */
export function usdOf(micros: number): number {
  return micros / MICROS;
}
