/**
 * A job, from the request until it is in the queue. The checks come in this order: shape, what the model takes, plan and
 * milestone, the queue, money. Then: money is held, the pictures to go by are kept, the record is written. Whoever dies
 * in between leaves a reservation and inputs that run out by themselves.
 */
import { randomInt } from 'node:crypto';
import type { Logger } from 'pino';
import { Problem } from '../../../platform/errors.js';
import { fingerprintOf } from '../../../platform/idempotency.js';
import { newId, PlainId } from '../../../platform/ids.js';
import { checked } from '../../../platform/rules.js';
import type { Scope } from '../../../platform/scope.js';
import type { Secrets } from '../../../platform/secrets.js';
import { type BillingClient, type Payer, payerOf } from '../../billing/client.js';
import type { Assets } from '../../images/asset-client.js';
import type { Images } from '../../images/client.js';
import { enhance } from '../enhance/enhance.js';
import type { Models } from '../model/models.js';
import { MAX_SEED } from '../model/parameters.js';
import type { JobAdmission } from './job.admission.js';
import { type Choice, choose, drawnWith, type OfferedModel, requireAllowed, tierDefault } from './job.choice.js';
import type { JobErasure } from './job.erasure.js';
import { isEnded, type JobDocument, JobState, OutputFormat, type OutputPreset } from './job.model.js';
import { jobOwner } from './job.owner.js';
import { bytesOfBase64, type JobRequest, jobRules, type VariationRequest, variationRules } from './job.rules.js';
import type { JobStore } from './job.store.js';
import type { JobWaiters } from './job.waiters.js';

export interface JobServiceDeps {
  jobs: JobStore;
  admission: JobAdmission;
  waiters: JobWaiters;
  erasure: JobErasure;
  models: Models;
  billing: BillingClient;
  images: Images;
  assets: Assets;
  secrets: Secrets;
  /** How long pictures to go by are kept after their job was last heard of. */
  keepInputsMs: number;
  log: Logger;
  now: () => Date;
}

const REQUEST_REMEMBERED_MS = 24 * 60 * 60_000;
const DEFAULT_QUALITY = 85;
const DEFAULT_VARIATION_STRENGTH = 0.7;
/** What variations are drawn with where Cloudflare is set up, as /v2 documents it. */
const VARIATION_MODEL = '@cf/runwayml/stable-diffusion-v1-5-img2img';
const VARIATION_CREDITS = 1;

/** The bytes of what a job goes by, before they are kept under its id. */
interface Inputs {
  image: Uint8Array | null;
  mask: Uint8Array | null;
}

