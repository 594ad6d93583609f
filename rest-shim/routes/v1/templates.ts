import { z } from 'zod';
import { searchRules } from '../../../subgraphs/registry/search/query.js';
import {
  archiveRules,
  deprecateRules,
  forkRules,
  IDENTIFIER_LENGTH,
  publishRules,
} from '../../../subgraphs/registry/template/template.rules.js';
import { choice, pageQuery, type Route, route, toEnum } from '../../route.js';
import { ENVELOPE, withOffered } from './envelope.js';

const wholeNumber = 'must be a whole number from 1';
const number = z.coerce
  .number({ error: wholeNumber })
  .int(wholeNumber)
  .min(1, wholeNumber)
  .max(999_999_999, wholeNumber);
const version = number.optional().describe('A version; the newest that is published when left out.');
const identifier = z.string().max(IDENTIFIER_LENGTH);
const params = z.object({
  identifier: identifier.describe('Id, or `@handle/slug`, with the slash as it is or encoded.'),
});
const pinned = z.object({
  identifier: identifier.describe('Id, `@handle/slug` or `@handle/slug@vN`, with the slash as it is or encoded.'),
});
const numbered = z.object({ ...params.shape, version: number.describe('Number of the version.') });

const LISTED = `id slug name description outcome tags latest_version: latestVersion status
  publishing_handle: publishingHandle safety_verification_status: safetyVerificationStatus published_at: publishedAt
  handle owner { id }`;
const FILES = 'files { path size_bytes: sizeBytes sha256 content_type: contentType }';
const PINS = `verifiers { name verifier_id: verifierId version input_contract: inputContract input_fields: inputFields }
  image_generators: imageGenerators { name generator_ref: generatorRef generation_contract: generationContract }`;
const VERSION = `version name description outcome tags body ${FILES} ${PINS} release_notes: releaseNotes
  publishing_handle: publishingHandle safety_verification_status: safetyVerificationStatus
  advisory_reasoning: advisoryReasoning published_at: publishedAt unpublished_at: unpublishedAt
  deprecated_at: deprecatedAt deprecation_message: deprecationMessage`;
const WHOLE = `id slug status latest_version: latestVersion handle owner { id }
  redirected_from_handle: redirectedFromHandle archived_at: archivedAt archive_reason: archiveReason
  _: version { ${VERSION} }`;
const COPIES = `verifiers { name verifier_id: verifierId version }
  image_generators: imageGenerators { name generator_ref: generatorRef }`;
const STATUS = 'template_id: id slug status archived_at: archivedAt archive_reason: archiveReason';
const CHECK = `status block { verifier_run_id: verifierRunId passed reasoning }
  advisory { verifier_run_id: verifierRunId passed reasoning }`;

type Body = Record<string, unknown>;

/** The owner's handle as it is; the one that a version bears where the owner has none any more. */
function withOwner({ owner, handle, ...body }: Body): Body {
  return { ...body, handle: handle ?? body['publishing_handle'], owner_user_id: (owner as { id: string }).id };
}

function withOwners({ items, ...page }: Body): Body {
  return { items: (items as Body[]).map(withOwner), ...page };
}

/** Where the version that was asked for is, under the handle that its owner has now. */
function moved(body: Body, asked: string, version: number | undefined): string | null {
  if (body['redirected_from_handle'] === null) return null;
  const pin = /@v?\d+$/.exec(asked.slice(1))?.[0] ?? '';
  const query = version === undefined ? '' : `?version=${version}`;
  return `/v1/templates/@${body['handle']}/${body['slug']}${pin}${query}`;
}

/** Safety status and reasoning of what was just published, by the names that are documented for it. */
function withVerification({ safety_verification, ...body }: Body): Body {
  const { status, advisory } = safety_verification as { status: string; advisory: Body | null };
  const reasoning = status === 'flagged' ? (advisory?.['reasoning'] ?? null) : null;
  return {
    ...withOwner(body),
    safety_verification: { ...(safety_verification as Body), status, advisory_reasoning: reasoning },
  };
}

