/** Requests that their caller gives a name: sent again, such a request is done once and gets the same answer again. */
import type { Collection, Db } from 'mongodb';
import { Problem } from './errors.js';
import { newId } from './ids.js';
import { type CollectionDefinition, isDuplicateKey } from './mongo/store.js';
import { sha256 } from './secrets.js';
import type { BackgroundTask } from './subgraph.js';

const REMEMBER_MS = 24 * 60 * 60_000;
const LEASE_MS = 30_000;
const SWEEP_EVERY_MS = 10 * 60_000;
const KEY = /^[\x21-\x7e][\x20-\x7e]{0,254}$/;

interface NamedRequest {
  /** Hash of operation, caller and key. */
  _id: string;
  workId: string;
  /** The attempt that is at work. Past `leaseUntil` its process is dead, and the next attempt takes over. */
  holder: string;
  leaseUntil: Date;
  done: boolean;
  /** What the request asked for. Null while that is not known: a body may still be coming in. */
  fingerprint: string | null;
  answer?: unknown;
  /** When the name is free again. */
  until: Date;
}

export function namedRequests(collection: string): CollectionDefinition {
  return { name: collection, indexes: [{ name: 'until', key: { until: 1 } }] };
}

export interface RequestName {
  /** One caller may give the same name to requests of different operations. */
  operation: string;
  /** Bare id of the user, or whatever else tells callers apart. */
  caller: string;
  /** The Idempotency-Key header. */
  key: string;
  /** Left out when it is known only at the end. */
  fingerprint?: string;
}

/** Of values that JSON can hold; the order of members plays no part. */
export function fingerprintOf(request: unknown): string {
  return sha256(JSON.stringify(request, (_name, value) => (isRecord(value) ? sorted(value) : value)) ?? '');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export class Idempotency<T> {
  readonly #requests: Collection<NamedRequest>;
  readonly #now: () => Date;

  constructor(db: Db, collection: string, now: () => Date) {
    this.#requests = db.collection<NamedRequest>(collection);
    this.#now = now;
  }

  /**
   * Does the work, or answers as before. `workId` is the same for every attempt at one request: an attempt that takes
   * over from a process that died finds by it what that one did. Work that throws frees the name, but for work of which
   * something stands: that is the next attempt's to find.
   */
  async run(
    name: RequestName & { fingerprint: string },
    work: (workId: string) => Promise<T>,
    stands?: (workId: string) => Promise<boolean>,
  ): Promise<T> {
    const begun = await this.begin(name);
    if (begun instanceof EarlierAnswer) return begun.to(name.fingerprint);
    return begun.through(work, () => name.fingerprint, stands);
  }

  /** Throws `conflict` while an earlier attempt is at work, and for a name that was given to something else. */
  async begin({ operation, caller, key, fingerprint }: RequestName): Promise<Attempt<T> | EarlierAnswer<T>> {
    if (!KEY.test(key)) throw Problem.invalid('Idempotency-Key', 'must be 1 to 255 printable ASCII characters');
    const _id = sha256(JSON.stringify([operation, caller, key]));
    for (;;) {
      const begun = (await this.#start(_id, fingerprint)) ?? (await this.#join(_id, fingerprint));
      if (begun) return begun;
    }
  }

  /** Null: the name is in use. */
  async #start(_id: string, fingerprint: string | undefined): Promise<Attempt<T> | null> {
    const now = this.#now().getTime();
    const request: NamedRequest = {
      _id,
      workId: newId(),
      holder: newId(),
      leaseUntil: new Date(now + LEASE_MS),
      done: false,
      fingerprint: fingerprint ?? null,
      until: new Date(now + REMEMBER_MS),
    };
    try {
      await this.#requests.insertOne(request);
    } catch (error) {
      if (isDuplicateKey(error)) return null;
      throw error;
    }
    return this.#attempt(request);
  }

  /** Null: somebody else changed it meanwhile, so look again. */
  async #join(_id: string, fingerprint: string | undefined): Promise<Attempt<T> | EarlierAnswer<T> | null> {
    const found = await this.#requests.findOne({ _id });
    if (!found) return null;
    const now = this.#now();
    const { holder, until, leaseUntil, done, workId } = found;
    if (until <= now) {
      await this.#requests.deleteOne({ _id, holder, until });
      return null;
    }
    if (fingerprint !== undefined && found.fingerprint !== null) requireSame(found.fingerprint, fingerprint);
    if (done) return new EarlierAnswer(found.answer as T, found.fingerprint);
    if (leaseUntil > now) {
      throw new Problem('conflict', 'A request with this Idempotency-Key is still under way.', {
        retryAfterSeconds: 1,
      });
    }
    const mine = newId();
    const { matchedCount } = await this.#requests.updateOne(
      { _id, holder, done: false },
      { $set: { holder: mine, leaseUntil: new Date(now.getTime() + LEASE_MS) } },
    );
    return matchedCount === 0 ? null : this.#attempt({ _id, workId, holder: mine });
  }

  #attempt({ _id, workId, holder }: Pick<NamedRequest, '_id' | 'workId' | 'holder'>): Attempt<T> {
    const mine = { _id, holder, done: false };
    return new Attempt(workId, {
      renew: async () => {
        const leaseUntil = new Date(this.#now().getTime() + LEASE_MS);
        await this.#requests.updateOne(mine, { $set: { leaseUntil } });
      },
      finish: async (answer, fingerprint) => {
        await this.#requests.updateOne(mine, { $set: { done: true, answer, fingerprint } });
      },
      abandon: async () => {
        await this.#requests.deleteOne(mine);
      },
      leave: async () => {
        await this.#requests.updateOne(mine, { $set: { leaseUntil: this.#now() } });
      },
    });
  }

  /** Forgets what is older than a day. */
  task(name: string): BackgroundTask {
    return {
      name,
      everyMs: SWEEP_EVERY_MS,
      run: async () => {
        await this.#requests.deleteMany({ until: { $lte: this.#now() } });
      },
    };
  }
}

