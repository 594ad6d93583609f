/** Rights on workflows and, through them, on the verifiers that they pin. */
import type { Caller, Kind, Operation, Outcome, State, World } from './table.js';

export interface WorkflowSubject {
  id: string;
  slug: string;
  token: string;
  name: string;
  verifierId: string;
  /** With whom it is shared too, and with whom it can be. */
  guest: string;
  other: string;
}

const ROLES = ['view', 'edit', 'admin', 'owner'] as const;
type Role = (typeof ROLES)[number];

const ROLE_OF: Readonly<Record<Caller, Role | null>> = {
  owner: 'owner',
  view: 'view',
  edit: 'edit',
  admin: 'admin',
  'via team': 'edit',
  'former member': null,
  'former grantee': null,
  stranger: null,
  anonymous: null,
};

const reaches = (role: Role, needed: Role) => ROLES.indexOf(role) >= ROLES.indexOf(needed);

/** What anybody gets who may not even see it; null for those who may. */
function unseen(caller: Caller, state: State): Outcome | null {
  if (caller === 'anonymous') return 'auth_required';
  return ROLE_OF[caller] === null || state === 'deleted' ? 'not_found' : null;
}

/** For operations that a role is enough for. */
function needs(role: Role) {
  return (caller: Caller, state: State): Outcome => {
    const own = ROLE_OF[caller];
    return unseen(caller, state) ?? (own && reaches(own, role) ? 'ok' : 'forbidden');
  };
}

/** Versions before the one that was current when it was shared are there for the owner alone. */
function reads(caller: Caller, state: State): Outcome {
  return unseen(caller, state) ?? (state === 'below the floor' && caller !== 'owner' ? 'not_found' : 'ok');
}

const STATES: readonly State[] = ['live', 'archived', 'deleted', 'below the floor'];
const OF_WORKFLOW: readonly State[] = ['live', 'archived', 'deleted'];
const versionIn = (state: State) => (state === 'below the floor' ? 1 : 2);
const at = ({ id }: WorkflowSubject, rest = '') => `/v1/workflows/${id}${rest}`;

const listed = (filter: string, includeArchived: boolean): Operation<WorkflowSubject> => ({
  name: `list ${filter}${includeArchived ? ' with archived ones' : ''}`,
  states: OF_WORKFLOW,
  outcome(caller, state) {
    if (caller === 'anonymous') return 'auth_required';
    const role = ROLE_OF[caller];
    const wanted = filter === 'all' || (filter === 'mine') === (role === 'owner');
    const shown = state === 'live' || (state === 'archived' && includeArchived);
    return role !== null && wanted && shown ? 'ok' : 'not listed';
  },
  rest: ({ name }) => {
    const query = new URLSearchParams({ filter, search: name, include_archived: String(includeArchived) });
    return { method: 'GET', path: `/v1/workflows?${query}` };
  },
  graph: ({ name }) => ({
    query: `query($search: String, $filter: WorkflowFilter, $archived: Boolean) {
      workflows(search: $search, filter: $filter, includeArchived: $archived) { items: nodes { id } }
    }`,
    variables: { search: name, filter: filter.toUpperCase().replaceAll('-', '_'), archived: includeArchived },
  }),
  told(body, { id }) {
    return (body as { items: { id: string }[] }).items.some((item) => item.id === id) ? 'ok' : 'not listed';
  },
});

const pack = (field: string, path: string, role: Role): Operation<WorkflowSubject> => ({
  name: path,
  states: OF_WORKFLOW,
  outcome: needs(role),
  rest: (subject) => ({ method: 'POST', path: at(subject, `/${path}`) }),
  graph: ({ id }) => ({ query: `query($id: ID!) { ${field}(id: $id) { skillMd } }`, variables: { id } }),
});

const byOwner = (name: string, path: string, method: string, field: string): Operation<WorkflowSubject> => ({
  name,
  states: OF_WORKFLOW,
  outcome: needs('owner'),
  changes: true,
  rest: (subject) => ({ method, path: at(subject, path) }),
  graph: ({ id }) => ({
    query: `mutation($input: WorkflowInput!) { ${field}(input: $input) { __typename } }`,
    variables: { input: { id } },
  }),
});

