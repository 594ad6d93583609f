import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { invariants } from './support/invariants.js';
import {
  ACCEPT,
  CANCEL,
  CREATE_TEAM,
  DECLINE,
  DELETE_TEAM,
  INVITATIONS,
  INVITE,
  REMOVE,
  TEAM,
  TRANSFER,
} from './support/operations.js';
import { type Answer, DAY, field, openWorld, type Person, slugs, unique, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => {
  expect(await invariants(world)).toEqual([]);
  await world.close();
});

interface Shown {
  id: string;
  kind: string;
  state: string;
  resolvedAt: string | null;
}

interface Made {
  owner: Person;
  team: string;
  handle: string;
}

async function makeTeam(): Promise<Made> {
  const owner = await world.user(undefined, unique('owner'));
  const handle = unique('team');
  const answer = await world.run(CREATE_TEAM, { handle }, owner.scope);
  return { owner, handle, team: field<{ team: { id: string } }>(answer, 'createTeam').team.id };
}

async function propose({ owner, team }: Made, person: Person, operation = INVITE): Promise<Shown> {
  const name = operation === INVITE ? 'inviteTeamMember' : 'transferTeamOwnership';
  const answer = await world.run(operation, { team, user: person.id }, owner.scope);
  return field<{ invitation: Shown }>(answer, name).invitation;
}

const answerBy = ({ scope }: Person, operation: string, id: string) => world.run(operation, { id }, scope);

async function list({ scope }: Person, variables: object = {}): Promise<Shown[]> {
  return field<{ nodes: Shown[] }>(await world.run(INVITATIONS, variables, scope), 'invitations').nodes;
}

async function memberIds({ owner, team }: Made): Promise<string[]> {
  const answer = await world.run(TEAM, { identifier: team, first: 100 }, owner.scope);
  const { members } = field<{ members: { nodes: { user: { id: string } }[] } }>(answer, 'team');
  return members.nodes.map(({ user }) => user.id);
}

