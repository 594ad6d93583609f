/** Workflows: private runbooks, and who may use them. */
import type { Command } from '../command.js';
import { print } from '../perform.js';
import { table } from '../terminal/show.js';
import { readWorkflow } from './bundle.js';
import { bodyWord, option, query, TOKEN, VERSION, word } from './inputs.js';
import { promptPack } from './pack.js';
import { files, printRunbook } from './runbook.js';

const workflow = word('id_or_slug', 'the id or slug of the workflow');
const version = word('version', 'the number of the version', { kind: 'number' });
const grantee = (name: string) => bodyWord(name, 'an e-mail address, an id, @handle or @team');
const output = option('output', 'a folder to write to', { in: 'query', short: 'o' });
const COLUMNS = ['id', 'name', 'current_version', 'effective_role', 'updated_at', 'description'];
const CHECK_TIMEOUT_MS = 2 * 60_000;

export const workflows: readonly Command[] = [
  {
    words: 'workflows save',
    call: 'POST /v1/workflows',
    help: 'save a file, or a folder with WORKFLOW.md and files beside it, as a new version',
    arguments: [{ name: 'path', in: 'body', help: 'the file or folder' }],
    options: [
      option('name', 'its name; the front matter’s when left out'),
      option('description', 'when to use it'),
      option('outcome', 'what is there once it has been followed'),
      option('tags', 'words to find it by', { flag: 'tag', kind: 'list' }),
      option('slug', 'its slug; made from the name when left out'),
      option('workflow_id', 'the workflow to save to, when it is shared with you'),
      option('verifiers', 'the verifiers it uses', { flag: 'verifiers-json', kind: 'json' }),
      option('image_generators', 'the generators it uses', { flag: 'image-generators-json', kind: 'json' }),
      option('source', 'where it comes from'),
      TOKEN,
    ],
    examples: [
      'goodeye workflows save weekly-report.md --name "Weekly report"',
      'goodeye workflows save ./report --tag reporting',
    ],
    async run({ path, ...given }, context) {
      const local = await readWorkflow(String(path), context.api);
      const saved = await context.api.call('POST', '/v1/workflows', { body: { source: 'cli', ...given, ...local } });
      await print({ words: 'workflows save', help: '' }, {}, saved ?? {}, context);
    },
  },
  {
    words: 'workflows list',
    call: 'GET /v1/workflows',
    help: 'workflows that you can see',
    options: [
      query('filter', 'which of them', { choices: ['mine', 'all', 'shared-with-me'] }),
      query('tag', 'with this tag'),
      query('search', 'with these words in them'),
      query('include_archived', 'archived ones too', { kind: 'flag' }),
    ],
    list: { columns: COLUMNS },
  },
  {
    words: 'workflows search',
    call: 'POST /v1/workflows/search',
    help: 'find workflows by what they are about',
    arguments: [bodyWord('query', 'what you want to do, in your own words')],
    options: [option('limit', 'how many', { kind: 'number' })],
    show: (body) => found(body, COLUMNS),
  },
  {
    words: 'workflows get',
    plain: true,
    call: 'GET /v1/workflows/{id_or_slug}',
    help: 'the body, between markers; plain in a file with --output',
    arguments: [workflow],
    options: [VERSION, option('output', 'a file for the plain body', { in: 'query', short: 'o' })],
    run: (given, context) => printRunbook(find('workflows get'), given, context),
  },
  {
    words: 'workflows version',
    plain: true,
    call: 'GET /v1/workflows/{id_or_slug}/versions/{version}',
    help: 'one version of it',
    arguments: [workflow, version],
    options: [option('output', 'a file for the plain body', { in: 'query', short: 'o' })],
    run: (given, context) => printRunbook(find('workflows version'), given, context),
  },
  {
    words: 'workflows files',
    call: 'GET /v1/workflows/{id_or_slug}/files',
    help: 'the files beside the body: a list, one on stdout, or all in a folder',
    arguments: [workflow],
    options: [VERSION, query('path', 'one file'), output],
    run: (given, context) => files(find('workflows files'), given, context),
  },
  {
    words: 'workflows archive',
    call: 'POST /v1/workflows/{id_or_slug}/archive',
    help: 'put it away; it can be brought back',
    arguments: [workflow],
  },
  {
    words: 'workflows unarchive',
    call: 'POST /v1/workflows/{id_or_slug}/unarchive',
    help: 'bring it back',
    arguments: [workflow],
  },
  {
    words: 'workflows delete',
    call: 'DELETE /v1/workflows/{id_or_slug}',
    help: 'erase it with all its versions',
    arguments: [workflow],
    confirm: ({ id_or_slug }) => `Erase the workflow ${id_or_slug} and all its versions? There is no way back.`,
  },
  {
    words: 'workflows delete-version',
    call: 'DELETE /v1/workflows/{id_or_slug}/versions/{version}',
    help: 'erase an old version',
    arguments: [workflow, version],
    confirm: ({ id_or_slug, version: number }) => `Erase version ${number} of ${id_or_slug}? There is no way back.`,
  },
  {
    words: 'workflows teach',
    plain: true,
    call: 'POST /v1/workflows/{id_or_slug}/teach',
    help: 'the prompt pack by which an agent teaches it new examples',
    arguments: [workflow],
    options: [option('trigger_context', 'what made you want to'), output],
    run: (given, context) => promptPack('POST /v1/workflows/{id_or_slug}/teach', given, context),
  },
  {
    words: 'workflows optimize',
    plain: true,
    call: 'POST /v1/workflows/{id_or_slug}/optimize',
    help: 'the prompt pack by which an agent improves it, round by round',
    arguments: [workflow],
    options: [query('max_iterations', 'how many rounds, 1 to 1000', { kind: 'number' }), output],
    run: (given, context) => promptPack('POST /v1/workflows/{id_or_slug}/optimize', given, context),
  },
  {
    words: 'workflows optimize-description',
    plain: true,
    call: 'POST /v1/workflows/{id_or_slug}/optimize-description',
    help: 'the prompt pack by which an agent makes it easier to find',
    arguments: [workflow],
    options: [query('max_iterations', 'how many rounds, 1 to 1000', { kind: 'number' }), output],
    run: (given, context) => promptPack('POST /v1/workflows/{id_or_slug}/optimize-description', given, context),
  },
  {
    words: 'workflows audit',
    plain: true,
    call: 'POST /v1/workflows/{id_or_slug}/audit',
    help: 'the prompt pack by which an agent audits it',
    arguments: [workflow],
    options: [output],
    run: (given, context) => promptPack('POST /v1/workflows/{id_or_slug}/audit', given, context),
  },
  {
    words: 'workflows audit-prompt',
    plain: true,
    call: 'GET /v1/audit/workflow-prompt',
    help: 'the same for a workflow that is not on the server',
    options: [output],
    run: (given, context) => promptPack('GET /v1/audit/workflow-prompt', given, context),
  },
  {
    words: 'workflows safety-check',
    call: 'POST /v1/workflows/{id_or_slug}/safety-check',
    help: 'both safety checks of a version; two metered runs',
    arguments: [workflow],
    options: [VERSION],
    timeoutMs: CHECK_TIMEOUT_MS,
    failed: notClean,
  },
  {
    words: 'workflows grant',
    call: 'POST /v1/workflows/{id_or_slug}/grants',
    help: 'share it',
    arguments: [workflow, grantee('grantee_email_or_at_team_handle')],
    options: [
      option('role', 'what they may do', { choices: ['view', 'edit', 'admin'], default: 'view' }),
      option('include_history', 'earlier versions too', { kind: 'flag' }),
    ],
    examples: ['goodeye workflows grant weekly-report ada@example.com --role edit'],
  },
  {
    words: 'workflows grants',
    call: 'GET /v1/workflows/{id_or_slug}/grants',
    help: 'with whom it is shared',
    arguments: [workflow],
    list: { columns: ['grantee_type', 'grantee_identifier', 'role', 'granted_by', 'granted_at'] },
  },
  {
    words: 'workflows revoke-grant',
    call: 'DELETE /v1/workflows/{id_or_slug}/grants',
    help: 'share it no more',
    arguments: [workflow, grantee('grantee_email_or_at_team_handle')],
  },
  {
    words: 'workflows leave',
    call: 'POST /v1/workflows/{id_or_slug}/leave',
    help: 'give back what was shared with you directly',
    arguments: [workflow],
    confirm: ({ id_or_slug }) => `Leave ${id_or_slug}?`,
  },
  {
    words: 'workflows transfer',
    call: 'POST /v1/workflows/{id_or_slug}/transfer-ownership',
    help: 'offer it to another owner, who has to accept',
    arguments: [workflow, grantee('new_owner_user_id_or_email')],
    confirm: ({ id_or_slug, new_owner_user_id_or_email: to }) => `Offer ${id_or_slug} to ${to}?`,
  },
  {
    words: 'workflows lineage',
    call: 'GET /v1/workflows/{id_or_slug}/lineage',
    help: 'the template that it was forked from',
    arguments: [workflow],
  },
];

function find(words: string): Command {
  const command = workflows.find((candidate) => candidate.words === words);
  if (!command) throw new Error(`there is no ${words}`);
  return command;
}

export function notClean({ status }: Record<string, unknown>): string | null {
  return status === 'clean' ? null : `the check says: ${status}`;
}

export function found(body: Record<string, unknown>, columns: readonly string[]): string {
  return table(body['items'] as Record<string, unknown>[], columns, process.stdout.columns ?? 120);
}
