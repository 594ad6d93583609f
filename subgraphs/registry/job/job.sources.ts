/** What the subscriptions about jobs are read from. */
import type { Db } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import type { ChangeSources, Changes } from '../../../platform/graph/changes.js';
import { PlainId } from '../../../platform/ids.js';
import { anyOf, findBatch } from '../../../platform/mongo/batch.js';
import type { RegistryContext } from '../context.js';
import { eventsAfter, type JobEvent } from './job.event.js';
import { isEnded, JOBS, type JobDocument, JobState } from './job.model.js';

export const jobTopic = (id: string) => `job:${id}`;
export const ownerTopic = (owner: string) => `jobs:${owner}`;

/** Clocks of processes differ a little, and a write may take a while. */
const SLACK_MS = 5_000;
/** More than can change in that time. */
const MOST_AT_ONCE = 20_000;

export function jobSources(db: Db, now: () => Date): ChangeSources<RegistryContext> {
  const jobs = db.collection<JobDocument>(JOBS.name);

  async function one({ id }: Readonly<Record<string, unknown>>, context: RegistryContext, after: string | null) {
    const { scope, jobLoader, jobOwner, jobView } = context;
    const uuid = PlainId.parse(String(id));
    const job = uuid === null ? null : await jobLoader.load(uuid);
    if (!job || job.owner !== jobOwner(scope)) {
      if (after === null) throw new Problem('not_found', 'No such job.');
      // Deleted under the eyes of who watched it.
      return { values: [], cursor: after, topic: jobTopic(String(uuid)), ended: true };
    }
    const seen = after === null ? job.changes.length - 1 : Number(after);
    const values = eventsAfter(job, seen, jobView);
    return { values, cursor: String(job.changes.length), topic: jobTopic(job._id), ended: isEnded(job.state) };
  }

  async function all(_args: unknown, { scope, jobOwner, jobView }: RegistryContext, after: string | null) {
    const owner = jobOwner(scope);
    const place = after === null ? await present(owner) : readPlace(after);
    const found = await news(owner, place);
    const values = found.docs.flatMap((job) => {
      // Of what is under way when the subscription begins, only how it stands.
      const seen = after === null ? job.changes.length - 1 : (place.seen[job._id]?.[0] ?? 0);
      return eventsAfter(job, seen, jobView);
    });
    values.sort(inOrder);
    return { values, cursor: JSON.stringify(found.place), topic: ownerTopic(owner), ended: false } satisfies Changes;
  }

  /** As if nothing but what is under way had ever changed. */
  async function present(owner: string): Promise<Place> {
    const since = now().getTime();
    const lately = await changedSince(owner, since - SLACK_MS);
    const ended = lately.filter(({ state, erasing }) => erasing || isEnded(state));
    return { since, seen: Object.fromEntries(ended.map((job) => [job._id, entry(job)])), open: true };
  }

  async function news(owner: string, { since, seen, open }: Place) {
    const changed = [...(await changedSince(owner, since - SLACK_MS)), ...(open ? await underWay(owner) : [])];
    const fresh = changed.filter((job) => !job.erasing && job.changes.length > (seen[job._id]?.[0] ?? 0));
    const ids = [...new Set(fresh.map(({ _id }) => _id))];
    const docs =
      ids.length === 0
        ? []
        : await findBatch<JobDocument>(jobs, { _id: anyOf(ids), erasing: { $exists: false } }, { limit: ids.length });
    const next = { ...seen };
    for (const job of [...changed, ...docs]) next[job._id] = entry(job);
    const latest = Math.max(since, ...changed.map(({ changedAt }) => changedAt.getTime()));
    // What ended long enough ago is not found again.
    for (const [id, [, ended]] of Object.entries(next)) if (ended && ended < latest - SLACK_MS) delete next[id];
    return { docs, place: { since: latest, seen: next } };
  }

  function changedSince(owner: string, from: number): Promise<Marked[]> {
    return findBatch<JobDocument, Marked>(
      jobs,
      { owner, changedAt: { $gt: new Date(from) } },
      { projection: MARKS, sort: { changedAt: 1 }, limit: MOST_AT_ONCE, hint: 'changed_by_owner' },
    );
  }

  function underWay(owner: string): Promise<Marked[]> {
    return findBatch<JobDocument, Marked>(
      jobs,
      { owner, state: { $in: [JobState.QUEUED, JobState.PROCESSING] } },
      { projection: MARKS, sort: { _id: 1 }, limit: MOST_AT_ONCE, hint: 'under_way_by_owner' },
    );
  }

  return { jobUpdated: one, jobsUpdated: all };
}

const MARKS = { changes: 1, changedAt: 1, state: 1, erasing: 1 } as const;
type Marked = Pick<JobDocument, '_id' | keyof typeof MARKS>;

/** How many changes of a job were shown, and when it ended; 0 while it has not. */
type Entry = readonly [revision: number, ended: number];

/** Where somebody who watches all jobs of an owner stands. */
interface Place {
  /** The latest change that was read. */
  since: number;
  /** Of the jobs that are under way, and of those that ended so shortly ago that they are read again. */
  seen: Readonly<Record<string, Entry>>;
  /** That nothing was read so far. */
  open?: true;
}

function entry({ changes, changedAt, state, erasing }: Marked): Entry {
  return [changes.length, erasing || isEnded(state) ? changedAt.getTime() : 0];
}

/** It was made by `all`, and has been in the gateway's hands only. */
function readPlace(cursor: string): Place {
  return JSON.parse(cursor) as Place;
}

function inOrder(a: JobEvent, b: JobEvent): number {
  return (
    a.at.getTime() - b.at.getTime() ||
    (a.job.id < b.job.id ? -1 : Number(a.job.id > b.job.id)) ||
    a.revision - b.revision
  );
}
