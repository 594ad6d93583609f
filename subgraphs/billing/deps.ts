import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { Metrics } from '../../platform/metrics.js';
import type { Secrets } from '../../platform/secrets.js';
import type { BillingSettings, SalesSettings } from './settings.js';

export interface EngineDeps {
  secrets: Secrets;
  metrics: Metrics;
  log: Logger;
  settings: BillingSettings;
  /** The clock, so that tests can travel. */
  now: () => Date;
}

export interface BillingDeps extends EngineDeps {
  db: Db;
  sales: SalesSettings;
}
