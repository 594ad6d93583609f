/** What the engine of billing is given in tests. */
import type { Db } from 'mongodb';
import { pino } from 'pino';
import { Metrics } from '../../../platform/metrics.js';
import { Secrets } from '../../../platform/secrets.js';
import type { BillingDeps } from '../../../subgraphs/billing/deps.js';
import type { BillingSettings, SalesSettings } from '../../../subgraphs/billing/settings.js';

export const USD = 1_000_000;

export const BILLING_SETTINGS: BillingSettings = {
  refills: { hobby: 5 * USD, pro: 50 * USD },
  anonymousGrant: 0.25 * USD,
  anonymousDailyCap: 25 * USD,
  anonymousMonthlyImages: 100,
  reservationTtlMs: 120_000,
};

export const SALES_SETTINGS: SalesSettings = {
  stripe: null,
  unlock: { goalCents: 5_000_00, goalBackers: 400, url: 'http://localhost:4000' },
  publicUrl: 'http://localhost:4000',
};

export function billingDeps(db: Db, now: () => Date = () => new Date()): BillingDeps {
  return {
    db,
    secrets: new Secrets('a secret for tests that is long enough'),
    metrics: new Metrics(),
    log: pino({ level: 'silent' }),
    settings: BILLING_SETTINGS,
    sales: SALES_SETTINGS,
    now,
  };
}
