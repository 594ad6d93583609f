/** Whether every account adds up to its ledger. It reads, and may do so while money moves. */
import { type AccountDocument, UNITS, type Unit } from '../account/account.model.js';
import type { BillingStore } from '../store.js';
import type { Entry } from './ledger.model.js';

interface Sums {
  amount: number;
  held: number;
  owed: number;
  count: number;
}

type UnitSums = Sums & { _id: { accountId: string; unit: Unit } };

export interface Audit {
  accounts: number;
  /** Each thing that does not add up, in words. */
  findings: string[];
}

const BATCH = 50;

/** Of all accounts, or of some. */
export async function audit(store: BillingStore, ids?: readonly string[]): Promise<Audit> {
  const result: Audit = { accounts: 0, findings: [] };
  let batch: AccountDocument[] = [];
  const finish = async () => {
    result.accounts += batch.length;
    result.findings.push(...(await auditBatch(store, batch)));
    batch = [];
  };
  const filter = ids === undefined ? {} : { _id: { $in: [...ids] } };
  for await (const account of store.accounts.find(filter).sort({ _id: 1 })) {
    batch.push(account);
    if (batch.length === BATCH) await finish();
  }
  if (batch.length > 0) await finish();
  return result;
}

/**
 * Accounts are read before their entries. All entries up to an account's number are in its outbox or, because that is
 * emptied only afterwards, in the ledger; later ones belong to later states.
 */
async function auditBatch({ entries }: BillingStore, accounts: readonly AccountDocument[]): Promise<string[]> {
  const own = accounts.map(({ _id: accountId, seq, outbox }) => {
    const waiting = outbox.map(({ _id }) => _id);
    return { accountId, seq: { $lte: seq }, ...(waiting.length > 0 && { _id: { $nin: waiting } }) };
  });
  const summed = { amount: { $sum: '$amount' }, held: { $sum: '$held' }, owed: { $sum: '$owed' }, count: { $sum: 1 } };
  const found = await entries
    .aggregate<UnitSums>([
      { $match: { $or: own } },
      { $group: { _id: { accountId: '$accountId', unit: '$unit' }, ...summed } },
    ])
    .toArray();
  const byAccount = new Map<string, UnitSums[]>();
  for (const sums of found) {
    byAccount.set(sums._id.accountId, [...(byAccount.get(sums._id.accountId) ?? []), sums]);
  }
  return accounts.flatMap((account) => findingsOf(account, byAccount.get(account._id) ?? []));
}

const NOTHING: Sums = { amount: 0, held: 0, owed: 0, count: 0 };

function findingsOf(account: AccountDocument, ledger: readonly UnitSums[]): string[] {
  const findings: string[] = [];
  const find = (what: string) => findings.push(`${account._id}: ${what}`);
  for (const unit of UNITS) {
    const written = ledger.find(({ _id }) => _id.unit === unit) ?? NOTHING;
    const total = account.outbox.filter((entry) => entry.unit === unit).reduce(plus, written);
    const open = sum(account.reservations.filter((one) => one.unit === unit).map(({ amount }) => amount));
    const pots = account.pots.filter((pot) => pot.unit === unit);
    const compare = (what: string, is: number, ledgerSays: number) => {
      if (is !== ledgerSays) find(`${what} ${is} ${unit}, the ledger says ${ledgerSays}`);
    };
    compare('pots and reservations are', sum(pots.map(({ remaining }) => remaining)) + open, total.amount);
    compare('reservations are', open, total.held);
    compare('owed is', account.owed[unit], total.owed);
    if (account.owed[unit] < 0) find(`less than nothing is owed in ${unit}`);
    for (const { id, remaining } of pots) {
      if (!Number.isSafeInteger(remaining) || remaining < 0) find(`the pot ${id} has ${remaining}`);
    }
  }
  for (const { runId, amount, parts } of account.reservations) {
    if (sum(parts.map((part) => part.amount)) !== amount) find(`the run ${runId} is not held in full`);
  }
  const count = account.outbox.length + sum(ledger.map((sums) => sums.count));
  if (count !== account.seq) find(`there are ${count} of ${account.seq} entries`);
  return findings;
}

function plus(total: Sums, { amount, held, owed }: Entry): Sums {
  return { ...total, amount: total.amount + amount, held: total.held + held, owed: total.owed + owed };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
