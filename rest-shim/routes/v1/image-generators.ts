import { z } from 'zod';
import { deployRules } from '../../../subgraphs/registry/generator/generator.rules.js';
import { runRules } from '../../../subgraphs/registry/run/run.rules.js';
import { pageQuery, type Route, route, toEnum } from '../../route.js';

const id = { generator_id: z.string().max(200).describe('Id of the generator.') };
const reference = {
  generator_id: z
    .string()
    .max(200)
    .describe('A generator as `uuid` or `uuid@version`, or a tier as `system:image-standard`.'),
};
const versionQuery = z.coerce
  .number({ error: 'must be a whole number from 1' })
  .int('must be a whole number from 1')
  .min(1, 'must be a whole number from 1')
  .max(999_999_999, 'must be a whole number from 1')
  .optional()
  .describe('A version; the current one when left out.');

const PINNED = 'version description model provider generation_contract: generationContract config_hash: configHash';
const SUMMARY = `generator_id: id name status current_version: currentVersion version_token: versionToken
  created_at: createdAt updated_at: updatedAt _: version { ${PINNED} }`;
const FULL = `generator_id: id name status current_version: currentVersion version_token: versionToken
  created_at: createdAt updated_at: updatedAt _: version { ${PINNED} default_params: defaultParams }`;
const RUN = `run_id: id model_tier_or_model: modelTierOrModel model generator_id: generatorId
  generator_version: generatorVersion image_url: imageUrl image_urls: imageUrls width height num_images: numImages
  cost_usd: costUsd duration_ms: durationMs status created_at: createdAt error_code: errorCode
  error_message: errorMessage hosted_images: hostedImages { id url visibility expires_at: expiresAt }`;

export const imageGenerators: Route[] = [
  route({
    method: 'POST',
    path: '/v1/image-generators',
    tag: 'Image generators',
    id: 'deployImageGenerator',
    summary: 'Deploy an image generator',
    description:
      'The first deploy of a name makes version 1 and leaves `expected_version_token` out. Every later one appends a ' +
      'version and must send the latest token; otherwise `409 conflict` tells it in `current_version_token`.',
    auth: 'required',
    body: deployRules,
    status: 201,
    operation: `mutation DeployImageGenerator($input: DeployImageGeneratorInput!) {
      deployImageGenerator(input: $input) { _: generator { ${FULL} } }
    }`,
    variables: ({ body }) => ({
      input: {
        name: body.name,
        description: body.description,
        model: body.model,
        generationContract: toEnum(body.generation_contract),
        defaultParams: body.default_params,
        expectedVersionToken: body.expected_version_token,
      },
    }),
    errors: ['validation_error', 'conflict'],
  }),
  route({
    method: 'GET',
    path: '/v1/image-generators',
    tag: 'Image generators',
    id: 'listImageGenerators',
    summary: 'Your active image generators',
    auth: 'required',
    query: z.object(pageQuery),
    status: 200,
    operation: `query ImageGenerators($first: Int, $after: String) {
      imageGenerators(first: $first, after: $after) { items: nodes { ${SUMMARY} } next_cursor: nextCursor }
    }`,
    variables: ({ query }) => ({ first: query.limit, after: query.cursor }),
    errors: ['validation_error'],
  }),
  route({
    method: 'GET',
    path: '/v1/image-generators/{generator_id}',
    tag: 'Image generators',
    id: 'getImageGenerator',
    summary: 'One version of an image generator',
    auth: 'required',
    params: z.object(reference),
    query: z.object({ version: versionQuery }),
    status: 200,
    operation: `query ImageGenerator($id: ID!, $version: Int) { imageGenerator(id: $id, version: $version) { ${FULL} } }`,
    variables: ({ params, query }) => ({ id: params.generator_id, version: query.version }),
    errors: ['validation_error', 'not_found'],
  }),
  route({
    method: 'POST',
    path: '/v1/image-generators/{generator_id}/runs',
    tag: 'Image generators',
    id: 'generateImage',
    summary: 'Generate images',
    description:
      'Checks the input, then the caller, the reference, and the budget, and then draws. A failure of the provider is ' +
      'still 200, with `status: "error"`, and costs nothing. Anybody, also without an account, may use the tiers, and by ' +
      'their ids the generators of others that a live template runs, at the versions that it froze. ' +
      'Going away does not stop a run: what was begun is finished, charged, and in the list of runs.',
    auth: 'none',
    shapeFirst: true,
    params: z.object(reference),
    body: runRules,
    idempotent: true,
    status: 200,
    operation: `mutation GenerateImage($input: RunImageGeneratorInput!) {
      runImageGenerator(input: $input) { _: run { ${RUN} } }
    }`,
    variables: ({ params, body, idempotencyKey }) => ({
      input: {
        idempotencyKey,
        generator: body.model ? null : params.generator_id,
        prompt: body.prompt,
        referenceImageUrl: body.reference_image_url,
        numImages: body.num_images,
        seed: body.seed,
        params: body.params,
        model: body.model,
        version: body.version,
        workflowId: body.workflow_id,
        workflowVersion: body.workflow_version,
        workflowRef: body.workflow_ref,
        runId: body.run_id,
      },
    }),
    errors: [
      'validation_error',
      'auth_required',
      'budget_exhausted',
      'anonymous_daily_cap',
      'account_suspended',
      'not_found',
      'conflict',
    ],
  }),
  route({
    method: 'GET',
    path: '/v1/image-generators/{generator_id}/runs',
    tag: 'Image generators',
    id: 'listGenerationRuns',
    summary: 'Runs of an image generator',
    description: 'For its owner, also when it is revoked. Prompts are not stored; equal prompts have equal hashes.',
    auth: 'required',
    params: z.object(id),
    query: z.object(pageQuery),
    status: 200,
    operation: `query GenerationRuns($id: ID!, $first: Int, $after: String) {
      generationRuns(generatorId: $id, first: $first, after: $after) {
        items: nodes {
          ${RUN} prompt_hash: promptHash seed workflow_id: workflowId workflow_version: workflowVersion
          workflow_ref: workflowRef caller_run_id: runId
        }
        next_cursor: nextCursor
      }
    }`,
    variables: ({ params, query }) => ({ id: params.generator_id, first: query.limit, after: query.cursor }),
    errors: ['validation_error', 'not_found'],
  }),
  route({
    method: 'DELETE',
    path: '/v1/image-generators/{generator_id}',
    tag: 'Image generators',
    id: 'revokeImageGenerator',
    summary: 'Revoke an image generator',
    description: 'For good. Its runs are kept, and its name stays taken.',
    auth: 'required',
    params: z.object(id),
    status: 200,
    operation: `mutation RevokeImageGenerator($input: RevokeImageGeneratorInput!) {
      revokeImageGenerator(input: $input) { generator_id: generatorId status }
    }`,
    variables: ({ params }) => ({ input: { id: params.generator_id } }),
    errors: ['not_found'],
  }),
  route({
    method: 'DELETE',
    path: '/v1/image-generators/{generator_id}/permanent',
    tag: 'Image generators',
    id: 'deleteImageGenerator',
    summary: 'Permanently erase an image generator',
    description:
      'With all its versions and run records, at once and for good. Refused while a live published template uses it.',
    auth: 'required',
    params: z.object(id),
    status: 200,
    operation: `mutation DeleteImageGenerator($input: DeleteImageGeneratorInput!) {
      deleteImageGenerator(input: $input) { generator_id: generatorId deleted }
    }`,
    variables: ({ params }) => ({ input: { id: params.generator_id } }),
    errors: ['not_found', 'conflict'],
  }),
];
