/**
 * A judgement, from the request to the answer. The checks come in the documented order: shape, identity, reference,
 * budget. Then: money is held, the judge asked, the verdict recorded, the money taken. A process that dies before the
 * record leaves a reservation that runs out; one that dies after it is completed by VerifierRunRecovery.
 */
import type { Logger } from 'pino';
import { Problem } from '../../../platform/errors.js';
import { fingerprintOf, type Idempotency } from '../../../platform/idempotency.js';
import { newId } from '../../../platform/ids.js';
import { checked } from '../../../platform/rules.js';
import { requireCaller, type Scope } from '../../../platform/scope.js';
import type { Secrets } from '../../../platform/secrets.js';
import { type BillingClient, type Payer, payerOf } from '../../billing/client.js';
import type { Images } from '../../images/client.js';
import { JudgeFailure } from '../judge/failure.js';
import type { JudgedPicture, Judgement, Question } from '../judge/judge.js';
import type { Judges } from '../judge/judges.js';
import { pictureForJudge } from '../judge/picture.js';
import { shorten } from '../judge/verdict.js';
import { canonicalJson } from '../versioned/canonical.js';
import { readReference } from '../versioned/reference.js';
import { type Place, SYSTEM_VERIFIERS, type SystemVerifier } from './system.js';
import type { VerifierAccess, VerifierLoader } from './verifier.access.js';
import { type VerifierOutcome, type VerifierRunDocument, VerifierRunStatus } from './verifier-run.model.js';
import { pay } from './verifier-run.recovery.js';
import { type Contract, requireInputs, type VerifierRunRequest, verifierRunRules } from './verifier-run.rules.js';
import type { VerifierRunStore } from './verifier-run.store.js';

export interface VerifierRunServiceDeps {
  runs: VerifierRunStore;
  named: Idempotency<NamedVerifierRun>;
  access: VerifierAccess;
  judges: Judges;
  images: Images;
  billing: BillingClient;
  secrets: Secrets;
  /** Price of a verdict. */
  verifierRunMicros: number;
  log: Logger;
  now: () => Date;
}

/** What is remembered of a request that its caller named: the answer is read from the run. */
export interface NamedVerifierRun {
  runId: string;
}

export interface GivenRun {
  reference: string;
  input: unknown;
  /** The Idempotency-Key. */
  key: string | null;
  loader: VerifierLoader;
}

/** What is to be judged by: a deployed verifier at a version, or one of the platform's own. */
interface Target extends Contract, Pick<Question, 'criterion' | 'examples' | 'model' | 'reasoningEffort'> {
  verifierId: string | null;
  system: SystemVerifier | null;
  version: number;
}

type Inputs = Readonly<Record<string, string>>;

/** Something that is judged in several goes, because it is more than a judge reads at a time. */
export interface Piece {
  /** Which part of the whole it is, for the reasoning; null for the main one. */
  of: string | null;
  inputs: Inputs;
  /** Where in the whole something of the piece stands; by field and line when left out. */
  place?: Place;
}

interface Judged {
  runId: string;
  /** At least one. */
  pieces: readonly Piece[];
  mediaUrl: string | null;
  /** Null: nobody pays. */
  payer: Payer | null;
}

export class VerifierRunService {
  readonly #deps: VerifierRunServiceDeps;

  constructor(deps: VerifierRunServiceDeps) {
    this.#deps = deps;
  }

  /**
   * A caller who goes away does not stop it: what was begun is finished, charged, and there in the list of runs. A
   * request that its caller named is done once, and answered alike for a day.
   */
  async run(scope: Scope, { reference, input, key, loader }: GivenRun): Promise<VerifierRunDocument> {
    const request = checked(verifierRunRules, input);
    if (key === null) return this.#execute(scope, reference, request, loader, newId());
    const { named, runs, secrets } = this.#deps;
    let fresh: VerifierRunDocument | undefined;
    const name = {
      operation: 'verifier-run',
      caller: scope.caller?.userId ?? `net:${scope.network}`,
      key,
      // Keyed: the inputs are in it.
      fingerprint: secrets.mac('idempotency', fingerprintOf({ reference, ...request })),
    };
    const stands = async (workId: string) => (await runs.find(workId)) !== null;
    const { runId } = await named.run(
      name,
      async (workId) => {
        fresh = (await runs.find(workId)) ?? (await this.#execute(scope, reference, request, loader, workId));
        return { runId: workId };
      },
      stands,
    );
    const run = fresh ?? (await runs.find(runId));
    if (!run) throw new Problem('not_found', 'the run of this Idempotency-Key was erased');
    return run;
  }

  async #execute(
    scope: Scope,
    reference: string,
    request: VerifierRunRequest,
    loader: VerifierLoader,
    runId: string,
  ): Promise<VerifierRunDocument> {
    const target = await this.#target(scope, reference, request, loader);
    requireInputs(request, target);
    const pieces = [{ of: null, inputs: request.inputs ?? {} }];
    return this.#judged(scope, target, { runId, pieces, mediaUrl: request.media_url ?? null, payer: payerOf(scope) });
  }