describe('an invitation', () => {
  it('shows both parties what it is about', async () => {
    const made = await makeTeam();
    const person = await world.user();
    const answer = await world.run(INVITE, { team: `@${made.handle}`, user: person.email }, made.owner.scope);
    expect(answer.data).toEqual({
      inviteTeamMember: {
        invitation: {
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          kind: 'TEAM_MEMBERSHIP',
          state: 'PENDING',
          resource: { type: 'TEAM', id: made.team, handle: made.handle },
          proposer: { id: made.owner.id, handle: made.owner.scope.caller?.handle, email: made.owner.email },
          recipient: { id: person.id, handle: null, email: null },
          createdAt: world.clock.now().toISOString(),
          expiresAt: new Date(world.clock.now().getTime() + 14 * DAY).toISOString(),
          resolvedAt: null,
        },
      },
    });
    const received = await list(person);
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({ proposer: { email: null }, recipient: { email: person.email } });
  });

  it('is refused for oneself, for members, and for an equal one that is pending', async () => {
    const made = await makeTeam();
    const person = await world.user();
    const invite = (user: string) => world.run(INVITE, { team: made.team, user }, made.owner.scope);
    expect((await invite(made.owner.id)).slug).toBe('conflict');
    expect((await invite('nobody')).slug).toBe('user_not_found');
    const { id } = await propose(made, person);
    expect((await invite(person.id)).slug).toBe('invitation_already_pending');
    // Another kind is another thing.
    await propose(made, person, TRANSFER);
    expect((await world.run(TRANSFER, { team: made.team, user: person.id }, made.owner.scope)).slug).toBe(
      'invitation_already_pending',
    );
    await answerBy(person, ACCEPT, id);
    expect((await invite(person.id)).slug).toBe('conflict');
  });

  it('is made once of many equal ones at once', async () => {
    const made = await makeTeam();
    const person = await world.user();
    const invites = Array.from({ length: 20 }, () =>
      world.run(INVITE, { team: made.team, user: person.id }, made.owner.scope),
    );
    expect(slugs(await Promise.all(invites))).toEqual({ ok: 1, invitation_already_pending: 19 });
  });

  it('counts against a quota while it is pending, also when many are made at once', async () => {
    const limited = await world.process({ pendingInvitationsPerUser: 5 });
    const made = await makeTeam();
    const people = await Promise.all(Array.from({ length: 12 }, () => world.user()));
    const invite = ({ id }: Person) => world.run(INVITE, { team: made.team, user: id }, made.owner.scope, limited);
    expect(slugs(await Promise.all(people.map(invite)))).toEqual({ ok: 5, quota_exceeded: 7 });
    const pending = await list(made.owner, { filter: 'SENT' });
    await answerBy(made.owner, CANCEL, pending[0]?.id ?? '');
    const more = await Promise.all(Array.from({ length: 2 }, () => world.user()));
    expect(slugs([await invite(more[0] as Person), await invite(more[1] as Person)])).toEqual({
      ok: 1,
      quota_exceeded: 1,
    });
    world.clock.advance(14 * DAY);
    expect((await invite(more[1] as Person)).slug).toBeUndefined();
  });

  it('does not exist for strangers', async () => {
    const { id } = await propose(await makeTeam(), await world.user());
    const stranger = await world.user();
    const missing = await answerBy(stranger, ACCEPT, newId());
    const query = 'query ($id: ID!) { invitation(id: $id) { id } }';
    for (const operation of [ACCEPT, DECLINE, CANCEL, query]) {
      for (const identifier of [id, 'x']) {
        const { problem } = await answerBy(stranger, operation, identifier);
        expect(problem?.slug).toBe('not_found');
        if (identifier === id) expect(problem?.toBody()).toEqual(missing.problem?.toBody());
      }
    }
  });

  it('is answered by the recipient and cancelled by the proposer, once', async () => {
    const made = await makeTeam();
    const person = await world.user();
    const { id } = await propose(made, person);
    expect((await answerBy(made.owner, ACCEPT, id)).slug).toBe('forbidden');
    expect((await answerBy(made.owner, DECLINE, id)).slug).toBe('forbidden');
    expect((await answerBy(person, CANCEL, id)).slug).toBe('forbidden');
    expect((await answerBy(person, DECLINE, id)).data).toMatchObject({
      declineInvitation: { invitation: { state: 'DECLINED', resolvedAt: world.clock.now().toISOString() } },
    });
    for (const operation of [ACCEPT, DECLINE]) {
      expect((await answerBy(person, operation, id)).slug).toBe('invitation_already_resolved');
    }
    expect((await answerBy(made.owner, CANCEL, id)).slug).toBe('invitation_already_resolved');
    const second = await propose(made, person);
    expect((await answerBy(made.owner, CANCEL, second.id)).data).toMatchObject({
      cancelInvitation: { invitation: { state: 'CANCELLED' } },
    });
    expect((await answerBy(person, ACCEPT, second.id)).slug).toBe('invitation_already_resolved');
    expect(await memberIds(made)).toEqual([made.owner.id]);
  });

  it('expires after 14 days, from that moment everywhere', async () => {
    const made = await makeTeam();
    const person = await world.user();
    const { id } = await propose(made, person);
    world.clock.advance(14 * DAY - 1);
    expect(await list(person)).toHaveLength(1);
    world.clock.advance(1);
    expect(await list(person)).toEqual([]);
    const [expired] = await list(person, { state: 'ALL' });
    expect(expired).toMatchObject({ state: 'EXPIRED', resolvedAt: world.clock.now().toISOString() });
    for (const operation of [ACCEPT, DECLINE]) {
      expect((await answerBy(person, operation, id)).slug).toBe('invitation_expired');
    }
    expect((await answerBy(made.owner, CANCEL, id)).slug).toBe('invitation_expired');
    await world.runTasks();
    expect((await answerBy(person, ACCEPT, id)).slug).toBe('invitation_expired');
    expect((await list(person, { state: 'ALL' }))[0]).toEqual(expired);
  });

  it('can be made again once it has expired', async () => {
    const made = await makeTeam();
    const person = await world.user();
    await propose(made, person);
    world.clock.advance(14 * DAY);
    const { id } = await propose(made, person);
    await answerBy(person, ACCEPT, id);
    expect(await memberIds(made)).toEqual([made.owner.id, person.id]);
  });

  it('can no longer be accepted when what it is about has gone, or whoever proposed it has no say', async () => {
    const made = await makeTeam();
    const [person, heir] = [await world.user(), await world.user()];
    const membership = await propose(made, person);
    const transfer = await propose(made, heir, TRANSFER);
    await answerBy(heir, ACCEPT, transfer.id);
    const { problem } = await answerBy(person, ACCEPT, membership.id);
    expect(problem?.slug).toBe('conflict');
    expect(problem?.message).toContain('no longer owns');
    expect((await list(person, { state: 'ALL' }))[0]?.state).toBe('CANCELLED');

    const gone = await makeTeam();
    const { id } = await propose(gone, person);
    await world.run(DELETE_TEAM, { identifier: gone.team }, gone.owner.scope);
    expect((await answerBy(person, ACCEPT, id)).slug).toBe('invitation_already_resolved');
  });

  it('comes to nothing when the team is full', async () => {
    const small = await world.process({ membersPerTeam: 3 });
    const made = await makeTeam();
    const people = await Promise.all(Array.from({ length: 8 }, () => world.user()));
    const invitations: Shown[] = [];
    for (const person of people) invitations.push(await propose(made, person));
    const accepts = people.map(({ scope }, i) => world.run(ACCEPT, { id: invitations[i]?.id }, scope, small));
    expect(slugs(await Promise.all(accepts))).toEqual({ ok: 2, quota_exceeded: 6 });
    expect(await memberIds(made)).toHaveLength(3);
    const states = await Promise.all(people.map(async (person) => (await list(person, { state: 'ALL' }))[0]?.state));
    expect(states.toSorted()).toEqual([...Array(2).fill('ACCEPTED'), ...Array(6).fill('CANCELLED')]);
  });
});

