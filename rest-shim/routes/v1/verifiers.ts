import { z } from 'zod';
import { examplesOf, restDeployRules } from '../../../subgraphs/registry/verifier/verifier.rules.js';
import { verifierRunRules } from '../../../subgraphs/registry/verifier/verifier-run.rules.js';
import { pageQuery, type Route, route, toEnum } from '../../route.js';

const own = { verifier_id: z.string().max(200).describe('Id of the verifier, or its name.') };
const pinned = { verifier_id: z.string().max(200).describe('Id of the verifier, `id@version`, or its name.') };
const runnable = {
  verifier_id: z
    .string()
    .max(200)
    .describe('Id of a verifier, `id@version`, its name, or one of the platform’s own as `system:workflow-design-qa`.'),
};
const versionQuery = z.coerce
  .number({ error: 'must be a whole number from 1' })
  .int('must be a whole number from 1')
  .min(1, 'must be a whole number from 1')
  .max(999_999_999, 'must be a whole number from 1')
  .optional()
  .describe('A version; the current one when left out.');

const PINNED = 'version description input_contract: inputContract input_fields: inputFields config_hash: configHash';
const SUMMARY = `verifier_id: id name status current_version: currentVersion version_token: versionToken
  created_at: createdAt updated_at: updatedAt _: version { ${PINNED} }`;
const FULL = `verifier_id: id name status current_version: currentVersion version_token: versionToken
  created_at: createdAt updated_at: updatedAt
  _: version {
    ${PINNED} criterion few_shot_examples: fewShotExamples { inputs passed reasoning }
    model_settings: modelSettings { model reasoning_effort: reasoningEffort }
  }`;
const RUN = `verifier_run_id: verifierRunId anonymous_verifier_run_id: anonymousVerifierRunId verifier_id: verifierId
  version status passed reasoning judge error_code: errorCode error_message: errorMessage cost_usd: costUsd
  duration_ms: durationMs created_at: createdAt`;

