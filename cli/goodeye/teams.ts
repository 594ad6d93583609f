/** Teams, and the invitations by which people join them and things change hands. */
import type { Command } from '../command.js';
import { bodyWord, query, word } from './inputs.js';

const team = word('team_id', 'the id or handle of the team');
const invitation = word('id', 'the id of the invitation');

export const teams: readonly Command[] = [
  {
    words: 'teams create',
    call: 'POST /v1/teams',
    help: 'make a team',
    arguments: [bodyWord('handle', '3 to 40 of a-z, 0-9 and -')],
  },
  {
    words: 'teams list',
    call: 'GET /v1/teams',
    help: 'your teams',
    options: [query('filter', 'those you own, those of others, or both', { choices: ['mine', 'member', 'all'] })],
    list: { columns: ['team_id', 'handle', 'role', 'created_at'] },
  },
  { words: 'teams show', call: 'GET /v1/teams/{team_id}', help: 'one team', arguments: [team] },
  {
    words: 'teams delete',
    call: 'DELETE /v1/teams/{team_id}',
    help: 'end it; what was shared with it no longer is',
    arguments: [team],
    confirm: ({ team_id }) => `End the team ${team_id}?`,
  },
  {
    words: 'teams members',
    call: 'GET /v1/teams/{team_id}/members',
    help: 'who belongs to it',
    arguments: [team],
    list: { columns: ['user_id', 'handle', 'email', 'role'] },
  },
  {
    words: 'teams add-member',
    call: 'POST /v1/teams/{team_id}/members',
    help: 'invite somebody, who has to accept',
    arguments: [team, bodyWord('user_identifier', 'an e-mail address, id or handle')],
  },
  {
    words: 'teams remove-member',
    call: 'DELETE /v1/teams/{team_id}/members/{user_id}',
    help: 'remove a member, or leave',
    arguments: [team, word('user_id', 'an e-mail address, id or handle')],
    confirm: ({ team_id, user_id }) => `Remove ${user_id} from ${team_id}?`,
  },
  {
    words: 'teams transfer',
    call: 'POST /v1/teams/{team_id}/transfer-ownership',
    help: 'offer it to another owner, who has to accept',
    arguments: [team, bodyWord('new_owner_user_identifier', 'an e-mail address, id or handle')],
    confirm: ({ team_id, new_owner_user_identifier: to }) => `Offer ${team_id} to ${to}?`,
  },
  {
    words: 'invitations list',
    call: 'GET /v1/invitations',
    help: 'what you are offered, and what you offer',
    options: [
      query('filter', 'received, sent or both', { choices: ['received', 'sent', 'all'] }),
      query('state', 'open ones or all', { choices: ['pending', 'all'] }),
    ],
    list: { columns: ['invitation_id', 'kind', 'state', 'resource', 'proposer', 'expires_at'] },
  },
  { words: 'invitations show', call: 'GET /v1/invitations/{id}', help: 'one of them', arguments: [invitation] },
  { words: 'invitations accept', call: 'POST /v1/invitations/{id}/accept', help: 'take it', arguments: [invitation] },
  {
    words: 'invitations decline',
    call: 'POST /v1/invitations/{id}/decline',
    help: 'turn it down',
    arguments: [invitation],
  },
  {
    words: 'invitations cancel',
    call: 'POST /v1/invitations/{id}/cancel',
    help: 'take it back',
    arguments: [invitation],
  },
];
