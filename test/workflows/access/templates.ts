/** Rights on templates: what can be found is everybody's to read, all else is its owner's, whoever shares the workflow. */
import type { Caller, Kind, Operation, Outcome, State, World } from './table.js';

export interface TemplateSubject {
  id: string;
  workflowId: string;
  handle: string;
  slug: string;
  name: string;
  /** To whom it can be offered. */
  other: string;
}

type Of = Operation<TemplateSubject>;

const STATES: readonly State[] = ['live', 'deprecated', 'unpublished', 'archived', 'deleted'];
const HIDDEN: readonly State[] = ['unpublished', 'archived', 'deleted'];

function reads(caller: Caller, state: State): Outcome {
  return !HIDDEN.includes(state) || (caller === 'owner' && state !== 'deleted') ? 'ok' : 'not_found';
}

/** For what is the owner's to do; in some states there is something against it. */
function owns(caller: Caller, state: State, refusedIn: readonly State[] = []): Outcome {
  if (caller === 'anonymous') return 'auth_required';
  if (reads(caller, state) !== 'ok') return 'not_found';
  if (caller !== 'owner') return 'forbidden';
  return refusedIn.includes(state) ? 'conflict' : 'ok';
}

const at = ({ id }: TemplateSubject, rest = '') => `/v1/templates/${id}${rest}`;
const path = ({ handle, slug }: TemplateSubject, pin = '') => `@${handle}/${slug}${pin}`;

const READ = `query($identifier: ID!, $version: Int) {
  template(identifier: $identifier, version: $version) { id version { version body files { path } } }
}`;

const read = (name: string, identifier: (subject: TemplateSubject) => string, version?: number): Of => ({
  name,
  outcome: reads,
  rest: (subject) => ({
    method: 'GET',
    path: `/v1/templates/${identifier(subject)}${version === undefined ? '' : `?version=${version}`}`,
  }),
  graph: (subject) => ({ query: READ, variables: { identifier: identifier(subject), version } }),
});

/** One with bytes, or in the words of people, for which the graph has no answer of its own. */
const bytes = (name: string, rest: string, headers: Record<string, string> = {}): Of => ({
  name,
  outcome: reads,
  rest: (subject) => ({ method: 'GET', path: at(subject, rest), headers }),
});

const listed = (name: string, mine: boolean, outcome: Of['outcome']): Of => ({
  name,
  outcome,
  rest: (subject) => {
    const filter = mine ? 'mine' : 'all';
    return {
      method: 'GET',
      path: `/v1/templates?${new URLSearchParams({ filter, search: subject.name, include_archived: String(mine) })}`,
    };
  },
  graph: (subject) => ({
    query: `query($search: String, $filter: TemplateFilter, $archived: Boolean) {
      templates(search: $search, filter: $filter, includeArchived: $archived) { items: nodes { id } }
    }`,
    variables: { search: subject.name, filter: mine ? 'MINE' : 'ALL', archived: mine },
  }),
  told(body, { id }) {
    return (body as { items: { id: string }[] }).items.some((item) => item.id === id) ? 'ok' : 'not listed';
  },
});

interface Change {
  name: string;
  /** Those in which it changes nothing: it is so already. */
  idleIn?: readonly State[];
  rest: (subject: TemplateSubject) => [method: string, path: string, body?: object];
  /** The mutation, the type of its input, and what the input has beside the template. */
  graph: [field: string, input: string, rest?: (subject: TemplateSubject) => object];
  refusedIn?: readonly State[];
}

const changing = ({ name, rest, graph: [field, type, given], refusedIn, idleIn }: Change): Of => ({
  name,
  outcome: (caller, state) => owns(caller, state, refusedIn),
  changes: STATES.filter((state) => !idleIn?.includes(state)),
  rest(subject) {
    const [method, path, body] = rest(subject);
    return { method, path, ...(body && { body }) };
  },
  graph: (subject) => ({
    query: `mutation($input: ${type}!) { ${field}(input: $input) { __typename } }`,
    variables: { input: { identifier: subject.id, ...given?.(subject) } },
  }),
});

