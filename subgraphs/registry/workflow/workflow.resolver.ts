import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { Problem } from '../../../platform/errors.js';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { WorkflowId } from '../../../platform/ids.js';
import { decodeCursor, encodeCursor, pageOf, pageSize } from '../../../platform/mongo/page.js';
import type { RegistryContext } from '../context.js';
import { safetyCheckView } from '../safety/check.type.js';
import { SearchMode } from '../search/search.type.js';
import { requireRole } from './workflow.access.js';
import { WorkflowStatus } from './workflow.model.js';
import {
  CheckWorkflowSafetyInput,
  CheckWorkflowSafetyPayload,
  DeleteWorkflowPayload,
  DeleteWorkflowVersionInput,
  DeleteWorkflowVersionPayload,
  lineageView,
  SaveWorkflowInput,
  SaveWorkflowPayload,
  TransferWorkflowInput,
  TransferWorkflowPayload,
  Workflow,
  WorkflowConnection,
  WorkflowFilter,
  WorkflowInput,
  WorkflowLineage,
  WorkflowListArgs,
  WorkflowSearchResult,
  WorkflowStatusPayload,
  WorkflowVersionConnection,
  type WorkflowVersionView,
  workflowVersionView,
  workflowView,
} from './workflow.type.js';

const WHOSE = {
  [WorkflowFilter.MINE]: 'mine',
  [WorkflowFilter.SHARED_WITH_ME]: 'shared',
  [WorkflowFilter.ALL]: 'all',
} as const;

@Resolver(() => Workflow)
export class WorkflowResolver {
  @Query(() => Workflow, { nullable: true, description: 'A workflow that you may see, at one of its versions.' })
  async workflow(
    @Arg('id', () => ID, { description: 'Its id, or the slug of one of your own.' }) id: string,
    @Arg('version', () => Int, { nullable: true, description: 'The version; the current one when left out.' })
    version: number | null,
    @Ctx() { scope, workflows }: RegistryContext,
  ): Promise<Workflow> {
    const open = await workflows.open(scope, id, version ?? null);
    return workflowView(open.workflow, open.version, open.access);
  }

  @Query(() => WorkflowConnection, { nullable: true, description: 'Workflows that you may see, newest first.' })
  async workflows(
    @Args(() => WorkflowListArgs) { filter, first, after, ...matching }: WorkflowListArgs,
    @Ctx() { scope, workflows }: RegistryContext,
  ): Promise<Connection<Workflow>> {
    const whose = WHOSE[filter ?? WorkflowFilter.ALL];
    const page = await workflows.list(scope, { whose, ...matching }, { first, after });
    return toConnection(page, ({ workflow, access }) => workflowView(workflow, workflow.current, access));
  }

  @Query(() => WorkflowSearchResult, {
    nullable: true,
    description: 'Finds workflows that you may see by what they are for. Archived ones are left out.',
  })
  async searchWorkflows(
    @Arg('query', () => String, { description: 'What you are looking for, in your own words.' }) query: string,
    @Arg('limit', () => Int, { nullable: true, description: 'How many at most, 1 to 50; 10 when left out.' })
    limit: number | null,
    @Ctx() { scope, workflowSearch }: RegistryContext,
  ): Promise<WorkflowSearchResult> {
    const { query: read, hits } = await workflowSearch.find(scope, { query, limit });
    return {
      hits: hits.map(({ score, found }) => ({
        score,
        workflow: workflowView(found.workflow, found.workflow.current, found.access),
      })),
      query: read.query,
      limit: read.limit,
      searchMode: SearchMode.SEMANTIC,
    };
  }

  @Mutation(() => SaveWorkflowPayload, { nullable: true, description: 'Makes a workflow, or the next version of one.' })
  async saveWorkflow(
    @Arg('input', () => SaveWorkflowInput, { description: 'What to save.' }) input: SaveWorkflowInput,
    @Ctx() { scope, workflows, workflowLoader }: RegistryContext,
  ): Promise<SaveWorkflowPayload> {
    const { workflow, access } = await workflows.save(scope, {
      workflow_id: input.workflowId,
      name: input.name,
      body: input.body,
      description: input.description,
      outcome: input.outcome,
      tags: input.tags,
      slug: input.slug,
      files: input.files?.map(({ contentBase64, ...file }) => ({ ...file, content_base64: contentBase64 })),
      verifiers: input.verifiers?.map(({ verifierId, ...pin }) => ({ ...pin, verifier_id: verifierId })),
      image_generators: input.imageGenerators?.map(({ name, generatorRef }) => ({ name, generator_ref: generatorRef })),
      expected_version_token: input.expectedVersionToken,
      source: input.source,
    });
    workflowLoader.clear(workflow._id);
    return { workflow: workflowView(workflow, workflow.current, access) };
  }

  @Mutation(() => WorkflowStatusPayload, {
    nullable: true,
    description: 'Puts a workflow away. Its slug stays taken, and it can be brought back.',
  })
  archiveWorkflow(
    @Arg('input', () => WorkflowInput, { description: 'The workflow.' }) { id }: WorkflowInput,
    @Ctx() context: RegistryContext,
  ): Promise<WorkflowStatusPayload> {
    return setStatus(context, id, WorkflowStatus.ARCHIVED);
  }

