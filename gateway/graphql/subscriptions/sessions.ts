/** Connections that stay open: who holds them and how many, and whether they still may. */
import type { Logger } from 'pino';
import { Problem } from '../../../platform/errors.js';
import { newId } from '../../../platform/ids.js';
import type { Scope } from '../../../platform/scope.js';
import type { Identity } from '../../identity.js';

/** A revoked key must stop everywhere within two seconds, also where the notice of it was lost. */
const RECHECK_MS = 1_000;

export interface SessionRequest {
  credential: string | null;
  scope: Scope;
  /** Ends the connection: whoever holds it may no longer. */
  end(problem: Problem): void;
}

export interface Session {
  /** Who holds the connection at this moment; throws for one that may no longer. */
  scope(): Promise<Scope>;
  /** The connection is over. */
  close(): void;
}

interface Open extends SessionRequest {
  holder: string;
}

export interface SessionsDeps {
  identity: Identity;
  /** Connections of one user, or of one network without an account. */
  perHolder: number;
  /** Connections of this process. */
  atMost: number;
  log: Logger;
}

export class Sessions {
  readonly #deps: SessionsDeps;
  readonly #open = new Set<Open>();
  readonly #held = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  readonly #stopListening: () => void;
  #checking = false;

  constructor(deps: SessionsDeps) {
    this.#deps = deps;
    // Whoever cannot be asked about at the moment is asked about a second later.
    const putOff = (error: unknown) => deps.log.warn({ err: error }, 'open connections could not be checked');
    this.#timer = setInterval(() => void this.#recheck().catch(putOff), RECHECK_MS).unref();
    this.#stopListening = deps.identity.onForgotten((userId) => void this.#recheckUser(userId).catch(putOff));
  }

  open(request: SessionRequest): Session {
    const { caller, network } = request.scope;
    const holder = caller ? caller.userId : `net:${network}`;
    const held = this.#held.get(holder) ?? 0;
    if (held >= this.#deps.perHolder) {
      throw new Problem('rate_limited', `At most ${this.#deps.perHolder} connections may be open at a time.`);
    }
    if (this.#open.size >= this.#deps.atMost) {
      throw new Problem('unavailable', 'This server has as many open connections as it takes. Try again later.');
    }
    const open: Open = { ...request, holder };
    this.#open.add(open);
    this.#held.set(holder, held + 1);
    return { scope: () => this.#scope(open), close: () => this.#close(open) };
  }

  async #scope({ credential, scope: { network } }: Open): Promise<Scope> {
    const requestId = newId();
    const caller = credential === null ? null : await this.#deps.identity.resolve(credential, requestId);
    return { requestId, network, caller, internal: false };
  }

  #close(open: Open): void {
    if (!this.#open.delete(open)) return;
    const held = (this.#held.get(open.holder) ?? 1) - 1;
    if (held > 0) this.#held.set(open.holder, held);
    else this.#held.delete(open.holder);
  }

  #end(open: Open, problem: Problem): void {
    this.#close(open);
    open.end(problem);
  }

  async #recheckUser(userId: string): Promise<void> {
    await this.#check([...this.#open].filter(({ holder }) => holder === userId));
  }

  /** Everybody anew, past what is remembered of them: what was remembered a moment ago may be two seconds old. */
  async #recheck(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    try {
      await this.#check([...this.#open]);
    } finally {
      this.#checking = false;
    }
  }

  async #check(sessions: readonly Open[]): Promise<void> {
    const credentials = new Set(sessions.flatMap(({ credential }) => credential ?? []));
    const revoked = await this.#deps.identity.revoked(credentials, newId());
    for (const session of sessions) {
      if (session.credential === null || !revoked.has(session.credential)) continue;
      this.#end(session, new Problem('auth_required', 'The API key is no longer valid.'));
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stopListening();
  }
}
