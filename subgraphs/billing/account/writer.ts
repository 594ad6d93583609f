/**
 * Changes accounts. All that waits for one account in this process is computed on one copy of it and written in one
 * update; the update is conditional on the document that it was computed from, so other processes may do the same.
 */
import { LRUCache } from 'lru-cache';
import type { Collection } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import type { WriteBatches } from '../../../platform/mongo/write-batches.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Entry } from '../ledger/ledger.model.js';
import type { BillingSettings } from '../settings.js';
import { Account, emptyAccount } from './account.js';
import type { AccountDocument, AccountKind } from './account.model.js';

/** Which account, and what it is opened with when it is seen for the first time. */
export interface AccountRef {
  id: string;
  kind: AccountKind;
  openedAt: Date;
}

export interface Operation<T> {
  /** Once-keys that it will have to know about, as far as the account tells before the operation. */
  asks(account: Account): string[];
  /** Either changes the account or leaves it as it is; it may run several times. */
  apply(account: Account): T;
}

interface Waiting {
  operation: Operation<unknown>;
  resolve(result: never): void;
  reject(error: unknown): void;
}

export interface AccountWriterDeps {
  accounts: Collection<AccountDocument>;
  writes: WriteBatches;
  ledger: Ledger;
  settings: BillingSettings;
  now: () => Date;
}

const MAX_GROUP = 250;
const REMEMBERED = 5_000;
const ATTEMPTS = 60;
const RETRY_MS = 4;
/** So much may wait for the ledger before new operations wait for it too. */
const MAX_OUTBOX = 2_000;
const LARGE = 100;

export class AccountWriter {
  readonly #deps: AccountWriterDeps;
  readonly #queues = new Map<string, Waiting[]>();
  /** Documents as this process last saw them. A stale one costs an attempt, never a wrong answer. */
  readonly #seen = new LRUCache<string, AccountDocument>({ max: REMEMBERED });

  constructor(deps: AccountWriterDeps) {
    this.#deps = deps;
  }

  change<T>(ref: AccountRef, operation: Operation<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = { operation, resolve, reject };
      const queue = this.#queues.get(ref.id);
      if (queue) {
        queue.push(waiting);
        return;
      }
      this.#queues.set(ref.id, [waiting]);
      void this.#work(ref);
    });
  }

  /** The account as it is in the store, brought to the present without writing. */
  async look(ref: AccountRef): Promise<Account> {
    return this.view(ref, await this.#deps.accounts.findOne({ _id: ref.id }));
  }

  /** The same of a document that was read already; null when there is none yet. */
  view(ref: AccountRef, document: AccountDocument | null): Account {
    const { settings, now } = this.#deps;
    return new Account(document ?? emptyOf(ref), settings, now());
  }

  async #work(ref: AccountRef): Promise<void> {
    const queue = this.#queues.get(ref.id) ?? [];
    // Whoever arrives in the same turn joins the first group.
    await undefined;
    while (queue.length > 0) {
      const group = queue.splice(0, MAX_GROUP);
      try {
        await this.#changeTogether(ref, group);
      } catch (error) {
        // Whether a write that failed took effect is not known.
        this.#seen.delete(ref.id);
        for (const { reject } of group) reject(error);
      }
    }
    this.#queues.delete(ref.id);
  }

  async #changeTogether(ref: AccountRef, group: readonly Waiting[]): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt > 1) await pause(Math.random() * RETRY_MS * attempt);
      const remembered = this.#seen.get(ref.id);
      const document = remembered ?? (await this.#deps.accounts.findOne({ _id: ref.id })) ?? emptyOf(ref);
      const { account, outcomes } = await this.#compute(document, group);
      if (!account.changed) {
        if (!remembered) {
          this.#seen.set(ref.id, document);
          return deliver(outcomes);
        }
        // Nothing would be written, so nothing would prove that the remembered document is the current one.
        this.#seen.delete(ref.id);
        continue;
      }
      const next = account.toDocument();
      if (await this.#write(document, next)) {
        this.#seen.set(ref.id, next);
        this.#deps.ledger.note(account.fresh);
        deliver(outcomes);
        if (next.outbox.length > MAX_OUTBOX) await this.#deps.ledger.flush();
        return;
      }
      this.#seen.delete(ref.id);
    }
    throw new Problem('unavailable', 'This account is being changed by many requests. Try again.');
  }

  async #compute(document: AccountDocument, group: readonly Waiting[]) {
    const { ledger, settings, now } = this.#deps;
    const at = now();
    const before = new Account(document, settings, at);
    const asked = new Set(group.flatMap(({ operation }) => operation.asks(before)));
    for (;;) {
      // Asked after the document was read: an entry leaves the outbox only when it is in the ledger.
      const known = asked.size === 0 ? NOTHING : await ledger.find([...asked]);
      const account = new Account(document, settings, at, known, asked);
      const outcomes = group.map((waiting) => outcomeOf(waiting, account));
      if (account.missing.size === 0) {
        account.forget(ledger.writtenOf(document._id));
        return { account, outcomes };
      }
      // What one operation of the group did made another one need to know more than it had asked for.
      for (const once of account.missing) asked.add(once);
    }
  }

  async #write(before: AccountDocument, next: AccountDocument): Promise<boolean> {
    const { accounts, writes } = this.#deps;
    const { _id, ...replacement } = next;
    const filter = { _id, rev: before.rev };
    if (before.rev > 0) {
      if (!isLarge(next)) return writes.write(accounts, { filter, update: next });
      return (await accounts.replaceOne(filter, replacement)).matchedCount === 1;
    }
    try {
      return await writes.write(accounts, { insert: next });
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }
}

/** What goes together must fit into one message. */
function isLarge({ outbox, reservations }: AccountDocument): boolean {
  return outbox.length + reservations.length > LARGE;
}

const NOTHING: ReadonlyMap<string, Entry> = new Map();

function emptyOf({ id, kind, openedAt }: AccountRef): AccountDocument {
  return emptyAccount(id, kind, openedAt);
}

function outcomeOf({ operation, resolve, reject }: Waiting, account: Account): () => void {
  try {
    const result = operation.apply(account) as never;
    return () => resolve(result);
  } catch (error) {
    return () => reject(error);
  }
}

function deliver(outcomes: readonly (() => void)[]): void {
  for (const outcome of outcomes) outcome();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
