/** Everything about jobs, built from what the registry is given. */
import type DataLoader from 'dataloader';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { Events } from '../../../platform/events.js';
import type { Scope } from '../../../platform/scope.js';
import type { Secrets } from '../../../platform/secrets.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { JobDocument } from './job.model.js';
import { jobOwner } from './job.owner.js';
import { JobStore } from './job.store.js';
import { type JobView, jobViewer } from './job.type.js';

export interface JobSettings {
  publicUrl: string;
  retentionDays: number;
  inputsHours: number;
  /** How many jobs of one owner may wait for a worker. */
  queuePerTenant: number;
}

export interface JobDeps {
  db: Db;
  secrets: Secrets;
  events: Events;
  jobSettings: JobSettings;
  log: Logger;
  now: () => Date;
}

/** What resolvers of jobs share. */
export interface JobServices {
  jobStore: JobStore;
  /** Whose jobs a caller may see. */
  jobOwner: (scope: Scope) => string;
  jobView: JobView;
}

/** What they have for themselves: these live as long as a request. */
export interface JobLoaders {
  jobLoader: DataLoader<string, JobDocument | null>;
}

export interface JobParts {
  shared: JobServices;
  own: { [K in keyof JobLoaders]: () => JobLoaders[K] };
  tasks: readonly BackgroundTask[];
  close(): Promise<void>;
}

const HOUR_MS = 60 * 60_000;

export function createJobs(deps: JobDeps): JobParts {
  const { jobSettings, secrets } = deps;
  const jobStore = new JobStore({ ...deps, keepInputsMs: jobSettings.inputsHours * HOUR_MS });
  return {
    shared: {
      jobStore,
      jobOwner: (scope) => jobOwner(secrets, scope),
      jobView: jobViewer(jobSettings.publicUrl),
    },
    own: { jobLoader: () => jobStore.loader() },
    tasks: [],
    close: () => jobStore.flush(),
  };
}
