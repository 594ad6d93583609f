/**
 * A run, from the request to the answer. The checks come in the documented order: shape, identity, reference, budget.
 * Then: money is held, the record written while the provider draws, the outputs hosted, the record decided, the money taken.
 * A process may die after any of these; RunRecovery finishes what it left.
 */
import type { Logger } from 'pino';
import type { Cancellations } from '../../../platform/cancellations.js';
import { Problem } from '../../../platform/errors.js';
import { fingerprintOf, type Idempotency } from '../../../platform/idempotency.js';
import { newId } from '../../../platform/ids.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import { Room } from '../../../platform/rooms.js';
import { checked } from '../../../platform/rules.js';
import type { Scope } from '../../../platform/scope.js';
import { type Secrets, sha256 } from '../../../platform/secrets.js';
import { type BillingClient, type Payer, payerOf } from '../../billing/client.js';
import type { Images } from '../../images/client.js';
import type { GeneratorLoader, GeneratorService } from '../generator/generator.service.js';
import type { Contract } from '../model/entry.js';
import type { Models } from '../model/models.js';
import { ProviderFailure } from '../provider/failure.js';
import type { ImageRequest, Output, Picture } from '../provider/provider.js';
import type { Providers } from '../provider/providers.js';
import type { RunMetrics } from './run.metrics.js';
import { emptyOutcome, type RunDocument, type RunOutcome, RunStatus } from './run.model.js';
import { type Delivered, failed, outcomeOf } from './run.outcome.js';
import type { RunRecovery } from './run.recovery.js';
import { type RunRequest, runRules } from './run.rules.js';
import type { RunStore } from './run.store.js';
import { contractOf, findTarget, type Target, type Terms, termsOf } from './run.target.js';

export interface RunServiceDeps {
  runs: RunStore;
  recovery: RunRecovery;
  named: Idempotency<NamedRun>;
  cancellations: Cancellations;
  generators: GeneratorService;
  models: Models;
  providers: Providers;
  images: Images;
  billing: BillingClient;
  secrets: Secrets;
  metrics: RunMetrics;
  providerTimeoutMs: number;
  log: Logger;
  now: () => Date;
}

/** What is remembered of a request that its caller named: the answer is read from the run. */
export interface NamedRun {
  runId: string;
}

export interface Given {
  /** Null when a model is named, or nothing. */
  reference: string | null;
  input: unknown;
  /** The Idempotency-Key. */
  key: string | null;
  loader: GeneratorLoader;
}

interface Attempt {
  runId: string;
  /** Nobody has attempted this run before. */
  fresh: boolean;
  /** Ends the provider's work. */
  signal?: AbortSignal;
}

/** Everything that is known once nothing is left to refuse but the money. */
interface Plan {
  request: RunRequest;
  target: Target;
  contract: Contract;
  terms: Terms;
  safety: boolean;
  numImages: number;
}

/** What is drawn while its record is written: the provider takes longer, and what it drew for no record is dropped. */
interface Work {
  run: RunDocument;
  plan: Plan;
  references: Picture[];
  recording: Promise<void>;
  signal: AbortSignal | undefined;
}

// What hosting the outputs may take on top of the provider's time.
const HOSTING_MS = 90_000;

export class RunService {
  readonly #deps: RunServiceDeps;
  readonly #underWay = new Set<Promise<RunDocument>>();

  constructor(deps: RunServiceDeps) {
    this.#deps = deps;
  }

