/** The judges that this installation has, each behind its circuit breaker and the one deadline. */
import type { Logger } from 'pino';
import { Deadline, heeding } from '../../../platform/deadline.js';
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
    const deadline = new Deadline(this.timeoutMs);
    try {
      return await this.#ask(question, deadline);
    } finally {
      deadline.lift();
    }
  }

  async #ask(question: Question, deadline: Deadline): Promise<Judgement> {
    const demand = { model: question.model, withPicture: question.picture !== null };
    let failure = new JudgeFailure('unable');
    for (const entry of this.#entries) {
      if (!entry.judge.canJudge(demand)) continue;
      try {
        return await ask(entry, question, deadline);
      } catch (error) {
        failure = failureOf(error, deadline);
        this.#report(failure, entry.judge);
        // Asked and failed is an answer; never reached is none.
        if (failure.code !== null) throw failure;
      }
    }
    throw failure;
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

function ask({ judge, circuit }: Entry, question: Question, deadline: Deadline): Promise<Judgement> {
  const { signal } = deadline;
  return circuit.run(
    () => heeding(signal, judge.judge(question, signal)),
    (error) => failureOf(error, deadline).verdict,
  );
}

function failureOf(error: unknown, deadline: Deadline): JudgeFailure {
  if (error instanceof CircuitOpen) return new JudgeFailure('circuit_open');
  if (error instanceof JudgeFailure) return error;
  if (deadline.hasPassed) return new JudgeFailure('timeout');
  return new JudgeFailure('internal', { cause: error });
}
