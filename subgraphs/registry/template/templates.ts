/** Everything about templates, built from what the registry is given. */
import type DataLoader from 'dataloader';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { byIdLoader } from '../../../platform/mongo/loader.js';
import { Lookups } from '../../../platform/mongo/lookups.js';
import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { ObjectStore } from '../../../platform/s3.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { AccountsClient } from '../../accounts/client.js';
import type { Encoder } from '../embedding/encoder.js';
import type { Generators } from '../generator/generator.service.js';
import { SafetyChecks } from '../safety/check.js';
import { type Embeddable, Embedder } from '../search/embedder.js';
import type { Verifiers } from '../verifier/verifier.access.js';
import type { VerifierServices } from '../verifier/verifiers.js';
import { Bundles } from '../workflow/bundle.js';
import type { BundleFiles } from '../workflow/files.js';
import type { WorkflowService } from '../workflow/workflow.service.js';
import { ForkService } from './fork.service.js';
import { Freezer } from './freezer.js';
import { templateFiles } from './template.files.js';
import { TemplateLists } from './template.lists.js';
import {
  TEMPLATE_SNAPSHOTS,
  TEMPLATE_VERSIONS,
  TEMPLATES,
  type TemplateDocument,
  type TemplateVersionDocument,
} from './template.model.js';
import { TemplateSearch } from './template.search.js';
import { TemplateService } from './template.service.js';
import { TemplateStore } from './template.store.js';

export interface TemplateDeps {
  db: Db;
  peers: { accounts: AccountsClient };
  store: ObjectStore;
  /** Ends what depended on a template that is gone. Must be idempotent. */
  gone(templateId: string): Promise<void>;
  encoder: Encoder;
  log: Logger;
  now: () => Date;
}

/** What templates are made of, and what forks are made in. */
export interface TemplateSources {
  workflows: WorkflowService;
  bundles: Bundles;
  generators: Generators;
  verifiers: Verifiers;
  judging: VerifierServices;
}

/** What resolvers of templates share. */
export interface TemplateServices {
  templates: TemplateService;
  forks: ForkService;
  templateBundles: Bundles;
  templateSearch: TemplateSearch;
  safetyChecks: SafetyChecks;
}

/** What they have for themselves: these live as long as a request. */
export interface TemplateLoaders {
  templateLoader: DataLoader<string, TemplateDocument | null>;
  templateContentLoader: DataLoader<string, TemplateVersionDocument | null>;
}

export interface TemplateParts {
  shared: TemplateServices;
  own: { [K in keyof TemplateLoaders]: () => TemplateLoaders[K] };
  files: BundleFiles;
  tasks: readonly BackgroundTask[];
  close(): Promise<void>;
}

export const TEMPLATE_COLLECTIONS: readonly CollectionDefinition[] = [TEMPLATES, TEMPLATE_VERSIONS, TEMPLATE_SNAPSHOTS];

export function createTemplates(deps: TemplateDeps, from: TemplateSources): TemplateParts {
  const { db, peers, store: objects, gone, encoder, log, now } = deps;
  const { workflows, verifiers, generators, judging } = from;
  const bundles = new Bundles(objects, 'templates');
  const store = new TemplateStore({
    db,
    bundles,
    async gone(id) {
      await workflows.orphan(id);
      await gone(id);
    },
    told: ({ kind, pin }) => (kind === 'verifier' ? verifiers : generators).claimed(pin.slice(0, pin.lastIndexOf('@'))),
    now,
  });
  const embedder = new Embedder({
    name: 'registry-template-embeddings',
    shelf: { collection: db.collection<Embeddable>(TEMPLATE_VERSIONS.name), path: '', sameAs: '_id' },
    encoder,
    log,
  });
  const safety = new SafetyChecks(judging.verifierRuns);
  const templates = new TemplateService({
    store,
    lists: new TemplateLists(db),
    workflows,
    bundles: { workflows: from.bundles, templates: bundles },
    freezer: new Freezer({ verifiers, generators, verifierAccess: judging.verifierAccess }),
    safety,
    accounts: peers.accounts,
    published: (contentId) => embedder.soon(contentId),
  });
  const lookups = new Lookups(db.collection<TemplateDocument>(TEMPLATES.name));
  const contents = new Lookups(db.collection<TemplateVersionDocument>(TEMPLATE_VERSIONS.name), { largest: 40 });
  const forks = new ForkService({ templates, store, workflows, verifiers, generators, now });
  return {
    shared: {
      templates,
      forks,
      templateBundles: bundles,
      templateSearch: new TemplateSearch({ db, encoder, log, now }),
      safetyChecks: safety,
    },
    own: {
      templateLoader: () => byIdLoader(lookups),
      templateContentLoader: () => byIdLoader(contents),
    },
    files: templateFiles(templates, bundles),
    tasks: [...store.tasks, embedder.task],
    close: () => embedder.close(),
  };
}
