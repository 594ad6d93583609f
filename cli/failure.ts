/** How a command fails: what it says, and with which exit status. */
export const EXIT = { failure: 1, usage: 2, interrupted: 130 } as const;

export interface FailureOptions {
  hint?: string | undefined;
  status?: number;
  /** The error as the server told it, for --json. */
  body?: object;
  cause?: unknown;
}

export class Failure extends Error {
  readonly hint: string | undefined;
  readonly status: number;
  readonly body: object | undefined;

  constructor(message: string, { hint, status = EXIT.failure, body, cause }: FailureOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.hint = hint;
    this.status = status;
    this.body = body;
  }
}

/** A mistake in the command line. */
export function usage(message: string, hint?: string): Failure {
  return new Failure(message, { hint, status: EXIT.usage });
}
