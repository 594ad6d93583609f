import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { Payer } from '../../billing/client.js';
import type { JudgeErrorCode } from '../judge/failure.js';

export enum VerifierRunStatus {
  COMPLETE = 'complete',
  ERROR = 'error',
}

export interface VerifierOutcome {
  status: VerifierRunStatus;
  passed: boolean | null;
  reasoning: string | null;
  /** Which judge, and which of its models; null when none gave a verdict. */
  judge: string | null;
  errorCode: JudgeErrorCode | null;
  errorMessage: string | null;
  costMicros: number;
  durationMs: number;
}

/**
 * Written once the verdict is known and before it is answered. `openUntil` and `payer` stand until the run is paid for:
 * past `openUntil` the process that should have seen to it is dead, and a sweeper does.
 */
export interface VerifierRunDocument extends VerifierOutcome {
  _id: string;
  /** Who ran it; null for a caller without an account. */
  ownerId: string | null;
  /** Null for one of the platform's own. */
  verifierId: string | null;
  /** Name of one of the platform's own. */
  system: string | null;
  verifierVersion: number;
  /** Keyed, so that it leads back to the inputs for nobody. */
  inputsHash: string;
  createdAt: Date;
  openUntil?: Date;
  /** It may be a network address, so it goes when nothing is left to pay. */
  payer?: Payer;
}

export const VERIFIER_RUNS: CollectionDefinition = {
  name: 'registry_verifier_runs',
  indexes: [
    { name: 'by_verifier', key: { verifierId: 1, _id: -1 } },
    { name: 'open', key: { openUntil: 1 }, options: { sparse: true } },
  ],
};
