/** Everything about jobs, built from what the registry is given. */
import type DataLoader from 'dataloader';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { Events } from '../../../platform/events.js';
import type { ChangeSources, Follow } from '../../../platform/graph/changes.js';
import type { Metrics } from '../../../platform/metrics.js';
import type { Scope } from '../../../platform/scope.js';
import type { Secrets } from '../../../platform/secrets.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { BillingClient } from '../../billing/client.js';
import type { Assets } from '../../images/asset-client.js';
import type { Images } from '../../images/client.js';
import type { RegistryContext } from '../context.js';
import type { Models } from '../model/models.js';
import type { Providers } from '../provider/providers.js';
import { Execution } from '../queue/execution.js';
import { Workers } from '../queue/workers.js';
import { JobAdmission } from './job.admission.js';
import { JobErasure } from './job.erasure.js';
import { followJobs } from './job.follow.js';
import { JobMetrics } from './job.metrics.js';
import type { JobDocument } from './job.model.js';
import { jobOwner } from './job.owner.js';
import { JobService } from './job.service.js';
import { JobSettlement } from './job.settlement.js';
import { jobSources } from './job.sources.js';
import { JobStore } from './job.store.js';
import { JobSweeper } from './job.sweeper.js';
import { type JobView, jobViewer } from './job.type.js';
import { JobWaiters } from './job.waiters.js';
import { JobModelService } from './job-model.service.js';
import type { Retention } from './retention.type.js';

export interface JobSettings {
  publicUrl: string;
  /** How long jobs are kept with their prompts and pictures, and the pictures that they went by. */
  retentionDays: number;
  inputsHours: number;
  /** How many jobs of one owner may wait for a worker. */
  queuePerTenant: number;
  /** How long a worker is believed in that has not said that it is alive. */
  leaseSeconds: number;
  /** How long subscribers may not notice what another process changed without telling. */
  lookEveryMs: number;
}

export interface JobDeps {
  db: Db;
  secrets: Secrets;
  events: Events;
  metrics: Metrics;
  models: Models;
  providers: Providers;
  peers: { billing: BillingClient; images: Images; assets: Assets };
  jobSettings: JobSettings;
  log: Logger;
  now: () => Date;
}

/** What resolvers of jobs share. */
export interface JobServices {
  jobStore: JobStore;
  jobService: JobService;
  jobModels: JobModelService;
  /** Whose jobs a caller may see. */
  jobOwner: (scope: Scope) => string;
  jobView: JobView;
  retention: Retention;
}

/** What they have for themselves: these live as long as a request. */
export interface JobLoaders {
  jobLoader: DataLoader<string, JobDocument | null>;
}

export interface JobParts {
  shared: JobServices;
  own: { [K in keyof JobLoaders]: () => JobLoaders[K] };
  sources: ChangeSources<RegistryContext>;
  follow: Follow;
  tasks: readonly BackgroundTask[];
  workers: Workers;
  /** Callers who wait for their job, who must be let go before a server can close. */
  waiters: JobWaiters;
  sweeper: JobSweeper;
  close(): Promise<void>;
}

const SECOND_MS = 1_000;
const HOUR_MS = 60 * 60 * SECOND_MS;

export function createJobs(deps: JobDeps): JobParts {
  const { jobSettings, secrets, peers } = deps;
  const retention = {
    keepMs: jobSettings.retentionDays * 24 * HOUR_MS,
    keepInputsMs: jobSettings.inputsHours * HOUR_MS,
  };
  const parts = {
    ...deps,
    ...peers,
    metrics: new JobMetrics(deps.metrics),
    leaseMs: jobSettings.leaseSeconds * SECOND_MS,
    ...retention,
    queuePerTenant: jobSettings.queuePerTenant,
  };
  const jobs = new JobStore(parts);
  const settlement = new JobSettlement(parts);
  const erasure = new JobErasure({ ...parts, jobs, settlement });
  const waiters = new JobWaiters({ ...parts, jobs });
  const admission = new JobAdmission({ ...parts, jobs });
  const sweeper = new JobSweeper({ ...parts, jobs, settlement, erasure });
  const execution = new Execution({ ...parts, jobs, settlement, erasure });
  const workers = new Workers({ ...parts, jobs, waiters, execution });
  return {
    shared: {
      jobStore: jobs,
      jobService: new JobService({ ...parts, jobs, admission, waiters, erasure }),
      jobModels: new JobModelService(parts),
      jobOwner: (scope) => jobOwner(secrets, scope),
      jobView: jobViewer(jobSettings.publicUrl),
      retention,
    },
    sources: jobSources(deps.db, deps.now),
    follow: followJobs({ ...deps, lookEveryMs: jobSettings.lookEveryMs }),
    own: { jobLoader: () => jobs.loader() },
    tasks: sweeper.tasks,
    workers,
    waiters,
    sweeper,
    async close() {
      waiters.close();
      await workers.close();
      await jobs.flush();
    },
  };
}
