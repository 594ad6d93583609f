import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { invariants } from './support/invariants.js';
import {
  ACCEPT,
  CREATE_TEAM,
  DELETE_TEAM,
  INVITATIONS,
  INVITE,
  REMOVE,
  TEAM,
  TEAMS,
  TRANSFER,
} from './support/operations.js';
import {
  type Answer,
  anonymous,
  field,
  openWorld,
  type Person,
  SECOND,
  slugs,
  unique,
  type World,
} from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => {
  expect(await invariants(world)).toEqual([]);
  await world.close();
});

interface Made {
  owner: Person;
  handle: string;
  id: string;
}

async function makeTeam(owner?: Person): Promise<Made> {
  const person = owner ?? (await world.user(undefined, unique('owner')));
  const handle = unique('team');
  const answer = await world.run(CREATE_TEAM, { handle }, person.scope);
  return { owner: person, handle, id: field<{ team: { id: string } }>(answer, 'createTeam').team.id };
}

function invitationOf(answer: Answer, name: string): { id: string; state: string } {
  return field<{ invitation: { id: string; state: string } }>(answer, name).invitation;
}

async function join({ owner, id: team }: Made, person: Person): Promise<void> {
  const invited = await world.run(INVITE, { team, user: person.id }, owner.scope);
  const { id } = invitationOf(invited, 'inviteTeamMember');
  field(await world.run(ACCEPT, { id }, person.scope), 'acceptInvitation');
}

interface ShownTeam {
  role: string;
  owner: { id: string };
  members: {
    nodes: { role: string; joinedAt: string; user: { id: string; email: string | null } }[];
    nextCursor: string;
  };
}

async function show(identifier: string, { scope }: Person, page: object = {}): Promise<ShownTeam> {
  return field<ShownTeam>(await world.run(TEAM, { identifier, ...page }, scope), 'team');
}

async function handles(filter: string, { scope }: Person): Promise<string[]> {
  const listed = field<{ nodes: { handle: string }[] }>(await world.run(TEAMS, { filter }, scope), 'teams');
  return listed.nodes.map(({ handle }) => handle);
}

describe('making a team', () => {
  it('makes the caller its owner and only member', async () => {
    const { owner, handle, id } = await makeTeam();
    expect(await show(`@${handle.toUpperCase()}`, owner)).toMatchObject({
      id,
      handle,
      role: 'OWNER',
      owner: { id: owner.id },
      members: { nodes: [{ role: 'OWNER', user: { id: owner.id, email: owner.email } }], nextCursor: null },
    });
  });

  it('needs a caller with a handle, and a handle that is valid and free', async () => {
    const { owner, handle } = await makeTeam();
    const create = (text: string, { scope } = owner) => world.run(CREATE_TEAM, { handle: text }, scope);
    expect((await world.run(CREATE_TEAM, { handle: 'abc' }, anonymous())).slug).toBe('auth_required');
    expect((await create(unique('t'), await world.user())).slug).toBe('handle_not_claimed');
    expect((await create('No')).slug).toBe('handle_invalid');
    expect((await create('teams')).slug).toBe('handle_reserved');
    expect((await create(handle)).slug).toBe('handle_taken');
    expect(await world.db.collection('accounts_teams').countDocuments({ handle: null })).toBe(0);
  });

  it('lets one of many that want the same handle have it', async () => {
    const owners = await Promise.all(Array.from({ length: 40 }, () => world.user(undefined, unique('owner'))));
    const handle = unique('team');
    const answers = await Promise.all(owners.map(({ scope }) => world.run(CREATE_TEAM, { handle }, scope)));
    expect(slugs(answers)).toEqual({ ok: 1, handle_taken: 39 });
    await world.runTasks();
    expect(await invariants(world)).toEqual([]);
  });

  it('never exceeds the quota, also when many are made at once, and leaves no handle taken', async () => {
    const limited = await world.process({ teamsPerUser: 4 });
    const { scope } = await world.user(undefined, unique('owner'));
    const wanted = Array.from({ length: 16 }, () => unique('team'));
    const create = (handle: string) => world.run(CREATE_TEAM, { handle }, scope, limited);
    expect(slugs(await Promise.all(wanted.map(create)))).toEqual({ ok: 4, quota_exceeded: 12 });
    const taken = world.db.collection<{ _id: string }>('accounts_handles').find({ _id: { $in: wanted } });
    expect(await taken.toArray()).toHaveLength(4);
  });
});

