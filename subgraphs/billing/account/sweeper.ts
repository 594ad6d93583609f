/** Gives back what runs hold whose process died. */
import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { Ledger } from '../ledger/ledger.js';
import { chargeOf, type Entry } from '../ledger/ledger.model.js';
import type { AccountDocument, Reservation } from './account.model.js';
import { settlingAsks } from './spending.service.js';
import type { AccountRef, AccountWriter } from './writer.js';

const SWEEP_EVERY_MS = 15_000;
const BATCH = 200;

export interface SweeperDeps {
  accounts: Collection<AccountDocument>;
  writer: AccountWriter;
  ledger: Ledger;
  log: Logger;
  now: () => Date;
}

export class Sweeper {
  readonly #deps: SweeperDeps;
  readonly tasks: readonly BackgroundTask[];

  constructor(deps: SweeperDeps) {
    this.#deps = deps;
    this.tasks = [{ name: 'billing-reservations', everyMs: SWEEP_EVERY_MS, run: (signal) => this.sweep(signal) }];
  }

  async sweep(signal: AbortSignal): Promise<void> {
    const { accounts, now } = this.#deps;
    // What cannot be ended yet stays due: each account is looked at once a round.
    const seen = new Set<string>();
    while (!signal.aborted) {
      const due = await accounts
        .find({ sweepAt: { $lte: now() } })
        .sort({ sweepAt: 1 })
        .limit(BATCH + seen.size)
        .toArray();
      const unseen = due.filter(({ _id }) => !seen.has(_id));
      if (unseen.length === 0) return;
      for (const { _id } of unseen) seen.add(_id);
      // A day's cap follows what became of its runs' networks.
      const isCap = ({ kind }: AccountDocument) => kind === 'cap';
      await Promise.all(unseen.filter((one) => !isCap(one)).map((one) => this.#attempt(one, this.#sweepAccount(one))));
      for (const cap of unseen.filter(isCap)) await this.#attempt(cap, this.#sweepCap(cap));
    }
  }

  /** What fails with one account comes again in the next round, and keeps no other waiting. */
  async #attempt({ _id }: AccountDocument, sweep: Promise<void>): Promise<void> {
    await sweep.catch((error: unknown) => {
      this.#deps.log.error({ err: error, account: _id }, 'reservations that ran out are not given back');
    });
  }

  #sweepAccount(document: AccountDocument): Promise<void> {
    const { writer, now } = this.#deps;
    return writer.change(refOf(document), {
      asks: () => [],
      apply(account) {
        const at = now();
        for (const { runId, expiresAt } of account.reservations.values()) {
          if (expiresAt <= at) account.release(runId, 'expired');
        }
      },
    });
  }

  async #sweepCap(document: AccountDocument): Promise<void> {
    const { writer, now } = this.#deps;
    const at = now();
    const ref = refOf(document);
    await Promise.all(
      document.reservations
        .filter(({ expiresAt }) => expiresAt <= at)
        .map(async ({ runId, partner }) => {
          const fate = partner === undefined ? null : await this.#fateOf(partner, runId);
          if (fate === 'open') return;
          await writer.change(ref, {
            asks: (account) => (fate ? settlingAsks(account, runId) : []),
            apply: (account) =>
              void (fate ? account.settle(runId, fate.owed - fate.amount) : account.release(runId, 'expired')),
          });
        }),
    );
  }

  /** The charge of a run on the other account, or that it may still be charged, or null when it came to nothing. */
  async #fateOf(accountId: string, runId: string): Promise<Entry | 'open' | null> {
    const { accounts, ledger } = this.#deps;
    const once = chargeOf(accountId, runId);
    const found = await accounts.findOne({ _id: accountId }, { projection: { reservations: 1, outbox: 1 } });
    const open = found?.reservations.some((reservation: Reservation) => reservation.runId === runId);
    if (open) return 'open';
    return found?.outbox.find((entry) => entry.once === once) ?? (await ledger.find([once])).get(once) ?? null;
  }
}

function refOf({ _id, kind, openedAt }: AccountDocument): AccountRef {
  return { id: _id, kind, openedAt };
}
