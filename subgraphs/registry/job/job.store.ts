/** The record of jobs, which is the queue as well. Every change is one conditional update, so that only one can make it. */
import DataLoader from 'dataloader';
import type { Collection, Db } from 'mongodb';
import type { Logger } from 'pino';
import { type Events, JOB_QUEUED } from '../../../platform/events.js';
import { anyOf, findBatch } from '../../../platform/mongo/batch.js';
import { findPage, type Page, type PageRequest } from '../../../platform/mongo/page.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import { WriteBatches } from '../../../platform/mongo/write-batches.js';
import { announceJob } from './job.changes.js';
import { type EndState, JOBS, type JobDocument, type JobFailure, type JobResult, JobState } from './job.model.js';

/** Within this time whoever ended a job has it paid for, or is dead. */
const SETTLE_MS = 30_000;
const CLOSE_EVERY_MS = 1_000;
const SWEPT_AT_ONCE = 100;

export interface JobStoreDeps {
  db: Db;
  events: Events;
  /** How long a worker is believed in that has not said that it is alive. */
  leaseMs: number;
  log: Logger;
  now: () => Date;
}

export interface Outcome {
  state: EndState;
  result: JobResult | null;
  failure: JobFailure | null;
}

/** What proves that a worker holds a job: a later claim of the same job has another. */
export type Claim = Pick<JobDocument, '_id' | 'owner' | 'worker' | 'attempts'>;

const SHOWN = { erasing: { $exists: false } } as const;

