import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { systemScope } from '../../platform/scope.js';
import { CREATE_KEY, CREATE_TEAM, ENTITIES, INVITE, ME, TEAM, USER } from './support/operations.js';
import {
  anonymous,
  field,
  MINUTE,
  openWorld,
  type Person,
  SECOND,
  slugs,
  unique,
  type World,
} from './support/world.js';

let world: World;
let ada: Person;
let bob: Person;
let bobsHandle: string;
beforeAll(async () => {
  world = await openWorld();
  ada = await world.user('ada', 'ada');
  bobsHandle = unique('bob');
  bob = await world.user('bob', bobsHandle);
});
afterAll(() => world?.close());

const SUSPEND = `mutation ($u: String!, $suspended: Boolean!, $reason: String) {
  internalSetSuspension(input: { userIdentifier: $u, suspended: $suspended, reason: $reason }) { userId suspended }
}`;

describe('me', () => {
  it('shows the caller without asking the store', async () => {
    const { result, commands } = await world.commands.during(() => world.run(ME, {}, ada.scope));
    expect(result.data).toMatchObject({
      me: { id: ada.id, email: 'ada@example.com', handle: 'ada', suspended: false },
    });
    expect(commands).toEqual([]);
  });

  it('needs a caller', async () => {
    const answer = await world.run(ME, {}, anonymous());
    expect(answer.slug).toBe('auth_required');
    expect(answer.data).toEqual({ me: null });
  });
});

describe('user', () => {
  it('is found by id with and without prefix, e-mail address, and handle with and without @, in any case', async () => {
    const identifiers = [bob.id, bob.userId, bob.userId.toUpperCase(), 'BOB@Example.com', ` ${bobsHandle} `];
    for (const identifier of [...identifiers, `@${bobsHandle}`, bobsHandle.toUpperCase()]) {
      const { data } = await world.run(USER, { identifier }, ada.scope);
      expect(data, identifier).toMatchObject({ user: { id: bob.id, handle: bobsHandle } });
    }
  });

  it('shows others neither address, nor age, nor standing', async () => {
    const { data } = await world.run(USER, { identifier: bob.id }, ada.scope);
    expect(data).toMatchObject({ user: { email: null, createdAt: null, suspended: null } });
    const own = await world.run(USER, { identifier: bob.id }, bob.scope);
    expect(own.data).toMatchObject({ user: { email: bob.email, suspended: false } });
  });

  it.each([
    '',
    '@',
    'nobody',
    `usr_${newId()}`,
    newId(),
    'nobody@example.com',
    'a@',
    '@@x',
    'x'.repeat(1000),
    '$where',
  ])('answers user_not_found for %j', async (identifier) => {
    expect((await world.run(USER, { identifier }, ada.scope)).slug).toBe('user_not_found');
  });

  it('does not take the handle of a team', async () => {
    const handle = unique('team');
    await world.run(CREATE_TEAM, { handle }, ada.scope);
    expect((await world.run(USER, { identifier: handle }, ada.scope)).slug).toBe('user_not_found');
  });

  it('needs a caller', async () => {
    expect((await world.run(USER, { identifier: bob.id }, anonymous())).slug).toBe('auth_required');
  });
});

describe('the limit on naming users', () => {
  it('counts every operation that names one, by caller, and tells when the next is free', async () => {
    const limited = await world.process({ userLookupsPerMinute: 3 });
    const handle = unique('team');
    const owner = await world.user(undefined, unique('owner'));
    await world.run(CREATE_TEAM, { handle }, owner.scope);
    const name = () => world.run(USER, { identifier: 'nobody' }, owner.scope, limited);
    expect((await name()).slug).toBe('user_not_found');
    world.clock.advance(10 * SECOND);
    const invite = () => world.run(INVITE, { team: handle, user: 'nobody' }, owner.scope, limited);
    expect((await invite()).slug).toBe('user_not_found');
    const remove = `mutation ($team: String!, $user: String!) {
      removeTeamMember(input: { teamIdentifier: $team, userIdentifier: $user }) { removed }
    }`;
    expect((await world.run(remove, { team: handle, user: 'nobody' }, owner.scope, limited)).slug).toBe(
      'user_not_found',
    );
    expect((await name()).problem?.toBody()).toMatchObject({ error: 'rate_limited', retry_after: 50 });
    expect((await invite()).slug).toBe('rate_limited');
    expect((await world.run(USER, { identifier: bob.id }, ada.scope, limited)).slug).toBeUndefined();
    world.clock.advance(MINUTE);
    expect((await name()).slug).toBe('user_not_found');
  });

  it('holds under racing requests', async () => {
    const limited = await world.process({ userLookupsPerMinute: 10 });
    const { scope } = await world.user();
    const asks = Array.from({ length: 60 }, () => world.run(USER, { identifier: bob.id }, scope, limited));
    expect(slugs(await Promise.all(asks))).toEqual({ ok: 10, rate_limited: 50 });
  });
});

