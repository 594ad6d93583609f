import { z } from 'zod';
import type { ErrorSlug } from '../../../platform/errors.js';
import { choice, pageQuery, type Route, route, toEnum } from '../../route.js';
import { ENVELOPE } from './envelope.js';

const params = z.object({ id: z.string().max(200).describe('Id of the invitation.') });

/** The three ways to resolve an invitation differ in a word. */
function resolution(verb: 'accept' | 'decline' | 'cancel', summary: string, errors: readonly ErrorSlug[]): Route {
  const field = `${verb}Invitation`;
  const input = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input`;
  return route({
    method: 'POST',
    path: `/v1/invitations/{id}/${verb}`,
    tag: 'Invitations',
    id: field,
    summary,
    auth: 'required',
    params,
    status: 200,
    operation: `mutation Resolve($input: ${input}!) { ${field}(input: $input) { _: invitation { ${ENVELOPE} } } }`,
    variables: ({ params: { id } }) => ({ input: { id } }),
    errors: ['not_found', 'forbidden', 'invitation_already_resolved', 'invitation_expired', ...errors],
  });
}

export const invitations: Route[] = [
  route({
    method: 'GET',
    path: '/v1/invitations',
    tag: 'Invitations',
    id: 'listInvitations',
    summary: 'Invitations to you and from you',
    auth: 'required',
    query: z.object({
      filter: choice('received', 'sent', 'all')
        .optional()
        .describe('Sent to you, sent by you, or both; to you when left out.'),
      state: choice('pending', 'all')
        .optional()
        .describe('Those that can still be answered, or all; the former when left out.'),
      ...pageQuery,
    }),
    status: 200,
    operation: `query Invitations(
      $filter: InvitationFilter, $state: InvitationStateFilter, $first: Int, $after: String
    ) {
      invitations(filter: $filter, state: $state, first: $first, after: $after) {
        items: nodes { ${ENVELOPE} } next_cursor: nextCursor
      }
    }`,
    variables: ({ query }) => ({
      filter: toEnum(query.filter),
      state: toEnum(query.state),
      first: query.limit,
      after: query.cursor,
    }),
    errors: ['validation_error'],
  }),
  route({
    method: 'GET',
    path: '/v1/invitations/{id}',
    tag: 'Invitations',
    id: 'getInvitation',
    summary: 'One invitation',
    auth: 'required',
    params,
    status: 200,
    operation: `query Invitation($id: ID!) { invitation(id: $id) { ${ENVELOPE} } }`,
    variables: ({ params: { id } }) => ({ id }),
    errors: ['not_found'],
  }),
  resolution('accept', 'Accept an invitation', ['conflict', 'quota_exceeded']),
  resolution('decline', 'Decline an invitation', []),
  resolution('cancel', 'Cancel an invitation that you sent', []),
];
