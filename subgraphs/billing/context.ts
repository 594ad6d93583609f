import type DataLoader from 'dataloader';
import type { Scope } from '../../platform/scope.js';
import type { AccountDocument } from './account/account.model.js';
import type { MoneyIn } from './account/money-in.service.js';
import type { SpendingService } from './account/spending.service.js';
import type { CustomerDoc } from './customer/customer.model.js';
import type { Ledger } from './ledger/ledger.js';
import type { Entry } from './ledger/ledger.model.js';
import type { Sales } from './sales.js';
import type { TierService } from './tier/tier.service.js';

export interface BillingServices extends Omit<Sales, 'tasks'> {
  spending: SpendingService;
  moneyIn: MoneyIn;
  ledger: Ledger;
  tiers: TierService;
}

export interface BillingContext extends BillingServices {
  scope: Scope;
  accountLoader: DataLoader<string, AccountDocument | null>;
  entryLoader: DataLoader<string, Entry | null>;
  customerLoader: DataLoader<string, CustomerDoc | null>;
}
