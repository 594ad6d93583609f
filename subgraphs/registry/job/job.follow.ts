/**
 * Tells where there may be news about jobs. Notices come at once, from this process or through Redis. What other processes
 * changed without telling is found by looking at what changed lately, for as long as anybody wants to know.
 */
import type { Collection, Db } from 'mongodb';
import type { Logger } from 'pino';
import { type Events, JOB_CHANGED } from '../../../platform/events.js';
import type { Follow, FollowListener } from '../../../platform/graph/changes.js';
import { findBatch } from '../../../platform/mongo/batch.js';
import { readNotice } from './job.changes.js';
import { JOBS, type JobDocument } from './job.model.js';
import { jobTopic, ownerTopic } from './job.sources.js';

/** Mostly only what is new is read again; now and then what may have come late, by another clock or a slow write. */
const OVERLAP_MS = 50;
const WIDE_OVERLAP_MS = 5_000;
const WIDE_EVERY_MS = 1_000;
/** More than can change in the longer of these times. */
const MOST_AT_ONCE = 20_000;
/** Of the time, how much may be spent looking: the rest is at least this many times as long. */
const REST_FACTOR = 9;

export interface JobFollowDeps {
  db: Db;
  events: Events;
  /** How long what was not told may stay unnoticed. */
  lookEveryMs: number;
  log: Logger;
  now: () => Date;
}

export function followJobs(deps: JobFollowDeps): Follow {
  const look = new Looking(deps);
  return (listener) => {
    const told = (payload: string) => {
      const { id, owner } = readNotice(payload);
      listener.heard(jobTopic(id));
      listener.heard(ownerTopic(owner));
    };
    const stopListening = deps.events.subscribe(JOB_CHANGED, (payload) => {
      look.heard(readNotice(payload));
      told(payload);
    });
    const stopLooking = look.start(listener);
    return () => {
      stopListening();
      stopLooking();
    };
  };
}

type Marked = Pick<JobDocument, '_id' | 'owner' | 'changedAt'>;

/** One for all who follow. */
class Looking {
  readonly #deps: JobFollowDeps;
  readonly #jobs: Collection<JobDocument>;
  readonly #listeners = new Set<FollowListener>();
  /** When a job's last change was told of, whoever found out. */
  readonly #told = new Map<string, number>();
  #until = 0;
  #wideAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: JobFollowDeps) {
    this.#deps = deps;
    this.#jobs = deps.db.collection<JobDocument>(JOBS.name);
  }

  /** A notice comes after its write: what it told of needs no telling again, but what came after does. */
  heard({ id, at }: ReturnType<typeof readNotice>): void {
    if (this.#listeners.size > 0) this.#told.set(id, at);
  }

  start(listener: FollowListener): () => void {
    if (this.#listeners.size === 0) {
      this.#until = this.#deps.now().getTime();
      this.#wait(this.#deps.lookEveryMs);
    }
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearTimeout(this.#timer);
      this.#told.clear();
    };
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => void this.#look(), ms).unref();
  }

  async #look(): Promise<void> {
    const { lookEveryMs, log } = this.#deps;
    const start = performance.now();
    try {
      this.#tell(await this.#changed());
    } catch (error) {
      log.warn({ err: error }, 'news of jobs not found; looking again');
    }
    if (this.#listeners.size > 0) this.#wait(Math.max(lookEveryMs, (performance.now() - start) * REST_FACTOR));
  }

  #changed(): Promise<Marked[]> {
    const now = this.#deps.now().getTime();
    const wide = now >= this.#wideAt;
    if (wide) this.#wideAt = now + WIDE_EVERY_MS;
    const from = new Date(this.#until - (wide ? WIDE_OVERLAP_MS : OVERLAP_MS));
    return findBatch<JobDocument, Marked>(
      this.#jobs,
      { changedAt: { $gt: from } },
      { projection: { owner: 1, changedAt: 1 }, sort: { changedAt: 1 }, limit: MOST_AT_ONCE, hint: 'changed' },
    );
  }

  #tell(changed: readonly Marked[]): void {
    for (const { _id, owner, changedAt } of changed) {
      const at = changedAt.getTime();
      this.#until = Math.max(this.#until, at);
      if (at === this.#told.get(_id)) continue;
      this.#told.set(_id, at);
      for (const { heard } of this.#listeners) {
        heard(jobTopic(_id));
        heard(ownerTopic(owner));
      }
    }
    // There were more: those behind may never be read.
    if (changed.length === MOST_AT_ONCE) for (const { missed } of this.#listeners) missed();
    for (const [id, at] of this.#told) if (at < this.#until - 2 * WIDE_OVERLAP_MS) this.#told.delete(id);
  }
}