describe('the list of invitations', () => {
  it('is of those received, those sent, or both, pending or all, in pages', async () => {
    const made = await makeTeam();
    const other = await makeTeam();
    const sent = await propose(made, other.owner);
    const received = await propose(other, made.owner);
    const declined = await propose(made, other.owner, TRANSFER);
    await answerBy(other.owner, DECLINE, declined.id);
    const ids = async (variables: object) => (await list(made.owner, variables)).map(({ id }) => id);
    expect(await ids({})).toEqual([received.id]);
    expect(await ids({ filter: null, state: null })).toEqual([received.id]);
    expect(await ids({ filter: 'SENT' })).toEqual([sent.id]);
    expect(await ids({ filter: 'SENT', state: 'ALL' })).toEqual([declined.id, sent.id]);
    expect(await ids({ filter: 'ALL' })).toEqual([received.id, sent.id]);
    expect(await ids({ filter: 'ALL', state: 'ALL' })).toEqual([declined.id, received.id, sent.id]);
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const variables = { filter: 'ALL', state: 'ALL', first: 1, after };
      const answer: Answer = await world.run(INVITATIONS, variables, made.owner.scope);
      const page = field<{ nodes: Shown[]; nextCursor: string | null }>(answer, 'invitations');
      seen.push(...page.nodes.map(({ id }) => id));
      after = page.nextCursor;
    } while (after !== null);
    expect(seen).toEqual([declined.id, received.id, sent.id]);
  });
});

describe('answers that race', () => {
  it('let one of many acceptances through, which takes effect once', async () => {
    const made = await makeTeam();
    const person = await world.user();
    const { id } = await propose(made, person);
    const accepts = Array.from({ length: 50 }, () => answerBy(person, ACCEPT, id));
    expect(slugs(await Promise.all(accepts))).toEqual({ ok: 1, invitation_already_resolved: 49 });
    expect(await memberIds(made)).toEqual([made.owner.id, person.id]);
  });

  it('let either acceptance, refusal or cancellation through', async () => {
    const made = await makeTeam();
    for (let round = 0; round < 12; round++) {
      const person = await world.user();
      const { id } = await propose(made, person);
      const racers = [answerBy(person, ACCEPT, id), answerBy(made.owner, CANCEL, id), answerBy(person, DECLINE, id)];
      // Each of them starts first in turn.
      const answers = await Promise.all(racers.slice(round % 3).concat(racers.slice(0, round % 3)));
      expect(slugs(answers)).toEqual({ ok: 1, invitation_already_resolved: 2 });
      const [{ state } = { state: '' }] = await list(person, { state: 'ALL' });
      expect((await memberIds(made)).includes(person.id)).toBe(state === 'ACCEPTED');
    }
  });

  it('take all of many different people in', async () => {
    const made = await makeTeam();
    const people = await Promise.all(Array.from({ length: 30 }, () => world.user()));
    const invitations: Shown[] = [];
    for (const person of people) invitations.push(await propose(made, person));
    const answers = await Promise.all(people.map((person, i) => answerBy(person, ACCEPT, invitations[i]?.id ?? '')));
    expect(slugs(answers)).toEqual({ ok: 30 });
    expect(await memberIds(made)).toHaveLength(31);
  });

  it('make one of two new owners', async () => {
    const made = await makeTeam();
    const heirs = [await world.user(), await world.user()];
    const offers: Shown[] = [];
    for (const heir of heirs) offers.push(await propose(made, heir, TRANSFER));
    const answers = await Promise.all(heirs.map((heir, i) => answerBy(heir, ACCEPT, offers[i]?.id ?? '')));
    expect(slugs(answers)).toEqual({ ok: 1, conflict: 1 });
    expect(await memberIds(made)).toHaveLength(2);
  });

  it('do not bring back a member who was removed right after joining', async () => {
    const made = await makeTeam();
    const person = await world.user();
    const { id } = await propose(made, person);
    const accepted = answerBy(person, ACCEPT, id);
    await accepted;
    await world.run(REMOVE, { team: made.team, user: person.id }, made.owner.scope);
    world.clock.advance(60_000);
    await world.runTasks();
    expect(await memberIds(made)).toEqual([made.owner.id]);
  });
});

describe('the mail about an invitation', () => {
  it('is sent once, to the recipient, naming the proposer by handle alone', async () => {
    const made = await makeTeam();
    const person = await world.user();
    const { id } = await propose(made, person);
    const mails = () => world.inbox.mails.filter(({ to }) => to === person.email);
    expect(mails()).toEqual([]);
    await world.runTasks();
    await world.runTasks();
    expect(mails()).toHaveLength(1);
    const [mail] = mails();
    expect(mail?.subject).toBe(`@${made.owner.scope.caller?.handle} invites you to join the team @${made.handle}`);
    expect(mail?.text).toContain(id);
    expect(mail?.text).not.toContain(made.owner.email);
  });

  it('is not sent when there is nothing to answer any more', async () => {
    const made = await makeTeam();
    const person = await world.user();
    await answerBy(made.owner, CANCEL, (await propose(made, person)).id);
    await world.runTasks();
    expect(world.inbox.mails.filter(({ to }) => to === person.email)).toEqual([]);
  });
});
