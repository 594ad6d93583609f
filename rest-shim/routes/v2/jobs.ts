import { z } from 'zod';
import { jobRules, variationRules } from '../../../subgraphs/registry/job/job.rules.js';
import { choice, pageQuery, type Route, route, toEnum } from '../../route.js';

const jobId = { job_id: z.string().max(100).describe('Id of the job.') };

const JOB = `job_id: id state original_prompt: originalPrompt final_prompt: finalPrompt
  enhancement_logic: enhancementLogic model_id: modelId quality_tier: qualityTier
  asset_url: assetUrl preset_url: presetUrl bg_removed_url: bgRemovedUrl output_format: outputFormat
  seed_used: seedUsed error created_at: createdAt completed_at: completedAt`;

const SPENDS = ['forbidden', 'account_suspended', 'rate_limited', 'quota_exhausted'] as const;

/** Two pictures in base64, and the rest of the request. */
const BODY_LIMIT = 24 * 1024 * 1024;

const NOT_ENDED = new Set(['queued', 'processing']);

export const jobs: Route[] = [
  route({
    method: 'POST',
    path: '/v2/generate',
    tag: 'Jobs',
    id: 'createJob',
    summary: 'Generate an image',
    description:
      'Answers 201 with the finished job where it is waited for, else 202 with the job as it stands. Checks the input, ' +
      'then what plan and community milestone allow (`403` with `details.gate`), the queue, and the credits. ' +
      'A job that fails costs nothing. Works without an account too.',
    auth: 'none',
    scope: 'generate',
    body: jobRules,
    bodyLimit: BODY_LIMIT,
    status: 201,
    otherStatus: {
      status: 202,
      description: 'The job as it stands: nobody waited for it, or it takes longer than one may wait.',
      when: ({ state }) => NOT_ENDED.has(String(state)),
    },
    operation: `mutation CreateJob($input: CreateJobInput!) { createJob(input: $input) { _: job { ${JOB} } } }`,
    variables: ({ body }) => ({
      input: {
        prompt: body.prompt,
        qualityTier: toEnum(body.quality_tier ?? undefined),
        openaiModel: body.openai_model,
        cfModel: body.cf_model,
        model: body.model,
        aspectRatio: body.aspect_ratio,
        imageSize: body.image_size,
        negativePrompt: body.negative_prompt,
        seed: body.seed,
        mode: toEnum(body.mode ?? undefined),
        inputJobId: body.input_job_id,
        inputAssetUrl: body.input_asset_url,
        inputImage: body.input_image,
        maskImage: body.mask_image,
        inputStrength: body.input_strength,
        outputFormat: toEnum(body.output_format ?? undefined),
        outputQuality: body.output_quality,
        outputPreset: toEnum(body.output_preset ?? undefined),
        backgroundRemoval: body.background_removal,
        sync: body.sync,
        idempotencyKey: body.idempotency_key,
      },
    }),
    errors: ['validation_error', 'not_found', 'conflict', 'unsupported_image_type', 'file_too_large', ...SPENDS],
  }),
  route({
    method: 'GET',
    path: '/v2/models',
    tag: 'Jobs',
    id: 'listJobModels',
    summary: 'The models that jobs can be drawn with',
    description:
      'Frontier models are always listed, with how far they are from being unlocked. `credits_per_request` is null for a ' +
      'model that costs what the tier costs under which it is asked for, and never less than `min_credits`.',
    auth: 'none',
    scope: 'read',
    query: z.object({
      capability: choice('txt2img', 'img2img', 'inpaint', 'negative_prompt', 'seed_control')
        .optional()
        .describe('Only models that can do this.'),
    }),
    status: 200,
    operation: `query JobModels($capability: ModelCapability) {
      jobModels(first: 100, capability: $capability) {
        models: nodes { id quality_tier: qualityTier is_default: isDefault provider parameter
        capabilities { txt2img img2img inpaint negative_prompt: negativePrompt seed_control: seedControl }
        cost_tier: costTier latency_class: latencyClass credits_per_request: creditsPerRequest min_credits: minCredits
        output_types: outputTypes default_size: defaultSize is_available: isAvailable retires_at: retiresAt
        unlock_status: unlockStatus {
          type display_current: displayCurrent display_goal: displayGoal funded_basis: fundedBasis
          unlock_url: unlockUrl agent_hint: agentHint
        } }
      }
    }`,
    variables: ({ query }) => ({ capability: toEnum(query.capability) }),
    errors: ['validation_error'],
  }),
  route({
    method: 'GET',
    path: '/v2/jobs',
    tag: 'Jobs',
    id: 'listJobs',
    summary: 'Your jobs',
    description: 'Those of the tenant of the key, newest first; without an account those of the network.',
    auth: 'none',
    scope: 'read',
    query: z.object(pageQuery),
    status: 200,
    operation: `query Jobs($first: Int, $after: String) {
      jobs(first: $first, after: $after) { jobs: nodes { ${JOB} } next_cursor: nextCursor }
    }`,
    variables: ({ query }) => ({ first: query.limit, after: query.cursor }),
    errors: ['validation_error'],
  }),
  route({
    method: 'GET',
    path: '/v2/jobs/{job_id}',
    tag: 'Jobs',
    id: 'getJob',
    summary: 'How a job stands',
    description:
      'queued, then processing, then completed, failed or failed_encoding. Poll it, or subscribe to `jobUpdated`.',
    auth: 'none',
    scope: 'read',
    params: z.object(jobId),
    status: 200,
    operation: `query Job($id: ID!) { job(id: $id) { ${JOB} } }`,
    variables: ({ params }) => ({ id: params.job_id }),
    errors: ['not_found'],
  }),
  route({
    method: 'DELETE',
    path: '/v2/jobs/{job_id}',
    tag: 'Jobs',
    id: 'deleteJob',
    summary: 'Delete a job',
    description:
      'With its prompts and pictures, at once and for good. Pictures that another job made too stay for that one.',
    auth: 'none',
    scope: 'generate',
    params: z.object(jobId),
    status: 204,
    operation: 'mutation DeleteJob($input: DeleteJobInput!) { deleteJob(input: $input) { id deleted } }',
    variables: ({ params }) => ({ input: { id: params.job_id } }),
    errors: ['not_found'],
  }),
  route({
    method: 'POST',
    path: '/v2/jobs/{job_id}/variations',
    tag: 'Jobs',
    id: 'createVariations',
    summary: 'Variations of a completed job',
    description: 'Each is a job of its own, drawn from the picture of the source with `seed`, `seed + 1` and so on.',
    auth: 'none',
    scope: 'generate',
    params: z.object(jobId),
    body: variationRules,
    bodyOptional: true,
    status: 202,
    operation: `mutation CreateVariations($input: CreateVariationsInput!) {
      createVariations(input: $input) { jobs { ${JOB} } }
    }`,
    variables: ({ params, body }) => ({
      input: {
        jobId: params.job_id,
        count: body.count,
        variationStrength: body.variation_strength,
        seed: body.seed,
      },
    }),
    errors: ['validation_error', 'not_found', ...SPENDS],
  }),
  route({
    method: 'GET',
    path: '/v2/retention-policy',
    tag: 'Jobs',
    id: 'getRetentionPolicy',
    summary: 'How long the data of jobs is kept',
    description: 'Made from the settings that the sweeper goes by. Deletion is immediate and permanent.',
    auth: 'none',
    scope: 'read',
    status: 200,
    operation: `query RetentionPolicy {
      retentionPolicy { rules { data storage ttl ttl_seconds: ttlSeconds early_delete: earlyDelete } recoverable }
    }`,
    errors: [],
  }),
];
