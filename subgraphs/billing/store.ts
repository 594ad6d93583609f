/** The collections of this subgraph. Nobody else reads them. */
import type { Collection, Db } from 'mongodb';
import { ensureIndexes } from '../../platform/mongo/store.js';
import { type AccountDocument, BILLING_ACCOUNTS } from './account/account.model.js';
import { BILLING_LEDGER, type Entry } from './ledger/ledger.model.js';

export interface BillingStore {
  accounts: Collection<AccountDocument>;
  entries: Collection<Entry>;
}

export async function openStore(db: Db): Promise<BillingStore> {
  await ensureIndexes(db, [BILLING_ACCOUNTS, BILLING_LEDGER]);
  return {
    accounts: db.collection<AccountDocument>(BILLING_ACCOUNTS.name),
    entries: db.collection<Entry>(BILLING_LEDGER.name),
  };
}
