/** Why there is no verdict. What judges write is kept out of it: they quote what they were given to judge. */
import type { Verdict } from '../../../platform/outbound/circuit.js';

export type JudgeErrorCode = 'runtime_error' | 'timeout' | 'verifier_unavailable';

interface FailureKind {
  /** Null: no judge was asked, so there is nothing to record and the caller is to try again. */
  code: JudgeErrorCode | null;
  message: string;
  /** What it says to the judge's circuit breaker. */
  verdict: Verdict;
}

export const JUDGE_FAILURES = {
  unreachable: { code: null, message: 'The judge cannot be reached.', verdict: 'unhealthy' },
  circuit_open: {
    code: null,
    message: 'The judge has been failing and is not asked for the moment.',
    verdict: 'healthy',
  },
  unable: { code: null, message: 'No judge of this installation can judge this.', verdict: 'healthy' },
  no_examples: {
    code: null,
    message: 'The local judge goes by labelled examples, and this verifier has none.',
    verdict: 'healthy',
  },
  overloaded: { code: 'verifier_unavailable', message: 'The judge is overloaded.', verdict: 'unhealthy' },
  rate_limited: { code: 'verifier_unavailable', message: 'The judge’s rate limit is used up.', verdict: 'healthy' },
  failed: { code: 'verifier_unavailable', message: 'The judge failed.', verdict: 'unhealthy' },
  timeout: { code: 'timeout', message: 'The judge took too long.', verdict: 'unhealthy' },
  credentials: {
    code: 'runtime_error',
    message: 'The judge did not accept this installation’s credentials.',
    verdict: 'healthy',
  },
  rejected: { code: 'runtime_error', message: 'The judge did not accept the request.', verdict: 'healthy' },
  refused: { code: 'runtime_error', message: 'The judge declined to judge this.', verdict: 'healthy' },
  broken: { code: 'runtime_error', message: 'The connection to the judge broke off.', verdict: 'unhealthy' },
  too_large: { code: 'runtime_error', message: 'The judge’s answer is too large.', verdict: 'unhealthy' },
  unreadable: { code: 'runtime_error', message: 'The judge gave no verdict that can be read.', verdict: 'healthy' },
  internal: { code: 'runtime_error', message: 'The judgement failed on our side.', verdict: 'unknown' },
} as const satisfies Record<string, FailureKind>;

export type JudgeFailureReason = keyof typeof JUDGE_FAILURES;

export class JudgeFailure extends Error {
  readonly reason: JudgeFailureReason;
  /** The judge's status, where it answered at all. */
  readonly status: number | null;

  constructor(reason: JudgeFailureReason, options: { status?: number; cause?: unknown } = {}) {
    super(JUDGE_FAILURES[reason].message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'JudgeFailure';
    this.reason = reason;
    this.status = options.status ?? null;
  }

  get code(): JudgeErrorCode | null {
    return JUDGE_FAILURES[this.reason].code;
  }

  get verdict(): Verdict {
    return JUDGE_FAILURES[this.reason].verdict;
  }
}
