/** The record of runs: written before anything is hosted, decided once, and closed when it is paid for. */
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
import { WriteBatches } from '../../../platform/mongo/write-batches.js';
import { RUNS, type RunDocument, type RunOutcome, RunStatus } from './run.model.js';

/** Within this time whoever decided a run has it paid for, or is dead. */
const SETTLE_MS = 30_000;
const CLAIM_MS = 60_000;
const CLOSE_EVERY_MS = 1_000;
const OPEN_FIELDS = { openUntil: 1, payer: 1, recovering: 1 } as const;

export interface RunStoreDeps {
  db: Db;
  /** Collection of what runs belong to. */
  generators: string;
  now: () => Date;
  log: Logger;
}

export class RunStore {
  readonly #deps: RunStoreDeps;
  readonly #runs: Collection<RunDocument>;
  readonly #writes: WriteBatches;
  #paid: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: RunStoreDeps) {
    this.#deps = deps;
    this.#runs = deps.db.collection<RunDocument>(RUNS.name);
    this.#writes = WriteBatches.of(deps.db);
  }

  async begin(run: RunDocument): Promise<void> {
    await this.#writes.write(this.#runs, { insert: run });
  }

  /** False when it was not in time: then a sweeper has decided, or is about to. */
  decide(_id: string, outcome: RunOutcome): Promise<boolean> {
    const filter = { _id, status: RunStatus.RUNNING, recovering: { $exists: false } };
    const update = { $set: { ...outcome, openUntil: this.#in(SETTLE_MS) } };
    return this.#writes.write(this.#runs, { filter, update });
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
      this.#deps.log.warn({ err: error, runs: ids.length }, 'paid runs not marked; they are settled again later');
    });
  }

  /** Takes a run whose process is overdue; null when none is. */
  claimOverdue(): Promise<RunDocument | null> {
    return this.#runs.findOneAndUpdate(
      { openUntil: { $lte: this.#deps.now() } },
      { $set: { openUntil: this.#in(CLAIM_MS), recovering: true } },
      { sort: { openUntil: 1 }, returnDocument: 'after' },
    );
  }

  /** Takes a run that is not closed, overdue or not. */
  claim(_id: string): Promise<RunDocument | null> {
    return this.#runs.findOneAndUpdate(
      { _id, openUntil: { $exists: true } },
      { $set: { openUntil: this.#in(CLAIM_MS), recovering: true } },
      { returnDocument: 'after' },
    );
  }

  find(_id: string): Promise<RunDocument | null> {
    return this.#runs.findOne({ _id });
  }

  async decideRecovered(_id: string, outcome: RunOutcome): Promise<void> {
    await this.#runs.updateOne({ _id, status: RunStatus.RUNNING }, { $set: { ...outcome } });
  }

  async closeRecovered(_id: string): Promise<void> {
    await this.#runs.updateOne({ _id }, { $unset: OPEN_FIELDS });
  }

  page(generatorId: string, request: PageRequest): Promise<Page<RunDocument>> {
    return findPage(this.#runs, { generatorId }, request);
  }

  pageLoader(): PageLoader<RunDocument> {
    return pageLoader(async (ids, request) => {
      const size = pageSize(request);
      const found = await itemsOfOwners<RunDocument>(ids, {
        owners: this.#deps.db.collection(this.#deps.generators),
        items: RUNS.name,
        ownerField: 'generatorId',
        sortField: '_id',
        below: request.after ? decodeCursor(request.after) : null,
        limit: size + 1,
      });
      return new Map([...found].map(([id, items]) => [id, pageOf(items, size, ({ _id }) => encodeCursor(_id))]));
    });
  }

  loader(): DataLoader<string, RunDocument | null> {
    return new DataLoader(async (ids) => {
      const found = await this.#runs.find({ _id: { $in: [...ids] } }).toArray();
      const byId = new Map(found.map((run) => [run._id, run]));
      return ids.map((id) => byId.get(id) ?? null);
    });
  }

  /** What is under way stays until it has been paid for. */
  async erase(generatorId: string): Promise<boolean> {
    await this.#runs.deleteMany({ generatorId, openUntil: { $exists: false } });
    return (await this.#runs.findOne({ generatorId }, { projection: { _id: 1 } })) === null;
  }

  #in(ms: number): Date {
    return new Date(this.#deps.now().getTime() + ms);
  }
}
