/** Accounts and registry on one engine, asking each other as they do in one process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Db } from 'mongodb';
import { openEmbeddedS3 } from '../../../platform/embedded/s3.js';
import { SubgraphExecutor } from '../../../platform/graph/execute.js';
import { LocalTransport } from '../../../platform/graph/transport.js';
import { VerifierId, WorkflowId } from '../../../platform/ids.js';
import { ObjectStore } from '../../../platform/s3.js';
import type { Subgraph } from '../../../platform/subgraph.js';
import { AccountsClient } from '../../../subgraphs/accounts/client.js';
import { GrantedVerifiers } from '../../../subgraphs/registry/grant/granted-verifiers.js';
import { CurrentMemberships } from '../../../subgraphs/registry/grant/memberships.js';
import { ACCEPT, CREATE_TEAM, DELETE_TEAM, INVITE, REMOVE } from '../../accounts/support/operations.js';
import { field, openWorld as openAccounts, type Person, unique, type World } from '../../accounts/support/world.js';
import { type Answer, ask, type Loose, log, openRegistry, type TestDeps } from '../../registry/support/registry.js';

export interface WorkflowWorld {
  accounts: World;
  registry: Subgraph;
  /** Of the registry. */
  ask(query: string, variables: object, person: Person): Promise<Answer>;
  /** The same of another process, on a store that tests hold up. */
  registryOn(db: Db): Promise<WorkflowWorld['ask']>;
  save(person: Person, input: object): Promise<Answer>;
  verifier(owner: Person, name?: string): Promise<string>;
  team(owner: Person): Promise<Team>;
  join(team: Team, person: Person): Promise<void>;
  quit(team: Team, person: Person): Promise<void>;
  deleteTeam(team: Team): Promise<void>;
  close(): Promise<void>;
}

export interface Team {
  id: string;
  handle: string;
  owner: Person;
}

export const SAVE = `mutation($input: SaveWorkflowInput!) {
  saveWorkflow(input: $input) { workflow { id slug versionToken effectiveRole currentVersion } }
}`;
const DEPLOY = `mutation($input: DeployVerifierInput!) { deployVerifier(input: $input) { verifier { id name } } }`;

