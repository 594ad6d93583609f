/** What the requests ask of the store: always through an index, and never for much more than they show. */
import type { CommandStartedEvent, Document } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { systemScope } from '../../platform/scope.js';
import { randomToken, sha256 } from '../../platform/secrets.js';
import type { AccountsContext } from '../../subgraphs/accounts/context.js';
import { DEVICE_GRANT, type Tokens } from '../../subgraphs/accounts/oauth/oauth.contract.js';
import {
  ACCEPT,
  API_KEYS,
  CANCEL,
  CLAIM,
  CREATE_KEY,
  CREATE_TEAM,
  CREATE_TENANT,
  DECLINE,
  DELETE_TEAM,
  ENTITIES,
  INVITATIONS,
  INVITE,
  LOGIN,
  REGISTER,
  REMOVE,
  RENAME,
  REVOKE_KEY,
  ROTATE_TENANT,
  TEAM,
  TEAMS,
  TENANT_BY_ID,
  TENANTS,
  TRANSFER,
  USER,
  VERIFY_LOGIN,
  VERIFY_REGISTRATION,
} from './support/operations.js';
import { anonymous, DAY, field, openWorld, type Person, SECOND, unique, type World } from './support/world.js';

const MANY = 300;
const PAGE = 10;

let world: World;
/** Owns many teams, belongs to many others, has many keys, sent and received many invitations. */
let busy: Person;
let other: Person;
let team: string;

beforeAll(async () => {
  const roomy = { keysPerUser: 1000, tenantsPerUser: 1000, teamsPerUser: 1000, pendingInvitationsPerUser: 1000 };
  world = await openWorld({ ...roomy, userLookupsPerMinute: 1000 });
  busy = await world.user(undefined, unique('busy'));
  other = await world.user(undefined, unique('other'));
  const noise = Array.from({ length: 3 }, () => newId());
  const now = world.clock.now();
  const many = Array.from({ length: MANY }, (_, i) => i);
  const put = (name: string, documents: object[]) => world.db.collection(name).insertMany(documents);
  const key = (userId: string, slot: number) => ({
    _id: newId(),
    userId,
    hash: sha256(randomToken()),
    prefix: 'good_live_',
    name: `key ${slot}`,
    origin: 'CREATED',
    slot,
    createdAt: now,
    lastUsedAt: null,
  });
  await put(
    'accounts_keys',
    [busy.userId, ...noise].flatMap((userId) => many.map((slot) => key(userId, slot))),
  );
  const tenant = (userId: string, slot: number) => ({
    _id: newId(),
    userId,
    name: null,
    scopes: ['read'],
    key: { id: newId(), hash: sha256(randomToken()), prefix: 'imgf_' },
    slot,
    createdAt: now,
    rotatedAt: null,
  });
  await put(
    'accounts_tenants',
    [busy.userId, ...noise].flatMap((userId) => many.map((slot) => tenant(userId, slot))),
  );
  const teamOf = (ownerId: string, memberId: string, slot: number) => ({
    _id: newId(),
    handle: unique('t'),
    ownerId,
    slot,
    members: [
      { userId: ownerId, role: 'OWNER', joinedAt: now },
      { userId: memberId, role: 'MEMBER', joinedAt: now },
    ],
    appliedInvitations: [],
    turnover: 0,
    createdAt: now,
    updatedAt: now,
    rev: 1,
  });
  await put('accounts_teams', [
    ...many.map((slot) => teamOf(busy.userId, other.userId, slot)),
    ...many.map((slot) => teamOf(other.userId, busy.userId, slot)),
    ...many.map((slot) => teamOf(newId(), newId(), slot)),
  ]);
  const invitation = (proposerId: string, recipientId: string, slot: number) => ({
    _id: newId(),
    kind: 'TEAM_MEMBERSHIP',
    state: slot % 2 ? 'PENDING' : 'DECLINED',
    resource: { type: 'TEAM', id: newId(), handle: unique('t') },
    proposerId,
    recipientId,
    parties: [proposerId, recipientId],
    slot,
    createdAt: now,
    expiresAt: new Date(now.getTime() + 14 * DAY),
    resolvedAt: slot % 2 ? null : now,
  });
  await put('accounts_invitations', [
    ...many.map((slot) => invitation(busy.userId, newId(), slot)),
    ...many.map((slot) => invitation(newId(), busy.userId, slot)),
    ...many.map((slot) => invitation(newId(), newId(), slot)),
  ]);
  const made = await world.run(CREATE_TEAM, { handle: unique('team') }, other.scope);
  team = field<{ team: { id: string } }>(made, 'createTeam').team.id;
});
afterAll(() => world?.close());

interface Explained {
  queryPlanner: { winningPlan: Document };
  executionStats: { totalDocsExamined: number; totalKeysExamined: number };
}

function stages(plan: Document): string[] {
  const inner = [plan['inputStage'], ...(plan['inputStages'] ?? []), plan['queryPlan']].filter(Boolean);
  return [...(plan['stage'] ? [String(plan['stage'])] : []), ...inner.flatMap(stages)];
}

