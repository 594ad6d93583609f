/**
 * Brings entries from the accounts' outboxes into the ledger. They are written in batches over all accounts; an entry
 * that arrives twice is the same entry. What a dead process left in outboxes, a task brings over.
 */
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { type AnyBulkWriteOperation, type Collection, MongoError } from 'mongodb';
import type { Logger } from 'pino';
import { findPage, type Page, type PageRequest } from '../../../platform/mongo/page.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import type { WriteBatches } from '../../../platform/mongo/write-batches.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { AccountDocument } from '../account/account.model.js';
import type { Entry } from './ledger.model.js';

type Outbox = Pick<AccountDocument, '_id' | 'rev' | 'outbox'>;

export interface LedgerDeps {
  accounts: Collection<AccountDocument>;
  entries: Collection<Entry>;
  writes: WriteBatches;
  log: Logger;
  now: () => Date;
}

/** Less than one command: what callers wait for stands behind it. */
const BATCH = 250;
const TIDY_EVERY_MS = 5_000;
/** An entry that is older than this in an outbox has nobody who is just about to write it. */
const LEFT_BEHIND_MS = 5_000;
const TIDY_ACCOUNTS = 200;
const REMEMBERED_ACCOUNTS = 5_000;

export class Ledger {
  readonly #deps: LedgerDeps;
  #waiting: Entry[] = [];
  #flushing: Promise<void> | undefined;
  /** What is in the ledger and still in an outbox: the next write of the account leaves it out. */
  readonly #written = new LRUCache<string, Set<string>>({ max: REMEMBERED_ACCOUNTS });
  /** All questions of one turn are one query, whichever account they are about. */
  readonly #finder: DataLoader<string, Entry | null>;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
    this.#finder = new DataLoader<string, Entry | null>((keys) => this.#lookUp(keys), {
      cache: false,
      maxBatchSize: BATCH,
      batchScheduleFn: (run) => setImmediate(run),
    });
    this.tasks = [{ name: 'billing-outboxes', everyMs: TIDY_EVERY_MS, run: (signal) => this.tidy(signal) }];
  }

  async find(keys: readonly string[]): Promise<ReadonlyMap<string, Entry>> {
    const found = await Promise.all(keys.map((key) => this.#finder.load(key)));
    return new Map(found.flatMap((entry) => (entry?.once === undefined ? [] : [[entry.once, entry] as const])));
  }

  async #lookUp(keys: readonly string[]): Promise<(Entry | null)[]> {
    const found = await this.#deps.entries.find({ once: { $in: [...keys] } }).toArray();
    const byKey = new Map(found.map((entry) => [entry.once, entry]));
    return keys.map((key) => byKey.get(key) ?? null);
  }

  page(accountId: string, request: PageRequest): Promise<Page<Entry>> {
    return findPage(this.#deps.entries, { accountId }, request);
  }

  writtenOf(accountId: string): ReadonlySet<string> {
    const written = this.#written.get(accountId);
    if (!written) return NONE;
    // Handed over: if the write that leaves them out fails, they stay in the outbox and the task leaves them out.
    this.#written.delete(accountId);
    return written;
  }

  /** Entries that are safe in an outbox. They are written soon, together with others. */
  note(entries: readonly Entry[]): void {
    // With nothing to write it would be over before it is known to be under way, and count as under way for ever.
    if (entries.length === 0) return;
    this.#waiting.push(...entries);
    this.#flushing ??= this.#flushAll();
  }

  /** Resolves when all that was noted so far is written, or is left to the task. */
  async flush(): Promise<void> {
    while (this.#flushing) await this.#flushing;
  }

  async #flushAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        await new Promise((resolve) => setImmediate(resolve));
        const batch = this.#waiting.splice(0, BATCH);
        await this.#insert(batch);
        for (const { accountId, _id } of batch) {
          const written = this.#written.get(accountId) ?? new Set<string>();
          this.#written.set(accountId, written.add(_id));
        }
      }
    } catch (error) {
      // They are in the outboxes, where the task finds them.
      this.#waiting = [];
      this.#deps.log.warn({ err: error }, 'ledger entries not written; they will be');
    } finally {
      this.#flushing = undefined;
    }
  }

  async #insert(entries: readonly Entry[]): Promise<void> {
    const { writes, entries: ledger } = this.#deps;
    const results = await Promise.allSettled(entries.map((entry) => writes.write(ledger, { insert: entry })));
    for (const result of results) if (result.status === 'rejected' && !isThere(result.reason)) throw result.reason;
  }

  /** Those whose entries are in the ledger. One that the ledger refuses must not keep the others waiting. */
  async #insertOutboxes(accounts: readonly Outbox[]): Promise<readonly Outbox[]> {
    try {
      const entries = accounts.flatMap(({ outbox }) => outbox);
      for (let i = 0; i < entries.length; i += BATCH) await this.#insert(entries.slice(i, i + BATCH));
      return accounts;
    } catch (error) {
      const [account, ...others] = accounts;
      if (account && others.length === 0) {
        this.#deps.log.error(
          { err: error, account: account._id },
          'the ledger does not take the entries of an account',
        );
        return [];
      }
      const written = await Promise.all(accounts.map((one) => this.#insertOutboxes([one])));
      return written.flat();
    }
  }

  /** Writes what was left behind in outboxes and empties them. */
  async tidy(signal: AbortSignal, olderThanMs = LEFT_BEHIND_MS): Promise<void> {
    const { accounts, now } = this.#deps;
    while (!signal.aborted) {
      const before = new Date(now().getTime() - olderThanMs);
      const left = await accounts
        .find({ outboxSince: { $lte: before } })
        .project<Outbox>({ rev: 1, outbox: 1 })
        .sort({ outboxSince: 1 })
        .limit(TIDY_ACCOUNTS)
        .toArray();
      if (left.length === 0) return;
      const written = await this.#insertOutboxes(left);
      // The revision stays: nothing that anybody computes from is changed. An account that was written meanwhile has
      // entries that are not in the ledger yet, and its turn comes again.
      const writes = written.map(
        ({ _id, rev }): AnyBulkWriteOperation<AccountDocument> => ({
          updateOne: { filter: { _id, rev }, update: { $set: { outbox: [] }, $unset: { outboxSince: 1 } } },
        }),
      );
      if (writes.length === 0) return;
      const { modifiedCount } = await accounts.bulkWrite(writes, { ordered: false });
      if (left.length < TIDY_ACCOUNTS || modifiedCount === 0) return;
    }
  }
}

/** The same entry, and not another one of which there may be one alone. */
function isThere(error: unknown): boolean {
  return isDuplicateKey(error) && error instanceof MongoError && / index: _id_ /.test(error.message);
}

const NONE: ReadonlySet<string> = new Set();
