/** Everything about verifiers, built from what the registry is given. */
import type DataLoader from 'dataloader';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { Idempotency, namedRequests } from '../../../platform/idempotency.js';
import type { PageLoader } from '../../../platform/mongo/pages-by-owner.js';
import type { CollectionDefinition } from '../../../platform/mongo/store.js';
import type { Secrets } from '../../../platform/secrets.js';
import type { BackgroundTask } from '../../../platform/subgraph.js';
import type { BillingClient } from '../../billing/client.js';
import type { Images } from '../../images/client.js';
import type { Encoder } from '../embedding/encoder.js';
import type { Judges } from '../judge/judges.js';
import type { LiveReferences } from '../versioned/live-references.js';
import { VersionedService } from '../versioned/versioned.service.js';
import type { VerifierSharing } from './sharing.js';
import { SYSTEM_VERIFIERS } from './system.js';
import { VerifierAccess, type VerifierLoader, type Verifiers } from './verifier.access.js';
import { VERIFIER_VERSIONS, VERIFIERS, type VerifierConfig, type VerifierVersion } from './verifier.model.js';
import { VerifierService } from './verifier.service.js';
import { VERIFIER_RUNS, type VerifierRunDocument } from './verifier-run.model.js';
import { VerifierRunRecovery } from './verifier-run.recovery.js';
import { type NamedVerifierRun, VerifierRunService } from './verifier-run.service.js';
import { VerifierRunStore } from './verifier-run.store.js';

export interface VerifierDeps {
  db: Db;
  secrets: Secrets;
  peers: { billing: BillingClient; images: Images };
  references: LiveReferences;
  sharing: VerifierSharing;
  judges: Judges;
  /** What the local judge, and search, compare texts by. */
  encoder: Encoder;
  /** Price of a verdict. */
  verifierRunMicros: number;
  log: Logger;
  now: () => Date;
}

/** What resolvers of verifiers share. */
export interface VerifierServices {
  verifiers: VerifierService;
  verifierAccess: VerifierAccess;
  verifierRuns: VerifierRunService;
  verifierRunStore: VerifierRunStore;
}

/** What they have for themselves: these live as long as a request. */
export interface VerifierLoaders {
  verifierLoader: VerifierLoader;
  verifierVersionPages: PageLoader<VerifierVersion>;
  verifierRunPages: PageLoader<VerifierRunDocument>;
  verifierRunLoader: DataLoader<string, VerifierRunDocument | null>;
}

export interface VerifierParts {
  deployed: Verifiers;
  shared: VerifierServices;
  own: { [K in keyof VerifierLoaders]: (context: VerifierLoaders) => VerifierLoaders[K] };
  tasks: readonly BackgroundTask[];
  close(): Promise<void>;
}

const NAMED_RUNS = namedRequests('registry_named_verifier_runs');

export const VERIFIER_COLLECTIONS: readonly CollectionDefinition[] = [
  VERIFIERS,
  VERIFIER_VERSIONS,
  VERIFIER_RUNS,
  NAMED_RUNS,
];

/** `system` itself too, so that no reference can be taken for the platform's. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['system', ...SYSTEM_VERIFIERS.keys()]);

export function createVerifiers(deps: VerifierDeps): VerifierParts {
  const { db, references, sharing, judges, encoder, now, log, peers } = deps;
  const runStore = new VerifierRunStore({ db, now, log });
  const deployed = new VersionedService<VerifierConfig>({
    db,
    noun: 'verifier',
    things: VERIFIERS,
    versions: VERIFIER_VERSIONS,
    reservedNames: RESERVED_NAMES,
    references,
    eraseRuns: (verifierId) => runStore.erase(verifierId),
    now,
  });
  const access = new VerifierAccess({ verifiers: deployed, sharing, live: references });
  const service = new VerifierService({ verifiers: deployed, access });
  const named = new Idempotency<NamedVerifierRun>(db, NAMED_RUNS.name, now);
  const runs = new VerifierRunService({ ...deps, ...peers, runs: runStore, named, access });
  const recovery = new VerifierRunRecovery({ runs: runStore, billing: peers.billing, log });
  return {
    deployed,
    shared: { verifiers: service, verifierAccess: access, verifierRuns: runs, verifierRunStore: runStore },
    own: {
      verifierLoader: () => deployed.loader(),
      verifierVersionPages: ({ verifierLoader }) => deployed.versionPages(verifierLoader),
      verifierRunPages: () => runStore.pageLoader(),
      verifierRunLoader: () => runStore.loader(),
    },
    tasks: [...deployed.tasks, ...recovery.tasks, named.task('registry-named-verifier-runs')],
    async close() {
      await runStore.flush();
      await judges.close();
      await encoder.close();
    },
  };
}
