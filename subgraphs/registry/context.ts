import type DataLoader from 'dataloader';
import type { PageLoader } from '../../platform/mongo/pages-by-owner.js';
import type { Scope } from '../../platform/scope.js';
import type { AccountsClient } from '../accounts/client.js';
import type { GeneratorVersion } from './generator/generator.model.js';
import type { GeneratorLoader, GeneratorService, Generators } from './generator/generator.service.js';
import type { GrantService } from './grant/grant.service.js';
import type { PrincipalNames } from './grant/principal-names.js';
import type { JobLoaders, JobServices } from './job/jobs.js';
import type { Models } from './model/models.js';
import type { Ownerships } from './ownership/ownerships.js';
import type { RunDocument } from './run/run.model.js';
import type { RunService } from './run/run.service.js';
import type { RunStore } from './run/run.store.js';
import type { TemplateLoaders, TemplateServices } from './template/templates.js';
import type { JobTotalsLoader } from './tenant/job-totals.js';
import type { Verifiers } from './verifier/verifier.access.js';
import type { VerifierLoaders, VerifierServices } from './verifier/verifiers.js';
import type { Bundles } from './workflow/bundle.js';
import type { WorkflowSearch } from './workflow/workflow.search.js';
import type { WorkflowLoader, WorkflowService } from './workflow/workflow.service.js';

export interface RegistryContext
  extends VerifierServices,
    VerifierLoaders,
    JobServices,
    JobLoaders,
    TemplateServices,
    TemplateLoaders {
  scope: Scope;
  models: Models;
  /** What is deployed, version by version. */
  versions: { generators: Generators; verifiers: Verifiers };
  generators: GeneratorService;
  runs: RunService;
  runStore: RunStore;
  generatorLoader: GeneratorLoader;
  versionPages: PageLoader<GeneratorVersion>;
  runPages: PageLoader<RunDocument>;
  runLoader: DataLoader<string, RunDocument | null>;
  jobTotals: JobTotalsLoader;
  workflows: WorkflowService;
  workflowLoader: WorkflowLoader;
  workflowSearch: WorkflowSearch;
  workflowBundles: Bundles;
  grants: GrantService;
  principalNames: PrincipalNames;
  ownerships: Ownerships;
  accounts: AccountsClient;
}