interface Steps<T> {
  renew(): Promise<void>;
  finish(answer: T, fingerprint: string): Promise<void>;
  abandon(): Promise<void>;
  leave(): Promise<void>;
}

/** An attempt at a request. It holds the name until it finishes, abandons it, or its process dies. */
export class Attempt<T> {
  readonly workId: string;
  readonly #steps: Steps<T>;
  readonly #renewal: NodeJS.Timeout;

  constructor(workId: string, steps: Steps<T>) {
    this.workId = workId;
    this.#steps = steps;
    // A renewal that fails is made up for by the next one; without any the lease runs out, which is what it is for.
    this.#renewal = setInterval(() => void steps.renew().catch(() => undefined), LEASE_MS / 3).unref();
  }

  /** Work that throws frees the name. Work that is done but cannot be noted is left for the next attempt to find. */
  async through<A extends T>(
    work: (workId: string) => Promise<A>,
    fingerprint: (answer: A) => string,
    stands: (workId: string) => Promise<boolean> = async () => false,
  ): Promise<A> {
    let answer: A;
    try {
      answer = await work(this.workId);
    } catch (error) {
      // Where nobody can tell just now, the next attempt looks.
      if (await stands(this.workId).catch(() => true)) await this.#leave();
      else await this.abandon();
      throw error;
    }
    try {
      await this.finish(answer, fingerprint(answer));
      return answer;
    } catch (error) {
      await this.#leave();
      throw error;
    }
  }

  async #leave(): Promise<void> {
    clearInterval(this.#renewal);
    await this.#steps.leave().catch(() => undefined);
  }

  async finish(answer: T, fingerprint: string): Promise<void> {
    clearInterval(this.#renewal);
    await this.#steps.finish(answer, fingerprint);
  }

  /** Frees the name: nothing was done, and the caller may try again. */
  async abandon(): Promise<void> {
    clearInterval(this.#renewal);
    await this.#steps.abandon();
  }
}

/** The request was answered before. */
export class EarlierAnswer<T> {
  readonly #answer: T;
  readonly #fingerprint: string | null;

  constructor(answer: T, fingerprint: string | null) {
    this.#answer = answer;
    this.#fingerprint = fingerprint;
  }

  /** Throws `conflict` when the earlier request asked for something else. */
  to(fingerprint: string): T {
    requireSame(this.#fingerprint, fingerprint);
    return this.#answer;
  }
}

function requireSame(earlier: string | null, fingerprint: string): void {
  if (earlier === fingerprint) return;
  throw new Problem('conflict', 'This Idempotency-Key was given to a request with another body.', {
    hint: 'Use a new key for a new request.',
  });
}
