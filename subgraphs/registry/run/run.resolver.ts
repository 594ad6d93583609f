import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { Problem } from '../../../platform/errors.js';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { PlainId } from '../../../platform/ids.js';
import { requireCaller } from '../../../platform/scope.js';
import type { RegistryContext } from '../context.js';
import { generatorView, ImageGenerator } from '../generator/generator.type.js';
import { VersionedStatus } from '../versioned/versioned.model.js';
import {
  CancelGenerationInput,
  CancelGenerationPayload,
  GenerationRun,
  GenerationRunConnection,
  RunImageGeneratorInput,
  RunImageGeneratorPayload,
  runView,
} from './run.type.js';

@Resolver(() => GenerationRun)
export class RunResolver {
  @Mutation(() => RunImageGeneratorPayload, {
    nullable: true,
    description: 'Draws. A failure of the provider is a run with status ERROR, and costs nothing.',
  })
  async runImageGenerator(
    @Arg('input', () => RunImageGeneratorInput, { description: 'What to draw, and with what.' })
    { generator, idempotencyKey, ...input }: RunImageGeneratorInput,
    @Ctx() { scope, runs, generatorLoader }: RegistryContext,
  ): Promise<RunImageGeneratorPayload> {
    if (generator && input.model) throw Problem.invalid('model', 'name a generator or a model, not both');
    const request = {
      prompt: input.prompt,
      reference_image_url: input.referenceImageUrl,
      num_images: input.numImages,
      seed: input.seed,
      params: input.params,
      model: input.model,
      version: input.version,
      workflow_id: input.workflowId,
      workflow_version: input.workflowVersion,
      workflow_ref: input.workflowRef,
      run_id: input.runId,
    };
    const given = {
      reference: generator ?? null,
      input: request,
      key: idempotencyKey ?? null,
      loader: generatorLoader,
    };
    return { run: runView(await runs.run(scope, given)) };
  }

  @Mutation(() => CancelGenerationPayload, {
    nullable: true,
    description:
      'Calls off a run that is under way. What the provider has not drawn yet fails and costs nothing; what it has is kept ' +
      'and charged.',
  })
  cancelGeneration(
    @Arg('input', () => CancelGenerationInput, { description: 'Which request.' })
    { idempotencyKey }: CancelGenerationInput,
    @Ctx() { scope, runs }: RegistryContext,
  ): CancelGenerationPayload {
    runs.cancel(scope, idempotencyKey);
    return { idempotencyKey };
  }

  @Query(() => GenerationRun, { nullable: true, description: 'One of your runs; null when there is none such.' })
  async generationRun(
    @Arg('id', () => ID, { description: 'Id of the run.' }) id: string,
    @Ctx() context: RegistryContext,
  ): Promise<GenerationRun | null> {
    requireCaller(context.scope);
    return referencedRun(id, context);
  }

  @Query(() => GenerationRunConnection, {
    nullable: true,
    description: 'Runs of one of your generators, revoked ones too, newest first.',
  })
  async generationRuns(
    @Arg('generatorId', () => ID, { description: 'Id of the generator.' }) generatorId: string,
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() { scope, generators, generatorLoader, runStore }: RegistryContext,
  ): Promise<Connection<GenerationRun>> {
    const { _id } = await generators.owned(requireCaller(scope), generators.idOf(generatorId), generatorLoader);
    return toConnection(await runStore.page(_id, page), runView);
  }

  @FieldResolver(() => ImageGenerator, {
    nullable: true,
    description: 'The generator as it is; null where none was used, or it can no longer be.',
  })
  async generator(@Root() run: GenerationRun, @Ctx() context: RegistryContext): Promise<ImageGenerator | null> {
    if (run.generatorId === null) return null;
    const generator = await context.generatorLoader.load(run.generatorId);
    const visible = generator?.ownerId === context.scope.caller?.userId && generator?.status === VersionedStatus.ACTIVE;
    return visible && generator ? generatorView(generator) : null;
  }
}

export async function referencedRun(id: string, { scope, runLoader }: RegistryContext): Promise<GenerationRun | null> {
  const uuid = PlainId.parse(id);
  const run = uuid === null || !scope.caller ? null : await runLoader.load(uuid);
  return run && run.ownerId === scope.caller?.userId ? runView(run) : null;
}
