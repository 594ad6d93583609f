/** The providers that this installation can call, each behind its circuit breaker and the one deadline. */
import type { Logger } from 'pino';
import { Deadline, heeding } from '../../../platform/deadline.js';
import { type CircuitBreaker, CircuitOpen, type Circuits } from '../../../platform/outbound/circuit.js';
import { traced } from '../../../platform/outbound/traced.js';
import type { ProviderName } from '../model/entry.js';
import { MAX_SEED } from '../model/parameters.js';
import { ProviderFailure } from './failure.js';
import type { ImageRequest, Output, Provider } from './provider.js';

export interface ProvidersDeps {
  providers: readonly Provider[];
  circuits: Circuits;
  timeoutMs: number;
  log: Logger;
}

export class Providers {
  readonly #entries = new Map<ProviderName, { provider: Provider; circuit: CircuitBreaker }>();
  readonly #timeoutMs: number;
  readonly #log: Logger;

  constructor({ providers, circuits, timeoutMs, log }: ProvidersDeps) {
    this.#timeoutMs = timeoutMs;
    this.#log = log;
    for (const provider of providers) {
      this.#entries.set(provider.name, { provider, circuit: circuits.breaker(`image:${provider.name}`) });
    }
  }

  get configured(): ReadonlySet<ProviderName> {
    return new Set(this.#entries.keys());
  }

  /** Exactly as many outputs as pictures were asked for. Throws nothing but ProviderFailure, within the time-out. */
  async generate(request: ImageRequest, caller?: AbortSignal): Promise<Output[]> {
    const entry = this.#entries.get(request.model.provider);
    if (!entry) throw new ProviderFailure('not_configured');
    const started = performance.now();
    const deadline = new Deadline(this.#timeoutMs, caller);
    const { signal } = deadline;
    try {
      const outputs = await entry.circuit.run(
        async () => complete(await heeding(signal, entry.provider.generate(request, signal)), request.count),
        (error) => failureOf(error, deadline, caller).verdict,
      );
      for (const output of outputs) {
        if (output.kind === 'failure') this.#report(output.failure, request, performance.now() - started);
      }
      return outputs;
    } catch (error) {
      const failure = failureOf(error, deadline, caller);
      this.#report(failure, request, performance.now() - started);
      throw failure;
    } finally {
      deadline.lift();
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ provider }) => provider.close()));
  }

  // What a provider wrote may quote the prompt, so its words are not logged: the reason and its status are.
  #report(failure: ProviderFailure, { model }: ImageRequest, elapsedMs: number): void {
    const { reason, status } = failure;
    const line = { provider: model.provider, model: model.slug, reason, status, elapsedMs: Math.round(elapsedMs) };
    if (reason === 'internal') this.#log.error({ ...line, ...traced(failure.cause) }, 'image provider adapter failed');
    else this.#log.warn(line, 'image provider gave no picture');
  }
}

function failureOf(error: unknown, deadline: Deadline, caller: AbortSignal | undefined): ProviderFailure {
  if (error instanceof CircuitOpen) return new ProviderFailure('circuit_open');
  if (deadline.hasPassed) return new ProviderFailure('timeout');
  if (caller?.aborted) return new ProviderFailure('cancelled');
  return error instanceof ProviderFailure ? error : new ProviderFailure('internal', { cause: error });
}

/** As many as were asked for. Nothing but failures is a failure of the call. */
function complete(given: readonly Output[], count: number): Output[] {
  const missing = () => ({ kind: 'failure', failure: new ProviderFailure('unreadable') }) as const;
  const outputs = Array.from({ length: count }, (_, i) => given[i] ?? missing());
  const failures = outputs.flatMap((output) => (output.kind === 'failure' ? [output.failure] : []));
  if (failures[0] && failures.length === outputs.length) throw failures[0];
  return outputs;
}

/** For providers that draw one picture a call: all at once, each with its own seed; some may fail. */
export async function oneByOne(
  { count, seed }: ImageRequest,
  draw: (seed: number | null) => Promise<Output>,
): Promise<Output[]> {
  const outcomes = await Promise.allSettled(
    Array.from({ length: count }, (_, i) => draw(seed === null ? null : (seed + i) % (MAX_SEED + 1))),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed && outcomes.every((outcome) => outcome.status === 'rejected')) throw failed.reason;
  return outcomes.map((outcome) => {
    if (outcome.status === 'fulfilled') return outcome.value;
    const { reason } = outcome;
    const failure = reason instanceof ProviderFailure ? reason : new ProviderFailure('internal', { cause: reason });
    return { kind: 'failure', failure };
  });
}
