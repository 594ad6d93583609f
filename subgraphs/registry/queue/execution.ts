/**
 * One job, from its claim to its end: the pictures it goes by are read, the provider draws, the output is encoded and
 * kept, one update ends the job, and it is paid for. A process may die after any of these: another takes the job over,
 * what was kept is kept once, the update matches for one worker alone, and paying twice pays once.
 */
import type { Logger } from 'pino';
import { Problem } from '../../../platform/errors.js';
import { Room } from '../../../platform/rooms.js';
import type { AssetFacts, Assets, KeptOutput, OutputResult } from '../../images/asset-client.js';
import type { JobErasure } from '../job/job.erasure.js';
import type { JobMetrics } from '../job/job.metrics.js';
import { type JobDocument, type JobFailure, JobState, type StoredAsset } from '../job/job.model.js';
import type { JobSettlement } from '../job/job.settlement.js';
import type { JobStore, Outcome } from '../job/job.store.js';
import type { Models } from '../model/models.js';
import { ProviderFailure } from '../provider/failure.js';
import type { Output, Picture } from '../provider/provider.js';
import type { Providers } from '../provider/providers.js';

export interface ExecutionDeps {
  jobs: JobStore;
  erasure: JobErasure;
  settlement: JobSettlement;
  models: Models;
  providers: Providers;
  assets: Assets;
  metrics: JobMetrics;
  /** How long a job and its pictures are kept. */
  keepMs: number;
  log: Logger;
}

/** A job that so many workers died over is given up: it may be what kills them. */
const MAX_ATTEMPTS = 8;
/** What may pass is tried again after these. */
const RETRY_AFTER_MS = [200, 1_000, 4_000];

const NOT_MADE: JobFailure = { code: 'runtime_error', message: 'The picture could not be made on our side.' };
const GIVEN_UP: JobFailure = { code: 'runtime_error', message: 'The job was interrupted too often and was given up.' };
const NO_MODEL: JobFailure = { code: 'runtime_error', message: 'The model is no longer in the catalogue.' };
const NO_INPUT: JobFailure = { code: 'runtime_error', message: 'The picture to go by is gone.' };
const NOT_STORED: JobFailure = { code: 'runtime_error', message: 'The picture was made but could not be stored.' };

export class Execution {
  readonly #deps: ExecutionDeps;

  constructor(deps: ExecutionDeps) {
    this.#deps = deps;
  }

  /** The job as it ended; null when it was no longer this worker's to end. `signal` says that the process is closing. */
  async run(job: JobDocument, signal: AbortSignal): Promise<JobDocument | null> {
    const requestId = job._id;
    const { jobs, metrics } = this.#deps;
    const outcome = await this.#produce(job, signal);
    if (signal.aborted && outcome.state !== JobState.COMPLETED) return null;
    const at = await metrics.time('record', () => this.#patiently(() => jobs.end(job, outcome)));
    if (!at) {
      await this.#afterLoss(job);
      return null;
    }
    const final = {
      ...{ ...job, ...outcome, completedAt: at, changedAt: at },
      changes: [...job.changes, { state: outcome.state, at }],
    };
    metrics.ended(final);
    await this.#settle(final, requestId);
    return final;
  }

  /** Someone else has the job, or it was deleted: then what is left of it is this worker's to clear away. */
  async #afterLoss({ _id, worker = '' }: JobDocument): Promise<void> {
    const erased = await this.#deps.jobs.letGo(_id, worker);
    if (erased) await this.#deps.erasure.clear(erased, _id);
  }