  /**
   * One of the platform's own, for what the platform itself wants judged on behalf of the scope's caller, who pays where
   * it is metered. The whole passes when each piece of it does.
   */
  async runSystem(
    scope: Scope,
    name: string,
    pieces: readonly Piece[],
    { metered }: { metered: boolean },
  ): Promise<VerifierRunDocument> {
    const target = systemTarget(name);
    for (const { inputs } of pieces) requireInputs({ inputs }, target);
    const payer = metered ? payerOf(scope) : null;
    return this.#judged(scope, target, { runId: newId(), pieces, mediaUrl: null, payer });
  }

  async #target(
    scope: Scope,
    reference: string,
    { version = null }: VerifierRunRequest,
    loader: VerifierLoader,
  ): Promise<Target> {
    const named = readReference(reference);
    if (named?.kind === 'system') {
      requireCaller(scope);
      if (version !== null)
        throw Problem.invalid('version', 'a verifier of the platform has no versions to choose from');
      return systemTarget(named.name);
    }
    const { access } = this.#deps;
    const found = await access.runnable(scope, reference, version, loader);
    const { config } = found.version;
    return { ...config, verifierId: found.verifier._id, system: null, version: found.version.version };
  }

  async #picture(url: string | null, { caller, requestId }: Scope): Promise<JudgedPicture | null> {
    if (url === null) return null;
    const { bytes, contentType } = await this.#deps.images
      .readReference({ url, userId: caller?.userId ?? null }, requestId)
      .catch((error: unknown) => {
        throw error instanceof Problem && error.slug === 'validation_error' ? asMediaUrl(error) : error;
      });
    return pictureForJudge(bytes, contentType);
  }

  async #judged(scope: Scope, target: Target, judged: Judged): Promise<VerifierRunDocument> {
    const { runId, pieces, mediaUrl, payer } = judged;
    const { judges, runs } = this.#deps;
    if (!target.system) refusing(() => judges.requireAble({ model: target.model, withPicture: mediaUrl !== null }));
    if (payer) await this.#reserve(runId, payer, scope.requestId);
    const run = await this.#undoing(runId, payer, scope, async () => {
      // Once the money is held, so that nobody without any can have addresses fetched.
      const picture = await this.#picture(mediaUrl, scope);
      const createdAt = this.#deps.now();
      const outcome = await this.#decideAll(target, pieces, picture);
      return runs.record({
        ...outcome,
        costMicros: payer ? outcome.costMicros : 0,
        _id: runId,
        ownerId: scope.caller?.userId ?? null,
        verifierId: target.verifierId,
        system: target.system?.name ?? null,
        verifierVersion: target.version,
        inputsHash: this.#deps.secrets.mac('verifier-inputs', canonicalJson(hashedOf(pieces))),
        createdAt,
        ...(payer && { payer }),
      });
    });
    await this.#pay(run, scope.requestId);
    return run;
  }

  async #reserve(runId: string, payer: Payer, requestId: string): Promise<void> {
    const amount = this.#deps.verifierRunMicros;
    await this.#deps.billing.reserve({ runId, payer, unit: 'USD_MICROS', amount, purpose: 'verifier_run' }, requestId);
  }

  /** As the first piece is decided that does not pass, else as the main one. */
  async #decideAll(target: Target, pieces: readonly Piece[], picture: JudgedPicture | null): Promise<VerifierOutcome> {
    let durationMs = 0;
    let main: VerifierOutcome | undefined;
    for (const { of, inputs, place = fieldAndLine } of pieces) {
      const outcome = await this.#decide(target, questionOf(target, inputs, picture), place);
      durationMs += outcome.durationMs;
      if (outcome.passed !== true) return { ...outcome, durationMs, reasoning: located(outcome, of) };
      main ??= outcome;
    }
    if (!main) throw new Error('there is nothing to judge');
    return { ...main, durationMs };
  }

  /** Throws, so that nothing is recorded, when no judge was asked. */
  async #decide(target: Target, question: Question, place: Place): Promise<VerifierOutcome> {
    const started = performance.now();
    const took = () => Math.round(performance.now() - started);
    try {
      const { passed, reasoning, judge } = await this.#judgement(target, question, place);
      const status = VerifierRunStatus.COMPLETE;
      const costMicros = this.#deps.verifierRunMicros;
      return { status, passed, reasoning, judge, errorCode: null, errorMessage: null, costMicros, durationMs: took() };
    } catch (error) {
      if (!(error instanceof JudgeFailure)) throw error;
      if (error.code === null) throw unavailable(error);
      return {
        status: VerifierRunStatus.ERROR,
        passed: null,
        reasoning: null,
        judge: null,
        errorCode: error.code,
        errorMessage: error.message,
        costMicros: 0,
        durationMs: took(),
      };
    }
  }

  async #judgement({ system }: Target, question: Question, place: Place): Promise<Judgement> {
    const { judges } = this.#deps;
    if (!system) return judges.judge(question);
    const complaints = await system.complaints(inputsOf(question), place);
    if (complaints.length > 0 && (system.rulesAreFinal || judges.onlyLocal)) {
      return { passed: false, reasoning: shorten(`Found by rule. ${complaints.join(' ')}`), judge: 'rules' };
    }
    if (judges.onlyLocal) {
      return { passed: true, reasoning: `Local judge, by rules alone: ${system.sound}.`, judge: 'local' };
    }
    return judges.judge(complaints.length > 0 ? withNotes(question, complaints) : question);
  }

  /** Until the record stands, a failure gives the money back at once and leaves no trace. */
  async #undoing<T>(runId: string, payer: Payer | null, { requestId }: Scope, step: () => Promise<T>): Promise<T> {
    const { billing, log } = this.#deps;
    try {
      return await step();
    } catch (error) {
      if (!payer) throw error;
      await billing.release({ runId, payer }, requestId).catch((failure: unknown) => {
        log.warn({ err: failure, requestId, runId }, 'a reservation is left to run out');
      });
      throw error;
    }
  }

  /** What is recorded is answered, also when billing cannot be reached just now: the sweeper settles it. */
  async #pay(run: VerifierRunDocument, requestId: string): Promise<void> {
    const { billing, runs, log } = this.#deps;
    try {
      await pay(billing, run, requestId);
      runs.close(run._id);
    } catch (error) {
      log.warn({ err: error, requestId, runId: run._id }, 'a verifier run is settled later');
    }
  }
}

