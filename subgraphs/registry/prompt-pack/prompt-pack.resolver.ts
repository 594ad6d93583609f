import { Arg, Ctx, ID, Int, Query, Resolver } from 'type-graphql';
import { Problem } from '../../../platform/errors.js';
import { WorkflowId } from '../../../platform/ids.js';
import { requireCaller } from '../../../platform/scope.js';
import type { RegistryContext } from '../context.js';
import { type Role, requireRole } from '../workflow/workflow.access.js';
import { auditPack, auditWorkflowPack } from './audit.pack.js';
import { designPack } from './design.pack.js';
import {
  DESCRIPTION_ITERATIONS,
  MAX_ITERATIONS,
  OPTIMIZE_ITERATIONS,
  optimizeDescriptionPack,
  optimizePack,
} from './optimize.pack.js';
import type { PackSubject, PromptPack } from './prompt-pack.js';
import { PromptPackView, packView, WorkflowPromptPack } from './prompt-pack.type.js';
import { teachPack } from './teach.pack.js';

const MAX_CONTEXT = 20_000;

@Resolver()
export class PromptPackResolver {
  @Query(() => PromptPackView, { nullable: true, description: 'How to design a workflow together with its user.' })
  workflowDesignPrompt(@Ctx() { scope }: RegistryContext): PromptPackView {
    requireCaller(scope);
    return packView(designPack());
  }

  @Query(() => PromptPackView, { nullable: true, description: 'How to audit any workflow.' })
  workflowAuditPrompt(@Ctx() { scope }: RegistryContext): PromptPackView {
    requireCaller(scope);
    return packView(auditPack());
  }

  @Query(() => WorkflowPromptPack, { nullable: true, description: 'How to teach this workflow from examples.' })
  async teachWorkflow(
    @Arg('id', () => ID, { description: 'Id or slug of the workflow.' }) id: string,
    @Arg('triggerContext', () => String, {
      nullable: true,
      description: 'What the user said when they asked for this.',
    })
    triggerContext: string | null,
    @Ctx() context: RegistryContext,
  ): Promise<WorkflowPromptPack> {
    const said = triggerContext ?? null;
    if (said !== null && said.length > MAX_CONTEXT) {
      throw Problem.invalid('trigger_context', `must have at most ${MAX_CONTEXT} characters`);
    }
    const subject = await subjectOf(context, id, 'edit');
    return { ...filled(subject, teachPack(subject, said)), triggerContextEcho: said };
  }

  @Query(() => WorkflowPromptPack, { nullable: true, description: 'How to make this workflow better, step by step.' })
  async optimizeWorkflow(
    @Arg('id', () => ID, { description: 'Id or slug of the workflow.' }) id: string,
    @Arg('maxIterations', () => Int, {
      nullable: true,
      description: 'How often to try at most, 1 to 1000; 20 when left out.',
    })
    maxIterations: number | null,
    @Ctx() context: RegistryContext,
  ): Promise<WorkflowPromptPack> {
    const times = iterations(maxIterations, OPTIMIZE_ITERATIONS);
    const subject = await subjectOf(context, id, 'edit');
    return { ...filled(subject, optimizePack(subject, times)), maxIterations: times };
  }

  @Query(() => WorkflowPromptPack, { nullable: true, description: 'How to have this workflow chosen when it helps.' })
  async optimizeWorkflowDescription(
    @Arg('id', () => ID, { description: 'Id or slug of the workflow.' }) id: string,
    @Arg('maxIterations', () => Int, {
      nullable: true,
      description: 'How often to try at most, 1 to 1000; 10 when left out.',
    })
    maxIterations: number | null,
    @Ctx() context: RegistryContext,
  ): Promise<WorkflowPromptPack> {
    const times = iterations(maxIterations, DESCRIPTION_ITERATIONS);
    const subject = await subjectOf(context, id, 'edit');
    return { ...filled(subject, optimizeDescriptionPack(subject, times)), maxIterations: times };
  }

  @Query(() => WorkflowPromptPack, { nullable: true, description: 'How to find what is wrong with this workflow.' })
  async auditWorkflow(
    @Arg('id', () => ID, { description: 'Id or slug of the workflow.' }) id: string,
    @Ctx() context: RegistryContext,
  ): Promise<WorkflowPromptPack> {
    const subject = await subjectOf(context, id, 'view');
    return filled(subject, auditWorkflowPack(subject));
  }
}

/** Packs that end in a save are for those who may save. */
async function subjectOf({ scope, workflows }: RegistryContext, id: string, needed: Role): Promise<PackSubject> {
  const { workflow, version, access } = await workflows.open(scope, id, null);
  requireRole(access, needed);
  return { workflowId: WorkflowId.format(workflow._id), versionToken: workflow.versionToken, version };
}

function filled({ workflowId }: PackSubject, pack: PromptPack): WorkflowPromptPack {
  return { ...packView(pack), workflowId, maxIterations: null, triggerContextEcho: null };
}

function iterations(given: number | null | undefined, fallback: number): number {
  const times = given ?? fallback;
  if (!Number.isInteger(times) || times < 1 || times > MAX_ITERATIONS) {
    throw Problem.invalid('max_iterations', `must be a whole number from 1 to ${MAX_ITERATIONS}`);
  }
  return times;
}
