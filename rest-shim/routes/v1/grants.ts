import { z } from 'zod';
import { grantRules, revokeRules } from '../../../subgraphs/registry/grant/grant.rules.js';
import { pageQuery, type Route, route, toEnum } from '../../route.js';

const reference = { id_or_slug: z.string().max(200).describe('Id of the workflow, or the slug of one of your own.') };

const GRANT = `grantee_type: granteeType grantee_identifier: granteeIdentifier role oldest_version: oldestVersion
  granted_by: grantedBy { id handle } granted_at: grantedAt is_via_team: isViaTeam`;

type Body = Record<string, unknown>;

/** A text is what shipped clients read. */
function withGranter({ granted_by, ...grant }: Body): Body {
  const { id, handle } = granted_by as { id: string; handle: string | null };
  return { ...grant, granted_by: handle === null ? id : `@${handle}` };
}

export const grants: Route[] = [
  route({
    method: 'POST',
    path: '/v1/workflows/{id_or_slug}/grants',
    tag: 'Grants',
    id: 'grantWorkflow',
    summary: 'Share a workflow',
    description:
      'With a user or a team, or changes the role that they have. For the owner and who has the role `admin`. Who is ' +
      'given a workflow without `include_history` sees the version that is current then, and later ones. It reaches ' +
      'the verifiers that their owner put into the workflow: `view` runs them, `edit` and `admin` see them too.',
    auth: 'required',
    params: z.object(reference),
    body: grantRules,
    status: 201,
    operation: `mutation GrantWorkflow($input: GrantWorkflowInput!) {
      grantWorkflow(input: $input) { workflow_id: workflowId _: grant { ${GRANT} } }
    }`,
    variables: ({ params, body }) => ({
      input: {
        id: params.id_or_slug,
        grantee: body.grantee_email_or_at_team_handle,
        role: toEnum(body.role),
        includeHistory: body.include_history,
      },
    }),
    finish: withGranter,
    errors: [
      'validation_error',
      'not_found',
      'user_not_found',
      'forbidden',
      'conflict',
      'quota_exceeded',
      'rate_limited',
    ],
  }),
  route({
    method: 'GET',
    path: '/v1/workflows/{id_or_slug}/grants',
    tag: 'Grants',
    id: 'listWorkflowGrants',
    summary: 'Whom a workflow is shared with',
    description: 'In the order of sharing. For the owner and who has the role `admin`.',
    auth: 'required',
    params: z.object(reference),
    query: z.object(pageQuery),
    status: 200,
    operation: `query WorkflowGrants($id: ID!, $first: Int, $after: String) {
      workflowGrants(id: $id, first: $first, after: $after) { items: nodes { ${GRANT} } next_cursor: nextCursor }
    }`,
    variables: ({ params, query }) => ({ id: params.id_or_slug, first: query.limit, after: query.cursor }),
    finish: ({ items, ...page }) => ({ items: (items as Body[]).map(withGranter), ...page }),
    errors: ['validation_error', 'not_found', 'forbidden'],
  }),
  route({
    method: 'DELETE',
    path: '/v1/workflows/{id_or_slug}/grants',
    tag: 'Grants',
    id: 'revokeWorkflowGrant',
    summary: 'Stop sharing a workflow with somebody',
    description: 'With a user or a team, who is named in the body. For the owner and who has the role `admin`.',
    auth: 'required',
    params: z.object(reference),
    body: revokeRules,
    status: 200,
    operation: `mutation RevokeWorkflowGrant($input: RevokeWorkflowGrantInput!) {
      revokeWorkflowGrant(input: $input) { workflow_id: workflowId revoked }
    }`,
    variables: ({ params, body }) => ({
      input: { id: params.id_or_slug, grantee: body.grantee_email_or_at_team_handle },
    }),
    errors: ['validation_error', 'not_found', 'user_not_found', 'forbidden', 'conflict', 'rate_limited'],
  }),
  route({
    method: 'POST',
    path: '/v1/workflows/{id_or_slug}/leave',
    tag: 'Grants',
    id: 'leaveWorkflow',
    summary: 'Leave a workflow that is shared with you',
    description: 'Gives up what was granted to you. What a team of yours was granted stays until you leave the team.',
    auth: 'required',
    params: z.object(reference),
    status: 200,
    operation: `mutation LeaveWorkflow($input: WorkflowInput!) {
      leaveWorkflow(input: $input) { workflow_id: workflowId removed_direct_grants: removedDirectGrants }
    }`,
    variables: ({ params }) => ({ input: { id: params.id_or_slug } }),
    errors: ['not_found', 'conflict'],
  }),
];
