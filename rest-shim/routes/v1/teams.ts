import { z } from 'zod';
import { choice, pageQuery, type Route, route, toEnum } from '../../route.js';
import { ENVELOPE } from './envelope.js';

const team = { team_id: z.string().max(200).describe('Id or handle of the team.') };
const user = z.string().max(400).describe('Id, e-mail address or handle (with or without @) of a user.');
const TEAM = 'team_id: id handle owner_user_id: ownerUserId role created_at: createdAt updated_at: updatedAt';

export const teams: Route[] = [
  route({
    method: 'POST',
    path: '/v1/teams',
    tag: 'Teams',
    id: 'createTeam',
    summary: 'Create a team',
    description: 'Needs a claimed handle. Teams and users share one namespace of handles.',
    auth: 'required',
    body: z.object({
      handle: z
        .string()
        .max(200)
        .describe('Handle of the team.')
        .meta({ examples: ['my-team'] }),
    }),
    status: 201,
    operation: `mutation CreateTeam($input: CreateTeamInput!) { createTeam(input: $input) { _: team { ${TEAM} } } }`,
    variables: ({ body }) => ({ input: { handle: body.handle } }),
    errors: [
      'validation_error',
      'handle_invalid',
      'handle_taken',
      'handle_reserved',
      'handle_not_claimed',
      'quota_exceeded',
    ],
  }),
  route({
    method: 'GET',
    path: '/v1/teams',
    tag: 'Teams',
    id: 'listTeams',
    summary: 'Your teams',
    description: '`mine`: those you own; `member`: those you joined; `all`: both.',
    auth: 'required',
    query: z.object({
      filter: choice('mine', 'member', 'all')
        .optional()
        .describe('Teams you own, those of others, or both; both when left out.'),
      ...pageQuery,
    }),
    status: 200,
    operation: `query Teams($filter: TeamFilter, $first: Int, $after: String) {
      teams(filter: $filter, first: $first, after: $after) { items: nodes { ${TEAM} } next_cursor: nextCursor }
    }`,
    variables: ({ query }) => ({ filter: toEnum(query.filter), first: query.limit, after: query.cursor }),
    errors: ['validation_error'],
  }),
  route({
    method: 'GET',
    path: '/v1/teams/{team_id}',
    tag: 'Teams',
    id: 'getTeam',
    summary: 'One of your teams',
    auth: 'required',
    params: z.object(team),
    status: 200,
    operation: `query Team($identifier: String!) { team(identifier: $identifier) { ${TEAM} } }`,
    variables: ({ params }) => ({ identifier: params.team_id }),
    errors: ['not_found'],
  }),
  route({
    method: 'DELETE',
    path: '/v1/teams/{team_id}',
    tag: 'Teams',
    id: 'deleteTeam',
    summary: 'Delete a team',
    description: 'For its owner. The handle is held for 90 days.',
    auth: 'required',
    params: z.object(team),
    status: 200,
    operation: `mutation DeleteTeam($input: DeleteTeamInput!) {
      deleteTeam(input: $input) { team_id: teamId handle deleted }
    }`,
    variables: ({ params }) => ({ input: { identifier: params.team_id } }),
    errors: ['not_found', 'forbidden'],
  }),
  route({
    method: 'GET',
    path: '/v1/teams/{team_id}/members',
    tag: 'Teams',
    id: 'listTeamMembers',
    summary: 'Members of a team',
    description: 'The owner first, then in the order in which they joined. E-mail addresses of others are withheld.',
    auth: 'required',
    params: z.object(team),
    query: z.object(pageQuery),
    status: 200,
    operation: `query TeamMembers($identifier: String!, $first: Int, $after: String) {
      team(identifier: $identifier) {
        _: members(first: $first, after: $after) {
          items: nodes { _: user { user_id: id email handle } role joined_at: joinedAt }
          next_cursor: nextCursor
        }
      }
    }`,
    variables: ({ params, query }) => ({ identifier: params.team_id, first: query.limit, after: query.cursor }),
    // Shipped clients read the address as a string, always.
    finish: (body) => {
      for (const member of body['items'] as { email: string | null }[]) member.email ??= '';
      return body;
    },
    errors: ['validation_error', 'not_found'],
  }),
  route({
    method: 'POST',
    path: '/v1/teams/{team_id}/members',
    tag: 'Teams',
    id: 'addTeamMember',
    summary: 'Invite a user to a team',
    description: 'For the owner. The user becomes a member by accepting the invitation that this answers.',
    auth: 'required',
    params: z.object(team),
    body: z.object({ user_identifier: user }),
    status: 201,
    operation: `mutation InviteTeamMember($input: InviteTeamMemberInput!) {
      inviteTeamMember(input: $input) { _: invitation { ${ENVELOPE} } }
    }`,
    variables: ({ params, body }) => ({
      input: { teamIdentifier: params.team_id, userIdentifier: body.user_identifier },
    }),
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
    path: '/v1/teams/{team_id}/members/{user_id}',
    tag: 'Teams',
    id: 'removeTeamMember',
    summary: 'Remove a member, or leave',
    description: 'The owner removes anyone but the owner; a member removes themself.',
    auth: 'required',
    params: z.object({ ...team, user_id: user }),
    status: 200,
    operation: `mutation RemoveTeamMember($input: RemoveTeamMemberInput!) {
      removeTeamMember(input: $input) { team_id: teamId user_id: userId removed }
    }`,
    variables: ({ params }) => ({ input: { teamIdentifier: params.team_id, userIdentifier: params.user_id } }),
    errors: ['not_found', 'user_not_found', 'forbidden', 'conflict', 'rate_limited'],
  }),
  route({
    method: 'POST',
    path: '/v1/teams/{team_id}/transfer-ownership',
    tag: 'Teams',
    id: 'transferTeamOwnership',
    summary: 'Offer a team to a new owner',
    description: 'On acceptance of the invitation the present owner becomes a member.',
    auth: 'required',
    params: z.object(team),
    body: z.object({ new_owner_user_identifier: user }),
    status: 201,
    operation: `mutation TransferTeamOwnership($input: TransferTeamOwnershipInput!) {
      transferTeamOwnership(input: $input) { _: invitation { ${ENVELOPE} } }
    }`,
    variables: ({ params, body }) => ({
      input: { teamIdentifier: params.team_id, newOwnerIdentifier: body.new_owner_user_identifier },
    }),
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
];
