/** The record of verifier runs: written with the verdict, and closed when it is paid for. */
import DataLoader from 'dataloader';
import type { Collection, Db } from 'mongodb';
import type { Logger } from 'pino';
import {
  decodeCursor,
  encodeCursor,
  findPage,
  type Page,
  type PageRequest,
  pageOf,
  pageSize,
} from '../../../platform/mongo/page.js';
import { itemsOfOwners, type PageLoader, pageLoader } from '../../../platform/mongo/pages-by-owner.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import { VERIFIERS } from './verifier.model.js';
import { VERIFIER_RUNS, type VerifierRunDocument } from './verifier-run.model.js';

/** Within this time whoever recorded a run has it paid for, or is dead. */
const SETTLE_MS = 30_000;
const CLAIM_MS = 60_000;
const CLOSE_EVERY_MS = 1_000;
const OPEN_FIELDS = { openUntil: 1, payer: 1 } as const;

export interface VerifierRunStoreDeps {
  db: Db;
  now: () => Date;
  log: Logger;
}

export class VerifierRunStore {
  readonly #deps: VerifierRunStoreDeps;
  readonly #runs: Collection<VerifierRunDocument>;
  #paid: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: VerifierRunStoreDeps) {
    this.#deps = deps;
    this.#runs = deps.db.collection<VerifierRunDocument>(VERIFIER_RUNS.name);
  }

  /** What stands under the id afterwards: another attempt at the same request may have been first. */
  async record(run: VerifierRunDocument): Promise<VerifierRunDocument> {
    try {
      await this.#runs.insertOne({ ...run, openUntil: this.#in(SETTLE_MS) });
      return run;
    } catch (error) {
      const first = isDuplicateKey(error) ? await this.find(run._id) : null;
      if (!first) throw error;
      return first;
    }
  }

  find(_id: string): Promise<VerifierRunDocument | null> {
    return this.#runs.findOne({ _id });
  }

  /** What is paid for is marked in bulk a moment later: should that not happen, it is settled again, to no effect. */
  close(runId: string): void {
    this.#paid.push(runId);
    this.#timer ??= setTimeout(() => void this.flush(), CLOSE_EVERY_MS).unref();
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const ids = this.#paid;
    if (ids.length === 0) return;
    this.#paid = [];
    await this.#runs.updateMany({ _id: { $in: ids } }, { $unset: OPEN_FIELDS }).catch((error: unknown) => {
      this.#deps.log.warn(
        { err: error, runs: ids.length },
        'paid verifier runs not marked; they are settled again later',
      );
    });
  }

  /** Takes a run that nobody paid for in time; null when there is none. */
  claimUnpaid(): Promise<VerifierRunDocument | null> {
    return this.#runs.findOneAndUpdate(
      { openUntil: { $lte: this.#deps.now() } },
      { $set: { openUntil: this.#in(CLAIM_MS) } },
      { sort: { openUntil: 1 }, returnDocument: 'after' },
    );
  }

  async closeNow(_id: string): Promise<void> {
    await this.#runs.updateOne({ _id }, { $unset: OPEN_FIELDS });
  }

  page(verifierId: string, request: PageRequest): Promise<Page<VerifierRunDocument>> {
    return findPage(this.#runs, { verifierId }, request);
  }

  pageLoader(): PageLoader<VerifierRunDocument> {
    return pageLoader(async (ids, request) => {
      const size = pageSize(request);
      const found = await itemsOfOwners<VerifierRunDocument>(ids, {
        owners: this.#deps.db.collection(VERIFIERS.name),
        items: VERIFIER_RUNS.name,
        ownerField: 'verifierId',
        sortField: '_id',
        below: request.after ? decodeCursor(request.after) : null,
        limit: size + 1,
      });
      return new Map([...found].map(([id, items]) => [id, pageOf(items, size, ({ _id }) => encodeCursor(_id))]));
    });
  }

  loader(): DataLoader<string, VerifierRunDocument | null> {
    return new DataLoader(async (ids) => {
      const found = await this.#runs.find({ _id: { $in: [...ids] } }).toArray();
      const byId = new Map(found.map((run) => [run._id, run]));
      return ids.map((id) => byId.get(id) ?? null);
    });
  }

  /** What is not paid for yet stays until it is. */
  async erase(verifierId: string): Promise<boolean> {
    await this.#runs.deleteMany({ verifierId, openUntil: { $exists: false } });
    return (await this.#runs.findOne({ verifierId }, { projection: { _id: 1 } })) === null;
  }

  #in(ms: number): Date {
    return new Date(this.#deps.now().getTime() + ms);
  }
}