export class JobStore {
  readonly #deps: JobStoreDeps;
  readonly #jobs: Collection<JobDocument>;
  readonly #writes: WriteBatches;
  #paid: string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: JobStoreDeps) {
    this.#deps = deps;
    this.#jobs = deps.db.collection<JobDocument>(JOBS.name);
    this.#writes = WriteBatches.of(deps.db);
  }

  /** False: the owner gave another job's request the same name. */
  async add(job: JobDocument): Promise<boolean> {
    try {
      await this.#writes.write(this.#jobs, { insert: job });
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
    this.#announceQueued([job]);
    return true;
  }

  /** All of them, or none. */
  async addAll(jobs: readonly JobDocument[]): Promise<void> {
    try {
      await this.#jobs.insertMany([...jobs]);
    } catch (error) {
      await this.#jobs.deleteMany({ _id: { $in: jobs.map(({ _id }) => _id) } });
      throw error;
    }
    this.#announceQueued(jobs);
  }

  #announceQueued(jobs: readonly JobDocument[]): void {
    const { events } = this.#deps;
    for (const job of jobs) announceJob(events, job);
    events.publish(JOB_QUEUED, String(jobs.length));
  }

  find(_id: string): Promise<JobDocument | null> {
    return this.#jobs.findOne({ _id, ...SHOWN });
  }

  findAll(ids: readonly string[]): Promise<JobDocument[]> {
    return findBatch<JobDocument>(this.#jobs, { _id: anyOf(ids), ...SHOWN }, { limit: ids.length });
  }

  loader(): DataLoader<string, JobDocument | null> {
    return new DataLoader(async (ids) => {
      const found = await this.findAll(ids);
      const byId = new Map(found.map((job) => [job._id, job]));
      return ids.map((id) => byId.get(id) ?? null);
    });
  }

  page(owner: string, request: PageRequest): Promise<Page<JobDocument>> {
    return findPage<JobDocument>(this.#jobs, { owner, ...SHOWN }, request);
  }

  byRequest(owner: string, requestKey: string): Promise<JobDocument | null> {
    return this.#jobs.findOne({ owner, requestKey });
  }

  /** The name of a request that is older than a day means nothing any more. */
  async forgetRequest({ _id, requestKey }: Pick<JobDocument, '_id' | 'requestKey'>): Promise<void> {
    await this.#jobs.updateOne({ _id, requestKey }, { $unset: { requestKey: 1, fingerprint: 1 } });
  }

  /** How many of an owner's jobs no worker has taken yet. */
  waiting(owner: string, limit: number): Promise<number> {
    return this.#jobs.countDocuments({ owner, rank: { $exists: true } }, { limit, hint: 'waiting_by_owner' });
  }

  /** The job that is next, with a lease on it; null when none waits. */
  async claim(worker: string): Promise<JobDocument | null> {
    const now = this.#deps.now();
    const first = { $eq: ['$state', JobState.QUEUED] };
    const change = [{ state: JobState.PROCESSING, at: now }];
    const job = await this.#jobs.findOneAndUpdate(
      { rank: { $exists: true } },
      [
        {
          $set: {
            // A job that another worker had before is being processed already.
            changes: { $cond: [first, { $concatArrays: ['$changes', change] }, '$changes'] },
            changedAt: { $cond: [first, now, '$changedAt'] },
            state: JobState.PROCESSING,
            worker,
            leaseUntil: this.#in(this.#deps.leaseMs),
            attempts: { $add: ['$attempts', 1] },
          },
        },
        { $unset: ['rank'] },
      ],
      { sort: { rank: 1 }, hint: { rank: 1 }, returnDocument: 'after' },
    );
    if (job && job.attempts === 1) announceJob(this.#deps.events, job);
    return job;
  }

  /** Of all jobs that a worker has: also of one that is being erased, so that nobody clears away under its hands. */
  async renew(worker: string, ids: readonly string[]): Promise<void> {
    await this.#jobs.updateMany(
      { _id: { $in: [...ids] }, worker, leaseUntil: { $exists: true } },
      { $set: { leaseUntil: this.#in(this.#deps.leaseMs) } },
    );
  }

  /** Puts jobs whose worker is dead back where they were in the queue. */
  async returnLapsed(): Promise<number> {
    const { modifiedCount } = await this.#jobs.updateMany({ leaseUntil: { $lte: this.#deps.now() }, ...SHOWN }, [
      { $set: { rank: '$place' } },
      { $unset: ['worker', 'leaseUntil'] },
    ]);
    if (modifiedCount > 0) this.#deps.events.publish(JOB_QUEUED, String(modifiedCount));
    return modifiedCount;
  }

  /** For a worker that is closing: whoever takes the job next is not counted as one more attempt. */
  async giveBack({ _id, worker, attempts }: Claim): Promise<void> {
    const { modifiedCount } = await this.#jobs.updateOne(
      { _id, worker, attempts, leaseUntil: { $exists: true }, ...SHOWN },
      [{ $set: { rank: '$place', attempts: { $subtract: ['$attempts', 1] } } }, { $unset: ['worker', 'leaseUntil'] }],
    );
    if (modifiedCount > 0) this.#deps.events.publish(JOB_QUEUED, '1');
  }

  /** When it ended; null when it is no longer this worker's: somebody else has taken it, or it is being erased. */
  async end({ _id, owner, worker, attempts }: Claim, { state, result, failure }: Outcome): Promise<Date | null> {
    const { now, events } = this.#deps;
    const at = now();
    const filter = { _id, worker, attempts, state: JobState.PROCESSING, ...SHOWN };
    const update = {
      $set: {
        state,
        result,
        failure,
        completedAt: at,
        changedAt: at,
        openUntil: this.#in(SETTLE_MS),
      },
      $push: { changes: { state, at } },
      $unset: { leaseUntil: 1 },
    };
    if (!(await this.#writes.write(this.#jobs, { filter, update }))) return null;
    announceJob(events, { _id, owner, changedAt: at });
    return at;
  }

  /** What is paid for is marked in bulk a moment later: should that not happen, it is settled again, to no effect. */
  close(jobId: string): void {
    this.#paid.push(jobId);
    this.#timer ??= setTimeout(() => void this.flush(), CLOSE_EVERY_MS).unref();
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const ids = this.#paid;
    if (ids.length === 0) return;
    this.#paid = [];
    await this.#jobs
      .updateMany({ _id: { $in: ids } }, { $unset: { openUntil: 1, payer: 1 } })
      .catch((error: unknown) => {
        this.#deps.log.warn({ err: error, jobs: ids.length }, 'paid jobs not marked; they are settled again later');
      });
  }

  /** Takes a job that somebody must look after, until `ms` from now; null when there is none. */
  takeOpen(ms: number): Promise<JobDocument | null> {
    return this.#jobs.findOneAndUpdate(
      { openUntil: { $lte: this.#deps.now() } },
      { $set: { openUntil: this.#in(ms) } },
      { sort: { openUntil: 1 }, returnDocument: 'after' },
    );
  }

  async closeNow(_id: string): Promise<void> {
    await this.#jobs.updateOne({ _id, completedAt: { $ne: null } }, { $unset: { openUntil: 1, payer: 1 } });
  }

  async keepOpen(_id: string, openUntil: Date): Promise<void> {
    await this.#jobs.updateOne({ _id, completedAt: null, openUntil: { $exists: true } }, { $set: { openUntil } });
  }

  /** Makes a job invisible for good, as it was until then; null when there is none, or somebody else has done it. */
  async beginErasing(_id: string): Promise<JobDocument | null> {
    const erased = await this.#jobs.findOneAndUpdate(
      { _id, ...SHOWN },
      {
        $set: { erasing: true, originalPrompt: '', finalPrompt: '', enhancement: [], changedAt: this.#deps.now() },
        $unset: { rank: 1, requestKey: 1, fingerprint: 1 },
      },
      { returnDocument: 'after' },
    );
    if (erased) announceJob(this.#deps.events, erased);
    return erased;
  }

  async erase(_id: string): Promise<void> {
    await this.#jobs.deleteOne({ _id, erasing: true });
  }

  /** A worker lets go of a job that is being erased; null when it is not, or no longer this worker's. */
  letGo(_id: string, worker: string): Promise<JobDocument | null> {
    return this.#jobs.findOneAndUpdate(
      { _id, worker, erasing: true },
      { $unset: { leaseUntil: 1 } },
      { returnDocument: 'after' },
    );
  }

  /** What was to be erased by somebody who died over it. A living worker clears its job away by itself. */
  halfErased(): Promise<JobDocument[]> {
    const now = this.#deps.now();
    return findBatch<JobDocument>(
      this.#jobs,
      { erasing: true, $or: [{ leaseUntil: { $exists: false } }, { leaseUntil: { $lte: now } }] },
      { limit: SWEPT_AT_ONCE },
    );
  }

  olderThan(id: string): Promise<{ _id: string }[]> {
    return findBatch<JobDocument, { _id: string }>(
      this.#jobs,
      { _id: { $lt: id }, ...SHOWN },
      { sort: { _id: 1 }, projection: { _id: 1 }, limit: SWEPT_AT_ONCE },
    );
  }

  #in(ms: number): Date {
    return new Date(this.#deps.now().getTime() + ms);
  }
}