  /** What has ended is shown at once, also when billing cannot be reached just now: the sweeper settles it. */
  async #settle(job: JobDocument, requestId: string): Promise<void> {
    const { settlement, jobs, metrics, log } = this.#deps;
    try {
      await metrics.time('billing', () => settlement.settle(job, requestId));
      jobs.close(job._id);
    } catch (error) {
      log.warn({ err: error, jobId: job._id }, 'a job is settled later');
    }
  }

  async #produce(job: JobDocument, signal: AbortSignal): Promise<Outcome> {
    const { metrics, log } = this.#deps;
    if (job.attempts > MAX_ATTEMPTS) return failed(GIVEN_UP);
    const room = new Room();
    try {
      const output = await metrics.time('provider', () => this.#draw(job, room, signal));
      if ('code' in output) return failed(output);
      const outcome = await this.#keep(job, output);
      if (outcome.state === JobState.COMPLETED) room.leave();
      return outcome;
    } catch (error) {
      if (error instanceof ProviderFailure) return failed({ code: error.code, message: error.message });
      if (!signal.aborted) log.error({ err: error, jobId: job._id }, 'a job could not be drawn');
      return failed(NOT_MADE);
    }
  }

  async #draw(
    job: JobDocument,
    room: Room,
    signal: AbortSignal,
  ): Promise<Exclude<Output, { kind: 'failure' }> | JobFailure> {
    const { models, providers } = this.#deps;
    const model = models.find(job.modelId);
    if (!model) return NO_MODEL;
    const { size, params, seed, source } = job.drawing;
    const [reference, mask] = await this.#inputs(job);
    if (source && !reference) return NO_INPUT;
    const [output] = await providers.generate(
      {
        ...{ model, size, params, seed },
        prompt: job.finalPrompt,
        count: 1,
        references: reference ? [reference] : [],
        mask,
        safety: true,
        room,
      },
      signal,
    );
    if (!output || output.kind === 'failure') throw output?.failure ?? new ProviderFailure('unreadable');
    return output;
  }

  #inputs({ _id, drawing }: JobDocument): Promise<[Picture | null, Picture | null]> {
    const read = (role: 'image' | 'mask') => this.#patiently(() => this.#deps.assets.readInput(_id, role, _id));
    return Promise.all([drawing.source ? read('image') : null, drawing.mask ? read('mask') : null]);
  }

  async #keep(job: JobDocument, output: Exclude<Output, { kind: 'failure' }>): Promise<Outcome> {
    const { assets, metrics, keepMs, log } = this.#deps;
    const { size, format, quality, preset, removeBackground } = job.drawing;
    let result: OutputResult;
    try {
      result = await this.#patiently(() =>
        assets.keepOutput(
          {
            jobId: job._id,
            ownerId: job.ownerId,
            expiresAt: new Date(job.createdAt.getTime() + keepMs),
            source: output.kind === 'url' ? { url: output.url } : { bytes: output.bytes },
            ...{ format, quality, preset, removeBackground },
            size: { width: size.width, height: size.height },
          },
          job._id,
        ),
      );
    } catch (error) {
      log.warn({ err: error, jobId: job._id }, 'the picture of a job could not be stored');
      return failed(NOT_STORED);
    }
    if ('failed' in result) {
      const { step, message } = result.failed;
      const state = step === 'fetching' ? JobState.FAILED : JobState.FAILED_ENCODING;
      return failed({ code: `${step}_failed`, message }, state);
    }
    metrics.kept(result.kept);
    return completed(result.kept, output.seedUsed ?? job.drawing.seed);
  }

  /** The database and the bucket may be away for a moment; what they refuse on purpose, they refuse again. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    for (const waitMs of RETRY_AFTER_MS) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof Problem && error.status < 500) throw error;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
    return work();
  }
}

function failed(failure: JobFailure, state: JobState.FAILED | JobState.FAILED_ENCODING = JobState.FAILED): Outcome {
  return { state, result: null, failure };
}

function completed({ image, backgroundRemoved }: KeptOutput, seedUsed: number | null): Outcome {
  const result = { asset: storedAsset(image), cutOut: backgroundRemoved && storedAsset(backgroundRemoved), seedUsed };
  return { state: JobState.COMPLETED, result, failure: null };
}

function storedAsset({ id, contentType, sizeBytes, width, height }: AssetFacts): StoredAsset {
  return { sha256: id, contentType, sizeBytes, width, height };
}
