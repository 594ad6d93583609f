/** The parts that keep the accounts, put together; what stands on them is in subgraph.ts. */

import { MoneyIn } from './account/money-in.service.js';
import { SpendingService } from './account/spending.service.js';
import { Sweeper } from './account/sweeper.js';
import { AccountWriter } from './account/writer.js';
import type { EngineDeps } from './deps.js';
import { Ledger } from './ledger/ledger.js';
import { BillingMetrics } from './metrics.js';
import type { BillingStore } from './store.js';

export interface BillingEngine {
  writer: AccountWriter;
  spending: SpendingService;
  moneyIn: MoneyIn;
  sweeper: Sweeper;
  ledger: Ledger;
}

export function createEngine(store: BillingStore, deps: EngineDeps): BillingEngine {
  const { secrets, log, settings, now } = deps;
  const ledger = new Ledger({ ...store, log, now });
  const writer = new AccountWriter({ ...store, ledger, settings, now });
  const spending = new SpendingService({ writer, secrets, metrics: new BillingMetrics(deps.metrics), now });
  const sweeper = new Sweeper({ ...store, writer, ledger, log, now });
  return { writer, spending, moneyIn: new MoneyIn(writer), sweeper, ledger };
}
