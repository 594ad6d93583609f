/**
 * What grants on workflows give of the verifiers that they pin. Found out when it is asked for and kept nowhere, so it
 * follows every save, grant, revocation and change of a team at once. A pin counts only where the verifier's owner made
 * it (`sharedBy`): naming another's verifier in a workflow hands out nothing.
 */
import type { Collection, Db, Document, Filter } from 'mongodb';
import type { Scope } from '../../../platform/scope.js';
import { requireCaller } from '../../../platform/scope.js';
import type { SharedRole, VerifierSharing } from '../verifier/sharing.js';
import { VERIFIERS, type VerifierDocument } from '../verifier/verifier.model.js';
import { VersionedStatus } from '../versioned/versioned.model.js';
import { changeableBy, sharedWith, type Viewer, visibleTo } from '../workflow/workflow.access.js';
import { BY_VERIFIER, WORKFLOWS, type WorkflowDocument } from '../workflow/workflow.model.js';
import type { Memberships } from './memberships.js';

export interface GrantedVerifiersDeps {
  db: Db;
  memberships: Memberships;
}

const BY_ITS_OWNER = { $gt: '' };

export class GrantedVerifiers implements VerifierSharing {
  readonly #memberships: Memberships;
  readonly #workflows: Collection<WorkflowDocument>;
  readonly #verifiers: Collection<VerifierDocument>;

  constructor({ db, memberships }: GrantedVerifiersDeps) {
    this.#memberships = memberships;
    this.#workflows = db.collection<WorkflowDocument>(WORKFLOWS.name);
    this.#verifiers = db.collection<VerifierDocument>(VERIFIERS.name);
  }

  /** Who may save a workflow tunes its verifiers, who may read it runs them. */
  async roleOf(scope: Scope, verifierId: string): Promise<SharedRole | null> {
    const viewer = await this.#viewer(scope);
    const pin = { 'current.verifiers': { $elemMatch: { verifierId, sharedBy: BY_ITS_OWNER } } };
    const [tuned, run] = await Promise.all([
      this.#exists({ ...pin, ...changeableBy(viewer) }),
      this.#exists({ ...pin, ...visibleTo(viewer) }),
    ]);
    if (tuned) return 'tune';
    return run ? 'exec' : null;
  }

  /** Among the workflows that pin it: they are few, what the caller may see can be much. */
  async #exists(filter: Document): Promise<boolean> {
    const options = { projection: { _id: 1 }, hint: BY_VERIFIER };
    return (await this.#workflows.findOne(filter as Filter<WorkflowDocument>, options)) !== null;
  }

  /** Those of that name whose owners put one of theirs into a workflow that the caller may see. */
  async named(scope: Scope, name: string): Promise<string[]> {
    const viewer = await this.#viewer(scope);
    const foreign = { 'current.verifiers': { $elemMatch: { sharedBy: { ...BY_ITS_OWNER, $ne: viewer.userId } } } };
    const owners = await Promise.all([
      this.#sharers({ ownerId: viewer.userId, ...foreign }),
      this.#sharers({ ...sharedWith(viewer), ...foreign }),
    ]);
    const others = [...new Set(owners.flat())].filter((owner) => owner !== null && owner !== viewer.userId);
    if (others.length === 0) return [];
    const found = await this.#verifiers
      .find({ ownerId: { $in: others }, name, status: VersionedStatus.ACTIVE })
      .project<{ _id: string }>({ _id: 1 })
      .toArray();
    return found.map(({ _id }) => _id);
  }

  async #sharers(filter: Document): Promise<string[]> {
    return this.#workflows.distinct('current.verifiers.sharedBy', filter as Filter<WorkflowDocument>);
  }

  async #viewer(scope: Scope): Promise<Viewer> {
    const { userId } = requireCaller(scope);
    return { userId, teams: await this.#memberships.teamsOf(scope) };
  }
}