const EXPLAINABLE = new Set(['find', 'aggregate', 'findAndModify', 'update', 'delete', 'count']);

function explainable({ commandName, command }: CommandStartedEvent): Document[] {
  if (!EXPLAINABLE.has(commandName)) return [];
  const { lsid: _l, $db: _d, writeConcern: _w, readConcern: _r, ordered: _o, ...bare } = command;
  if (commandName === 'update') return command['updates'].map((update: Document) => ({ ...bare, updates: [update] }));
  if (commandName === 'delete') return command['deletes'].map((one: Document) => ({ ...bare, deletes: [one] }));
  return [bare];
}

async function explain(command: Document): Promise<{ plan: string[]; examined: number }> {
  const answer = await world.db.command({ explain: command, verbosity: 'executionStats' });
  const explained = (answer['stages']?.[0]?.['$cursor'] ?? answer) as Explained;
  return { plan: stages(explained.queryPlanner.winningPlan), examined: explained.executionStats.totalDocsExamined };
}

/** Everything that the action asks of the store goes through an index and reads little. */
async function expectCheap(action: () => Promise<unknown>, most: number): Promise<void> {
  const { commands } = await world.commands.during(action);
  for (const command of commands.flatMap(explainable)) {
    const { plan, examined } = await explain(command);
    const shown = JSON.stringify(command);
    expect(plan.join(' '), shown).toMatch(/IXSCAN|IDHACK|EXPRESS/);
    expect(plan, shown).not.toContain('COLLSCAN');
    expect(plan, shown).not.toContain('SORT');
    expect(examined, shown).toBeLessThanOrEqual(most);
  }
}

it.each([
  ['apiKeys', API_KEYS, {}],
  ['teams, all', TEAMS, { filter: 'ALL' }],
  ['teams, mine', TEAMS, { filter: 'MINE' }],
  ['teams, member', TEAMS, { filter: 'MEMBER' }],
  ['invitations, received', INVITATIONS, { filter: 'RECEIVED', state: 'ALL' }],
  ['invitations, received and pending', INVITATIONS, { filter: 'RECEIVED' }],
  ['invitations, sent', INVITATIONS, { filter: 'SENT', state: 'ALL' }],
  ['invitations, sent and pending', INVITATIONS, { filter: 'SENT' }],
  ['invitations, both', INVITATIONS, { filter: 'ALL', state: 'ALL' }],
  ['invitations, both and pending', INVITATIONS, { filter: 'ALL' }],
])('the list of %s costs a page, on the first and on the last', async (_name, query, variables) => {
  const name = query === API_KEYS ? 'apiKeys' : query === TEAMS ? 'teams' : 'invitations';
  let after: string | null = null;
  for (let page = 0; page < 3 || after !== null; page++) {
    const ask = () => world.run(query, { ...variables, first: PAGE, after }, busy.scope);
    if (page < 2) await expectCheap(ask, 2 * (PAGE + 1));
    const { nextCursor, nodes } = field<{ nextCursor: string | null; nodes: unknown[] }>(await ask(), name);
    if (nextCursor === null) {
      await expectCheap(ask, 2 * (PAGE + 1));
      expect(page).toBeGreaterThan(10);
      return;
    }
    expect(nodes).toHaveLength(PAGE);
    after = nextCursor;
  }
});

