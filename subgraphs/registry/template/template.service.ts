/** The public form of workflows: published version by version after a check, read by anybody, and taken back. */

import { Problem } from '../../../platform/errors.js';
import { VerifierRunId } from '../../../platform/ids.js';
import { type Page, type PageRequest } from '../../../platform/mongo/page.js';
import { checked } from '../../../platform/rules.js';
import { type Caller, requireCaller, type Scope } from '../../../platform/scope.js';
import type { AccountsClient } from '../../accounts/client.js';
import { pinOf } from '../generator/generator.service.js';
import type { SafetyChecks, SafetyReport } from '../safety/check.js';
import type { Bundles } from '../workflow/bundle.js';
import type { ReadFile } from '../workflow/bundle.rules.js';
import { requireRole } from '../workflow/workflow.access.js';
import { WorkflowStatus } from '../workflow/workflow.model.js';
import type { OpenWorkflow, WorkflowService } from '../workflow/workflow.service.js';
import type { Freezer } from './freezer.js';
import { isOwner, mayRead, requireOwner, templateNotFound } from './template.access.js';
import type { TemplateList, TemplateLists } from './template.lists.js';
import { SafetyStatus, type TemplateDocument, TemplateStatus, type TemplateVersionDocument } from './template.model.js';
import { archiveRules, deprecateRules, publishRules, readTemplateReference } from './template.rules.js';
import type { Draft, Published, TemplateStore } from './template.store.js';

export interface TemplateServiceDeps {
  store: TemplateStore;
  lists: TemplateLists;
  workflows: WorkflowService;
  /** Of workflows and of templates. */
  bundles: { workflows: Bundles; templates: Bundles };
  freezer: Freezer;
  safety: SafetyChecks;
  accounts: AccountsClient;
  /** There is a version that cannot be searched for yet. */
  published(contentId: string): void;
}

/** A template, and how it was named. */
export interface FoundTemplate {
  template: TemplateDocument;
  /** The version that the reference itself names. */
  pin: number | null;
  /** The owner's handle, where the reference told whose it is. */
  handle: string | null;
  /** The handle that the reference has, where the owner gave it up for that one. */
  redirectedFrom: string | null;
}

/** The same at one of its versions. */
export interface OpenTemplate extends FoundTemplate {
  content: TemplateVersionDocument;
}

export interface PublishedChecked extends Published {
  report: SafetyReport;
}

export class TemplateService {
  readonly #deps: TemplateServiceDeps;

  constructor(deps: TemplateServiceDeps) {
    this.#deps = deps;
  }

  /** Everything is checked before anything is written. */
  async publish(scope: Scope, given: unknown): Promise<PublishedChecked> {
    const { workflow_id, release_notes } = checked(publishRules, given);
    const caller = requireCaller(scope);
    if (caller.suspended) throw new Problem('account_suspended');
    const open = await this.#deps.workflows.open(scope, workflow_id, null);
    const handle = requirePublishable(open, caller);
    const { workflow, version } = open;
    const frozen = await this.#deps.freezer.freeze(scope, version);
    const files = await this.#filesOf(open);
    const report = await this.#checked(scope, { ...version, files });
    let stamped: Promise<void> | undefined;
    const stamp = () => (stamped ??= this.#stamp(handle, caller, scope.requestId));
    const { verifiers, imageGenerators, setups } = frozen;
    const draft: Draft = {
      ownerId: caller.userId,
      slug: workflow.slug,
      files,
      setups,
      content: {
        workflowId: workflow._id,
        workflowVersion: version.version,
        name: version.name,
        description: version.description,
        outcome: version.outcome,
        tags: version.tags,
        body: version.body,
        verifiers,
        imageGenerators,
        releaseNotes: release_notes ?? null,
        publishingHandle: handle,
        safetyStatus: report.status === 'flagged' ? SafetyStatus.FLAGGED : SafetyStatus.CLEAN,
        advisoryReasoning: report.advisory?.passed === false ? report.advisory.reasoning : null,
        blockRunId: report.block._id,
        advisoryRunId: report.advisory?._id ?? report.block._id,
      },
    };
    const published = await this.#deps.store.publish(draft, stamp);
    this.#deps.published(published.content._id);
    return { ...published, report };
  }

  async #filesOf({ workflow, version }: OpenWorkflow): Promise<ReadFile[]> {
    try {
      return await this.#deps.bundles.workflows.readAll(workflow._id, version.files);
    } catch (error) {
      if (!(error instanceof Problem && error.slug === 'not_found')) throw error;
      throw new Problem('conflict', 'The workflow was erased while it was being published.', { cause: error });
    }
  }

