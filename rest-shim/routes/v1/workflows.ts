import { z } from 'zod';
import {
  DESCRIPTION_ITERATIONS,
  MAX_ITERATIONS,
  OPTIMIZE_ITERATIONS,
} from '../../../subgraphs/registry/prompt-pack/optimize.pack.js';
import { searchRules } from '../../../subgraphs/registry/search/query.js';
import { saveRules } from '../../../subgraphs/registry/workflow/workflow.rules.js';
import { choice, pageQuery, type Route, route, toEnum } from '../../route.js';
import { ENVELOPE, withOffered } from './envelope.js';

const reference = { id_or_slug: z.string().max(200).describe('Id of the workflow, or the slug of one of your own.') };
const wholeNumber = 'must be a whole number from 1';
const number = z.coerce
  .number({ error: wholeNumber })
  .int(wholeNumber)
  .min(1, wholeNumber)
  .max(999_999_999, wholeNumber);
const version = number.optional().describe('A version; the current one when left out.');
const flag = choice('true', 'false');

const PINS = `verifiers { name verifier_id: verifierId version } image_generators: imageGenerators {
  name generator_ref: generatorRef }`;
const FILES = 'files { path size_bytes: sizeBytes sha256 content_type: contentType }';
const SUMMARY = `id slug status current_version: currentVersion version_token: versionToken
  effective_role: effectiveRole parent_template_id: parentTemplateId parent_template_version: parentTemplateVersion
  owner { id } updated_at: updatedAt`;
const LISTED = `${SUMMARY} _: version { name description outcome tags }`;
const WHOLE = `${SUMMARY} _: version { version name description outcome tags body ${FILES} ${PINS} source
  saved_at: createdAt }`;

type Body = Record<string, unknown>;

/** `owner_user_id` is what shipped clients read. */
function withOwner({ owner, ...body }: Body): Body {
  return { ...body, owner_user_id: (owner as { id: string }).id };
}

function withOwners({ items, ...page }: Body): Body {
  return { items: (items as Body[]).map(withOwner), ...page };
}

/** An agent follows the text as it is: the front matter, if there is one, is part of it. */
const bodyOf = ({ body }: Body): string => String(body);

const iterations = (fallback: number) => {
  const message = `must be a whole number from 1 to ${MAX_ITERATIONS}`;
  return z.coerce
    .number({ error: message })
    .int(message)
    .min(1, message)
    .max(MAX_ITERATIONS, message)
    .optional()
    .describe(`How often to try at most; ${fallback} when left out.`);
};

const CHECK = `status block { verifier_run_id: verifierRunId passed reasoning }
  advisory { verifier_run_id: verifierRunId passed reasoning }`;
const PACK = `workflow_id: workflowId skill_md: skillMd references { path text }`;

/** Shipped clients look references up by their path. */
function withReferences({ references, ...body }: Body): Body {
  const texts = references as { path: string; text: string }[];
  return { ...body, references: Object.fromEntries(texts.map(({ path, text }) => [path, text])) };
}

