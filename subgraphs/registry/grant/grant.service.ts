/** Sharing a workflow with users and teams. */
import type { Collection, Db, Filter, UpdateFilter } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { newId, PlainId, UserId } from '../../../platform/ids.js';
import {
  decodeCursor,
  encodeCursor,
  type Page,
  type PageRequest,
  pageOf,
  pageSize,
} from '../../../platform/mongo/page.js';
import { checked } from '../../../platform/rules.js';
import { requireCaller, type Scope } from '../../../platform/scope.js';
import type { AccountsClient, Principal } from '../../accounts/client.js';
import { type HeldRole, requireRole } from '../workflow/workflow.access.js';
import { WORKFLOWS, type WorkflowDocument } from '../workflow/workflow.model.js';
import type { FoundWorkflow, WorkflowService } from '../workflow/workflow.service.js';
import { GRANTS_PER_WORKFLOW, type Grant } from './grant.model.js';
import { grantRules, revokeRules } from './grant.rules.js';

export interface GrantServiceDeps {
  db: Db;
  workflows: WorkflowService;
  accounts: Pick<AccountsClient, 'principal'>;
  now: () => Date;
}

/** A grant with the workflow that it is on. */
export interface Given {
  workflow: WorkflowDocument;
  grant: Grant;
}

type Change = UpdateFilter<WorkflowDocument> | object[];

// Every failed attempt means that another change of the same workflow's grants went through.
const ATTEMPTS = 10;

export class GrantService {
  readonly #deps: GrantServiceDeps;
  readonly #workflows: Collection<WorkflowDocument>;

  constructor(deps: GrantServiceDeps) {
    this.#deps = deps;
    this.#workflows = deps.db.collection<WorkflowDocument>(WORKFLOWS.name);
  }