describe('whom other parts of the platform ask for', () => {
  const PRINCIPAL = `query ($identifier: String!, $askedBy: ID!) {
    internalPrincipal(identifier: $identifier, askedBy: $askedBy) { type id handle }
  }`;
  const PRINCIPALS = 'query ($ids: [ID!]!) { internalPrincipals(ids: $ids) { type id handle } }';
  const TEAMS_OF = 'query ($userId: ID!) { internalTeamsOf(userId: $userId) }';
  const asks = (query: string, variables: object) => world.run(query, variables, systemScope('r'));

  it('is a user or a team by whatever names them, and counts as a look-up of who names them', async () => {
    const handle = unique('team');
    const made = await world.run(CREATE_TEAM, { handle }, ada.scope);
    const { id } = field<{ team: { id: string } }>(made, 'createTeam').team;
    const team = { type: 'TEAM', id, handle };
    const user = { type: 'USER', id: bob.userId, handle: bobsHandle };
    for (const [identifier, expected] of [
      [bob.id, user],
      [bob.email, user],
      [`@${bobsHandle}`, user],
      [id, team],
      [`@${handle}`, team],
      [handle.toUpperCase(), team],
      ['@nobody-at-all', null],
      [newId(), null],
    ] as const) {
      const { data } = await asks(PRINCIPAL, { identifier, askedBy: ada.userId });
      expect(data['internalPrincipal'], identifier).toEqual(expected);
    }
    const { data } = await asks(PRINCIPALS, { ids: [bob.userId, id, newId()] });
    expect(data['internalPrincipals']).toEqual([user, team]);
    expect((await asks(TEAMS_OF, { userId: ada.userId })).data['internalTeamsOf']).toContain(id);
    expect((await asks(TEAMS_OF, { userId: newId() })).data['internalTeamsOf']).toEqual([]);
    const limited = await world.process({ userLookupsPerMinute: 1 });
    const variables = { identifier: bob.id, askedBy: (await world.user()).userId };
    const ask = async () => (await world.run(PRINCIPAL, variables, systemScope('r'), limited)).slug;
    expect([await ask(), await ask()]).toEqual([undefined, 'rate_limited']);
  });

  it('is told to nobody else', async () => {
    for (const [query, variables] of [
      [PRINCIPAL, { identifier: bob.id, askedBy: ada.userId }],
      [PRINCIPALS, { ids: [bob.userId] }],
      [TEAMS_OF, { userId: bob.userId }],
    ] as const) {
      expect((await world.run(query, variables, ada.scope)).slug).toBe('forbidden');
    }
  });
});

describe('suspension', () => {
  it('is set and lifted by the platform alone, and announced', async () => {
    const { scope, userId, id } = await world.user();
    expect((await world.run(SUSPEND, { u: id, suspended: true }, scope)).slug).toBe('forbidden');
    const set = await world.run(SUSPEND, { u: id, suspended: true, reason: 'abuse' }, systemScope('r'));
    expect(set.data).toEqual({ internalSetSuspension: { userId, suspended: true } });
    expect(world.changed.at(-1)).toBe(userId);
    expect((await world.run(CREATE_KEY, { name: 'k' }, scope)).slug).toBe('account_suspended');
    // Reading and deleting go on.
    expect((await world.run(ME, {}, scope)).slug).toBeUndefined();
    await world.run(SUSPEND, { u: id, suspended: false }, systemScope('r'));
    expect((await world.run(CREATE_KEY, { name: 'k' }, scope)).slug).toBeUndefined();
    expect((await world.run(SUSPEND, { u: 'nobody', suspended: true }, systemScope('r'))).slug).toBe('user_not_found');
  });
});