describe('the list of teams', () => {
  it('tells owned ones from those one belongs to', async () => {
    const person = await world.user(undefined, unique('owner'));
    const own = await makeTeam(person);
    const joined = await makeTeam();
    await join(joined, person);
    await makeTeam();
    expect(await handles('MINE', person)).toEqual([own.handle]);
    expect(await handles('MEMBER', person)).toEqual([joined.handle]);
    expect(await handles('ALL', person)).toEqual([joined.handle, own.handle]);
  });

  it('pages through all of them, newest first', async () => {
    const person = await world.user(undefined, unique('owner'));
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.unshift((await makeTeam(person)).handle);
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const answer: Answer = await world.run(TEAMS, { filter: null, first: 2, after }, person.scope);
      const page = field<{ nodes: { handle: string }[]; nextCursor: string | null }>(answer, 'teams');
      seen.push(...page.nodes.map(({ handle }) => handle));
      after = page.nextCursor;
    } while (after !== null);
    expect(seen).toEqual(made);
  });
});

describe('a team', () => {
  it('does not exist for who does not belong to it', async () => {
    const { handle, id } = await makeTeam();
    const stranger = await world.user(undefined, unique('stranger'));
    const missing = await world.run(TEAM, { identifier: newId() }, stranger.scope);
    for (const identifier of [handle, id]) {
      const answers = await Promise.all([
        world.run(TEAM, { identifier }, stranger.scope),
        world.run(DELETE_TEAM, { identifier }, stranger.scope),
        world.run(INVITE, { team: identifier, user: stranger.id }, stranger.scope),
        world.run(TRANSFER, { team: identifier, user: stranger.id }, stranger.scope),
        world.run(REMOVE, { team: identifier, user: stranger.id }, stranger.scope),
      ]);
      for (const { problem } of answers) expect(problem?.toBody()).toEqual(missing.problem?.toBody());
    }
  });

  it.each(['', 'x', '@', 'not a handle', 'x'.repeat(5000)])('is not found as %j', async (identifier) => {
    expect((await world.run(TEAM, { identifier }, (await world.user()).scope)).slug).toBe('not_found');
  });

  it('lists the owner first, then the members by joining, in pages', async () => {
    const team = await makeTeam();
    const members = await Promise.all(Array.from({ length: 7 }, () => world.user()));
    for (const member of members) {
      world.clock.advance(SECOND);
      await join(team, member);
    }
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { nodes, nextCursor }: ShownTeam['members'] = (await show(team.id, team.owner, { first: 3, after }))
        .members;
      seen.push(...nodes.map(({ user }) => user.id));
      after = nextCursor;
    } while (after !== null);
    expect(seen).toEqual([team.owner, ...members].map(({ id }) => id));
    const first = members[0] as Person;
    const others = (await show(team.id, first)).members.nodes.filter(({ user }) => user.email !== null);
    expect(others.map(({ user }) => user.id)).toEqual([first.id]);
    expect((await world.run(TEAM, { identifier: team.id, after: 'eyJpIjoieCJ9' }, first.scope)).slug).toBe(
      'validation_error',
    );
    expect((await world.run(TEAM, { identifier: team.id, first: 0 }, first.scope)).slug).toBe('validation_error');
  });

  it('keeps what is for its owner from members', async () => {
    const team = await makeTeam();
    const [member, other] = [await world.user(), await world.user()];
    await join(team, member);
    await join(team, other);
    const answers = await Promise.all([
      world.run(DELETE_TEAM, { identifier: team.id }, member.scope),
      world.run(INVITE, { team: team.id, user: member.id }, member.scope),
      world.run(TRANSFER, { team: team.id, user: member.id }, member.scope),
      world.run(REMOVE, { team: team.id, user: other.id }, member.scope),
      world.run(REMOVE, { team: team.id, user: team.owner.id }, member.scope),
    ]);
    expect(slugs(answers)).toEqual({ forbidden: 5 });
  });
});

describe('removing a member', () => {
  it('is for the owner, and for members themselves', async () => {
    const team = await makeTeam();
    const [removed, leaving] = [await world.user(), await world.user(undefined, unique('leaver'))];
    await join(team, removed);
    await join(team, leaving);
    const byOwner = await world.run(REMOVE, { team: team.handle, user: removed.email }, team.owner.scope);
    expect(byOwner.data).toEqual({ removeTeamMember: { teamId: team.id, userId: removed.id, removed: true } });
    const bySelf = await world.run(REMOVE, { team: team.id, user: `@${leaving.scope.caller?.handle}` }, leaving.scope);
    expect(bySelf.slug).toBeUndefined();
    expect((await show(team.id, team.owner)).members.nodes).toHaveLength(1);
    expect((await world.run(TEAM, { identifier: team.id }, leaving.scope)).slug).toBe('not_found');
  });

  it('refuses the owner, who is no member, and who is nobody', async () => {
    const team = await makeTeam();
    const remove = (user: string) => world.run(REMOVE, { team: team.id, user }, team.owner.scope);
    expect((await remove(team.owner.id)).slug).toBe('conflict');
    expect((await remove((await world.user()).id)).slug).toBe('not_found');
    expect((await remove('nobody')).slug).toBe('user_not_found');
  });

  it('and inviting again is possible', async () => {
    const team = await makeTeam();
    const person = await world.user();
    for (let i = 0; i < 2; i++) {
      await join(team, person);
      await world.run(REMOVE, { team: team.id, user: person.id }, team.owner.scope);
    }
    expect((await show(team.id, team.owner)).members.nodes).toHaveLength(1);
  });
});