const READ = `query($id: ID!, $version: Int) { workflow(id: $id, version: $version) { id version { version body
  files { path } } } }`;
const readGraph = ({ id }: WorkflowSubject, state: State) => ({
  query: READ,
  variables: { id, version: versionIn(state) },
});

const operations: readonly Operation<WorkflowSubject>[] = [
  {
    name: 'read',
    states: OF_WORKFLOW,
    outcome: needs('view'),
    rest: (subject) => ({ method: 'GET', path: at(subject) }),
    graph: ({ id }) => ({ query: READ, variables: { id } }),
  },
  {
    name: 'read a version',
    outcome: reads,
    rest: (subject, state) => ({ method: 'GET', path: at(subject, `?version=${versionIn(state)}`) }),
    graph: readGraph,
  },
  {
    name: 'read a version by its path',
    outcome: reads,
    rest: (subject, state) => ({ method: 'GET', path: at(subject, `/versions/${versionIn(state)}`) }),
    graph: readGraph,
  },
  {
    // A slug is looked for among one's own.
    name: 'read by slug',
    states: OF_WORKFLOW,
    outcome: (caller, state) => unseen(caller, state) ?? (caller === 'owner' ? 'ok' : 'not_found'),
    rest: ({ slug }) => ({ method: 'GET', path: `/v1/workflows/${slug}` }),
    graph: ({ slug }) => ({ query: READ, variables: { id: slug } }),
  },
  {
    name: 'read as Markdown',
    outcome: reads,
    rest: (subject, state) => ({
      method: 'GET',
      path: at(subject, `?version=${versionIn(state)}`),
      headers: { accept: 'text/markdown' },
    }),
  },
  {
    name: 'list files',
    outcome: reads,
    rest: (subject, state) => ({ method: 'GET', path: at(subject, `/files?version=${versionIn(state)}`) }),
    graph: readGraph,
  },
  {
    name: 'read a file',
    outcome: reads,
    rest: (subject, state) => ({ method: 'GET', path: at(subject, `/files?version=${versionIn(state)}&path=a.md`) }),
  },
  {
    name: 'read the bytes of a file',
    outcome: reads,
    rest: (subject, state) => ({
      method: 'GET',
      path: at(subject, `/files?version=${versionIn(state)}&path=a.md&format=raw`),
    }),
  },
  listed('all', false),
  listed('all', true),
  listed('mine', true),
  listed('shared-with-me', true),
  {
    name: 'search by meaning',
    states: OF_WORKFLOW,
    outcome(caller, state) {
      if (caller === 'anonymous') return 'auth_required';
      return ROLE_OF[caller] !== null && state === 'live' ? 'ok' : 'not listed';
    },
    rest: ({ name }) => ({ method: 'POST', path: '/v1/workflows/search', body: { query: name, limit: 50 } }),
    graph: ({ name }) => ({
      query: `query($query: String!) {
        searchWorkflows(query: $query, limit: 50) { items: hits { workflow { id } } }
      }`,
      variables: { query: name },
    }),
    told(body, { id }) {
      const { items } = body as { items: { id?: string; workflow?: { id: string } }[] };
      return items.some((hit) => (hit.workflow ?? hit).id === id) ? 'ok' : 'not listed';
    },
  },
  {
    name: 'ask where it comes from',
    states: OF_WORKFLOW,
    outcome: needs('view'),
    rest: (subject) => ({ method: 'GET', path: at(subject, '/lineage') }),
    graph: ({ id }) => ({
      query: 'query($id: ID!) { workflow(id: $id) { lineage { parentTemplateId } } }',
      variables: { id },
    }),
  },
  {
    name: 'check whether a version is safe',
    outcome: reads,
    rest: (subject, state) => ({ method: 'POST', path: at(subject, `/safety-check?version=${versionIn(state)}`) }),
    graph: ({ id }, state) => ({
      query: `mutation($input: CheckWorkflowSafetyInput!) {
        checkWorkflowSafety(input: $input) { version }
      }`,
      variables: { input: { id, version: versionIn(state) } },
    }),
  },
  {
    name: 'save',
    states: OF_WORKFLOW,
    outcome(caller, state) {
      const allowed = needs('edit')(caller, state);
      return allowed === 'ok' && state === 'archived' ? 'conflict' : allowed;
    },
    changes: true,
    rest: ({ id, token, name }) => ({
      method: 'POST',
      path: '/v1/workflows',
      body: { workflow_id: id, name, body: 'third', expected_version_token: token },
    }),
    graph: ({ id, token, name }) => ({
      query: 'mutation($input: SaveWorkflowInput!) { saveWorkflow(input: $input) { workflow { id } } }',
      variables: { input: { workflowId: id, name, body: 'third', expectedVersionToken: token } },
    }),
  },
  pack('teachWorkflow', 'teach', 'edit'),
  pack('optimizeWorkflow', 'optimize', 'edit'),
  pack('optimizeWorkflowDescription', 'optimize-description', 'edit'),
  pack('auditWorkflow', 'audit', 'view'),
  {
    name: 'share',
    states: OF_WORKFLOW,
    outcome: needs('admin'),
    changes: true,
    rest: (subject) => ({
      method: 'POST',
      path: at(subject, '/grants'),
      body: { grantee_email_or_at_team_handle: subject.other, role: 'view' },
    }),
    graph: ({ id, other }) => ({
      query: 'mutation($input: GrantWorkflowInput!) { grantWorkflow(input: $input) { workflowId } }',
      variables: { input: { id, grantee: other, role: 'VIEW' } },
    }),
  },
  {
    name: 'share with somebody who is not there',
    states: OF_WORKFLOW,
    outcome: (caller, state) => {
      const allowed = needs('admin')(caller, state);
      return allowed === 'ok' ? 'user_not_found' : allowed;
    },
    rest: (subject) => ({
      method: 'POST',
      path: at(subject, '/grants'),
      body: { grantee_email_or_at_team_handle: 'nobody@example.com', role: 'view' },
    }),
    graph: ({ id }) => ({
      query: 'mutation($input: GrantWorkflowInput!) { grantWorkflow(input: $input) { workflowId } }',
      variables: { input: { id, grantee: 'nobody@example.com', role: 'VIEW' } },
    }),
  },
  {
    name: 'list grants',
    states: OF_WORKFLOW,
    outcome: needs('admin'),
    rest: (subject) => ({ method: 'GET', path: at(subject, '/grants') }),
    graph: ({ id }) => ({
      query: 'query($id: ID!) { workflowGrants(id: $id) { nodes { granteeIdentifier } } }',
      variables: { id },
    }),
  },
  {
    name: 'stop sharing',
    states: OF_WORKFLOW,
    outcome: needs('admin'),
    changes: true,
    rest: (subject) => ({
      method: 'DELETE',
      path: at(subject, '/grants'),
      body: { grantee_email_or_at_team_handle: subject.guest },
    }),
    graph: ({ id, guest }) => ({
      query: 'mutation($input: RevokeWorkflowGrantInput!) { revokeWorkflowGrant(input: $input) { revoked } }',
      variables: { input: { id, grantee: guest } },
    }),
  },
  {
    name: 'leave',
    states: OF_WORKFLOW,
    outcome: (caller, state) => unseen(caller, state) ?? (caller === 'owner' ? 'conflict' : 'ok'),
    changes: true,
    rest: (subject) => ({ method: 'POST', path: at(subject, '/leave') }),
    graph: ({ id }) => ({
      query: 'mutation($input: WorkflowInput!) { leaveWorkflow(input: $input) { removedDirectGrants } }',
      variables: { input: { id } },
    }),
  },
  byOwner('archive', '/archive', 'POST', 'archiveWorkflow'),
  byOwner('bring back', '/unarchive', 'POST', 'unarchiveWorkflow'),
  byOwner('erase', '', 'DELETE', 'deleteWorkflow'),
  {
    name: 'erase a version',
    outcome: needs('owner'),
    changes: true,
    rest: (subject) => ({ method: 'DELETE', path: at(subject, '/versions/1') }),
    graph: ({ id }) => ({
      query: 'mutation($input: DeleteWorkflowVersionInput!) { deleteWorkflowVersion(input: $input) { deleted } }',
      variables: { input: { id, version: 1 } },
    }),
  },
  {
    name: 'offer to a new owner',
    states: OF_WORKFLOW,
    outcome: needs('owner'),
    changes: true,
    rest: (subject) => ({
      method: 'POST',
      path: at(subject, '/transfer-ownership'),
      body: { new_owner_user_id_or_email: subject.other },
    }),
    graph: ({ id, other }) => ({
      query: `mutation($input: TransferWorkflowInput!) {
        transferWorkflowOwnership(input: $input) { __typename }
      }`,
      variables: { input: { id, newOwner: other } },
    }),
  },
  {
    name: 'see a verifier that it pins',
    states: OF_WORKFLOW,
    outcome: (caller, state) => verifier(caller, state, 'edit', 'ok'),
    rest: ({ verifierId }) => ({ method: 'GET', path: `/v1/verifiers/${verifierId}` }),
    graph: ({ verifierId }) => ({
      query: 'query($id: ID!) { verifier(id: $id) { id } }',
      variables: { id: verifierId },
    }),
  },
  {
    // Its inputs are looked at by who may run it, and cost nothing as they are.
    name: 'run a verifier that it pins',
    states: OF_WORKFLOW,
    outcome: (caller, state) => verifier(caller, state, 'view', 'validation_error'),
    rest: ({ verifierId }) => ({ method: 'POST', path: `/v1/verifiers/${verifierId}/runs`, body: { inputs: {} } }),
    graph: ({ verifierId }) => ({
      query: 'mutation($input: RunVerifierInput!) { runVerifier(input: $input) { run { id } } }',
      variables: { input: { verifier: verifierId, inputs: {} } },
    }),
  },
];