export const workflows: Route[] = [
  route({
    method: 'POST',
    path: '/v1/workflows',
    tag: 'Workflows',
    id: 'saveWorkflow',
    summary: 'Save a workflow',
    description:
      'Makes a workflow, or appends a version to the one of that slug (or of `workflow_id`), which then needs the ' +
      'latest token in `expected_version_token`; otherwise `409 conflict` tells it in `current_version_token`.',
    auth: 'required',
    body: saveRules,
    bodyLimit: 16 * 1_048_576,
    status: 201,
    operation: `mutation SaveWorkflow($input: SaveWorkflowInput!) {
      saveWorkflow(input: $input) {
        _: workflow { workflow_id: id slug version_token: versionToken _: version { version name ${PINS} } }
      }
    }`,
    variables: ({ body }) => ({
      input: {
        workflowId: body.workflow_id,
        name: body.name,
        body: body.body,
        description: body.description,
        outcome: body.outcome,
        tags: body.tags,
        slug: body.slug,
        files: body.files?.map(({ path, content, content_base64 }) => ({
          path,
          content,
          contentBase64: content_base64,
        })),
        verifiers: body.verifiers?.map((pin) => ({
          name: pin.name,
          verifierId: pin.verifier_id,
          version: pin.version,
        })),
        imageGenerators: body.image_generators?.map(({ name, generator_ref }) => ({
          name,
          generatorRef: generator_ref,
        })),
        expectedVersionToken: body.expected_version_token,
        source: body.source,
      },
    }),
    errors: ['validation_error', 'not_found', 'forbidden', 'conflict', 'payload_too_large'],
  }),
  route({
    method: 'GET',
    path: '/v1/workflows',
    tag: 'Workflows',
    id: 'listWorkflows',
    summary: 'Workflows that you may see',
    description: 'Newest first. `search` compares words and how words begin.',
    auth: 'required',
    query: z.object({
      ...pageQuery,
      filter: choice('mine', 'all', 'shared-with-me').optional().describe('Whose; all that you may see when left out.'),
      tag: z.string().max(100).optional().describe('Only workflows with this tag.'),
      search: z.string().max(500).optional().describe('Only workflows that hold all of these words.'),
      include_archived: flag.optional().describe('Archived ones too.'),
    }),
    status: 200,
    operation: `query Workflows($first: Int, $after: String, $filter: WorkflowFilter, $tag: String, $search: String,
      $includeArchived: Boolean) {
      workflows(first: $first, after: $after, filter: $filter, tag: $tag, search: $search,
        includeArchived: $includeArchived) { items: nodes { ${LISTED} } next_cursor: nextCursor }
    }`,
    variables: ({ query }) => ({
      first: query.limit,
      after: query.cursor,
      filter: toEnum(query.filter),
      tag: query.tag,
      search: query.search,
      includeArchived: query.include_archived === 'true',
    }),
    finish: withOwners,
    errors: ['validation_error'],
  }),
  route({
    method: 'POST',
    path: '/v1/workflows/search',
    tag: 'Workflows',
    id: 'searchWorkflows',
    summary: 'Find workflows by what they are for',
    description:
      'Among those that you may see, archived ones left out. Ranked by meaning, and a little by the words that they ' +
      'share with the query. `score` is comparable within one answer only.',
    auth: 'required',
    body: searchRules,
    status: 200,
    operation: `query SearchWorkflows($query: String!, $limit: Int) {
      searchWorkflows(query: $query, limit: $limit) {
        items: hits { score _: workflow { ${LISTED} } } query limit search_mode: searchMode
      }
    }`,
    variables: ({ body }) => ({ query: body.query, limit: body.limit }),
    finish: withOwners,
    errors: ['validation_error', 'search_unavailable'],
  }),
  route({
    method: 'GET',
    path: '/v1/workflows/{id_or_slug}',
    tag: 'Workflows',
    id: 'getWorkflow',
    summary: 'One workflow',
    description: 'With `Accept: text/markdown` the body alone, for an agent to follow.',
    auth: 'required',
    params: z.object(reference),
    query: z.object({ version }),
    status: 200,
    operation: `query Workflow($id: ID!, $version: Int) { workflow(id: $id, version: $version) { ${WHOLE} } }`,
    variables: ({ params, query }) => ({ id: params.id_or_slug, version: query.version }),
    finish: withOwner,
    markdown: bodyOf,
    errors: ['validation_error', 'not_found'],
  }),
  route({
    method: 'GET',
    path: '/v1/workflows/{id_or_slug}/versions/{version}',
    tag: 'Workflows',
    id: 'getWorkflowVersion',
    summary: 'One version of a workflow',
    description: 'With `Accept: text/markdown` the body alone.',
    auth: 'required',
    params: z.object({ ...reference, version: number.describe('Number of the version.') }),
    status: 200,
    operation: `query WorkflowVersion($id: ID!, $version: Int) { workflow(id: $id, version: $version) { ${WHOLE} } }`,
    variables: ({ params }) => ({ id: params.id_or_slug, version: params.version }),
    finish: withOwner,
    markdown: bodyOf,
    errors: ['validation_error', 'not_found'],
  }),
  route({
    method: 'DELETE',
    path: '/v1/workflows/{id_or_slug}/versions/{version}',
    tag: 'Workflows',
    id: 'deleteWorkflowVersion',
    summary: 'Erase one version',
    description: 'For good. Not the current one; numbers are never given again.',
    auth: 'required',
    params: z.object({ ...reference, version: number.describe('Number of the version.') }),
    status: 200,
    operation: `mutation DeleteWorkflowVersion($input: DeleteWorkflowVersionInput!) {
      deleteWorkflowVersion(input: $input) { workflow_id: workflowId version deleted }
    }`,
    variables: ({ params }) => ({ input: { id: params.id_or_slug, version: params.version } }),
    errors: ['validation_error', 'not_found', 'forbidden', 'conflict'],
  }),
  route({
    method: 'GET',
    path: '/v1/workflows/{id_or_slug}/files',
    tag: 'Workflows',
    id: 'getWorkflowFiles',
    summary: 'Files beside the body',
    description:
      'Without `path`, `paths` or `sha256` the list of files; with `path` or `sha256` one file, with `paths` several, ' +
      'each with its text in `content` or, where it is no text, its bytes in `content_base64`. `format=raw` answers ' +
      'the bytes of one file as they are.',
    auth: 'required',
    params: z.object(reference),
    query: z.object({
      version,
      path: z.string().max(400).optional().describe('One file.'),
      paths: z
        .union([z.string().max(400), z.array(z.string().max(400)).max(200)])
        .optional()
        .describe('Several files; give it once for each.'),
      sha256: z.string().max(64).optional().describe('One file, by its hash.'),
      format: choice('json', 'raw').optional().describe('`raw` for the bytes alone.'),
    }),
    status: 200,
    own: true,
    operation: `query WorkflowFiles($id: ID!, $version: Int) {
      workflow(id: $id, version: $version) { workflow_id: id _: version { version ${FILES} } }
    }`,
    errors: ['validation_error', 'not_found'],
  }),
  route({
    method: 'POST',
    path: '/v1/workflows/{id_or_slug}/archive',
    tag: 'Workflows',
    id: 'archiveWorkflow',
    summary: 'Put a workflow away',
    description: 'It can be brought back; its slug stays taken meanwhile. Archiving twice changes nothing.',
    auth: 'required',
    params: z.object(reference),
    status: 200,
    operation: `mutation ArchiveWorkflow($input: WorkflowInput!) {
      archiveWorkflow(input: $input) { _: workflow { workflow_id: id slug status } }
    }`,
    variables: ({ params }) => ({ input: { id: params.id_or_slug } }),
    errors: ['not_found', 'forbidden'],
  }),
  route({
    method: 'POST',
    path: '/v1/workflows/{id_or_slug}/unarchive',
    tag: 'Workflows',
    id: 'unarchiveWorkflow',
    summary: 'Bring an archived workflow back',
    auth: 'required',
    params: z.object(reference),
    status: 200,
    operation: `mutation UnarchiveWorkflow($input: WorkflowInput!) {
      unarchiveWorkflow(input: $input) { _: workflow { workflow_id: id slug status } }
    }`,
    variables: ({ params }) => ({ input: { id: params.id_or_slug } }),
    errors: ['not_found', 'forbidden'],
  }),
  route({
    method: 'DELETE',
    path: '/v1/workflows/{id_or_slug}',
    tag: 'Workflows',
    id: 'deleteWorkflow',
    summary: 'Erase a workflow',
    description: 'With all versions and files, archived or not, for good and at once.',
    auth: 'required',
    params: z.object(reference),
    status: 200,
    operation: `mutation DeleteWorkflow($input: WorkflowInput!) {
      deleteWorkflow(input: $input) { workflow_id: workflowId name deleted }
    }`,
    variables: ({ params }) => ({ input: { id: params.id_or_slug } }),
    errors: ['not_found', 'forbidden'],
  }),
  route({
    method: 'POST',
    path: '/v1/workflows/{id_or_slug}/transfer-ownership',
    tag: 'Workflows',
    id: 'transferWorkflowOwnership',
    summary: 'Offer a workflow to a new owner',
    description:
      'For its owner. It changes hands when the new owner accepts the invitation that this answers, with all its ' +
      'versions, files and grants; its slug is suffixed when the new owner has one like it.',
    auth: 'required',
    params: z.object(reference),
    body: z.object({
      new_owner_user_id_or_email: z
        .string()
        .max(400)
        .describe('Id, e-mail address or handle (with or without @) of a user.'),
    }),
    status: 201,
    operation: `mutation TransferWorkflowOwnership($input: TransferWorkflowInput!) {
      transferWorkflowOwnership(input: $input) {
        _: invitation { ${ENVELOPE} } transferred offered: workflow { workflow_id: id owner { id } }
      }
    }`,
    variables: ({ params, body }) => ({
      input: { id: params.id_or_slug, newOwner: body.new_owner_user_id_or_email },
    }),
    finish: withOffered,
    errors: [
      'validation_error',
      'not_found',
      'user_not_found',
      'forbidden',
      'conflict',
      'invitation_already_pending',
      'quota_exceeded',
      'rate_limited',
    ],
  }),
  route({
    method: 'GET',
    path: '/v1/workflows/{id_or_slug}/lineage',
    tag: 'Workflows',
    id: 'getWorkflowLineage',
    summary: 'Where a workflow comes from',
    description: 'The template that it was forked from, as that is now; nulls for what is no fork.',
    auth: 'required',
    params: z.object(reference),
    status: 200,
    operation: `query WorkflowLineage($id: ID!) {
      workflow(id: $id) {
        workflow_id: id
        _: lineage {
          parent_template_id: parentTemplateId parent_template_version: parentTemplateVersion
          upstream_latest_version: upstreamLatestVersion is_upstream_unpublished: isUpstreamUnpublished
          is_upstream_gone: isUpstreamGone
        }
      }
    }`,
    variables: ({ params }) => ({ id: params.id_or_slug }),
    errors: ['not_found'],
  }),
  route({
    method: 'POST',
    path: '/v1/workflows/{id_or_slug}/safety-check',
    tag: 'Workflows',
    id: 'checkWorkflowSafety',
    summary: 'Check a version for safety',
    description: 'Runs both safety checks on the body and the files, each charged as a run of a verifier.',
    auth: 'required',
    params: z.object(reference),
    query: z.object({ version }),
    status: 200,
    operation: `mutation CheckWorkflowSafety($input: CheckWorkflowSafetyInput!) {
      checkWorkflowSafety(input: $input) { workflow_id: workflowId version _: check { ${CHECK} } }
    }`,
    variables: ({ params, query }) => ({ input: { id: params.id_or_slug, version: query.version } }),
    errors: ['validation_error', 'not_found', 'budget_exhausted', 'account_suspended', 'verifier_unavailable'],
  }),
  route({
    method: 'POST',
    path: '/v1/workflows/{id_or_slug}/teach',
    tag: 'Workflows',
    id: 'teachWorkflow',
    summary: 'How to teach a workflow from examples',
    description: 'A text for an agent to follow. Nothing is saved, and no model is called.',
    auth: 'required',
    params: z.object(reference),
    body: z.object({
      trigger_context: z.string().max(20_000).nullish().describe('What the user said when they asked for this.'),
    }),
    bodyOptional: true,
    status: 200,
    operation: `query TeachWorkflow($id: ID!, $triggerContext: String) {
      teachWorkflow(id: $id, triggerContext: $triggerContext) { ${PACK} trigger_context_echo: triggerContextEcho }
    }`,
    variables: ({ params, body }) => ({ id: params.id_or_slug, triggerContext: body.trigger_context }),
    finish: withReferences,
    errors: ['validation_error', 'not_found', 'forbidden'],
  }),
  route({
    method: 'POST',
    path: '/v1/workflows/{id_or_slug}/optimize',
    tag: 'Workflows',
    id: 'optimizeWorkflow',
    summary: 'How to optimize a workflow',
    description: 'A text for an agent to follow. Nothing is saved, and no model is called.',
    auth: 'required',
    params: z.object(reference),
    query: z.object({ max_iterations: iterations(OPTIMIZE_ITERATIONS) }),
    status: 200,
    operation: `query OptimizeWorkflow($id: ID!, $maxIterations: Int) {
      optimizeWorkflow(id: $id, maxIterations: $maxIterations) { ${PACK} max_iterations: maxIterations }
    }`,
    variables: ({ params, query }) => ({ id: params.id_or_slug, maxIterations: query.max_iterations }),
    finish: withReferences,
    errors: ['validation_error', 'not_found', 'forbidden'],
  }),
  route({
    method: 'POST',
    path: '/v1/workflows/{id_or_slug}/optimize-description',
    tag: 'Workflows',
    id: 'optimizeWorkflowDescription',
    summary: 'How to optimize the description of a workflow',
    description: 'A text for an agent to follow. Nothing is saved, and no model is called.',
    auth: 'required',
    params: z.object(reference),
    query: z.object({ max_iterations: iterations(DESCRIPTION_ITERATIONS) }),
    status: 200,
    operation: `query OptimizeWorkflowDescription($id: ID!, $maxIterations: Int) {
      optimizeWorkflowDescription(id: $id, maxIterations: $maxIterations) { ${PACK} max_iterations: maxIterations }
    }`,
    variables: ({ params, query }) => ({ id: params.id_or_slug, maxIterations: query.max_iterations }),
    finish: withReferences,
    errors: ['validation_error', 'not_found', 'forbidden'],
  }),
  route({
    method: 'POST',
    path: '/v1/workflows/{id_or_slug}/audit',
    tag: 'Workflows',
    id: 'auditWorkflow',
    summary: 'How to audit a workflow',
    description: 'A text for an agent to follow. Nothing is saved, and no model is called.',
    auth: 'required',
    params: z.object(reference),
    status: 200,
    operation: `query AuditWorkflow($id: ID!) { auditWorkflow(id: $id) { ${PACK} } }`,
    variables: ({ params }) => ({ id: params.id_or_slug }),
    finish: withReferences,
    errors: ['not_found'],
  }),
  route({
    method: 'GET',
    path: '/v1/design/workflow-prompt',
    tag: 'Design',
    id: 'designWorkflow',
    summary: 'How to design a workflow',
    description: 'A text for an agent to follow with its user, and the references that it names.',
    auth: 'required',
    status: 200,
    operation: 'query DesignWorkflow { workflowDesignPrompt { skill_md: skillMd references { path text } } }',
    finish: withReferences,
    errors: [],
  }),
  route({
    method: 'GET',
    path: '/v1/audit/workflow-prompt',
    tag: 'Design',
    id: 'auditWorkflowPrompt',
    summary: 'How to audit any workflow',
    description: 'A text for an agent to follow with its user, and the references that it names.',
    auth: 'required',
    status: 200,
    operation: 'query AuditWorkflowPrompt { workflowAuditPrompt { skill_md: skillMd references { path text } } }',
    finish: withReferences,
    errors: [],
  }),
];
