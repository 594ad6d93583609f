export type FetchFailure =
  /** Not a URL that is fetched at all: its scheme, port or credentials, or it does not parse. */
  | 'url'
  /** Not on the list of hosts. */
  | 'host'
  /** Leads to an address that is not public. */
  | 'address'
  | 'redirects'
  | 'status'
  | 'encoding'
  | 'too_large'
  | 'timeout'
  | 'network';

/** Why something could not be fetched. The details are for the log; a caller must not learn what our network looks like. */
export class FetchError extends Error {
  readonly failure: FetchFailure;
  /** Whether the same request may succeed a moment later. */
  readonly transient: boolean;

  constructor(failure: FetchFailure, message: string, options: { cause?: unknown; transient?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'FetchError';
    this.failure = failure;
    this.transient = options.transient ?? (failure === 'timeout' || failure === 'network');
  }
}
