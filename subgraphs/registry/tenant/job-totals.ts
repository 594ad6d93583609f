/** Counts a tenant's jobs by state, from an index alone: no job is read for it. */
import DataLoader from 'dataloader';
import type { Db } from 'mongodb';
import { JOBS, type JobDocument, JobState } from '../job/job.model.js';
import type { JobTotals } from './tenant.type.js';

export type JobTotalsLoader = DataLoader<string, JobTotals>;

interface Count {
  _id: { owner: string; state: JobState };
  count: number;
}

export function jobTotalsLoader(db: Db): JobTotalsLoader {
  const jobs = db.collection<JobDocument>(JOBS.name);
  return new DataLoader(async (owners) => {
    const counts = await jobs
      .aggregate<Count>(
        [
          { $match: { owner: { $in: [...owners] } } },
          { $project: { _id: 0, owner: 1, state: 1 } },
          { $group: { _id: { owner: '$owner', state: '$state' }, count: { $sum: 1 } } },
        ],
        { hint: 'changed_by_owner' },
      )
      .toArray();
    return owners.map((owner) => totalsOf(counts.filter(({ _id }) => _id.owner === owner)));
  });
}

function totalsOf(counts: readonly Count[]): JobTotals {
  const of = (state: JobState) => counts.find(({ _id }) => _id.state === state)?.count ?? 0;
  return {
    total: counts.reduce((sum, { count }) => sum + count, 0),
    queued: of(JobState.QUEUED),
    processing: of(JobState.PROCESSING),
    completed: of(JobState.COMPLETED),
    failed: of(JobState.FAILED),
    failedEncoding: of(JobState.FAILED_ENCODING),
  };
}