/** It is the workflow owner's, who needs no workflow for it. */
function verifier(caller: Caller, state: State, role: Role, allowed: Outcome): Outcome {
  if (caller === 'owner') return allowed;
  const own = ROLE_OF[caller];
  return unseen(caller, state) ?? (own && reaches(own, role) ? allowed : 'not_found');
}

let nth = 0;

async function make({ client, people, teamId, guest, other }: World, state: State): Promise<WorkflowSubject> {
  const { key } = people.owner;
  const send = async (method: string, path: string, body?: object) => {
    const answer = await client.rest(method, path, key, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const name = `subject${++nth}of${process.pid}`;
  const deployed = await send('POST', '/v1/verifiers', { name, criterion: 'It is clear.', input_fields: ['text'] });
  const first = await send('POST', '/v1/workflows', { name, body: 'first', files: [{ path: 'a.md', content: name }] });
  const second = await send('POST', '/v1/workflows', {
    name,
    body: 'second',
    verifiers: [{ name: 'clear', verifier_id: deployed.verifier_id }],
    expected_version_token: first.version_token,
  });
  const id = second.workflow_id;
  const grants = `/v1/workflows/${id}/grants`;
  const share = (grantee_email_or_at_team_handle: string, role: string) =>
    send('POST', grants, { grantee_email_or_at_team_handle, role });
  for (const role of ['view', 'edit', 'admin'] as const) await share(people[role].id, role);
  await share(teamId, 'edit');
  await share(guest.id, 'view');
  await share(people['former grantee'].id, 'admin');
  await send('DELETE', grants, { grantee_email_or_at_team_handle: people['former grantee'].id });
  if (state === 'archived') await send('POST', `/v1/workflows/${id}/archive`);
  if (state === 'deleted') await send('DELETE', `/v1/workflows/${id}`);
  return {
    id,
    slug: second.slug,
    token: second.version_token,
    name,
    verifierId: deployed.verifier_id,
    guest: guest.id,
    other: other.id,
  };
}

export const workflows: Kind<WorkflowSubject> = {
  name: 'a workflow',
  states: STATES,
  hidden: STATES,
  operations,
  make,
  missing: (subject) => ({
    ...subject,
    id: 'wf_01900000-0000-7000-8000-00000000000a',
    slug: 'no-such-workflow',
    name: 'nosuchname',
    verifierId: 'vrf_01900000-0000-7000-8000-00000000000b',
  }),
};
