/** The judges that this installation has, each behind its circuit breaker and the one deadline. */
import type { Logger } from 'pino';
import { type CircuitBreaker, CircuitOpen, type Circuits } from '../../../platform/outbound/circuit.js';
import { traced } from '../../../platform/outbound/traced.js';
import { JudgeFailure } from './failure.js';
import type { Demand, Judge, Judgement, Question } from './judge.js';

export interface JudgesDeps {
  /** In order of preference. */
  judges: readonly Judge[];
  circuits: Circuits;
  timeoutMs: number;
  log: Logger;
}

interface Entry {
  judge: Judge;
  circuit: CircuitBreaker;
}

export class Judges {
  readonly timeoutMs: number;
  readonly #entries: readonly Entry[];
  readonly #log: Logger;

  constructor({ judges, circuits, timeoutMs, log }: JudgesDeps) {
    this.timeoutMs = timeoutMs;
    this.#log = log;
    this.#entries = judges.map((judge) => ({ judge, circuit: circuits.breaker(`judge:${judge.name}`) }));
  }

  /** Whether there is no other judge than the built-in one. */
  get onlyLocal(): boolean {
    return this.#entries.every(({ judge }) => judge.local);
  }

  /** Throws `unable` before anything is spent. */
  requireAble(demand: Demand): void {
    if (!this.#entries.some(({ judge }) => judge.canJudge(demand))) throw new JudgeFailure('unable');
  }

  /** Throws nothing but JudgeFailure, within the time-out. A judge that cannot be reached is passed over for the next. */
  async judge(question: Question): Promise<Judgement> {
    const deadline = AbortSignal.timeout(this.timeoutMs);
    const demand = { model: question.model, withPicture: question.picture !== null };
    let failure = new JudgeFailure('unable');
    for (const entry of this.#entries) {
      if (!entry.judge.canJudge(demand)) continue;
      try {
        return await this.#ask(entry, question, deadline);
      } catch (error) {
        failure = failureOf(error, deadline);
        this.#report(failure, entry.judge);
        // Asked and failed is an answer; never reached is none.
        if (failure.code !== null) throw failure;
      }
    }
    throw failure;
  }

  #ask({ judge, circuit }: Entry, question: Question, deadline: AbortSignal): Promise<Judgement> {
    return circuit.run(
      () => heeding(deadline, judge.judge(question, deadline)),
      (error) => failureOf(error, deadline).verdict,
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#entries.map(({ judge }) => judge.close()));
  }

  // What a judge wrote may quote what it was to judge: its words are not logged.
  #report(failure: JudgeFailure, { name }: Judge): void {
    const { reason, status } = failure;
    if (reason === 'no_examples') return;
    if (reason === 'internal') this.#log.error({ judge: name, ...traced(failure.cause) }, 'judge adapter failed');
    else this.#log.warn({ judge: name, reason, status }, 'a judge gave no verdict');
  }
}

function failureOf(error: unknown, deadline: AbortSignal): JudgeFailure {
  if (error instanceof CircuitOpen) return new JudgeFailure('circuit_open');
  if (error instanceof JudgeFailure) return error;
  if (deadline.aborted) return new JudgeFailure('timeout');
  return new JudgeFailure('internal', { cause: error });
}

function heeding<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
