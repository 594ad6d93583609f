/** Everything about workflows, built from what the registry is given. */
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { Problem } from '../../../platform/errors.js';
import { VerifierId } from '../../../platform/ids.js';
import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { ObjectStore } from '../../../platform/s3.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { AccountsClient } from '../../accounts/client.js';
import type { Encoder } from '../embedding/encoder.js';
import type { Generators } from '../generator/generator.service.js';
import { GrantService } from '../grant/grant.service.js';
import { CurrentMemberships } from '../grant/memberships.js';
import { type Embeddable, Embedder } from '../search/embedder.js';
import { SYSTEM_VERIFIERS } from '../verifier/system.js';
import type { VerifierAccess, Verifiers } from '../verifier/verifier.access.js';
import { VersionedStatus } from '../versioned/versioned.model.js';
import { Bundles } from './bundle.js';
import { type BundleFiles, workflowFiles } from './files.js';
import { PinReader } from './pins.js';
import { type Copies, WORKFLOW_VERSIONS, WORKFLOWS } from './workflow.model.js';
import { WorkflowSearch } from './workflow.search.js';
import { WorkflowService } from './workflow.service.js';

export interface WorkflowDeps {
  db: Db;
  peers: { accounts: AccountsClient };
  store: ObjectStore;
  /** Ends what depended on a workflow that is gone. Must be idempotent. */
  gone(workflowId: string): Promise<void>;
  encoder: Encoder;
  log: Logger;
  now: () => Date;
}

/** What a workflow may pin. */
export interface Pinnables {
  generators: Generators;
  verifiers: Verifiers;
  verifierAccess: VerifierAccess;
}

export interface WorkflowParts {
  workflows: WorkflowService;
  search: WorkflowSearch;
  bundles: Bundles;
  grants: GrantService;
  files: BundleFiles;
  tasks: readonly BackgroundTask[];
  close(): Promise<void>;
}

export const WORKFLOW_COLLECTIONS: readonly CollectionDefinition[] = [WORKFLOWS, WORKFLOW_VERSIONS];

export function createWorkflows(deps: WorkflowDeps, pinnables: Pinnables): WorkflowParts {
  const { db, store, peers, gone, encoder, log, now } = deps;
  const { generators, verifiers, verifierAccess } = pinnables;
  const pins = new PinReader({
    async verifier(scope, id, version) {
      try {
        const loader = verifiers.loader();
        const { verifier } = await verifierAccess.pinned(scope, VerifierId.format(id), version, 'exec', loader);
        return { id, ownerId: verifier.ownerId };
      } catch (error) {
        if (error instanceof Problem && error.slug === 'not_found') return null;
        throw error;
      }
    },
    async generator({ caller }, id, version) {
      const generator = await generators.loader().load(id);
      const mine = generator?.ownerId === caller?.userId && generator?.status === VersionedStatus.ACTIVE;
      if (!generator || !mine) return null;
      return (await generators.version(generator, version)) && { id, ownerId: generator.ownerId };
    },
    isSystemVerifier: (name) => SYSTEM_VERIFIERS.has(name),
  });
  const bundles = new Bundles(store);
  const embedder = new Embedder({
    name: 'registry-workflow-embeddings',
    shelf: { collection: db.collection<Embeddable>(WORKFLOWS.name), path: 'current.', sameAs: 'current.version' },
    encoder,
    log,
  });
  const dropCopies = async ({ ownerId, ...copies }: Copies) => {
    for (const id of copies.verifiers) await verifiers.drop(ownerId, id);
    for (const id of copies.generators) await generators.drop(ownerId, id);
  };
  const workflows = new WorkflowService({
    db,
    bundles,
    memberships: new CurrentMemberships(peers.accounts),
    pins,
    gone,
    dropCopies,
    saved: (id) => embedder.soon(id),
    now,
  });
  const grants = new GrantService({ db, workflows, accounts: peers.accounts, now });
  return {
    workflows,
    bundles,
    search: new WorkflowSearch({ db, workflows, encoder }),
    grants,
    files: workflowFiles(workflows, bundles),
    tasks: [...workflows.tasks, embedder.task],
    close: () => embedder.close(),
  };
}