describe('references from other subgraphs', () => {
  it('show users to anybody, with the private fields to themselves alone', async () => {
    const representations = [{ __typename: 'User', id: bob.id }];
    for (const scope of [anonymous(), ada.scope]) {
      const { data } = await world.run(ENTITIES, { representations }, scope);
      expect(data).toMatchObject({
        _entities: [{ id: bob.id, handle: bobsHandle, email: null, createdAt: null, suspended: null }],
      });
    }
    const own = await world.run(ENTITIES, { representations }, bob.scope);
    expect(own.data).toMatchObject({ _entities: [{ email: bob.email, suspended: false }] });
  });

  it('hide keys, teams and invitations from everybody who is no party to them', async () => {
    const key = await world.run(CREATE_KEY, { name: 'k' }, ada.scope);
    const team = await world.run(CREATE_TEAM, { handle: unique('team') }, ada.scope);
    const { id: teamId } = field<{ team: { id: string } }>(team, 'createTeam').team;
    const invited = await world.run(INVITE, { team: teamId, user: bob.id }, ada.scope);
    const ids = {
      ApiKey: field<{ apiKey: { id: string } }>(key, 'createApiKey').apiKey.id,
      Team: teamId,
      Invitation: field<{ invitation: { id: string } }>(invited, 'inviteTeamMember').invitation.id,
    };
    const representations = Object.entries(ids).map(([__typename, id]) => ({ __typename, id }));
    const seen = async (scope: Person['scope']) => {
      const answer = await world.run(ENTITIES, { representations }, scope);
      return field<({ __typename: string } | null)[]>(answer, '_entities').map((entity) => entity?.__typename);
    };
    const eve = await world.user();
    expect(await seen(ada.scope)).toEqual(['ApiKey', 'Team', 'Invitation']);
    expect(await seen(bob.scope)).toEqual([undefined, undefined, 'Invitation']);
    expect(await seen(eve.scope)).toEqual([undefined, undefined, undefined]);
    expect(await seen(anonymous())).toEqual([undefined, undefined, undefined]);
  });

  it('answer null for what is no id', async () => {
    const representations = ['User', 'ApiKey', 'Team', 'Invitation'].map((__typename) => ({ __typename, id: 'x' }));
    const { data, slug } = await world.run(ENTITIES, { representations }, ada.scope);
    expect(slug).toBeUndefined();
    expect(data).toEqual({ _entities: [null, null, null, null] });
  });

  it('to many users cost one query', async () => {
    const people = await Promise.all(Array.from({ length: 20 }, () => world.user()));
    const representations = people.map(({ id }) => ({ __typename: 'User', id }));
    const { commands } = await world.commands.during(() => world.run(ENTITIES, { representations }, ada.scope));
    expect(commands.map(({ commandName }) => commandName)).toEqual(['find']);
  });
});

describe('a nested query', () => {
  it('costs one command a level, however many teams and members there are', async () => {
    const owner = await world.user(undefined, unique('owner'));
    const now = world.clock.now();
    const people = await Promise.all(Array.from({ length: 8 }, () => world.user()));
    const teams = people.map((person, slot) => ({
      _id: newId(),
      handle: unique('nest'),
      ownerId: person.userId,
      slot,
      members: [
        { userId: person.userId, role: 'OWNER', joinedAt: now },
        ...[owner, ...people.filter((other) => other !== person)].map(({ userId }) => ({
          userId,
          role: 'MEMBER',
          joinedAt: now,
        })),
      ],
      appliedInvitations: [],
      turnover: 0,
      createdAt: now,
      updatedAt: now,
      rev: 1,
    }));
    await world.db.collection<{ _id: string }>('accounts_teams').insertMany(teams);
    const query = `{ teams(first: 20) { nodes {
      handle owner { handle } members(first: 5) { nodes { role user { id handle } } nextCursor }
    } } }`;
    const { result, commands } = await world.commands.during(() => world.run(query, {}, owner.scope));
    expect(field<{ nodes: unknown[] }>(result, 'teams').nodes).toHaveLength(8);
    // Teams, pages of members, and users: whom two levels name is asked for once.
    expect(commands.map(({ commandName, command }) => `${commandName} ${command[commandName]}`).sort()).toEqual([
      'aggregate accounts_teams',
      'find accounts_teams',
      'find accounts_users',
    ]);
    const one = await world.commands.during(() => world.run(TEAM, { identifier: teams[0]?._id }, owner.scope));
    // The team, its owner, the page of members, and those members who are not known yet.
    expect(one.commands).toHaveLength(4);
  });
});