export const templates: Route[] = [
  route({
    method: 'POST',
    path: '/v1/templates',
    tag: 'Templates',
    id: 'publishTemplate',
    summary: 'Publish a workflow',
    description:
      'As a new template, or as the next version of the one that it was published as. Needs a claimed handle and an ' +
      'outcome. Both safety checks run before anything is written: what fails the first is refused with ' +
      '`safety_verification_failed` and its `reasoning`, what fails the second is published as `flagged`.',
    auth: 'required',
    body: publishRules,
    status: 201,
    operation: `mutation PublishTemplate($input: PublishTemplateInput!) {
      publishTemplate(input: $input) {
        _: template { template_id: id slug handle owner { id } _: version { version name
          publishing_handle: publishingHandle published_at: publishedAt ${FILES} ${PINS} } }
        safety_verification: safetyVerification { ${CHECK} }
      }
    }`,
    variables: ({ body }) => ({ input: { workflowId: body.workflow_id, releaseNotes: body.release_notes } }),
    finish: withVerification,
    errors: [
      'validation_error',
      'not_found',
      'forbidden',
      'account_suspended',
      'conflict',
      'handle_not_claimed',
      'quota_exceeded',
      'safety_verification_failed',
      'safety_verification_unavailable',
    ],
  }),
  route({
    method: 'GET',
    path: '/v1/templates',
    tag: 'Templates',
    id: 'listTemplates',
    summary: 'Public templates',
    description: 'Those that have a published version, newest first. `search` compares words and how words begin.',
    auth: 'none',
    query: z.object({
      ...pageQuery,
      filter: choice('all', 'mine').optional().describe('Whose; everybody’s when left out.'),
      search: z.string().max(500).optional().describe('Only templates that hold all of these words.'),
      include_archived: choice('true', 'false').optional().describe('Your own archived ones too.'),
    }),
    status: 200,
    operation: `query Templates($first: Int, $after: String, $filter: TemplateFilter, $search: String,
      $includeArchived: Boolean) {
      templates(first: $first, after: $after, filter: $filter, search: $search, includeArchived: $includeArchived) {
        items: nodes { ${LISTED} } next_cursor: nextCursor
      }
    }`,
    variables: ({ query }) => ({
      first: query.limit,
      after: query.cursor,
      filter: toEnum(query.filter),
      search: query.search,
      includeArchived: query.include_archived === 'true',
    }),
    finish: withOwners,
    errors: ['validation_error', 'auth_required'],
  }),
  route({
    method: 'POST',
    path: '/v1/templates/search',
    tag: 'Templates',
    id: 'searchTemplates',
    summary: 'Find templates by what they are for',
    description:
      'Among those that have a published version. Ranked by meaning, and a little by the words that they share with ' +
      'the query. `score` is comparable within one answer only.',
    auth: 'none',
    body: searchRules,
    status: 200,
    operation: `query SearchTemplates($query: String!, $limit: Int) {
      searchTemplates(query: $query, limit: $limit) {
        items: hits { score _: template { ${LISTED} } } query limit search_mode: searchMode
      }
    }`,
    variables: ({ body }) => ({ query: body.query, limit: body.limit }),
    finish: withOwners,
    errors: ['validation_error', 'search_unavailable'],
  }),
  route({
    method: 'POST',
    path: '/v1/templates/fork',
    tag: 'Templates',
    id: 'forkTemplate',
    summary: 'Make a private workflow of a template',
    description:
      'With private copies of the verifiers and image generators that the version froze. Without an account nothing is ' +
      'stored: `ephemeral` is true, and `body` and `files` hold what would have been.',
    auth: 'none',
    body: forkRules,
    status: 201,
    operation: `mutation ForkTemplate($input: ForkTemplateInput!) {
      forkTemplate(input: $input) {
        ephemeral name slug
        workflow {
          workflow_id: id version_token: versionToken
          _: version { version ${COPIES} }
        }
        template { parent_template_id: id }
        _: version { parent_template_version: version }
        body files { path size_bytes: sizeBytes sha256 content_type: contentType content content_base64: contentBase64 }
        redirected redirected_from_handle: redirectedFromHandle redirected_to_handle: redirectedToHandle
        deprecation_warning: deprecationWarning
      }
    }`,
    variables: ({ body }) => ({
      input: { identifier: body.identifier, version: body.version, name: body.name },
    }),
    finish: ({ workflow, template, ...body }) => ({
      workflow_id: null,
      version_token: null,
      version: null,
      verifiers: [],
      image_generators: [],
      ...(workflow as Body | null),
      ...(template as Body),
      ...body,
    }),
    errors: ['validation_error', 'not_found', 'conflict'],
  }),
  route({
    method: 'GET',
    path: '/v1/templates/{identifier}',
    tag: 'Templates',
    id: 'getTemplate',
    summary: 'One template',
    description:
      'With `Accept: text/markdown` the body alone, for an agent to follow. For others than its owner the body begins ' +
      'with a line that says who published it and its safety status. A handle that was given up less than 90 days ago ' +
      'answers 307 to the present one.',
    auth: 'none',
    params: pinned,
    query: z.object({ version }),
    status: 200,
    operation: `query Template($identifier: ID!, $version: Int) {
      template(identifier: $identifier, version: $version) { ${WHOLE} }
    }`,
    variables: ({ params: { identifier }, query }) => ({ identifier, version: query.version }),
    redirect: (body, { params: { identifier }, query }) =>
      moved(body, String(identifier), query['version'] as number | undefined),
    finish: withOwner,
    markdown: ({ body }) => String(body),
    errors: ['validation_error', 'not_found'],
  }),
  route({
    method: 'GET',
    path: '/v1/templates/{identifier}/files',
    tag: 'Templates',
    id: 'getTemplateFiles',
    summary: 'Files beside the body',
    description:
      'Without `path`, `paths` or `sha256` the list of files; with `path` or `sha256` one file, with `paths` several, ' +
      'each with its text in `content` or, where it is no text, its bytes in `content_base64`. `format=raw` answers ' +
      'the bytes of one file as they are.',
    auth: 'none',
    params: pinned,
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
    operation: `query TemplateFiles($identifier: ID!, $version: Int) {
      template(identifier: $identifier, version: $version) { template_id: id _: version { version ${FILES} } }
    }`,
    errors: ['validation_error', 'not_found'],
  }),
  route({
    method: 'DELETE',
    path: '/v1/templates/{identifier}/versions/{version}',
    tag: 'Templates',
    id: 'unpublishTemplateVersion',
    summary: 'Unpublish a version',
    description: 'Nobody but its owner can read it from then on. Forks of it stay. Unpublishing twice changes nothing.',
    auth: 'required',
    params: numbered,
    status: 200,
    operation: `mutation UnpublishTemplateVersion($input: TemplateVersionInput!) {
      unpublishTemplateVersion(input: $input) { template_id: templateId version unpublished }
    }`,
    variables: ({ params }) => ({ input: params }),
    errors: ['validation_error', 'not_found', 'forbidden'],
  }),
  route({
    method: 'DELETE',
    path: '/v1/templates/{identifier}/versions/{version}/permanent',
    tag: 'Templates',
    id: 'deleteTemplateVersion',
    summary: 'Erase a version',
    description: 'For good. It must be unpublished first; numbers are never given again.',
    auth: 'required',
    params: numbered,
    status: 200,
    operation: `mutation DeleteTemplateVersion($input: TemplateVersionInput!) {
      deleteTemplateVersion(input: $input) { template_id: templateId version deleted }
    }`,
    variables: ({ params }) => ({ input: params }),
    errors: ['validation_error', 'not_found', 'forbidden', 'conflict'],
  }),
  route({
    method: 'POST',
    path: '/v1/templates/{identifier}/versions/{version}/deprecate',
    tag: 'Templates',
    id: 'deprecateTemplateVersion',
    summary: 'Say that a version should no longer be used',
    description: 'It is served as before; whoever reads or forks it is told.',
    auth: 'required',
    params: numbered,
    body: deprecateRules,
    status: 200,
    operation: `mutation DeprecateTemplateVersion($input: DeprecateTemplateVersionInput!) {
      deprecateTemplateVersion(input: $input) {
        template_id: templateId
        _: version { version deprecated_at: deprecatedAt deprecation_message: deprecationMessage }
      }
    }`,
    variables: ({ params, body }) => ({ input: { ...params, message: body.message } }),
    errors: ['validation_error', 'not_found', 'forbidden'],
  }),
  route({
    method: 'POST',
    path: '/v1/templates/{identifier}/safety-check',
    tag: 'Templates',
    id: 'checkTemplateSafety',
    summary: 'Check a version for safety',
    description:
      'Runs both safety checks, each charged as a run of a verifier; without an account, to the grant of the network ' +
      'address. The reasoning is for the owner alone.',
    auth: 'none',
    params: pinned,
    query: z.object({ version }),
    status: 200,
    operation: `mutation CheckTemplateSafety($input: CheckTemplateSafetyInput!) {
      checkTemplateSafety(input: $input) { template_id: templateId version _: check { ${CHECK} } }
    }`,
    variables: ({ params: { identifier }, query }) => ({ input: { identifier, version: query.version } }),
    errors: [
      'validation_error',
      'not_found',
      'budget_exhausted',
      'anonymous_daily_cap',
      'account_suspended',
      'verifier_unavailable',
    ],
  }),
  route({
    method: 'POST',
    path: '/v1/templates/{identifier}/archive',
    tag: 'Templates',
    id: 'archiveTemplate',
    summary: 'Put a template away',
    description: 'Others no longer find it. It can be brought back. Archiving twice changes nothing.',
    auth: 'required',
    params,
    body: archiveRules,
    bodyOptional: true,
    status: 200,
    operation: `mutation ArchiveTemplate($input: ArchiveTemplateInput!) {
      archiveTemplate(input: $input) { _: template { ${STATUS} } }
    }`,
    variables: ({ params, body }) => ({ input: { ...params, archiveReason: body.archive_reason } }),
    errors: ['validation_error', 'not_found', 'forbidden'],
  }),
  route({
    method: 'POST',
    path: '/v1/templates/{identifier}/unarchive',
    tag: 'Templates',
    id: 'unarchiveTemplate',
    summary: 'Bring an archived template back',
    auth: 'required',
    params,
    status: 200,
    operation: `mutation UnarchiveTemplate($input: TemplateInput!) {
      unarchiveTemplate(input: $input) { _: template { ${STATUS} } }
    }`,
    variables: ({ params }) => ({ input: params }),
    errors: ['not_found', 'forbidden'],
  }),
  route({
    method: 'POST',
    path: '/v1/templates/{identifier}/transfer-ownership',
    tag: 'Templates',
    id: 'transferTemplateOwnership',
    summary: 'Offer a template to a new owner',
    description:
      'For its owner. It changes hands when the new owner accepts the invitation that this answers, with all its ' +
      'versions; those keep the handle that they were published under. The workflow that it came from stays where it ' +
      'is. The slug is suffixed when the new owner has one like it.',
    auth: 'required',
    params,
    body: z.object({
      new_owner_user_id_or_email: z
        .string()
        .max(400)
        .describe('Id, e-mail address or handle (with or without @) of a user.'),
    }),
    status: 201,
    operation: `mutation TransferTemplateOwnership($input: TransferTemplateInput!) {
      transferTemplateOwnership(input: $input) {
        _: invitation { ${ENVELOPE} } transferred offered: template { template_id: id owner { id } }
      }
    }`,
    variables: ({ params, body }) => ({ input: { ...params, newOwner: body.new_owner_user_id_or_email } }),
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
    method: 'DELETE',
    path: '/v1/templates/{identifier}',
    tag: 'Templates',
    id: 'deleteTemplate',
    summary: 'Erase a template',
    description:
      'With all versions and files, for good and at once. It must be archived, or have no published version. Forks ' +
      'keep what they have.',
    auth: 'required',
    params,
    body: z.object({ reason: z.string().max(1_000).nullish().describe('Why. It is not kept.') }),
    bodyOptional: true,
    status: 200,
    operation: `mutation DeleteTemplate($input: TemplateInput!) {
      deleteTemplate(input: $input) { template_id: templateId deleted }
    }`,
    variables: ({ params }) => ({ input: params }),
    errors: ['validation_error', 'not_found', 'forbidden', 'conflict'],
  }),
];
