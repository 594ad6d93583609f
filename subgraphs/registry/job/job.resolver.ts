import { Arg, Args, Ctx, ID, Mutation, Query, Resolver } from 'type-graphql';
import { type Connection, ConnectionArgs, toConnection } from '../../../platform/graph/connection.js';
import { NeedsScope } from '../../../platform/graph/key-scopes.js';
import { PlainId } from '../../../platform/ids.js';
import type { RegistryContext } from '../context.js';
import {
  CreateJobInput,
  CreateJobPayload,
  CreateVariationsInput,
  CreateVariationsPayload,
  DeleteJobInput,
  DeleteJobPayload,
} from './job.input.js';
import { Job, JobConnection } from './job.type.js';
import { type JobModel, JobModelConnection, ModelCapability } from './job-model.type.js';
import { RetentionPolicy, retentionPolicy } from './retention.type.js';

@Resolver(() => Job)
export class JobResolver {
  @Query(() => Job, { nullable: true, description: 'One of your jobs; null when there is none such.' })
  @NeedsScope('read')
  job(
    @Arg('id', () => ID, { description: 'Id of the job.' }) id: string,
    @Ctx() context: RegistryContext,
  ): Promise<Job | null> {
    return referencedJob(id, context);
  }

  @Query(() => JobConnection, {
    nullable: true,
    description: 'Jobs of your tenant, or without an account those of your network, newest first.',
  })
  @NeedsScope('read')
  async jobs(
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() { scope, jobStore, jobOwner, jobView }: RegistryContext,
  ): Promise<Connection<Job>> {
    return toConnection(await jobStore.page(jobOwner(scope), page), jobView);
  }

  @Query(() => JobModelConnection, {
    nullable: true,
    description: 'The models that jobs can be drawn with, by name. Frontier models are always among them.',
  })
  @NeedsScope('read')
  async jobModels(
    @Arg('capability', () => ModelCapability, { nullable: true, description: 'Only those that can do this.' })
    capability: ModelCapability | null,
    @Args(() => ConnectionArgs) page: ConnectionArgs,
    @Ctx() { scope, jobModels }: RegistryContext,
  ): Promise<Connection<JobModel>> {
    return toConnection(await jobModels.page(scope, capability ?? null, page), (model) => model);
  }

  @Query(() => RetentionPolicy, { nullable: true, description: 'How long the data of jobs is kept here.' })
  @NeedsScope('read')
  retentionPolicy(@Ctx() { retention }: RegistryContext): RetentionPolicy {
    return retentionPolicy(retention);
  }

  @Mutation(() => CreateJobPayload, { nullable: true, description: 'Asks for a picture.' })
  @NeedsScope('generate')
  async createJob(
    @Arg('input', () => CreateJobInput, { description: 'What to draw, with what, and how to have it.' })
    input: CreateJobInput,
    @Ctx() { scope, jobService, jobView }: RegistryContext,
  ): Promise<CreateJobPayload> {
    const request = {
      prompt: input.prompt,
      quality_tier: input.qualityTier,
      openai_model: input.openaiModel,
      cf_model: input.cfModel,
      model: input.model,
      aspect_ratio: input.aspectRatio,
      image_size: input.imageSize,
      negative_prompt: input.negativePrompt,
      seed: input.seed,
      mode: input.mode,
      input_job_id: input.inputJobId,
      input_asset_url: input.inputAssetUrl,
      input_image: input.inputImage,
      mask_image: input.maskImage,
      input_strength: input.inputStrength,
      output_format: input.outputFormat,
      output_quality: input.outputQuality,
      output_preset: input.outputPreset,
      background_removal: input.backgroundRemoval,
      sync: input.sync,
      idempotency_key: input.idempotencyKey,
    };
    return { job: jobView(await jobService.create(scope, request)) };
  }

  @Mutation(() => CreateVariationsPayload, {
    nullable: true,
    description: 'Asks for variations of the picture of a completed job, all of them or none.',
  })
  @NeedsScope('generate')
  async createVariations(
    @Arg('input', () => CreateVariationsInput, { description: 'Which job to vary, and how.' })
    { jobId, count, variationStrength, seed }: CreateVariationsInput,
    @Ctx() { scope, jobService, jobView }: RegistryContext,
  ): Promise<CreateVariationsPayload> {
    const jobs = await jobService.vary(scope, jobId, { count, variation_strength: variationStrength, seed });
    return { jobs: jobs.map(jobView) };
  }

  @Mutation(() => DeleteJobPayload, {
    nullable: true,
    description: 'Deletes a job with its prompts and pictures, at once and for good.',
  })
  @NeedsScope('generate')
  async deleteJob(
    @Arg('input', () => DeleteJobInput, { description: 'Which job.' }) { id }: DeleteJobInput,
    @Ctx() { scope, jobService }: RegistryContext,
  ): Promise<DeleteJobPayload> {
    await jobService.remove(scope, id);
    return { id: PlainId.parse(id) ?? id, deleted: true };
  }
}

/** Jobs of others answer as those that do not exist. */
export async function referencedJob(id: string, context: RegistryContext): Promise<Job | null> {
  const { scope, jobLoader, jobOwner, jobView } = context;
  const uuid = PlainId.parse(id);
  const job = uuid === null ? null : await jobLoader.load(uuid);
  return job && job.owner === jobOwner(scope) ? jobView(job) : null;
}
