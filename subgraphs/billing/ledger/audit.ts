/** Whether every account adds up to its ledger. It reads, and may do so while money moves. */
import type { Document } from 'mongodb';
import { type AccountDocument, UNITS, type Unit } from '../account/account.model.js';
import type { BillingStore } from '../store.js';
import type { Entry } from './ledger.model.js';

interface Sums {
  amount: number;
  held: number;
  owed: number;
  count: number;
}

/** Each thing that does not add up, in words; empty when all is well. */
export async function auditAll(
  store: BillingStore,
  onAccount: (accountId: string, findings: readonly string[]) => void = () => {},
): Promise<string[]> {
  const findings: string[] = [];
  for await (const account of store.accounts.find().sort({ _id: 1 })) {
    const found = await audit(store, account);
    onAccount(account._id, found);
    findings.push(...found);
  }
  return findings;
}

export async function auditAccount(store: BillingStore, accountId: string): Promise<string[]> {
  const account = await store.accounts.findOne({ _id: accountId });
  if (account) return audit(store, account);
  const entries = await store.entries.countDocuments({ accountId }, { limit: 1 });
  return entries === 0 ? [] : [`${accountId} has entries and no account`];
}

/**
 * The account is read first. All entries up to its number are in its outbox or, because that is emptied only afterwards,
 * in the ledger; later ones belong to later states.
 */
async function audit({ entries }: BillingStore, account: AccountDocument): Promise<string[]> {
  const inOutbox = account.outbox.map(({ _id }) => _id);
  const sums = await entries
    .aggregate<Sums & { _id: Unit }>([
      {
        $match: {
          accountId: account._id,
          seq: { $lte: account.seq },
          ...(inOutbox.length > 0 && { _id: { $nin: inOutbox } }),
        },
      },
      { $group: { _id: '$unit', ...SUMMED, count: { $sum: 1 } } },
    ])
    .toArray();
  const findings: string[] = [];
  let count = account.outbox.length;
  for (const unit of UNITS) {
    const ledger = sums.find(({ _id }) => _id === unit) ?? { amount: 0, held: 0, owed: 0, count: 0 };
    count += ledger.count;
    const total = account.outbox.filter((entry) => entry.unit === unit).reduce(plus, ledger);
    const open = sum(account.reservations.filter((one) => one.unit === unit).map(({ amount }) => amount));
    const pots = account.pots.filter((pot) => pot.unit === unit);
    const differ = (what: string, is: number, ledgerSays: number) => {
      if (is !== ledgerSays) findings.push(`${account._id} ${unit}: ${what} ${is}, the ledger says ${ledgerSays}`);
    };
    differ('pots and reservations are', sum(pots.map(({ remaining }) => remaining)) + open, total.amount);
    differ('reservations are', open, total.held);
    differ('owed is', account.owed[unit], total.owed);
    if (account.owed[unit] < 0) findings.push(`${account._id} ${unit}: less than nothing is owed`);
    for (const { id, remaining } of pots) {
      if (!Number.isSafeInteger(remaining) || remaining < 0) findings.push(`${account._id}: ${id} has ${remaining}`);
    }
  }
  for (const { runId, amount, parts } of account.reservations) {
    if (sum(parts.map((part) => part.amount)) !== amount) findings.push(`${account._id}: ${runId} is held in part`);
  }
  if (count !== account.seq) findings.push(`${account._id} has ${count} entries of ${account.seq}`);
  return findings;
}

const SUMMED: Document = { amount: { $sum: '$amount' }, held: { $sum: '$held' }, owed: { $sum: '$owed' } };

function plus(total: Sums, { amount, held, owed }: Entry): Sums {
  return { ...total, amount: total.amount + amount, held: total.held + held, owed: total.owed + owed };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
