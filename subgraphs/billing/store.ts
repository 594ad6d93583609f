/** The collections of this subgraph. Nobody else reads them. */
import type { Collection, Db } from 'mongodb';
import { ensureIndexes } from '../../platform/mongo/store.js';
import { WriteBatches } from '../../platform/mongo/write-batches.js';
import { type AccountDocument, BILLING_ACCOUNTS } from './account/account.model.js';
import { ACTS, type ActDoc } from './act/act.model.js';
import { CHECKOUTS, type CheckoutDoc } from './checkout/checkout.model.js';
import { CUSTOMERS, type CustomerDoc } from './customer/customer.model.js';
import { BILLING_LEDGER, type Entry } from './ledger/ledger.model.js';
import { PAYMENTS, type PaymentDoc } from './payment/payment.model.js';
import { PURCHASES, type PurchaseDoc } from './purchase/purchase.model.js';
import { EVENTS, type EventDoc } from './stripe/event.model.js';

export interface BillingStore {
  accounts: Collection<AccountDocument>;
  entries: Collection<Entry>;
  customers: Collection<CustomerDoc>;
  payments: Collection<PaymentDoc>;
  checkouts: Collection<CheckoutDoc>;
  purchases: Collection<PurchaseDoc>;
  events: Collection<EventDoc>;
  acts: Collection<ActDoc>;
  writes: WriteBatches;
}

export async function openStore(db: Db): Promise<BillingStore> {
  await ensureIndexes(db, [BILLING_ACCOUNTS, BILLING_LEDGER, CUSTOMERS, PAYMENTS, CHECKOUTS, PURCHASES, EVENTS, ACTS]);
  return {
    accounts: db.collection<AccountDocument>(BILLING_ACCOUNTS.name),
    entries: db.collection<Entry>(BILLING_LEDGER.name),
    customers: db.collection<CustomerDoc>(CUSTOMERS.name),
    payments: db.collection<PaymentDoc>(PAYMENTS.name),
    checkouts: db.collection<CheckoutDoc>(CHECKOUTS.name),
    purchases: db.collection<PurchaseDoc>(PURCHASES.name),
    events: db.collection<EventDoc>(EVENTS.name),
    acts: db.collection<ActDoc>(ACTS.name),
    writes: WriteBatches.of(db),
  };
}