describe('transferring a team', () => {
  it('changes nothing until it is accepted; then the former owner is a member', async () => {
    const team = await makeTeam();
    const [heir, member] = [await world.user(), await world.user()];
    await join(team, member);
    const offered = await world.run(TRANSFER, { team: team.id, user: heir.email }, team.owner.scope);
    expect((await show(team.id, team.owner)).role).toBe('OWNER');
    world.clock.advance(SECOND);
    await world.run(ACCEPT, { id: invitationOf(offered, 'transferTeamOwnership').id }, heir.scope);
    const { owner, role, members } = await show(team.id, team.owner);
    expect([owner.id, role]).toEqual([heir.id, 'MEMBER']);
    expect(members.nodes.map(({ user, role: held }) => [user.id, held])).toEqual([
      [heir.id, 'OWNER'],
      [team.owner.id, 'MEMBER'],
      [member.id, 'MEMBER'],
    ]);
    expect(await handles('MINE', heir)).toEqual([team.handle]);
    expect(await handles('MINE', team.owner)).toEqual([]);
  });

  it('to a member keeps when they joined', async () => {
    const team = await makeTeam();
    const heir = await world.user();
    await join(team, heir);
    const joinedAt = world.clock.now().toISOString();
    world.clock.advance(SECOND);
    const offered = await world.run(TRANSFER, { team: team.id, user: heir.id }, team.owner.scope);
    await world.run(ACCEPT, { id: invitationOf(offered, 'transferTeamOwnership').id }, heir.scope);
    const { nodes } = (await show(team.id, heir)).members;
    expect(nodes).toHaveLength(2);
    expect(nodes[0]).toMatchObject({ role: 'OWNER', joinedAt, user: { id: heir.id } });
  });

  it('refuses oneself', async () => {
    const team = await makeTeam();
    expect((await world.run(TRANSFER, { team: team.id, user: team.owner.id }, team.owner.scope)).slug).toBe('conflict');
  });

  it('comes to nothing when the new owner has as many teams as one can have', async () => {
    const limited = await world.process({ teamsPerUser: 1 });
    const heir = (await makeTeam()).owner;
    const team = await makeTeam();
    const offered = await world.run(TRANSFER, { team: team.id, user: heir.id }, team.owner.scope);
    const { id } = invitationOf(offered, 'transferTeamOwnership');
    expect((await world.run(ACCEPT, { id }, heir.scope, limited)).slug).toBe('quota_exceeded');
    expect((await show(team.id, team.owner)).role).toBe('OWNER');
    expect((await world.run(ACCEPT, { id }, heir.scope)).slug).toBe('invitation_already_resolved');
  });
});

describe('deleting a team', () => {
  it('ends it, its handle for 90 days, and its pending invitations', async () => {
    const team = await makeTeam();
    const [member, invited] = [await world.user(), await world.user()];
    await join(team, member);
    await world.run(INVITE, { team: team.id, user: invited.id }, team.owner.scope);
    const deleted = await world.run(DELETE_TEAM, { identifier: `@${team.handle}` }, team.owner.scope);
    expect(deleted.data).toEqual({ deleteTeam: { teamId: team.id, handle: team.handle, deleted: true } });
    expect((await world.run(DELETE_TEAM, { identifier: team.id }, team.owner.scope)).slug).toBe('not_found');
    expect(await handles('ALL', member)).toEqual([]);
    const { nodes } = field<{ nodes: { state: string }[] }>(
      await world.run(INVITATIONS, { state: 'ALL' }, invited.scope),
      'invitations',
    );
    expect(nodes.map(({ state }) => state)).toEqual(['CANCELLED']);
  });

  it('succeeds once of many times at once', async () => {
    const team = await makeTeam();
    const deletes = Array.from({ length: 20 }, () => world.run(DELETE_TEAM, { identifier: team.id }, team.owner.scope));
    expect(slugs(await Promise.all(deletes))).toEqual({ ok: 1, not_found: 19 });
    await world.runTasks();
    expect(await invariants(world)).toEqual([]);
  });

  it('cancels an invitation that was made while the team went away', async () => {
    const team = await makeTeam();
    const invited = await world.user();
    await world.run(INVITE, { team: team.id, user: invited.id }, team.owner.scope);
    // As if the team had been deleted between the check and the insertion.
    await world.db.collection<{ _id: string }>('accounts_teams').deleteOne({ _id: team.id });
    await world.db.collection<{ _id: string }>('accounts_handles').deleteOne({ _id: team.handle });
    await world.runTasks();
    const listed = await world.run(INVITATIONS, {}, invited.scope);
    expect(listed.data).toMatchObject({ invitations: { nodes: [] } });
    expect(world.inbox.mails.filter(({ to }) => to === invited.email)).toEqual([]);
  });
});