const fieldAndLine: Place = (field, line) => `${field}, line ${line}`;

/** Rules say themselves where they found it. */
function located({ reasoning, judge }: VerifierOutcome, of: string | null): string | null {
  return of === null || reasoning === null || judge === 'rules' ? reasoning : shorten(`In ${of}: ${reasoning}`);
}

/** Of one piece alone, so that equal inputs have equal hashes, however they were judged. */
function hashedOf(pieces: readonly Piece[]): unknown {
  const [first, ...others] = pieces.map(({ inputs }) => inputs);
  return others.length > 0 ? [first, ...others] : first;
}

function systemTarget(name: string): Target {
  const system = SYSTEM_VERIFIERS.get(name);
  if (!system) throw new Problem('not_found', 'verifier not found');
  const { criterion, inputFields, examples, version } = system;
  return {
    verifierId: null,
    system,
    version,
    criterion,
    inputContract: 'text',
    inputFields,
    examples,
    model: null,
    reasoningEffort: null,
  };
}

function questionOf(
  { criterion, examples, model, reasoningEffort, inputFields }: Target,
  inputs: Inputs,
  picture: JudgedPicture | null,
): Question {
  const given = inputFields.map((field) => ({ field, value: inputs[field] ?? '' }));
  return { criterion, inputs: given, picture, examples, model, reasoningEffort };
}

function inputsOf({ inputs }: Question): Inputs {
  return Object.fromEntries(inputs.map(({ field, value }) => [field, value]));
}

/** The rules' notes stand among the inputs, since they may quote them. */
function withNotes(question: Question, complaints: readonly string[]): Question {
  const value = shorten(complaints.join('\n'));
  return { ...question, inputs: [...question.inputs, { field: 'notes of an automatic check', value }] };
}

function refusing(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw error instanceof JudgeFailure ? unavailable(error) : error;
  }
}

function unavailable(failure: JudgeFailure): Problem {
  return new Problem('verifier_unavailable', failure.message, { cause: failure });
}

/** The byte door knows it as a reference image. */
function asMediaUrl({ options, message }: Problem): Problem {
  const [issue] = options.details ?? [];
  return Problem.invalid('media_url', issue?.message ?? message);
}
