import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { Cancellations } from '../../platform/cancellations.js';
import { type Events, RUN_CANCELLED } from '../../platform/events.js';
import { buildSubgraph, type SubgraphSchema } from '../../platform/graph/build.js';
import { contextsOf } from '../../platform/graph/context.js';
import { Idempotency, namedRequests } from '../../platform/idempotency.js';
import { newId } from '../../platform/ids.js';
import type { Metrics } from '../../platform/metrics.js';
import { ensureIndexes } from '../../platform/mongo/store.js';
import type { ObjectStore } from '../../platform/s3.js';
import type { Secrets } from '../../platform/secrets.js';
import type { Subgraph } from '../../platform/subgraph.js';
import type { AccountsClient } from '../accounts/client.js';
import type { BillingClient } from '../billing/client.js';
import type { Assets } from '../images/asset-client.js';
import type { Images } from '../images/client.js';
import type { RegistryContext } from './context.js';
import { GENERATOR_VERSIONS, GENERATORS, type GeneratorConfig } from './generator/generator.model.js';
import { GeneratorResolver, referencedGenerator, UserGeneratorsResolver } from './generator/generator.resolver.js';
import { GeneratorService } from './generator/generator.service.js';
import { withoutGrantsTo } from './grant/grant.model.js';
import { GrantResolver } from './grant/grant.resolver.js';
import { principalNames } from './grant/principal-names.js';
import { JOBS } from './job/job.model.js';
import { JobResolver, referencedJob } from './job/job.resolver.js';
import { JobSubscriptionResolver } from './job/job.subscription.js';
import type { JobWaiters } from './job/job.waiters.js';
import { createJobs, type JobLoaders, type JobSettings } from './job/jobs.js';
import { SYSTEM_TIERS } from './model/entry.js';
import { ModelResolver } from './model/model.resolver.js';
import type { Models } from './model/models.js';
import { OwnershipResolver } from './ownership/ownership.resolver.js';
import { type Owned, OwnershipService } from './ownership/ownership.service.js';
import { PromptPackResolver } from './prompt-pack/prompt-pack.resolver.js';
import type { Providers } from './provider/providers.js';
import type { Workers } from './queue/workers.js';
import { RunMetrics } from './run/run.metrics.js';
import { RUNS } from './run/run.model.js';
import { RunRecovery } from './run/run.recovery.js';
import { RunResolver, referencedRun } from './run/run.resolver.js';
import { type NamedRun, RunService } from './run/run.service.js';
import { RunStore } from './run/run.store.js';
import { LiveSnapshots } from './template/live-snapshots.js';
import { TEMPLATES } from './template/template.model.js';
import { ForkTemplateResolver, referencedTemplate, TemplateResolver } from './template/template.resolver.js';
import { createTemplates, TEMPLATE_COLLECTIONS, type TemplateLoaders } from './template/templates.js';
import { jobTotalsLoader } from './tenant/job-totals.js';
import { TenantResolver } from './tenant/tenant.resolver.js';
import { Tenant } from './tenant/tenant.type.js';
import { referencedVerifier, UserVerifiersResolver, VerifierResolver } from './verifier/verifier.resolver.js';
import { referencedVerifierRun, VerifierRunResolver } from './verifier/verifier-run.resolver.js';
import {
  createVerifiers,
  VERIFIER_COLLECTIONS,
  type VerifierDeps,
  type VerifierLoaders,
} from './verifier/verifiers.js';
import { VersionedService } from './versioned/versioned.service.js';
import { mountFilesDoor } from './workflow/files.door.js';
import type { BundleFiles } from './workflow/files.js';
import { WORKFLOWS } from './workflow/workflow.model.js';
import { referencedWorkflow, WorkflowResolver } from './workflow/workflow.resolver.js';
import { createWorkflows, WORKFLOW_COLLECTIONS } from './workflow/workflows.js';

export interface RegistryDeps extends Omit<VerifierDeps, 'references'> {
  db: Db;
  store: ObjectStore;
  secrets: Secrets;
  events: Events;
  metrics: Metrics;
  peers: { accounts: AccountsClient; billing: BillingClient; images: Images; assets: Assets };
  models: Models;
  providers: Providers;
  providerTimeoutMs: number;
  jobSettings: JobSettings;
  log: Logger;
  now: () => Date;
}

export function registrySchema(): Promise<SubgraphSchema> {
  return buildSubgraph<RegistryContext>({
    resolvers: [
      GeneratorResolver,
      UserGeneratorsResolver,
      RunResolver,
      ModelResolver,
      VerifierResolver,
      UserVerifiersResolver,
      VerifierRunResolver,
      WorkflowResolver,
      GrantResolver,
      PromptPackResolver,
      TemplateResolver,
      ForkTemplateResolver,
      JobResolver,
      TenantResolver,
      JobSubscriptionResolver,
      OwnershipResolver,
    ],
    references: {
      ImageGenerator: ({ id }, context) => referencedGenerator(String(id), context),
      GenerationRun: ({ id }, context) => referencedRun(String(id), context),
      Verifier: ({ id }, context) => referencedVerifier(String(id), context),
      VerifierRun: ({ id }, context) => referencedVerifierRun(String(id), context),
      Workflow: ({ id }, context) => referencedWorkflow(String(id), context),
      Template: ({ id }, context) => referencedTemplate(String(id), context),
      Job: ({ id }, context) => referencedJob(String(id), context),
      Tenant: ({ id }) => ({ id }),
      User: ({ id }) => ({ id }),
    },
    extended: [Tenant],
  });
}