  /**
   * A caller who goes away does not stop the run: what was begun is finished, charged, and there in the list of runs.
   * A request that its caller named is done once, and answered alike for a day.
   */
  run(scope: Scope, given: Given): Promise<RunDocument> {
    const run = this.#run(scope, given);
    this.#underWay.add(run);
    // Whoever asked for the run hears of its failure; this only watches for its end.
    run.catch(() => undefined).finally(() => this.#underWay.delete(run));
    return run;
  }

  /** Resolves when the runs have ended that were begun by callers who did not wait. */
  async drain(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  /**
   * Calls off what its caller gave this name, if it is under way. What the provider has drawn by then is hosted and charged
   * all the same; before that, the run fails and costs nothing.
   */
  cancel(scope: Scope, key: string): void {
    this.#deps.cancellations.cancel(nameOf(scope, key));
  }

  async #run(scope: Scope, given: Given): Promise<RunDocument> {
    const request = checked(runRules, given.input);
    if (given.key === null) return this.#execute(scope, given, request, { runId: newId(), fresh: true });
    const { signal, close } = this.#deps.cancellations.open(nameOf(scope, given.key));
    try {
      return await this.#named(scope, given, request, given.key, signal);
    } finally {
      close();
    }
  }

  async #named(
    scope: Scope,
    given: Given,
    request: RunRequest,
    key: string,
    signal: AbortSignal,
  ): Promise<RunDocument> {
    const { named, runs, secrets } = this.#deps;
    let fresh: RunDocument | undefined;
    const name = {
      operation: 'generation',
      caller: callerOf(scope),
      key,
      // Keyed: the prompt is in it.
      fingerprint: secrets.mac('idempotency', fingerprintOf({ reference: given.reference, ...request })),
    };
    const stands = async (workId: string) => (await runs.find(workId)) !== null;
    const { runId } = await named.run(
      name,
      async (workId) => {
        const attempt = { runId: workId, fresh: false, signal };
        fresh = (await this.#leftBehind(workId)) ?? (await this.#execute(scope, given, request, attempt));
        return { runId: workId };
      },
      stands,
    );
    const run = fresh ?? (await runs.find(runId));
    if (!run) throw new Problem('not_found', 'the run of this Idempotency-Key was erased');
    return run;
  }

  /** What an attempt came to whose process died. */
  async #leftBehind(runId: string): Promise<RunDocument | null> {
    const run = await this.#deps.runs.find(runId);
    return run && this.#deps.recovery.finishNow(run);
  }

