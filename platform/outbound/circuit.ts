/** Stops asking what keeps failing: closed, open for a while, then half-open for one attempt that decides. */
import type { Gauge } from 'prom-client';

export class CircuitOpen extends Error {
  /** When the next attempt is let through. */
  readonly retryAfterMs: number;

  constructor(name: string, retryAfterMs: number) {
    super(`the circuit of ${name} is open`);
    this.name = 'CircuitOpen';
    this.retryAfterMs = retryAfterMs;
  }
}

/** What an error says of the target: that it works (it refused), that it does not, or nothing (we gave up on it). */
export type Verdict = 'healthy' | 'unhealthy' | 'unknown';

export type CircuitState = 'closed' | 'half_open' | 'open';
const STATES: readonly CircuitState[] = ['closed', 'half_open', 'open'];

export interface CircuitRules {
  /** Failures in a row that open it. */
  failures: number;
  /** How long it stays open at first; each further opening in a row doubles it up to maxOpenMs. */
  openMs: number;
  maxOpenMs: number;
}

export const CIRCUIT_RULES: CircuitRules = { failures: 5, openMs: 10_000, maxOpenMs: 120_000 };

export type CircuitGauge = Gauge<'target' | 'state'>;

export class CircuitBreaker {
  readonly name: string;
  readonly #rules: CircuitRules;
  readonly #gauge: CircuitGauge | null;
  readonly #now: () => number;
  #failures = 0;
  #openings = 0;
  #openUntil = 0;
  #state: CircuitState = 'closed';

  constructor(name: string, rules: CircuitRules, gauge: CircuitGauge | null, now: () => number) {
    this.name = name;
    this.#rules = rules;
    this.#gauge = gauge;
    this.#now = now;
    this.#enter('closed');
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** Throws CircuitOpen without acting while the circuit is open. */
  async run<T>(action: () => Promise<T>, judge: (error: unknown) => Verdict): Promise<T> {
    const probing = this.#admit();
    try {
      const result = await action();
      this.#succeeded();
      return result;
    } catch (error) {
      const verdict = judge(error);
      if (verdict === 'unhealthy') this.#failed(probing);
      else if (verdict === 'healthy') this.#succeeded();
      // The attempt decided nothing, so the next call is the attempt.
      else if (probing && this.#state === 'half_open') this.#enter('open');
      throw error;
    }
  }

  #admit(): boolean {
    if (this.#state === 'closed') return false;
    const wait = this.#openUntil - this.#now();
    // While the one attempt of a half-open circuit is under way, all others wait as if it were open.
    if (this.#state === 'half_open' || wait > 0) throw new CircuitOpen(this.name, Math.max(wait, 1_000));
    this.#enter('half_open');
    return true;
  }

  #succeeded(): void {
    // An answer to a call that began before the circuit opened does not close it: the attempt of half-open decides.
    if (this.#state === 'open') return;
    this.#failures = 0;
    this.#openings = 0;
    if (this.#state !== 'closed') this.#enter('closed');
  }

  #failed(probing: boolean): void {
    this.#failures += 1;
    if (this.#state === 'open' || (!probing && this.#failures < this.#rules.failures)) return;
    const { openMs, maxOpenMs } = this.#rules;
    this.#openUntil = this.#now() + Math.min(maxOpenMs, openMs * 2 ** this.#openings);
    this.#openings += 1;
    this.#enter('open');
  }

  #enter(state: CircuitState): void {
    this.#state = state;
    for (const each of STATES) this.#gauge?.set({ target: this.name, state: each }, each === state ? 1 : 0);
  }
}

/** The breakers of one process, by name. */
export class Circuits {
  readonly #breakers = new Map<string, CircuitBreaker>();
  readonly #gauge: CircuitGauge | null;
  readonly #rules: CircuitRules;
  readonly #now: () => number;

  constructor(gauge: CircuitGauge | null, rules = CIRCUIT_RULES, now: () => number = Date.now) {
    this.#gauge = gauge;
    this.#rules = rules;
    this.#now = now;
  }

  breaker(name: string): CircuitBreaker {
    let breaker = this.#breakers.get(name);
    if (!breaker) {
      breaker = new CircuitBreaker(name, this.#rules, this.#gauge, this.#now);
      this.#breakers.set(name, breaker);
    }
    return breaker;
  }
}
