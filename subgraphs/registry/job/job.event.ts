import { Field, Int, ObjectType } from 'type-graphql';
import { OpenToAllKeys } from '../../../platform/graph/key-scopes.js';
import type { JobDocument } from './job.model.js';
import { Job, type JobView } from './job.type.js';

@ObjectType({ description: 'A job, as it was when it changed.' })
@OpenToAllKeys()
export class JobEvent {
  @Field(() => Job, { description: 'The job, as it was then.' })
  job!: Job;

  @Field(() => Int, { description: 'Which of the job’s changes this is, counted from 1.' })
  revision!: number;

  @Field(() => Date, { description: 'When it changed.' })
  at!: Date;
}

/** What came after a revision, oldest first. */
export function eventsAfter(job: JobDocument, revision: number, view: JobView): JobEvent[] {
  return job.changes.slice(revision).map(({ at }, i) => {
    const number = revision + i + 1;
    return { job: view(asOf(job, number)), revision: number, at };
  });
}

/** What a later change brought is not there yet. */
function asOf(job: JobDocument, revision: number): JobDocument {
  const changes = job.changes.slice(0, revision);
  const last = changes.at(-1);
  if (!last || changes.length === job.changes.length) return job;
  return { ...job, changes, state: last.state, changedAt: last.at, result: null, failure: null, completedAt: null };
}