it('everything else that a request does costs a few documents', async () => {
  const person = await world.user();
  const [kept, gone] = [await world.user(), await world.user()];
  const id = async (query: string, name: string, variables: object, by: Person) =>
    field<{ invitation: { id: string } }>(await world.run(query, variables, by.scope), name).invitation.id;
  const invite = (user: Person) => id(INVITE, 'inviteTeamMember', { team, user: user.email }, other);
  let invitation = '';
  const steps: [string, () => Promise<unknown>][] = [
    ['register', () => world.run(REGISTER, { email: 'new@example.com' })],
    [
      'verify',
      async () =>
        world.run(VERIFY_REGISTRATION, { email: 'new@example.com', code: await world.code('new@example.com') }),
    ],
    ['login', () => world.run(LOGIN, { email: busy.email })],
    ['verify login', async () => world.run(VERIFY_LOGIN, { email: busy.email, code: await world.code(busy.email) })],
    ['verify wrongly', () => world.run(VERIFY_LOGIN, { email: busy.email, code: '000000' })],
    ['user by id', () => world.run(USER, { identifier: other.id }, busy.scope)],
    ['user by address', () => world.run(USER, { identifier: other.email }, busy.scope)],
    ['user by handle', () => world.run(USER, { identifier: other.scope.caller?.handle }, busy.scope)],
    ['create a key', () => world.run(CREATE_KEY, { name: 'one more' }, busy.scope)],
    ['revoke a key by name', () => world.run(REVOKE_KEY, { identifier: 'one more' }, busy.scope)],
    ['claim', () => world.run(CLAIM, { handle: unique('h') }, person.scope)],
    ['rename', () => world.run(RENAME, { handle: unique('h') }, person.scope)],
    ['create a team', () => world.run(CREATE_TEAM, { handle: 'short-lived' }, busy.scope)],
    ['team by handle', () => world.run(TEAM, { identifier: 'short-lived' }, busy.scope)],
    ['delete a team', () => world.run(DELETE_TEAM, { identifier: 'short-lived' }, busy.scope)],
    ['a team with its members', () => world.run(TEAM, { identifier: team, first: 5 }, other.scope)],
    ['invite', async () => (invitation = await invite(kept))],
    ['accept', () => world.run(ACCEPT, { id: invitation }, kept.scope)],
    ['remove', () => world.run(REMOVE, { team, user: kept.id }, other.scope)],
    ['invite again', async () => (invitation = await invite(gone))],
    ['decline', () => world.run(DECLINE, { id: invitation }, gone.scope)],
    ['offer', async () => (invitation = await id(TRANSFER, 'transferTeamOwnership', { team, user: kept.id }, other))],
    ['cancel', () => world.run(CANCEL, { id: invitation }, other.scope)],
    [
      'offer again',
      async () => (invitation = await id(TRANSFER, 'transferTeamOwnership', { team, user: kept.id }, other)),
    ],
    ['take over', () => world.run(ACCEPT, { id: invitation }, kept.scope)],
    [
      'references',
      () =>
        world.run(
          ENTITIES,
          {
            representations: ['User', 'ApiKey', 'Tenant', 'Team', 'Invitation'].map((__typename) => ({
              __typename,
              id: newId(),
            })),
          },
          busy.scope,
        ),
    ],
    [
      'the holder of a key',
      () => world.run('query { internalCaller(kind: "USER_KEY", hash: "x") { userId } }', {}, systemScope('r')),
    ],
    [
      'the holder of a key of a tenant',
      () => world.run('query { internalCaller(kind: "TENANT_KEY", hash: "x") { userId } }', {}, systemScope('r')),
    ],
    ['make a tenant', () => world.run(CREATE_TENANT, {}, busy.scope)],
    ['tenants', () => world.run(TENANTS, { first: 5 }, busy.scope)],
    ['a tenant', () => world.run(TENANT_BY_ID, { id: busy.userId }, busy.scope)],
    ['replace the key of a tenant', () => world.run(ROTATE_TENANT, { id: busy.userId }, busy.scope)],
    [
      'a principal',
      () => {
        const named = `internalPrincipal(identifier: "@nobody-at-all", askedBy: "${newId()}") { id }`;
        return world.run(`{ ${named} internalPrincipals(ids: ["${newId()}"]) { id } }`, {}, systemScope('r'));
      },
    ],
    ['the teams of a user', () => world.run(`{ internalTeamsOf(userId: "${kept.userId}") }`, {}, systemScope('r'))],
    [
      'whose a handle is',
      () => world.run('query { internalResolveHandle(handle: "short-lived") { ownerId } }', {}, systemScope('r')),
    ],
  ];
  for (const [name, step] of steps)
    await expectCheap(step, 8).catch((error) => Promise.reject(new Error(name, { cause: error })));
});

it('OAuth looks its codes, tokens, devices and clients up', async () => {
  const { oauth, grantService } = world.accounts.context(systemScope('r')) as AccountsContext;
  const verifier = 'a verifier that is long enough to be one, 43 or more';
  const redirectUri = 'https://example.com/cb';
  const metadata = {
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
  };
  const wish = { resource: '' as const, scopes: ['read' as const] };
  const { id: clientId } = await oauth.register({ metadata, network: 'n' });
  const client = { clientId, secret: null, method: 'none' as const };
  const common = { client, resource: null };
  const allow = () =>
    oauth.authorize({ clientId, userId: busy.userId, redirectUri, challenge: sha256(verifier), ...wish });
  for (let i = 0; i < 50; i++) await allow();
  let tokens: Tokens | undefined;
  await expectCheap(async () => {
    const { code } = await allow();
    tokens = await oauth.redeemCode({ ...common, code, verifier, redirectUri });
  }, 4);
  const { accessToken = '', refreshToken } = tokens ?? {};
  await expectCheap(() => grantService.holder(sha256(accessToken)), 4);
  await expectCheap(() => grantService.good([sha256(accessToken), 'unknown']), 4);
  await expectCheap(() => world.run('{ connectedApplications(first: 4) { nodes { name } } }', {}, busy.scope), 5);
  await expectCheap(() => oauth.refresh({ ...common, refreshToken: refreshToken ?? '', scopes: null }), 4);
  await expectCheap(() => oauth.revoke({ client, token: accessToken }), 4);
  await expectCheap(async () => {
    const { userCode, deviceCode } = await oauth.startDevice({ client, wish, network: 'n' });
    const found = await oauth.findDevice({ userCode, network: 'n' });
    await oauth.decideDevice({ grantId: found?.grantId ?? '', userId: busy.userId, approved: true });
    await oauth.redeemDevice({ ...common, deviceCode });
  }, 4);
});

it('the background tasks look at what is due alone', async () => {
  await world.run(REGISTER, { email: 'late@example.com' }, anonymous());
  world.clock.advance(20 * SECOND);
  await expectCheap(() => world.runTasks(), 4);
});
