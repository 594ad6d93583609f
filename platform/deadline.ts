/** The time by which work must have ended. */

/**
 * Unlike AbortSignal.timeout(), which stays with its timer until its time has come however early the work ended, and
 * AbortSignal.any(), by which its signals go on knowing each other. Both cost more than a small request's own work.
 */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #caller: AbortSignal | undefined;
  readonly #callOff = () => this.#controller.abort(this.#caller?.reason);
  #hasPassed = false;

  /** The caller may call the work off before. */
  constructor(ms: number, caller?: AbortSignal) {
    this.#timer = setTimeout(() => this.#pass(), ms).unref();
    this.#caller = caller;
    if (caller?.aborted) this.#callOff();
    else caller?.addEventListener('abort', this.#callOff);
  }

  /** Comes when the time has, or the caller calls off. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get hasPassed(): boolean {
    return this.#hasPassed;
  }

  #pass(): void {
    this.#hasPassed = true;
    this.#controller.abort(new DOMException('It took too long.', 'TimeoutError'));
  }

  /** The work has ended, or is left to itself. */
  lift(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#callOff);
  }
}

/** For work that may be busy with what heeds no signal: nobody is held up by that. */
export function heeding<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