  async #execute(
    scope: Scope,
    { reference, loader }: Given,
    request: RunRequest,
    { runId, fresh, signal }: Attempt,
  ): Promise<RunDocument> {
    const plan = await this.#plan(scope, reference, request, loader);
    const run = this.#document(runId, scope, plan);
    const payer = payerOf(scope);
    await this.#reserve(run, payer, fresh, scope.requestId);
    const references = await this.#undoing(run, payer, scope, () => this.#references(plan.request, scope));
    const recording = this.#undoing(run, payer, scope, () => this.#deps.runs.begin(run));
    const outcome = await this.#produce({ run, plan, references, recording, signal }, scope.requestId);
    if (!(await this.#deps.runs.decide(run._id, outcome))) {
      const late = { code: 'timeout', message: 'The run took too long and was given up.' } as const;
      return { ...run, ...failed(late, run.seed, outcome.durationMs) };
    }
    const decided = { ...run, ...outcome };
    this.#deps.metrics.decided(decided);
    await this.#pay(decided, payer, scope.requestId);
    return decided;
  }

  async #plan(scope: Scope, reference: string | null, request: RunRequest, loader: GeneratorLoader): Promise<Plan> {
    const { models, generators } = this.#deps;
    const target = await findTarget(reference, request, { models, generators, loader, scope });
    const contract = contractOf(target, Boolean(request.reference_image_url));
    const terms = termsOf(target, contract, request.params);
    const forced = target.safetyForced || scope.caller === null;
    const safety = forced || terms.params['enable_safety_checker'] !== false;
    return { request, target, contract, terms, safety, numImages: request.num_images ?? 1 };
  }

  #document(
    _id: string,
    { caller, ...scope }: Scope,
    { request, target, contract, terms, numImages }: Plan,
  ): RunDocument {
    const createdAt = this.#deps.now();
    return {
      ...emptyOutcome(),
      _id,
      ownerId: caller?.userId ?? null,
      generatorId: target.generator?.id ?? null,
      generatorVersion: target.generator?.version ?? null,
      chosen: target.chosen,
      model: target.model.slug,
      provider: target.model.provider,
      contract,
      promptHash: this.#deps.secrets.mac('prompt', request.prompt),
      seed: request.seed ?? null,
      numImages,
      unitMicros: terms.unitMicros,
      workflowId: request.workflow_id ?? null,
      workflowVersion: request.workflow_version ?? null,
      workflowRef: request.workflow_ref ?? null,
      runId: request.run_id ?? null,
      status: RunStatus.RUNNING,
      createdAt,
      openUntil: new Date(createdAt.getTime() + this.#deps.providerTimeoutMs + HOSTING_MS),
      payer: payerOf({ caller, ...scope }),
    };
  }

  async #reserve({ _id, unitMicros, numImages }: RunDocument, payer: Payer, fresh: boolean, requestId: string) {
    const amount = unitMicros * numImages;
    await this.#deps.billing.reserve(
      { runId: _id, payer, unit: 'USD_MICROS', amount, purpose: 'generation', fresh },
      requestId,
    );
  }

  /** Until the record stands, a failure gives the money back at once and leaves no trace. */
  async #undoing<T>(run: RunDocument, payer: Payer, { requestId }: Scope, step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      // Somebody took this attempt for dead and made another; the money is held for that one.
      if (isDuplicateKey(error)) throw new Problem('conflict', 'Another attempt at this run is under way.');
      await this.#release(run._id, payer, requestId);
      throw error;
    }
  }

  async #references({ reference_image_url }: RunRequest, { caller, requestId }: Scope): Promise<Picture[]> {
    if (!reference_image_url) return [];
    const reference = { url: reference_image_url, userId: caller?.userId ?? null };
    const { bytes, contentType } = await this.#deps.images.readReference(reference, requestId);
    return [{ bytes, contentType }];
  }

  async #produce({ run, plan, references, recording, signal }: Work, requestId: string): Promise<RunOutcome> {
    const started = performance.now();
    const took = () => Math.round(performance.now() - started);
    const room = new Room();
    const unrecorded = new AbortController();
    recording.catch(() => unrecorded.abort());
    const ended = signal ? AbortSignal.any([signal, unrecorded.signal]) : unrecorded.signal;
    const outputs = await this.#deps.providers
      .generate(requestOf(run, plan, references, room), ended)
      .catch((error: unknown) => {
        if (error instanceof ProviderFailure) return error;
        throw error;
      });
    // Nothing is hosted, and nothing comes of a run, that has no record.
    await recording;
    if (outputs instanceof ProviderFailure) return failed(outputs, run.seed, took());
    const delivered = await Promise.all(outputs.map((output, index) => this.#host(run, output, index, requestId)));
    if (delivered.every(({ stored }) => stored !== null)) room.leave();
    return outcomeOf(delivered, run, took());
  }

  async #host({ _id, ownerId }: RunDocument, output: Output, index: number, requestId: string): Promise<Delivered> {
    if (output.kind === 'failure') return { output, stored: null };
    const source = output.kind === 'url' ? { url: output.url } : { bytes: output.bytes };
    const stored = await this.#deps.images
      .storeOutput({ runId: _id, index, ownerId, source }, requestId)
      .catch((error: unknown) => {
        this.#deps.log.warn({ err: error, requestId, runId: _id }, 'an output could not be hosted');
        return null;
      });
    return { output, stored };
  }

  /** What is decided is answered, also when billing cannot be reached just now: the sweeper settles it. */
  async #pay({ _id, status, costMicros }: RunDocument, payer: Payer, requestId: string): Promise<void> {
    const { billing, runs, log } = this.#deps;
    try {
      if (status === RunStatus.COMPLETE) await billing.settle({ runId: _id, payer, amount: costMicros }, requestId);
      else await billing.release({ runId: _id, payer }, requestId);
      runs.close(_id);
    } catch (error) {
      log.warn({ err: error, requestId, runId: _id }, 'a run is settled later');
    }
  }

  /** Should this fail too, the reservation runs out by itself. */
  async #release(runId: string, payer: Payer, requestId: string): Promise<void> {
    await this.#deps.billing.release({ runId, payer }, requestId).catch((error: unknown) => {
      this.#deps.log.warn({ err: error, requestId, runId }, 'a reservation is left to run out');
    });
  }
}

function callerOf({ caller, network }: Scope): string {
  return caller?.userId ?? `net:${network}`;
}

function nameOf(scope: Scope, key: string): string {
  return sha256(JSON.stringify([callerOf(scope), key]));
}

function requestOf(
  run: RunDocument,
  { request, target, terms, safety }: Plan,
  references: Picture[],
  room: Room,
): ImageRequest {
  return {
    model: target.model,
    prompt: request.prompt,
    count: run.numImages,
    seed: run.seed,
    size: terms.size,
    params: { ...terms.params, enable_safety_checker: safety },
    references,
    mask: null,
    safety,
    room,
  };
}
