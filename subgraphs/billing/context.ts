import type DataLoader from 'dataloader';
import type { Scope } from '../../platform/scope.js';
import type { BillingAccountDocument } from './tier/tier.model.js';
import type { TierService } from './tier/tier.service.js';

export interface BillingContext {
  scope: Scope;
  tiers: TierService;
  accountLoader: DataLoader<string, BillingAccountDocument | null>;
}