export const verifiers: Route[] = [
  route({
    method: 'POST',
    path: '/v1/verifiers',
    tag: 'Verifiers',
    id: 'deployVerifier',
    summary: 'Deploy a verifier',
    description:
      'The first deploy of a name makes version 1 and leaves `expected_version_token` out. Every later one appends a ' +
      'version and must send the latest token; otherwise `409 conflict` tells it in `current_version_token`.',
    auth: 'required',
    body: restDeployRules,
    status: 201,
    operation: `mutation DeployVerifier($input: DeployVerifierInput!) {
      deployVerifier(input: $input) { _: verifier { ${FULL} } }
    }`,
    variables: ({ body }) => ({
      input: {
        name: body.name,
        description: body.description,
        criterion: body.criterion,
        inputContract: body.input_contract && toEnum(body.input_contract),
        inputFields: body.input_fields,
        fewShotExamples: examplesOf(body),
        modelSettings: body.model_settings && {
          model: body.model_settings.model,
          reasoningEffort: body.model_settings.reasoning_effort && toEnum(body.model_settings.reasoning_effort),
        },
        expectedVersionToken: body.expected_version_token,
      },
    }),
    errors: ['validation_error', 'conflict'],
  }),
  route({
    method: 'GET',
    path: '/v1/verifiers',
    tag: 'Verifiers',
    id: 'listVerifiers',
    summary: 'Your active verifiers',
    auth: 'required',
    query: z.object(pageQuery),
    status: 200,
    operation: `query Verifiers($first: Int, $after: String) {
      verifiers(first: $first, after: $after) { items: nodes { ${SUMMARY} } next_cursor: nextCursor }
    }`,
    variables: ({ query }) => ({ first: query.limit, after: query.cursor }),
    errors: ['validation_error'],
  }),
  route({
    method: 'GET',
    path: '/v1/verifiers/{verifier_id}',
    tag: 'Verifiers',
    id: 'getVerifier',
    summary: 'One version of a verifier',
    description: 'With its criterion, its examples and its contract.',
    auth: 'required',
    params: z.object(pinned),
    query: z.object({ version: versionQuery }),
    status: 200,
    operation: `query Verifier($id: ID!, $version: Int) { verifier(id: $id, version: $version) { ${FULL} } }`,
    variables: ({ params, query }) => ({ id: params.verifier_id, version: query.version }),
    errors: ['validation_error', 'not_found', 'conflict'],
  }),
  route({
    method: 'POST',
    path: '/v1/verifiers/{verifier_id}/runs',
    tag: 'Verifiers',
    id: 'runVerifier',
    summary: 'Have inputs judged',
    description:
      'Checks the input, then the caller, the reference, and the budget, and then asks a judge. A judge that was asked ' +
      'and failed is still 200, with `status: "error"`, and costs nothing. When no judge can be asked at all the answer ' +
      'is `503 verifier_unavailable`, and there is no run. The inputs are not stored. Anybody, also without an account, may ' +
      'run by their ids the verifiers of others that a live template runs, at the versions that it froze; the platform’s ' +
      'own need an account.',
    auth: 'none',
    shapeFirst: true,
    params: z.object(runnable),
    body: verifierRunRules,
    idempotent: true,
    status: 200,
    operation: `mutation RunVerifier($input: RunVerifierInput!) { runVerifier(input: $input) { _: run { ${RUN} } } }`,
    variables: ({ params, body, idempotencyKey }) => ({
      input: {
        idempotencyKey,
        verifier: params.verifier_id,
        inputs: body.inputs,
        mediaUrl: body.media_url,
        version: body.version,
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
      'verifier_unavailable',
    ],
  }),
  route({
    method: 'GET',
    path: '/v1/verifiers/{verifier_id}/runs',
    tag: 'Verifiers',
    id: 'listVerifierRuns',
    summary: 'Runs of a verifier',
    description:
      'For its owner, also when it is revoked. The reasoning of runs by others is withheld: it may quote what they had judged.',
    auth: 'required',
    params: z.object(own),
    query: z.object(pageQuery),
    status: 200,
    operation: `query VerifierRuns($id: ID!, $first: Int, $after: String) {
      verifierRuns(verifierId: $id, first: $first, after: $after) {
        items: nodes { ${RUN} inputs_hash: inputsHash } next_cursor: nextCursor
      }
    }`,
    variables: ({ params, query }) => ({ id: params.verifier_id, first: query.limit, after: query.cursor }),
    errors: ['validation_error', 'not_found'],
  }),
  route({
    method: 'DELETE',
    path: '/v1/verifiers/{verifier_id}',
    tag: 'Verifiers',
    id: 'revokeVerifier',
    summary: 'Revoke a verifier',
    description: 'For good. Its runs are kept, and its name stays taken.',
    auth: 'required',
    params: z.object(own),
    status: 200,
    operation: `mutation RevokeVerifier($input: RevokeVerifierInput!) {
      revokeVerifier(input: $input) { verifier_id: verifierId status }
    }`,
    variables: ({ params }) => ({ input: { verifier: params.verifier_id } }),
    errors: ['not_found'],
  }),
  route({
    method: 'DELETE',
    path: '/v1/verifiers/{verifier_id}/permanent',
    tag: 'Verifiers',
    id: 'deleteVerifier',
    summary: 'Permanently erase a verifier',
    description:
      'With all its versions and runs, at once and for good. Refused while a live published template uses it.',
    auth: 'required',
    params: z.object(own),
    status: 200,
    operation: `mutation DeleteVerifier($input: DeleteVerifierInput!) {
      deleteVerifier(input: $input) { verifier_id: verifierId deleted }
    }`,
    variables: ({ params }) => ({ input: { verifier: params.verifier_id } }),
    errors: ['not_found', 'conflict'],
  }),
];
