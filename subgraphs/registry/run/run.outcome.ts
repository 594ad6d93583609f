/** From what a provider gave and what could be hosted to what a run came to. Pure. */
import type { StoredOutput } from '../../images/client.js';
import type { FailureCode, ProviderFailure } from '../provider/failure.js';
import type { Output } from '../provider/provider.js';
import { emptyOutcome, type OutputRecord, type RunDocument, type RunOutcome, RunStatus } from './run.model.js';

export interface Delivered {
  output: Output;
  stored: StoredOutput | null;
}

export interface Failure {
  code: FailureCode;
  message: string;
}

export function failed({ code, message }: Failure, seed: number | null, durationMs: number): RunOutcome {
  return { ...emptyOutcome(), status: RunStatus.ERROR, errorCode: code, errorMessage: message, seed, durationMs };
}

const NOT_STORED: Failure = { code: 'runtime_error', message: 'The pictures were made but could not be stored.' };

/** A picture counts, and costs, when the caller can have it: hosted here, or at the address that the provider gave. */
export function outcomeOf(
  delivered: readonly Delivered[],
  { unitMicros, seed }: Pick<RunDocument, 'unitMicros' | 'seed'>,
  durationMs: number,
): RunOutcome {
  const outputs = delivered.map(recordOf);
  const count = outputs.filter(({ url }) => url !== null).length;
  if (count === 0) return failed(firstFailure(delivered) ?? NOT_STORED, seed, durationMs);
  return {
    ...emptyOutcome(),
    status: RunStatus.COMPLETE,
    outputs,
    ...sizeOf(delivered),
    seed: seed ?? firstSeed(delivered),
    costMicros: count * unitMicros,
    durationMs,
  };
}

function recordOf({ output, stored }: Delivered): OutputRecord {
  const hosted = stored && hostedRecord(stored);
  if (output.kind === 'url') return { url: output.url, hosted };
  return { url: hosted?.url ?? null, hosted };
}

export function hostedRecord({ id, url, visibility, expiresAt }: StoredOutput) {
  return { id, url, visibility, expiresAt };
}

function firstFailure(delivered: readonly Delivered[]): ProviderFailure | null {
  // When all of them were made, it was the hosting that failed.
  const failures = delivered.flatMap(({ output }) => (output.kind === 'failure' ? [output.failure] : []));
  return failures.length === delivered.length ? (failures[0] ?? null) : null;
}

function firstSeed([first]: readonly Delivered[]): number | null {
  return first && first.output.kind !== 'failure' ? first.output.seedUsed : null;
}

function sizeOf(delivered: readonly Delivered[]): { width: number | null; height: number | null } {
  for (const { output, stored } of delivered) {
    if (stored) return { width: stored.width, height: stored.height };
    if (output.kind === 'url' && output.width !== null) return { width: output.width, height: output.height };
  }
  return { width: null, height: null };
}