  /** Gives a role, or changes the one that the grantee has. */
  async give(scope: Scope, reference: string, given: unknown): Promise<Given> {
    const { role, include_history, grantee_email_or_at_team_handle: named } = checked(grantRules, given);
    // Who may share it is decided before anybody is looked up: sharing nothing is no way to learn who has an account.
    await this.#shareable(scope, reference);
    const grantee = await this.#named(scope, named);
    if (!grantee) throw new Problem('user_not_found', 'No such user or team.');
    return this.#retried(async () => {
      const found = await this.#shareable(scope, reference);
      requireRole(found.access, role);
      if (found.workflow.ownerId === grantee.id) {
        throw new Problem('conflict', 'The owner of a workflow may do everything already.');
      }
      const wanted = { role, history: include_history === true, by: requireCaller(scope).userId };
      const workflow = await this.#change(found.workflow, this.#giving(found, grantee, wanted));
      const grant = workflow?.grants.find(({ granteeId }) => granteeId === grantee.id);
      return workflow && grant && { workflow, grant };
    });
  }

  /** A later role keeps the floor that was; nobody hands out versions that they may not see themselves. */
  #giving({ workflow, access }: FoundWorkflow, grantee: Principal, { role, history, by }: Wanted): Change {
    const at = this.#deps.now();
    const index = workflow.grants.findIndex(({ granteeId }) => granteeId === grantee.id);
    const place = `grants.${index}`;
    if (index >= 0) {
      return {
        $set: { [`${place}.role`]: role, [`${place}.grantedBy`]: by, [`${place}.grantedAt`]: at },
        ...(history && { $min: { [`${place}.floor`]: access.floor } }),
      };
    }
    if (workflow.grants.length >= GRANTS_PER_WORKFLOW) {
      throw new Problem('quota_exceeded', `A workflow can be shared with ${GRANTS_PER_WORKFLOW} users and teams.`);
    }
    const grant = {
      _id: newId(),
      granteeType: grantee.type,
      granteeId: grantee.id,
      role,
      grantedBy: by,
      grantedAt: at,
    };
    // The version that is current when this is written, whatever was saved since it was read.
    const floor = history ? access.floor : '$current.version';
    const added = { $mergeObjects: [{ $literal: grant }, { floor }] };
    return [{ $set: { grants: { $concatArrays: ['$grants', [added]] } } }];
  }

  /** By whatever the grantee can be named, also by the id of a user or team that is gone. */
  async revoke(scope: Scope, reference: string, given: unknown): Promise<WorkflowDocument> {
    const { grantee_email_or_at_team_handle: named } = checked(revokeRules, given);
    const { workflow } = await this.#shareable(scope, reference);
    const id = UserId.parse(named.trim()) ?? PlainId.parse(named.trim());
    const known = workflow.grants.some(({ granteeId }) => granteeId === id);
    const granteeId = known ? id : (await this.#named(scope, named))?.id;
    if (!granteeId) throw new Problem('user_not_found', 'No such user or team.');
    return this.#retried(async () => {
      const found = await this.#shareable(scope, reference);
      if (!found.workflow.grants.some((grant) => grant.granteeId === granteeId)) {
        throw new Problem('not_found', 'The workflow is not shared with that user or team.');
      }
      return this.#change(found.workflow, { $pull: { grants: { granteeId } } });
    });
  }

  /** Gives up what the caller was granted themself; what a team was granted stays the team's. */
  async leave(scope: Scope, reference: string): Promise<{ workflow: WorkflowDocument; removed: number }> {
    const { userId: granteeId } = requireCaller(scope);
    return this.#retried(async () => {
      const { workflow, access } = await this.#deps.workflows.find(scope, reference);
      if (access.role === 'owner') {
        throw new Problem('conflict', 'The owner cannot leave a workflow.', {
          hint: 'Transfer it to somebody else, or delete it.',
        });
      }
      if (!workflow.grants.some((grant) => grant.granteeId === granteeId)) return { workflow, removed: 0 };
      return (await this.#change(workflow, { $pull: { grants: { granteeId } } })) && { workflow, removed: 1 };
    });
  }

  /** In the order in which they were given. */
  async list(scope: Scope, reference: string, request: PageRequest): Promise<Page<Grant>> {
    const size = pageSize(request);
    const after = request.after ? decodeCursor(request.after) : '';
    const { workflow } = await this.#shareable(scope, reference);
    const rest = workflow.grants.filter(({ _id }) => _id > after).sort((a, b) => (a._id < b._id ? -1 : 1));
    return pageOf(rest.slice(0, size + 1), size, ({ _id }) => encodeCursor(_id));
  }

  async #shareable(scope: Scope, reference: string): Promise<FoundWorkflow> {
    const found = await this.#deps.workflows.find(scope, reference);
    requireRole(found.access, 'admin');
    return found;
  }

  #named(scope: Scope, identifier: string): Promise<Principal | null> {
    const { userId: askedBy } = requireCaller(scope);
    return this.#deps.accounts.principal({ identifier, askedBy }, scope.requestId);
  }

  /** What was decided on what was read takes effect on exactly that, or not at all. */
  async #change({ _id, ownerId, grantsRev }: WorkflowDocument, change: Change): Promise<WorkflowDocument | null> {
    const filter = { _id, ownerId, grantsRev } as Filter<WorkflowDocument>;
    const counted = Array.isArray(change)
      ? [...change, { $set: { grantsRev: grantsRev + 1 } }]
      : { ...change, $inc: { grantsRev: 1 } };
    return this.#workflows.findOneAndUpdate(filter, counted, { returnDocument: 'after' });
  }

  async #retried<T>(attempt: () => Promise<T | null | undefined>): Promise<T> {
    for (let i = 0; i < ATTEMPTS; i++) {
      const done = await attempt();
      if (done) return done;
    }
    throw new Problem('conflict', 'The grants of the workflow are being changed by other requests. Try again.');
  }
}

interface Wanted {
  role: HeldRole;
  history: boolean;
  by: string;
}