const operations: readonly Of[] = [
  read('read', ({ id }) => id),
  read('read a version', ({ id }) => id, 1),
  read('read by the owner’s handle', path),
  read('read a version by the owner’s handle', (subject) => path(subject, '@v1')),
  bytes('read as Markdown', '', { accept: 'text/markdown' }),
  bytes('list files', '/files'),
  bytes('read a file', '/files?path=a.md'),
  bytes('read the bytes of a file', '/files?path=a.md&format=raw'),
  listed('list all', false, (_caller, state) => (HIDDEN.includes(state) ? 'not listed' : 'ok')),
  listed('list mine, with archived ones', true, (caller, state) => {
    if (caller === 'anonymous') return 'auth_required';
    return caller === 'owner' && ['live', 'deprecated', 'archived'].includes(state) ? 'ok' : 'not listed';
  }),
  {
    name: 'fork',
    outcome: reads,
    rest: ({ id }) => ({ method: 'POST', path: '/v1/templates/fork', body: { identifier: id } }),
    graph: ({ id }) => ({
      query: 'mutation($input: ForkTemplateInput!) { forkTemplate(input: $input) { ephemeral } }',
      variables: { input: { identifier: id } },
    }),
  },
  {
    name: 'check whether it is safe',
    outcome: reads,
    rest: (subject) => ({ method: 'POST', path: at(subject, '/safety-check') }),
    graph: ({ id }) => ({
      query: 'mutation($input: CheckTemplateSafetyInput!) { checkTemplateSafety(input: $input) { version } }',
      variables: { input: { identifier: id } },
    }),
  },
  {
    // It goes by the workflow, which stays when its template is gone.
    name: 'publish',
    outcome(caller, state) {
      if (caller === 'anonymous') return 'auth_required';
      if (['stranger', 'former member', 'former grantee'].includes(caller)) return 'not_found';
      if (caller !== 'owner') return 'forbidden';
      return state === 'archived' ? 'conflict' : 'ok';
    },
    changes: true,
    rest: ({ workflowId }) => ({ method: 'POST', path: '/v1/templates', body: { workflow_id: workflowId } }),
    graph: ({ workflowId }) => ({
      query: 'mutation($input: PublishTemplateInput!) { publishTemplate(input: $input) { template { id } } }',
      variables: { input: { workflowId } },
    }),
  },
  changing({
    name: 'unpublish',
    idleIn: ['unpublished'],
    rest: (subject) => ['DELETE', at(subject, '/versions/1')],
    graph: ['unpublishTemplateVersion', 'TemplateVersionInput', () => ({ version: 1 })],
  }),
  changing({
    name: 'deprecate',
    idleIn: ['deprecated'],
    rest: (subject) => ['POST', at(subject, '/versions/1/deprecate'), { message: 'old' }],
    graph: ['deprecateTemplateVersion', 'DeprecateTemplateVersionInput', () => ({ version: 1, message: 'old' })],
  }),
  changing({
    name: 'erase a version',
    rest: (subject) => ['DELETE', at(subject, '/versions/1/permanent')],
    graph: ['deleteTemplateVersion', 'TemplateVersionInput', () => ({ version: 1 })],
    refusedIn: ['live', 'deprecated', 'archived'],
  }),
  changing({
    name: 'archive',
    idleIn: ['archived'],
    rest: (subject) => ['POST', at(subject, '/archive')],
    graph: ['archiveTemplate', 'ArchiveTemplateInput'],
  }),
  changing({
    name: 'bring back',
    idleIn: ['live', 'deprecated', 'unpublished'],
    rest: (subject) => ['POST', at(subject, '/unarchive')],
    graph: ['unarchiveTemplate', 'TemplateInput'],
  }),
  changing({
    name: 'erase',
    rest: (subject) => ['DELETE', at(subject)],
    graph: ['deleteTemplate', 'TemplateInput'],
    refusedIn: ['live', 'deprecated'],
  }),
  changing({
    name: 'offer to a new owner',
    rest: (subject) => ['POST', at(subject, '/transfer-ownership'), { new_owner_user_id_or_email: subject.other }],
    graph: ['transferTemplateOwnership', 'TransferTemplateInput', ({ other }) => ({ newOwner: other })],
  }),
];

let nth = 0;

async function make(
  { client, people, teamId, handle, other }: World,
  state: State,
  by?: Caller,
): Promise<TemplateSubject> {
  const { key } = people.owner;
  const send = async (method: string, path: string, body?: object) => {
    const answer = await client.rest(method, path, key, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const name = `template${++nth}of${process.pid}`;
  const files = [{ path: 'a.md', content: name }];
  const saved = await send('POST', '/v1/workflows', { name, body: 'first', outcome: 'It is done.', files });
  const workflowId = saved.workflow_id;
  // The owner needs nobody beside them.
  if (by !== 'owner') {
    const grants = `/v1/workflows/${workflowId}/grants`;
    const share = (grantee_email_or_at_team_handle: string, role: string) =>
      send('POST', grants, { grantee_email_or_at_team_handle, role });
    for (const role of ['view', 'edit', 'admin'] as const) await share(people[role].id, role);
    await share(teamId, 'edit');
    await share(people['former grantee'].id, 'admin');
    await send('DELETE', grants, { grantee_email_or_at_team_handle: people['former grantee'].id });
  }
  const { template_id: id, slug } = await send('POST', '/v1/templates', { workflow_id: workflowId });
  const template = `/v1/templates/${id}`;
  if (state === 'deprecated') await send('POST', `${template}/versions/1/deprecate`, { message: 'old' });
  if (state === 'unpublished') await send('DELETE', `${template}/versions/1`);
  if (state === 'archived' || state === 'deleted') await send('POST', `${template}/archive`);
  if (state === 'deleted') await send('DELETE', template);
  return { id, workflowId, handle, slug, name, other: other.id };
}

export const templates: Kind<TemplateSubject> = {
  name: 'a template',
  states: STATES,
  hidden: HIDDEN,
  callers: ['owner', 'view', 'admin', 'via team', 'former grantee', 'stranger', 'anonymous'],
  operations,
  make,
  missing: (subject) => ({
    ...subject,
    id: '01900000-0000-7000-8000-00000000000c',
    workflowId: 'wf_01900000-0000-7000-8000-00000000000a',
    slug: 'no-such-template',
    name: 'nosuchname',
  }),
};
