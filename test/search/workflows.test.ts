/** Searching workflows by meaning: what is found, by whom, and when it cannot be done. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemScope } from '../../platform/scope.js';
import { RemoteEncoder } from '../../subgraphs/registry/embedding/remote-encoder.js';
import { ACCEPT, OFFER } from '../accounts/support/operations.js';
import { field, type Person } from '../accounts/support/world.js';
import type { StandIn } from '../providers/stand-in.js';
import { type Loose, openRegistry, ask as query } from '../registry/support/registry.js';
import { stagesOf } from '../support/database.js';
import { bareWorkflow, handOf, openWorkflowWorld, type WorkflowWorld } from '../workflows/support/world.js';
import { openEmbeddingsServer } from './embeddings-server.js';

const SEARCH = `query($query: String!, $limit: Int) {
  searchWorkflows(query: $query, limit: $limit) {
    hits { score workflow { id effectiveRole version { name } } } query limit searchMode
  }
}`;

let server: StandIn;
let world: WorkflowWorld;
let owner: Person;
let guest: Person;

beforeAll(async () => {
  server = await openEmbeddingsServer();
  world = await openWorkflowWorld({ encoder: encoderNamed('one') });
});
afterAll(async () => {
  await world?.close();
  await server?.close();
});

function encoderNamed(model: string): RemoteEncoder {
  return new RemoteEncoder({ baseUrl: `${server.url}/v1`, apiKey: undefined, model });
}

async function people(): Promise<void> {
  [owner, guest] = [await world.accounts.user(), await world.accounts.user()];
}

async function search(person: Person, text: string, limit?: number): Promise<Loose> {
  const { data, problem } = await world.ask(SEARCH, { query: text, limit }, person);
  return problem ? problem.error : data.searchWorkflows;
}

const namesOf = (found: Loose): string[] => found.hits.map((hit: Loose) => hit.workflow.version.name);

async function catchUp(subgraph = world.registry): Promise<void> {
  const task = subgraph.tasks.find(({ name }) => name === 'registry-workflow-embeddings');
  await task?.run(new AbortController().signal);
}

async function saved(person: Person, input: object): Promise<{ id: string; versionToken: string }> {
  const { data } = await world.save(person, input);
  await catchUp();
  return data;
}

describe('a search of workflows', () => {
  it('ranks by what they mean, and says how it was done', async () => {
    await people();
    await saved(owner, { name: 'Chase bills', outcome: 'Every invoice is paid', tags: ['x'] });
    await saved(owner, { name: 'Training', description: 'muscle and running' });
    await saved(owner, { name: 'Menu', description: 'a recipe for dinner' });
    const found = await search(owner, 'get my money back');
    expect(found).toMatchObject({ query: 'get my money back', limit: 10, searchMode: 'SEMANTIC' });
    expect(namesOf(found)[0]).toBe('Chase bills');
    expect(found.hits[0]).toMatchObject({ workflow: { effectiveRole: 'OWNER' } });
    const scores = found.hits.map((hit: Loose) => hit.score);
    expect(scores).toEqual([...scores].sort((one: number, other: number) => other - one));
    expect(namesOf(await search(owner, 'GYM', 1))).toEqual(['Training']);
  });

  it('goes by the current version alone', async () => {
    await people();
    const { id, versionToken } = await saved(owner, { name: 'Changes', description: 'recipe and dinner' });
    await saved(owner, { name: 'Other', description: 'nothing in particular' });
    expect(namesOf(await search(owner, 'food'))[0]).toBe('Changes');
    const next = {
      workflowId: id,
      name: 'Changes',
      description: 'code and database',
      expectedVersionToken: versionToken,
    };
    await saved(owner, next);
    expect(namesOf(await search(owner, 'software'))[0]).toBe('Changes');
    const [first] = (await search(owner, 'software')).hits;
    const afterwards = (await search(owner, 'food')).hits.find((hit: Loose) => hit.workflow.id === id);
    expect(afterwards.score).toBeLessThan(first.score / 2);
  });

  it('finds what the caller may see at that moment, and nothing else', async () => {
    await people();
    const stranger = await world.accounts.user();
    const captain = await world.accounts.user(undefined, `captain-${owner.userId.slice(-6)}`);
    const team = await world.team(captain);
    const own = await saved(owner, { name: 'Own', description: 'holiday' });
    const direct = await saved(owner, { name: 'Direct', description: 'hotel' });
    const shared = await saved(owner, { name: 'Team', description: 'beach' });
    const put = await saved(owner, { name: 'Put away', description: 'flight' });
    await handOf(world, owner, direct.id).grant(guest.id, 'edit');
    await handOf(world, owner, shared.id).grant(team.id, 'view');
    await world.join(team, guest);
    const seen = async (person: Person) => namesOf(await search(person, 'travel')).sort();
    expect(await seen(owner)).toEqual(['Direct', 'Own', 'Put away', 'Team']);
    expect(await seen(guest)).toEqual(['Direct', 'Team']);
    expect(await seen(stranger)).toEqual([]);
    const roles = (await search(guest, 'travel')).hits.map((hit: Loose) => hit.workflow.effectiveRole).sort();
    expect(roles).toEqual(['EDIT', 'VIEW']);

    await world.ask(
      'mutation($input: WorkflowInput!) { archiveWorkflow(input: $input) { workflow { id } } }',
      { input: { id: put.id } },
      owner,
    );
    await world.ask(
      'mutation($input: WorkflowInput!) { deleteWorkflow(input: $input) { deleted } }',
      { input: { id: direct.id } },
      owner,
    );
    expect(await seen(owner)).toEqual(['Own', 'Team']);
    expect(await seen(guest)).toEqual(['Team']);
    await world.quit(team, guest);
    expect(await seen(guest)).toEqual([]);

    await world.ask(
      'mutation($input: WorkflowInput!) { unarchiveWorkflow(input: $input) { workflow { id } } }',
      { input: { id: put.id } },
      owner,
    );
    expect(await seen(owner)).toEqual(['Own', 'Put away', 'Team']);
    const variables = {
      kind: 'workflow',
      id: bareWorkflow(own.id),
      slug: 'own',
      ownerId: owner.userId,
      newOwner: stranger.id,
    };
    const offered = await world.accounts.run(OFFER, variables, systemScope('r'));
    const { invitationId } = field<{ invitationId: string }>(offered, 'internalOfferOwnership');
    field(await world.accounts.run(ACCEPT, { id: invitationId }, stranger.scope), 'acceptInvitation');
    expect(await seen(owner)).toEqual(['Put away', 'Team']);
    expect(await seen(stranger)).toEqual(['Own']);
  });

  it('takes a query of some length and a limit within bounds, and nobody without an account', async () => {
    await people();
    for (const [text, limit] of [
      ['', 5],
      ['  ', 5],
      ['x'.repeat(1_001), 5],
      ['x', 0],
      ['x', 51],
    ] as const) {
      expect(await search(owner, text, limit)).toBe('validation_error');
    }
    expect(namesOf(await search(owner, '\u0000 \ud800 "$where"', 50))).toEqual([]);
    const anonymous = await query(world.registry, SEARCH, { query: 'x' }, { ...owner.scope, caller: null });
    expect(anonymous.problem.error).toBe('auth_required');
  });
});

describe('while the encoder is out of order', () => {
  it('saving goes on, searching says that it cannot be done, and everything is found once it is back', async () => {
    await people();
    server.behave('server_error');
    const { data } = await world.save(owner, { name: 'Saved anyway', description: 'football' });
    expect(data.currentVersion).toBe(1);
    expect(await search(owner, 'sport')).toBe('search_unavailable');
    server.reset();
    // Its meaning is not known yet, its words are.
    expect(namesOf(await search(owner, 'football things'))).toEqual(['Saved anyway']);
    await expect(catchUp()).resolves.toBeUndefined();
    const [hit] = (await search(owner, 'sport')).hits;
    expect(hit.score).toBeGreaterThan(0.9);
  });

  it('one text that it does not take keeps no others from being found', async () => {
    await people();
    server.behave('server_error');
    for (const name of ['a', 'b', 'c', 'd']) await world.save(owner, { name, description: 'hotel' });
    await expect(catchUp()).rejects.toThrow();
    server.reset();
    await catchUp();
    // Three were tried a moment ago and are left alone for a while.
    const known = (await search(owner, 'travel')).hits.filter((hit: Loose) => hit.score > 0.5);
    expect(known.length).toBeGreaterThanOrEqual(1);
  });
});

describe('another model', () => {
  it('looks into everything anew, in the background', async () => {
    await people();
    const { id } = await saved(owner, { name: 'Old', description: 'salary' });
    const models = async () => {
      const found = await world.accounts.db
        .collection('registry_workflows')
        .findOne({ _id: bareWorkflow(id) as never });
      return found?.['current'].embedding.model;
    };
    expect(await models()).toBe('one');
    const other = await openRegistry(world.accounts.db, { encoder: encoderNamed('two') });
    const before = await query(other, SEARCH, { query: 'money' }, owner.scope);
    expect(before.data.searchWorkflows.hits[0]?.score ?? 0).toBeLessThan(0.5);
    await catchUp(other);
    expect(await models()).toBe('two');
    const after = await query(other, SEARCH, { query: 'money' }, { ...owner.scope });
    expect(after.data.searchWorkflows.hits[0].score).toBeGreaterThan(0.5);
    await other.close();
  });
});

describe('the queries of a search', () => {
  it('each have an index', async () => {
    await people();
    const team = await world.team(await world.accounts.user(undefined, `capt-${guest.userId.slice(-6)}`));
    await world.join(team, owner);
    await saved(owner, { name: 'One', description: 'tax' });
    const { commands } = await world.accounts.commands.during(async () => {
      await search(owner, 'money');
      await catchUp();
    });
    const finds = commands.filter(
      ({ commandName, command }) => commandName === 'find' && /workflows/.test(command['find']),
    );
    expect(finds.length).toBeGreaterThan(2);
    for (const { command } of finds) {
      const { lsid: _lsid, $db: _db, ...explained } = command;
      const plan = await world.accounts.db.command({ explain: explained, verbosity: 'queryPlanner' });
      expect(stagesOf(plan['queryPlanner'].winningPlan), JSON.stringify(explained)).not.toContain('COLLSCAN');
    }
  });
});