export async function openWorkflowWorld(overrides: TestDeps = {}): Promise<WorkflowWorld> {
  const accounts = await openAccounts();
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-grants-'));
  const s3 = await openEmbeddedS3({ dataDir, bucket: 'test' });
  const store = new ObjectStore({
    endpoint: s3.endpoint,
    region: s3.region,
    bucket: 'test',
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
  });
  const { db } = accounts;
  const transport = new LocalTransport(accounts.accounts, new SubgraphExecutor(accounts.accounts.schema, log));
  const client = new AccountsClient(transport);
  const granted = new GrantedVerifiers({ db, memberships: new CurrentMemberships(client) });
  const open = (on: Db) =>
    openRegistry(on, {
      store,
      peers: { accounts: client },
      sharing: granted,
      ...overrides,
    });
  const registry = await open(db);
  const others: Subgraph[] = [];
  const world: WorkflowWorld = {
    accounts,
    registry,
    // Each request has a scope of its own.
    ask: (query, variables, { scope }) => ask(registry, query, variables, { ...scope }),
    async registryOn(on) {
      const other = await open(on);
      others.push(other);
      return (query, variables, { scope }) => ask(other, query, variables, { ...scope });
    },
    async save(person, input) {
      const { data, problem } = await world.ask(
        SAVE,
        { input: { name: unique('workflow'), body: 'x', ...input } },
        person,
      );
      return { data: data?.saveWorkflow?.workflow, problem };
    },
    async verifier(owner, name = unique('verifier')) {
      const input = { name, criterion: 'It is clear.', inputFields: ['text'] };
      const { data } = await world.ask(DEPLOY, { input }, owner);
      return data.deployVerifier.verifier.id;
    },
    async team(owner) {
      const handle = unique('team');
      const made = await accounts.run(CREATE_TEAM, { handle }, owner.scope);
      return { id: field<{ team: { id: string } }>(made, 'createTeam').team.id, handle, owner };
    },
    async join(team, person) {
      const invited = await accounts.run(INVITE, { team: team.id, user: person.id }, team.owner.scope);
      const { id } = field<{ invitation: { id: string } }>(invited, 'inviteTeamMember').invitation;
      field(await accounts.run(ACCEPT, { id }, person.scope), 'acceptInvitation');
    },
    async quit(team, person) {
      field(await accounts.run(REMOVE, { team: team.id, user: person.id }, person.scope), 'removeTeamMember');
    },
    async deleteTeam(team) {
      field(await accounts.run(DELETE_TEAM, { identifier: team.id }, team.owner.scope), 'deleteTeam');
    },
    async close() {
      for (const other of others) await other.close();
      await registry.close();
      await accounts.close();
      store.close();
      await s3.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return world;
}

const GRANT = `mutation($input: GrantWorkflowInput!) {
  grantWorkflow(input: $input) { workflowId grant { granteeType granteeIdentifier role oldestVersion isViaTeam } }
}`;
const REVOKE = `mutation($input: RevokeWorkflowGrantInput!) { revokeWorkflowGrant(input: $input) { workflowId revoked } }`;
const LEAVE = `mutation($input: WorkflowInput!) { leaveWorkflow(input: $input) { workflowId removedDirectGrants } }`;
const LIST = `query($id: ID!, $first: Int, $after: String) {
  workflowGrants(id: $id, first: $first, after: $after) {
    nodes { granteeType granteeIdentifier role oldestVersion grantedBy { id } isViaTeam } nextCursor
  }
}`;
const READ = `query($id: ID!, $version: Int) {
  workflow(id: $id, version: $version) {
    id effectiveRole versionToken currentVersion version { version body verifiers { verifierId } }
    versions(first: 100) { nodes { version } }
  }
}`;
const LISTED = `query($filter: WorkflowFilter, $search: String, $tag: String, $includeArchived: Boolean, $first: Int,
  $after: String) {
  workflows(filter: $filter, search: $search, tag: $tag, includeArchived: $includeArchived, first: $first,
    after: $after) { nodes { id effectiveRole } nextCursor }
}`;
const SHOW = 'query($id: ID!) { verifier(id: $id) { id } }';
const RUN = `mutation($input: RunVerifierInput!) { runVerifier(input: $input) { run { id } } }`;

/** What somebody does with one workflow; every answer is what was asked for, or the problem's slug. */
export function handOf(world: WorkflowWorld, person: Person, id: string) {
  const told = ({ data, problem }: Answer, name: string): Loose => (problem ? problem.error : data[name]);
  const does = async (query: string, name: string, variables: object) =>
    told(await world.ask(query, variables, person), name);
  return {
    grant: (grantee: string, role: string, includeHistory?: boolean) =>
      does(GRANT, 'grantWorkflow', { input: { id, grantee, role: role.toUpperCase(), includeHistory } }),
    revoke: (grantee: string) => does(REVOKE, 'revokeWorkflowGrant', { input: { id, grantee } }),
    leave: () => does(LEAVE, 'leaveWorkflow', { input: { id } }),
    grants: (page: object = {}) => does(LIST, 'workflowGrants', { id, ...page }),
    read: (version?: number) => does(READ, 'workflow', { id, version }),
    list: (variables: object = {}) => does(LISTED, 'workflows', variables),
    save: async (input: object) => {
      const { data, problem } = await world.save(person, { workflowId: id, ...input });
      return problem ? problem.error : data;
    },
  };
}

/** What somebody may do with a verifier, found out by doing it. */
export async function verifierRight(world: WorkflowWorld, person: Person, reference: string): Promise<string> {
  const shown = await world.ask(SHOW, { id: reference }, person);
  if (!shown.problem) return 'tune';
  // Its money comes after the reference: nobody here has any.
  const run = await world.ask(RUN, { input: { verifier: reference, inputs: { text: 'x' } } }, person);
  const slug = run.problem?.error;
  return slug === 'budget_exhausted' || slug === 'verifier_unavailable' ? 'exec' : slug;
}

export const bare = (id: string) => VerifierId.parse(id) ?? '';
export const bareWorkflow = (id: string) => WorkflowId.parse(id) ?? '';