export class JobService {
  readonly #deps: JobServiceDeps;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(deps: JobServiceDeps) {
    this.#deps = deps;
  }

  /** The job as it ended where the caller waits and it ends in time, else as it stands. */
  async create(scope: Scope, input: unknown): Promise<JobDocument> {
    const request = checked(jobRules, input);
    const choice = choose(request, this.#deps.models);
    const job = await this.#inTurn(scope, request, async () => {
      const earlier = await this.#earlier(scope, request);
      if (earlier) return earlier;
      return this.#submit(scope, request, choice).catch(async (error: unknown) => {
        // Another process may have taken the same request on, and hold what this one lacked.
        const first = await this.#earlier(scope, request);
        if (first) return first;
        throw error;
      });
    });
    if (!choice.sync || isEnded(job.state)) return job;
    return (await this.#deps.waiters.end(job._id)) ?? (await this.#deps.jobs.find(job._id)) ?? job;
  }

  /** One after the other for requests of one name, so that none is refused for what another holds for the same job. */
  async #inTurn<T>(scope: Scope, { idempotency_key: key }: JobRequest, work: () => Promise<T>): Promise<T> {
    if (!key) return work();
    const name = `${jobOwner(this.#deps.secrets, scope)} ${key}`;
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(work, work);
    this.#turns.set(name, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(name) === turn) this.#turns.delete(name);
    }
  }

  /** The job of a request that its caller sent before under the same name. */
  async #earlier(scope: Scope, request: JobRequest): Promise<JobDocument | null> {
    const { jobs, secrets, now } = this.#deps;
    const { idempotency_key: key } = request;
    if (!key) return null;
    const found = await jobs.byRequest(jobOwner(secrets, scope), key);
    if (!found) return null;
    if (found.createdAt.getTime() + REQUEST_REMEMBERED_MS <= now().getTime()) {
      await jobs.forgetRequest(found);
      return null;
    }
    if (found.fingerprint === this.#fingerprint(request)) return found;
    throw new Problem('conflict', 'This idempotency_key was given to a request with another body.', {
      hint: 'Use a new key for a new request.',
    });
  }

  /** Keyed: the prompt is in it. */
  #fingerprint({ idempotency_key: _, ...request }: JobRequest): string {
    return this.#deps.secrets.mac('job-request', fingerprintOf(request));
  }

  async #submit(scope: Scope, request: JobRequest, choice: Choice): Promise<JobDocument> {
    const { models, billing, admission, secrets } = this.#deps;
    const allowance = await billing.allowance(scope.caller?.userId ?? null, scope.requestId);
    requireAllowed(choice, allowance, models);
    const owner = jobOwner(secrets, scope);
    return admission.enter(owner, { count: 1, priority: allowance.priorityQueue }, async (place) => {
      const job = this.#document(scope, owner, request, choice, place);
      const added = await this.#holding([job], scope, async ([held = job]) => {
        await this.#keepInputs(held, () => this.#inputs(request, scope), scope);
        return (await this.#deps.jobs.add(held)) ? held : null;
      });
      if (added) return added;
      // Another request of the same name was first; this one has given everything back.
      const first = await this.#earlier(scope, request);
      if (!first) throw new Problem('conflict', 'The job of this idempotency_key was just deleted.');
      return first;
    });
  }

  /**
   * Holds what jobs cost while `step` puts them on record. What fails, or comes to null, gives all of it back; should that
   * fail too, the reservations run out by themselves.
   */
  async #holding<T>(
    jobs: readonly JobDocument[],
    scope: Scope,
    step: (held: JobDocument[]) => Promise<T | null>,
  ): Promise<T | null> {
    const payer = payerOf(scope);
    let done: T | null = null;
    try {
      const held = await allOf(jobs.map((job) => this.#reserve(job, payer, scope)));
      done = await step(held);
      return done;
    } finally {
      if (done === null) await Promise.all(jobs.map((job) => this.#giveBack(job, payer, scope)));
    }
  }

  /** By half of its time somebody must have looked after the reservation, if nobody has ended the job. */
  async #reserve(job: JobDocument, payer: Payer, { requestId }: Scope): Promise<JobDocument> {
    const { expiresAt } = await this.#deps.billing.reserve(
      { runId: job._id, payer, unit: 'CREDITS', amount: job.cost, purpose: 'job' },
      requestId,
    );
    const openUntil = new Date((job.createdAt.getTime() + expiresAt.getTime()) / 2);
    return { ...job, payer, openUntil };
  }

  async #giveBack({ _id, drawing }: JobDocument, payer: Payer, { requestId }: Scope): Promise<void> {
    const { billing, assets, log } = this.#deps;
    try {
      await billing.release({ runId: _id, payer }, requestId);
      if (drawing.source) await assets.drop(_id, requestId);
    } catch (error) {
      log.warn({ err: error, requestId, jobId: _id }, 'what a job took that came to nothing is left to run out');
    }
  }

  #document(scope: Scope, owner: string, request: JobRequest, choice: Choice, place: number): JobDocument {
    const { caller } = scope;
    const { model, qualityTier, credits, mode } = choice;
    const enhanced = enhance({
      prompt: request.prompt,
      negativePrompt: request.negative_prompt ?? null,
      qualityTier,
      model,
      withSource: mode === 'img2img',
    });
    const { size, params } = drawnWith(choice, request, enhanced.negativePrompt);
    const key = request.idempotency_key;
    return {
      ...this.#fresh(place),
      owner,
      tenantId: caller?.tenantId ?? null,
      ownerId: caller?.userId ?? null,
      qualityTier,
      modelId: model.slug,
      originalPrompt: request.prompt,
      finalPrompt: enhanced.finalPrompt,
      enhancement: enhanced.steps,
      drawing: {
        aspectRatio: request.aspect_ratio ?? null,
        size,
        params,
        seed: seedFor(model, request.seed ?? null),
        source: mode === 'img2img',
        mask: Boolean(request.mask_image),
        format: (request.output_format ?? OutputFormat.WEBP) as OutputFormat,
        quality: request.output_quality ?? DEFAULT_QUALITY,
        preset: (request.output_preset ?? null) as OutputPreset | null,
        removeBackground: request.background_removal ?? false,
      },
      // A network without an account has a month's number of pictures, whatever their tier.
      cost: caller ? credits : 1,
      ...(key && { requestKey: key, fingerprint: this.#fingerprint(request) }),
    };
  }

  #fresh(place: number) {
    const createdAt = this.#deps.now();
    return {
      _id: newId(),
      state: JobState.QUEUED,
      changes: [{ state: JobState.QUEUED, at: createdAt }],
      changedAt: createdAt,
      result: null,
      failure: null,
      createdAt,
      completedAt: null,
      place,
      rank: place,
      attempts: 0,
    };
  }

  async #keepInputs(
    { _id, ownerId, drawing }: JobDocument,
    read: () => Promise<Inputs>,
    { requestId }: Scope,
  ): Promise<void> {
    if (!drawing.source) return;
    const { assets, keepInputsMs, now } = this.#deps;
    const inputs = await read();
    const expiresAt = new Date(now().getTime() + keepInputsMs);
    for (const role of ['image', 'mask'] as const) {
      const bytes = inputs[role];
      if (!bytes) continue;
      await named(role === 'mask' ? 'mask_image' : 'input_image', () =>
        assets.keepInput({ jobId: _id, role, ownerId, expiresAt, bytes }, requestId),
      );
    }
  }

  async #inputs(request: JobRequest, scope: Scope): Promise<Inputs> {
    return {
      image: await this.#source(request, scope),
      mask: request.mask_image ? bytesOfBase64(request.mask_image) : null,
    };
  }

  async #source({ input_job_id, input_asset_url, input_image }: JobRequest, scope: Scope): Promise<Uint8Array | null> {
    if (input_image) return bytesOfBase64(input_image);
    if (input_job_id) return this.#pictureOf(await this.#sourceJob(input_job_id, scope, 'input_job_id'), scope);
    if (!input_asset_url) return null;
    const reference = { url: input_asset_url, userId: scope.caller?.userId ?? null };
    const read = () => this.#deps.images.readReference(reference, scope.requestId);
    return (await named('input_asset_url', read)).bytes;
  }

  async #sourceJob(id: string, scope: Scope, field: string): Promise<JobDocument> {
    const job = await this.#own(id, scope);
    if (!job) throw new Problem('not_found', `${field}: job not found`);
    if (job.state !== JobState.COMPLETED) throw Problem.invalid(field, `this job is ${job.state}, and has no picture`);
    return job;
  }

  async #pictureOf({ result }: JobDocument, { requestId }: Scope): Promise<Uint8Array> {
    const picture = result && (await this.#deps.assets.read(result.asset.sha256, requestId));
    if (!picture) throw new Problem('not_found', 'the picture of this job is gone');
    return picture.bytes;
  }

  /** Jobs of others are as those that do not exist. */
  async #own(id: string, scope: Scope): Promise<JobDocument | null> {
    const { jobs, secrets } = this.#deps;
    const uuid = PlainId.parse(id);
    const job = uuid === null ? null : await jobs.find(uuid);
    return job && job.owner === jobOwner(secrets, scope) ? job : null;
  }

  async remove(scope: Scope, id: string): Promise<void> {
    const job = await this.#own(id, scope);
    if (!job || !(await this.#deps.erasure.erase(job._id, scope.requestId))) {
      throw new Problem('not_found', 'job not found');
    }
  }

  /** Seeded variations of a completed job, all of them or none. */
  async vary(scope: Scope, id: string, input: unknown): Promise<JobDocument[]> {
    const { models, billing, admission, secrets } = this.#deps;
    const request = checked(variationRules, input);
    const source = await this.#sourceJob(id, scope, 'job_id');
    const model = this.#variationModel();
    const allowance = await billing.allowance(scope.caller?.userId ?? null, scope.requestId);
    requireAllowed(
      { model, qualityTier: 'draft', credits: VARIATION_CREDITS, mode: 'img2img', sync: false },
      allowance,
      models,
    );
    const count = request.count ?? 1;
    const owner = jobOwner(secrets, scope);
    return admission.enter(owner, { count, priority: allowance.priorityQueue }, async (place) => {
      const jobs = this.#variations({ source, model, request, count, place }, scope);
      const added = await this.#holding(jobs, scope, async (held) => {
        const image = await this.#pictureOf(source, scope);
        await allOf(held.map((job) => this.#keepInputs(job, async () => ({ image, mask: null }), scope)));
        await this.#deps.jobs.addAll(held);
        return held;
      });
      return added ?? [];
    });
  }

  #variationModel(): OfferedModel {
    const { models } = this.#deps;
    const documented = models.find(VARIATION_MODEL);
    const local = tierDefault('draft', models);
    if (documented?.jobs && (models.isAvailable(documented) || !local.capabilities.img2img)) {
      return { ...documented, jobs: documented.jobs };
    }
    return local;
  }

  #variations(
    given: { source: JobDocument; model: OfferedModel; request: VariationRequest; count: number; place: number },
    { caller }: Scope,
  ): JobDocument[] {
    const { source, model, request, count, place } = given;
    const first = request.seed ?? randomInt(MAX_SEED);
    const choice: Choice = { model, qualityTier: 'draft', credits: VARIATION_CREDITS, mode: 'img2img', sync: false };
    const input_strength = request.variation_strength ?? DEFAULT_VARIATION_STRENGTH;
    const { size, params } = drawnWith(
      choice,
      { input_strength, aspect_ratio: source.drawing.aspectRatio as JobRequest['aspect_ratio'] },
      null,
    );
    const { steps, finalPrompt } = enhance({
      prompt: source.originalPrompt,
      negativePrompt: null,
      qualityTier: 'draft',
      model,
      withSource: true,
    });
    return Array.from({ length: count }, (_, i) => ({
      ...this.#fresh(place),
      owner: source.owner,
      tenantId: source.tenantId,
      ownerId: source.ownerId,
      qualityTier: 'draft',
      modelId: model.slug,
      originalPrompt: source.originalPrompt,
      finalPrompt,
      enhancement: steps,
      drawing: {
        ...{ size, params, source: true, mask: false, preset: null, removeBackground: false },
        aspectRatio: source.drawing.aspectRatio,
        seed: seedFor(model, (first + i) % (MAX_SEED + 1)),
        format: source.drawing.format,
        quality: source.drawing.quality,
      },
      cost: caller ? VARIATION_CREDITS : 1,
    }));
  }
}

/** Decided here and not by whoever draws, so that a job which is drawn again comes out the same. */
function seedFor({ capabilities }: OfferedModel, given: number | null): number | null {
  return capabilities.seedControl ? (given ?? randomInt(MAX_SEED)) : null;
}

/** A refusal of what the caller sent says in which field it was. */
async function named<T>(field: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 400) throw error;
    throw new Problem(error.slug, `${field}: ${error.message}`, {
      details: [{ field, message: error.message }],
      cause: error,
    });
  }
}

/** Fails when all have come to an end, so that nothing is under way when what they did is undone. */
async function allOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(work);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
