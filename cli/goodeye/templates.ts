/** Templates: the public form of workflows. */
import type { Command } from '../command.js';
import { bodyWord, option, query, VERSION, word } from './inputs.js';
import { files, printRunbook } from './runbook.js';
import { found, notClean } from './workflows.js';

const template = word('identifier', 'an id, @handle/slug, or @handle/slug@vN');
const version = word('version', 'the number of the version', { kind: 'number' });
const COLUMNS = ['handle', 'slug', 'name', 'latest_version', 'published_at', 'description'];
const CHECK_TIMEOUT_MS = 2 * 60_000;

export const templates: readonly Command[] = [
  {
    words: 'templates publish',
    call: 'POST /v1/templates',
    help: 'publish a workflow as a new version, after a safety check',
    arguments: [bodyWord('workflow_id', 'the id or slug of the workflow')],
    options: [option('release_notes', 'what is new')],
    timeoutMs: CHECK_TIMEOUT_MS,
    examples: ['goodeye templates publish weekly-report --release-notes "Initial release"'],
  },
  {
    words: 'templates list',
    call: 'GET /v1/templates',
    help: 'the public catalogue',
    anonymous: true,
    options: [
      query('filter', 'all of them or yours', { choices: ['all', 'mine'] }),
      query('search', 'with these words in them'),
      query('include_archived', 'your archived ones too', { kind: 'flag' }),
    ],
    list: { columns: COLUMNS },
  },
  {
    words: 'templates search',
    call: 'POST /v1/templates/search',
    help: 'find templates by what they are about',
    arguments: [bodyWord('query', 'what you want to do, in your own words')],
    anonymous: true,
    options: [option('limit', 'how many', { kind: 'number' })],
    show: (body) => found(body, COLUMNS),
  },
  {
    words: 'templates get',
    plain: true,
    call: 'GET /v1/templates/{identifier}',
    help: 'the body, between markers; plain in a file with --output',
    arguments: [template],
    anonymous: true,
    options: [VERSION, option('output', 'a file for the plain body', { in: 'query', short: 'o' })],
    run: (given, context) => printRunbook(find('templates get'), given, context),
  },
  {
    words: 'templates files',
    call: 'GET /v1/templates/{identifier}/files',
    help: 'the files beside the body: a list, one on stdout, or all in a folder',
    arguments: [template],
    anonymous: true,
    options: [
      VERSION,
      query('path', 'one file'),
      option('output', 'a folder to write to', { in: 'query', short: 'o' }),
    ],
    run: (given, context) => files(find('templates files'), given, context),
  },
  {
    words: 'templates fork',
    call: 'POST /v1/templates/fork',
    help: 'make a private workflow of it; without an account it is only printed',
    arguments: [bodyWord('identifier', 'an id, @handle/slug, or @handle/slug@vN')],
    anonymous: true,
    options: [option('version', 'a version', { kind: 'number' }), option('name', 'the name of the workflow')],
  },
  {
    words: 'templates unpublish',
    call: 'DELETE /v1/templates/{identifier}/versions/{version}',
    help: 'take a version out of the catalogue',
    arguments: [template, version],
    confirm: ({ identifier, version: number }) => `Unpublish version ${number} of ${identifier}?`,
  },
  {
    words: 'templates deprecate',
    call: 'POST /v1/templates/{identifier}/versions/{version}/deprecate',
    help: 'warn whoever forks a version, without hiding it',
    arguments: [template, version],
    options: [option('message', 'what to use instead', { required: true })],
  },
  {
    words: 'templates delete-version',
    call: 'DELETE /v1/templates/{identifier}/versions/{version}/permanent',
    help: 'erase an unpublished version',
    arguments: [template, version],
    confirm: ({ identifier, version: number }) => `Erase version ${number} of ${identifier}? There is no way back.`,
  },
  {
    words: 'templates safety-check',
    call: 'POST /v1/templates/{identifier}/safety-check',
    help: 'both safety checks of a version',
    arguments: [template],
    anonymous: true,
    options: [VERSION],
    timeoutMs: CHECK_TIMEOUT_MS,
    failed: notClean,
  },
  {
    words: 'templates archive',
    call: 'POST /v1/templates/{identifier}/archive',
    help: 'hide it; it can be brought back',
    arguments: [template],
    options: [option('archive_reason', 'why', { flag: 'reason' })],
  },
  {
    words: 'templates unarchive',
    call: 'POST /v1/templates/{identifier}/unarchive',
    help: 'bring it back',
    arguments: [template],
  },
  {
    words: 'templates delete',
    call: 'DELETE /v1/templates/{identifier}',
    help: 'erase it; forks keep their content',
    arguments: [template],
    options: [option('reason', 'why')],
    confirm: ({ identifier }) => `Erase the template ${identifier} and all its versions? There is no way back.`,
  },
  {
    words: 'templates transfer',
    call: 'POST /v1/templates/{identifier}/transfer-ownership',
    help: 'offer it to another owner, who has to accept',
    arguments: [template, bodyWord('new_owner_user_id_or_email', 'an id, e-mail address or handle')],
    confirm: ({ identifier, new_owner_user_id_or_email: to }) => `Offer ${identifier} to ${to}?`,
  },
];

function find(words: string): Command {
  const command = templates.find((candidate) => candidate.words === words);
  if (!command) throw new Error(`there is no ${words}`);
  return command;
}