const NAMED_RUNS = namedRequests('registry_named_runs');

/** `system` itself too, so that no reference can be taken for the platform's. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['system', ...SYSTEM_TIERS]);

type OwnOfRequest =
  | 'generatorLoader'
  | 'versionPages'
  | 'runPages'
  | 'runLoader'
  | 'jobTotals'
  | 'workflowLoader'
  | 'principalNames'
  | keyof VerifierLoaders
  | keyof JobLoaders
  | keyof TemplateLoaders;

/** With the files of workflows and templates, for whoever runs in this process, and the workers, for whoever starts them. */
export interface RegistrySubgraph extends Subgraph {
  readonly files: { workflows: BundleFiles; templates: BundleFiles };
  readonly workers: Workers;
  /** Those who wait for a job. A server that closes lets them go first. */
  readonly waiters: JobWaiters;
}

export async function createRegistry(deps: RegistryDeps): Promise<RegistrySubgraph> {
  const { db, models, providers, now, log } = deps;
  const references = new LiveSnapshots(db);
  const { schema } = await registrySchema();
  await ensureIndexes(db, [
    GENERATORS,
    GENERATOR_VERSIONS,
    RUNS,
    NAMED_RUNS,
    JOBS,
    ...VERIFIER_COLLECTIONS,
    ...WORKFLOW_COLLECTIONS,
    ...TEMPLATE_COLLECTIONS,
  ]);
  const runStore = new RunStore({ db, generators: GENERATORS.name, now, log });
  const deployed = new VersionedService<GeneratorConfig>({
    db,
    noun: 'image generator',
    things: GENERATORS,
    versions: GENERATOR_VERSIONS,
    reservedNames: RESERVED_NAMES,
    references,
    eraseRuns: (generatorId) => runStore.erase(generatorId),
    now,
  });
  const generators = new GeneratorService({ generators: deployed, models, live: references });
  const metrics = new RunMetrics(deps.metrics);
  const recovery = new RunRecovery({ ...deps.peers, runs: runStore, metrics, log, now });
  const named = new Idempotency<NamedRun>(db, NAMED_RUNS.name, now);
  const cancellations = new Cancellations(deps.events, RUN_CANCELLED);
  const runs = new RunService({
    ...deps,
    ...deps.peers,
    runs: runStore,
    recovery,
    named,
    cancellations,
    generators,
    metrics,
  });
  const verifiers = createVerifiers({ ...deps, references });
  const jobs = createJobs(deps);
  const { accounts } = deps.peers;
  const gone = (id: string) => accounts.resourceGone(id, newId());
  const { workflows, search, bundles, grants, ...ofWorkflows } = createWorkflows(
    { ...deps, gone },
    {
      generators: deployed,
      verifiers: verifiers.deployed,
      verifierAccess: verifiers.shared.verifierAccess,
    },
  );
  const templates = createTemplates(
    { ...deps, gone },
    {
      workflows,
      bundles,
      generators: deployed,
      verifiers: verifiers.deployed,
      judging: verifiers.shared,
    },
  );
  const files = { workflows: ofWorkflows.files, templates: templates.files };
  return {
    name: 'registry',
    schema,
    files,
    workers: jobs.workers,
    waiters: jobs.waiters,
    sources: jobs.sources,
    follow: jobs.follow,
    mount(app, authorize) {
      mountFilesDoor(app, 'workflow', files.workflows, authorize);
      mountFilesDoor(app, 'template', files.templates, authorize);
    },
    context: contextsOf<RegistryContext, OwnOfRequest>(
      {
        models,
        versions: { generators: deployed, verifiers: verifiers.deployed },
        generators,
        runs,
        runStore,
        ...verifiers.shared,
        workflows,
        workflowSearch: search,
        workflowBundles: bundles,
        ...jobs.shared,
        grants,
        accounts,
        ownerships: new OwnershipService({
          workflow: { things: db.collection<Owned>(WORKFLOWS.name), also: withoutGrantsTo },
          template: {
            things: db.collection<Owned>(TEMPLATES.name),
            also: () => ({ $inc: { rev: 1 }, $set: { updatedAt: now() } }),
          },
        }),
        ...templates.shared,
      },
      {
        generatorLoader: () => deployed.loader(),
        versionPages: ({ generatorLoader }) => deployed.versionPages(generatorLoader),
        runPages: () => runStore.pageLoader(),
        runLoader: () => runStore.loader(),
        jobTotals: () => jobTotalsLoader(db),
        workflowLoader: ({ scope }) => workflows.loader(scope),
        principalNames: ({ scope }) => principalNames(deps.peers.accounts, scope.requestId),
        ...verifiers.own,
        ...jobs.own,
        ...templates.own,
      },
    ),
    tasks: [
      ...deployed.tasks,
      ...recovery.tasks,
      named.task('registry-named-runs'),
      ...verifiers.tasks,
      ...jobs.tasks,
      ...ofWorkflows.tasks,
      ...templates.tasks,
    ],
    async ready() {
      await db.command({ ping: 1 });
    },
    async close() {
      cancellations.close();
      await runs.drain();
      await runStore.flush();
      await jobs.close();
      await ofWorkflows.close();
      await templates.close();
      await verifiers.close();
      await providers.close();
    },
  };
}