  @Mutation(() => WorkflowStatusPayload, { nullable: true, description: 'Brings an archived workflow back.' })
  unarchiveWorkflow(
    @Arg('input', () => WorkflowInput, { description: 'The workflow.' }) { id }: WorkflowInput,
    @Ctx() context: RegistryContext,
  ): Promise<WorkflowStatusPayload> {
    return setStatus(context, id, WorkflowStatus.LIVE);
  }

  @Mutation(() => DeleteWorkflowPayload, {
    nullable: true,
    description: 'Erases a workflow, archived or not, with all its versions and files, for good and at once.',
  })
  async deleteWorkflow(
    @Arg('input', () => WorkflowInput, { description: 'The workflow.' }) { id }: WorkflowInput,
    @Ctx() { scope, workflows, workflowLoader }: RegistryContext,
  ): Promise<DeleteWorkflowPayload> {
    const { _id, current } = await workflows.erase(scope, id);
    workflowLoader.clear(_id);
    return { workflowId: WorkflowId.format(_id), name: current.name, deleted: true };
  }

  @Mutation(() => DeleteWorkflowVersionPayload, {
    nullable: true,
    description: 'Erases one version that is not the current one, for good and at once.',
  })
  async deleteWorkflowVersion(
    @Arg('input', () => DeleteWorkflowVersionInput, { description: 'The version.' })
    { id, version }: DeleteWorkflowVersionInput,
    @Ctx() { scope, workflows }: RegistryContext,
  ): Promise<DeleteWorkflowVersionPayload> {
    const { _id } = await workflows.eraseVersion(scope, id, version);
    return { workflowId: WorkflowId.format(_id), version, deleted: true };
  }

  @Mutation(() => TransferWorkflowPayload, {
    nullable: true,
    description: 'Offers a workflow to a new owner, who has it by accepting the invitation.',
  })
  async transferWorkflowOwnership(
    @Arg('input', () => TransferWorkflowInput, { description: 'What is offered to whom.' })
    { id, newOwner }: TransferWorkflowInput,
    @Ctx() { scope, workflows, accounts }: RegistryContext,
  ): Promise<TransferWorkflowPayload> {
    const { workflow, access } = await workflows.find(scope, id);
    requireRole(access, 'owner');
    const { _id, ownerId, slug } = workflow;
    const offer = { thing: { kind: 'workflow', id: _id } as const, slug, ownerId, newOwner };
    return {
      invitation: { id: await accounts.offerOwnership(offer, scope.requestId) },
      workflow: workflowView(workflow, workflow.current, access),
      transferred: false,
    };
  }

  @Mutation(() => CheckWorkflowSafetyPayload, {
    nullable: true,
    description: 'Runs both safety checks on a version. Each is charged as a run of a verifier.',
  })
  async checkWorkflowSafety(
    @Arg('input', () => CheckWorkflowSafetyInput, { description: 'What to check.' })
    { id, version }: CheckWorkflowSafetyInput,
    @Ctx() { scope, workflows, workflowBundles, safetyChecks }: RegistryContext,
  ): Promise<CheckWorkflowSafetyPayload> {
    const open = await workflows.open(scope, id, version ?? null);
    const files = await workflowBundles.readAll(open.workflow._id, open.version.files);
    const report = await safetyChecks.onRequest(scope, { ...open.version, files });
    return {
      workflowId: WorkflowId.format(open.workflow._id),
      version: open.version.version,
      check: safetyCheckView(report, true),
    };
  }

  @FieldResolver(() => WorkflowLineage, { description: 'The template that it was forked from, as that is now.' })
  async lineage(@Root() { document }: Workflow, @Ctx() { templateLoader }: RegistryContext): Promise<WorkflowLineage> {
    const { parent, parentGone = false } = document;
    const template = parent && (await templateLoader.load(parent.templateId));
    return lineageView(parent, template, parentGone);
  }

  @FieldResolver(() => WorkflowVersionConnection, { description: 'The versions that you may see, newest first.' })
  async versions(
    @Root() { document, access }: Workflow,
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() { workflows }: RegistryContext,
  ): Promise<Connection<WorkflowVersionView>> {
    const size = pageSize(page);
    const found = await workflows.versions(document, access, size + 1, page.after ? readCursor(page.after) : null);
    return toConnection(
      pageOf(found, size, ({ version }) => encodeCursor(String(version))),
      workflowVersionView,
    );
  }
}

async function setStatus({ scope, workflows, workflowLoader }: RegistryContext, id: string, status: WorkflowStatus) {
  const { workflow, access } = await workflows.setStatus(scope, id, status);
  workflowLoader.clear(workflow._id);
  return { workflow: workflowView(workflow, workflow.current, access) };
}

function readCursor(cursor: string): number {
  const version = Number(decodeCursor(cursor));
  if (!Number.isSafeInteger(version)) throw Problem.invalid('cursor', 'is not a cursor of this list');
  return version;
}

export async function referencedWorkflow(id: string, { scope, workflowLoader }: RegistryContext) {
  const uuid = WorkflowId.parse(id);
  const found = uuid === null || !scope.caller ? null : await workflowLoader.load(uuid);
  return found && workflowView(found.workflow, found.workflow.current, found.access);
}