  async #checked(scope: Scope, content: Parameters<SafetyChecks['beforePublishing']>[1]): Promise<SafetyReport> {
    const report = await this.#deps.safety.beforePublishing(scope, content).catch((error: unknown) => {
      if (!(error instanceof Problem && error.slug === 'verifier_unavailable')) throw error;
      throw new Problem('safety_verification_unavailable', undefined, { cause: error });
    });
    if (report.status === 'error') throw new Problem('safety_verification_unavailable');
    if (report.status !== 'blocked') return report;
    const { _id, reasoning } = report.block;
    throw new Problem('safety_verification_failed', undefined, {
      hint: 'Change what the reasoning names, save the workflow, and publish again.',
      extra: { reasoning, verifier_run_id: VerifierRunId.format(_id) },
    });
  }

  /** Right before the handle is on anything: from then on nobody else may get it, whatever becomes of the publish. */
  async #stamp(handle: string, { userId }: Caller, requestId: string): Promise<void> {
    const { ownerType, ownerId } = await this.#deps.accounts.stampHandle(handle, requestId);
    if (ownerType !== 'USER' || ownerId !== userId) throw new Problem('handle_not_claimed');
  }

  /** By id, by `@handle/slug`, or by a slug of the caller's own. What they may not read does not exist. */
  async find(scope: Scope, reference: string): Promise<FoundTemplate> {
    const named = readTemplateReference(reference);
    if (!named) throw templateNotFound();
    const { version: pin } = named;
    if (named.kind === 'path') return this.#byPath(scope, named.handle, named.slug, pin);
    const owner = scope.caller?.userId;
    const own = named.kind === 'slug' && owner !== undefined;
    const { store } = this.#deps;
    const template =
      named.kind === 'id' ? await store.find(named.id) : own ? await store.findBySlug(owner, named.slug) : null;
    return { template: readable(scope, template), pin, handle: null, redirectedFrom: null };
  }

  async #byPath(scope: Scope, handle: string, slug: string, pin: number | null): Promise<FoundTemplate> {
    const owner = await this.#deps.accounts.ownerOfHandle(handle, scope.requestId);
    const template = owner?.ownerType === 'USER' ? await this.#deps.store.findBySlug(owner.ownerId, slug) : null;
    const redirectedFrom = owner?.redirected ? handle : null;
    return { template: readable(scope, template), pin, handle: owner?.handle ?? null, redirectedFrom };
  }

  /** At the version that is named in the reference or beside it, or the newest live one. */
  async open(scope: Scope, reference: string, version: number | null): Promise<OpenTemplate> {
    const found = await this.find(scope, reference);
    const content = await this.version(scope, found.template, pinOf(found.pin, version));
    return { ...found, content };
  }

  /** Versions that are not live are the owner's to read, and nobody else's. */
  async version(scope: Scope, template: TemplateDocument, version: number | null): Promise<TemplateVersionDocument> {
    const { store } = this.#deps;
    const { live } = template;
    const entry = version === null ? live.at(-1) : live.find((candidate) => candidate.version === version);
    let content: TemplateVersionDocument | null = null;
    if (entry) content = await store.content(entry.contentId);
    else if (isOwner(scope, template)) {
      content = version === null ? await store.newestVersion(template) : await store.version(template, version);
    }
    if (!content) throw templateNotFound();
    return content;
  }

  versions(scope: Scope, { _id, live }: TemplateDocument, ownerId: string, limit: number, below: number | null) {
    return this.#deps.store.versions(_id, live, isOwner(scope, { ownerId }), below, limit);
  }

  list(scope: Scope, list: TemplateList, page: PageRequest): Promise<Page<TemplateDocument>> {
    return this.#deps.lists.page(scope, list, page);
  }

  /** For what only its owner may do. */
  async owned(scope: Scope, reference: string): Promise<TemplateDocument> {
    requireCaller(scope);
    const { template, pin } = await this.find(scope, reference);
    requireOwner(scope, template);
    if (pin !== null) throw Problem.invalid('identifier', 'must not name a version here');
    return template;
  }

  async unpublish(scope: Scope, reference: string, version: number): Promise<TemplateDocument> {
    return this.#deps.store.unpublish(await this.owned(scope, reference), version);
  }

  async eraseVersion(scope: Scope, reference: string, version: number): Promise<TemplateDocument> {
    const template = await this.owned(scope, reference);
    await this.#deps.store.eraseVersion(template, version);
    return template;
  }

  async deprecate(scope: Scope, reference: string, version: number, given: unknown): Promise<OpenTemplate> {
    const { message } = checked(deprecateRules, given);
    const template = await this.owned(scope, reference);
    const content = await this.#deps.store.deprecate(template, version, message);
    return { template, content, pin: null, handle: null, redirectedFrom: null };
  }

  /** Archiving what is archived, and the reverse, changes nothing. */
  async archive(scope: Scope, reference: string, given: unknown): Promise<TemplateDocument> {
    const { archive_reason } = checked(archiveRules, given);
    const template = await this.owned(scope, reference);
    return this.#deps.store.setStatus(template, TemplateStatus.ARCHIVED, archive_reason ?? null);
  }

  async unarchive(scope: Scope, reference: string): Promise<TemplateDocument> {
    return this.#deps.store.setStatus(await this.owned(scope, reference), TemplateStatus.LIVE, null);
  }

  async erase(scope: Scope, reference: string): Promise<TemplateDocument> {
    const template = await this.owned(scope, reference);
    await this.#deps.store.erase(template);
    return template;
  }

  files({ template, content }: OpenTemplate): Promise<ReadFile[]> {
    return this.#deps.bundles.templates.readAll(template._id, content.files);
  }

  /** Two runs that the caller pays for. */
  async check(
    scope: Scope,
    reference: string,
    version: number | null,
  ): Promise<OpenTemplate & { report: SafetyReport }> {
    const open = await this.open(scope, reference, version);
    const files = await this.files(open);
    return { ...open, report: await this.#deps.safety.onRequest(scope, { ...open.content, files }) };
  }
}

function readable(scope: Scope, template: TemplateDocument | null): TemplateDocument {
  if (!template || !mayRead(scope, template)) throw templateNotFound();
  return template;
}

/** The handle that it will bear. */
function requirePublishable({ workflow, version, access }: OpenWorkflow, { handle }: Caller): string {
  requireRole(access, 'owner');
  if (workflow.status === WorkflowStatus.ARCHIVED) {
    throw new Problem('conflict', 'The workflow is archived.', { hint: 'Unarchive it, then publish.' });
  }
  if (handle === null) throw new Problem('handle_not_claimed');
  if (version.outcome.trim() === '') {
    throw Problem.invalid('outcome', 'is required to publish: save a version that says what is true in the end');
  }
  return handle;
}
