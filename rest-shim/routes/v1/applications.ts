import { z } from 'zod';
import { pageQuery, type Route, route } from '../../route.js';

export const applications: Route[] = [
  route({
    method: 'GET',
    path: '/v1/applications',
    tag: 'Account',
    id: 'listApplications',
    summary: 'Applications and devices that you have let in',
    description: 'Those that signed in with OAuth and go on using your account, the newest first.',
    auth: 'required',
    query: z.object(pageQuery),
    status: 200,
    operation: `query ConnectedApplications($first: Int, $after: String) {
      connectedApplications(first: $first, after: $after) {
        items: nodes { id name scopes resource created_at: createdAt }
        next_cursor: nextCursor
      }
    }`,
    variables: ({ query }) => ({ first: query.limit, after: query.cursor }),
    errors: ['validation_error'],
  }),
  route({
    method: 'DELETE',
    path: '/v1/applications/{application_id}',
    tag: 'Account',
    id: 'disconnectApplication',
    summary: 'End what an application was let in for',
    description:
      'Its tokens stop working at once. Keys that it made with your account stay: revoke them by themselves.',
    auth: 'required',
    params: z.object({ application_id: z.string().max(200).describe('Id of the connection.') }),
    status: 204,
    operation: `mutation DisconnectApplication($input: DisconnectApplicationInput!) {
      disconnectApplication(input: $input) { id disconnected }
    }`,
    variables: ({ params }) => ({ input: { id: params.application_id } }),
    errors: ['not_found'],
  }),
];
