import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { PotKind, Unit } from '../account/account.model.js';

export type EntryKind =
  | 'grant'
  | 'refill'
  | 'expire'
  | 'hold'
  | 'charge'
  | 'release'
  | 'repay'
  | 'take_back'
  | 'tier'
  | 'subscription_end';

/** One change of one account. It is written once and never changed. */
export interface Entry {
  _id: string;
  accountId: string;
  /** Its number within the account, from 1 without gaps. */
  seq: number;
  at: Date;
  kind: EntryKind;
  unit: Unit;
  /** By how much it changed what is in the pots and open reservations together. */
  amount: number;
  /** By how much it changed the open reservations alone. */
  held: number;
  /** By how much it changed what is owed. */
  owed: number;
  pot?: PotKind;
  runId?: string;
  purpose?: string;
  partner?: string;
  note?: string;
  /** Unique: what this entry is the only one of, such as the charge of a run or the grant of an invoice. */
  once?: string;
}

export const chargeOf = (accountId: string, runId: string) => `charge:${runId}:${accountId}`;
export const firstHoldOf = (accountId: string, runId: string) => `hold:${runId}:${accountId}`;
export const actOf = (accountId: string, act: string, source: string) => `${act}:${source}:${accountId}`;

export const BILLING_LEDGER: CollectionDefinition = {
  name: 'billing_ledger',
  indexes: [
    { name: 'account', key: { accountId: 1, _id: -1 } },
    {
      name: 'once',
      key: { once: 1 },
      options: { unique: true, partialFilterExpression: { once: { $gt: '' } } },
    },
  ],
};
