import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { Payer } from '../../billing/client.js';
import type { Contract, ProviderName } from '../model/entry.js';
import type { FailureCode } from '../provider/failure.js';

export enum RunStatus {
  RUNNING = 'running',
  COMPLETE = 'complete',
  ERROR = 'error',
}

/** What the caller says a run was for. Kept as it came. */
export interface Provenance {
  workflowId: string | null;
  workflowVersion: number | null;
  workflowRef: string | null;
  /** The caller's own id of whatever this run is part of. */
  runId: string | null;
}

export interface HostedRecord {
  id: string;
  url: string;
  visibility: 'public' | 'private';
  expiresAt: Date | null;
}

/** One asked-for picture. Nothing at all: it failed. */
export interface OutputRecord {
  /** Where the picture is: hosted here, or at the provider where it could not be hosted. */
  url: string | null;
  hosted: HostedRecord | null;
}

export interface RunOutcome {
  status: RunStatus.COMPLETE | RunStatus.ERROR;
  outputs: OutputRecord[];
  /** Asked for, or else what the provider chose for the first picture. */
  seed: number | null;
  width: number | null;
  height: number | null;
  costMicros: number;
  durationMs: number;
  errorCode: FailureCode | null;
  errorMessage: string | null;
}

/**
 * Written while the provider draws, before anything is hosted, and decided by one update once the outputs are.
 * `openUntil` stands for as long as something is left to do: past it the process that should have done it is dead, and a
 * sweeper does it.
 */
export interface RunDocument extends Provenance, Omit<RunOutcome, 'status'> {
  _id: string;
  /** Null for a caller without an account. */
  ownerId: string | null;
  generatorId: string | null;
  generatorVersion: number | null;
  /** What the caller chose: a tier by name, else the model. */
  chosen: string;
  model: string;
  provider: ProviderName;
  contract: Contract;
  /** Keyed, so that it leads back to the prompt for nobody. */
  promptHash: string;
  numImages: number;
  /** Price of each picture. */
  unitMicros: number;
  status: RunStatus;
  createdAt: Date;
  openUntil?: Date;
  /** Who is charged, for a sweeper, which has no caller to ask. It may be a network address, so it goes with the rest. */
  payer?: Payer;
  /** A sweeper is finishing it; its own process, should it wake up, must leave it alone. */
  recovering?: true;
}

export const RUNS: CollectionDefinition = {
  name: 'registry_generation_runs',
  indexes: [
    { name: 'by_generator', key: { generatorId: 1, _id: -1 } },
    { name: 'open', key: { openUntil: 1 }, options: { sparse: true } },
  ],
};

export function emptyOutcome(): Omit<RunOutcome, 'status'> {
  return {
    outputs: [],
    seed: null,
    width: null,
    height: null,
    costMicros: 0,
    durationMs: 0,
    errorCode: null,
    errorMessage: null,
  };
}
