/** Why a provider gave no picture. What providers write is kept out of it: they quote prompts, and sometimes keys. */
import type { Verdict } from '../../../platform/outbound/circuit.js';

export type FailureCode = 'provider_error' | 'runtime_error' | 'timeout';

interface FailureKind {
  code: FailureCode;
  message: string;
  /** What it says to the provider's circuit breaker. */
  verdict: Verdict;
}

export const FAILURES = {
  refused: {
    code: 'provider_error',
    message: 'The provider’s safety filter refused the prompt, the reference or the picture.',
    verdict: 'healthy',
  },
  rejected: { code: 'provider_error', message: 'The provider did not accept the request.', verdict: 'healthy' },
  credentials: {
    code: 'provider_error',
    message: 'The provider did not accept this installation’s credentials.',
    verdict: 'healthy',
  },
  rate_limited: { code: 'provider_error', message: 'The provider’s rate limit is used up.', verdict: 'healthy' },
  failed: { code: 'provider_error', message: 'The provider failed.', verdict: 'unhealthy' },
  unreachable: { code: 'provider_error', message: 'The provider cannot be reached.', verdict: 'unhealthy' },
  unreadable: { code: 'provider_error', message: 'The provider’s answer holds no picture.', verdict: 'unhealthy' },
  too_large: { code: 'provider_error', message: 'The provider’s answer is too large.', verdict: 'unhealthy' },
  not_configured: {
    code: 'provider_error',
    message: 'The provider of this model is not set up on this installation.',
    verdict: 'healthy',
  },
  circuit_open: {
    code: 'provider_error',
    message: 'The provider has been failing and is not asked for the moment.',
    verdict: 'healthy',
  },
  timeout: { code: 'timeout', message: 'The provider took too long.', verdict: 'unhealthy' },
  cancelled: { code: 'runtime_error', message: 'The run was given up before it was finished.', verdict: 'unknown' },
  internal: { code: 'runtime_error', message: 'The picture could not be made on our side.', verdict: 'unknown' },
} as const satisfies Record<string, FailureKind>;

export type FailureReason = keyof typeof FAILURES;

export class ProviderFailure extends Error {
  readonly reason: FailureReason;
  /** The provider's status, where it answered at all. */
  readonly status: number | null;

  constructor(reason: FailureReason, options: { status?: number; cause?: unknown } = {}) {
    super(FAILURES[reason].message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ProviderFailure';
    this.reason = reason;
    this.status = options.status ?? null;
  }

  get code(): FailureCode {
    return FAILURES[this.reason].code;
  }

  get verdict(): Verdict {
    return FAILURES[this.reason].verdict;
  }
}
