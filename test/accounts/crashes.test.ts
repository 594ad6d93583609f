/**
 * Every operation of several writes is interrupted before each of its calls to the store: once by the death of its
 * process, and once by a sleep in which the recovery and a rival do their work before it goes on.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { systemScope } from '../../platform/scope.js';
import type { Subgraph } from '../../platform/subgraph.js';
import { type Interruptible, interruptible } from './support/interrupt.js';
import { invariants } from './support/invariants.js';
import {
  ACCEPT,
  CLAIM,
  CREATE_TEAM,
  DELETE_TEAM,
  INVITE,
  LOGIN,
  OFFER,
  REGISTER,
  REMOVE,
  RENAME,
  TRANSFER,
  VERIFY_REGISTRATION,
} from './support/operations.js';
import {
  type Answer,
  anonymous,
  DAY,
  field,
  openWorld,
  type Person,
  SECOND,
  unique,
  type World,
} from './support/world.js';

let world: World;
/** Where operations are cut, and where the recovery is. */
let front: CutProcess;
let back: CutProcess;
beforeAll(async () => {
  world = await openWorld({ codesPerAddress: 0, membersPerTeam: 3 });
  [front, back] = [await startProcess(), await startProcess()];
});
afterAll(() => world?.close());

// The invariants are of the whole store: what earlier scenes left is only work to look through.
beforeEach(async () => {
  for (const { name } of await world.db.listCollections().toArray()) await world.db.collection(name).deleteMany({});
});

interface CutProcess {
  subgraph: Subgraph;
  store: Interruptible;
}

async function startProcess(): Promise<CutProcess> {
  const store = interruptible(world.db);
  return { store, subgraph: await world.process({}, store.db) };
}

/** Starts something that is cut before a call to the store. Null: it ran through, without that call. */
async function startCut<T>({ store }: CutProcess, call: number, start: () => Promise<T>): Promise<Cut<T> | null> {
  const { interrupted, resume } = store.interruptBefore(call);
  const running = start();
  const done = await Promise.race([interrupted.then(() => false), running.then(() => true)]);
  // So that it does not strike the next one.
  if (done) store.interruptBefore(Number.POSITIVE_INFINITY);
  return done ? null : { running, resume };
}

interface Cut<T = Answer> {
  running: Promise<T>;
  resume(): void;
}

interface Scene {
  /** The operation that is interrupted. */
  query: string;
  variables: object;
  person: Person;
  /** What a repetition may answer, beside success. */
  repeats: string[];
  /** Somebody else's operation, tried while the first one sleeps. */
  rival?: () => Promise<Answer>;
  /** What must be true at the end. `ok`: the operation was answered with success. */
  check?: (ok: boolean, rivalOk: boolean) => Promise<void>;
}

async function teamOf(owner: Person, handle = unique('team')): Promise<string> {
  const answer = await world.run(CREATE_TEAM, { handle }, owner.scope);
  return field<{ team: { id: string } }>(answer, 'createTeam').team.id;
}

async function invitationTo(owner: Person, team: string, person: Person, operation = INVITE): Promise<string> {
  const answer = await world.run(operation, { team, user: person.id }, owner.scope);
  const name = operation === INVITE ? 'inviteTeamMember' : 'transferTeamOwnership';
  return field<{ invitation: { id: string } }>(answer, name).invitation.id;
}

async function handleOf({ userId }: Person): Promise<string | null> {
  const user = await world.db
    .collection<{ _id: string; handle: string | null }>('accounts_users')
    .findOne({ _id: userId });
  return user?.handle ?? null;
}

interface StoredTeam {
  _id: string;
  ownerId: string;
  members: { userId: string; role: string }[];
}

async function storedTeam(_id: string): Promise<StoredTeam | null> {
  return world.db.collection<StoredTeam>('accounts_teams').findOne({ _id });
}

/** A team with one place left, an invitation to it, and somebody who can take the place and leave it again. */
async function nearlyFullTeam() {
  const owner = await world.user(undefined, unique('owner'));
  const [member, person, rival] = [await world.user(), await world.user(), await world.user()];
  const team = await teamOf(owner);
  await world.run(ACCEPT, { id: await invitationTo(owner, team, member) }, member.scope);
  const other = await invitationTo(owner, team, rival);
  return {
    team,
    person,
    invitation: await invitationTo(owner, team, person),
    fill: () => world.run(ACCEPT, { id: other }, rival.scope),
    leave: () => world.run(REMOVE, { team, user: rival.id }, rival.scope),
  };
}

async function tookEffectOrNot(team: string, person: Person, _id: string): Promise<void> {
  const isMember = (await storedTeam(team))?.members.some(({ userId }) => userId === person.userId);
  const invitation = await world.db.collection<{ _id: string; state: string }>('accounts_invitations').findOne({ _id });
  expect(isMember).toBe(invitation?.state === 'ACCEPTED');
}

interface StoredWorkflow {
  _id: string;
  ownerId: string;
  slug: string;
}

const workflows = () => world.db.collection<StoredWorkflow>('registry_workflows');

/** As much of one as changes hands. */
async function workflowOf({ userId }: Person, slug = unique('flow')): Promise<StoredWorkflow> {
  const workflow = { _id: newId(), ownerId: userId, slug };
  await workflows().insertOne({ ...workflow });
  return workflow;
}

async function storedWorkflow(_id: string): Promise<StoredWorkflow> {
  const found = await workflows().findOne({ _id });
  if (!found) throw new Error('the workflow is gone');
  return found;
}

async function offer({ _id, slug }: StoredWorkflow, owner: Person, person: Person): Promise<string> {
  const variables = { kind: 'workflow', id: _id, slug, ownerId: owner.userId, newOwner: person.id };
  const answer = await world.run(OFFER, variables, systemScope('r'));
  return field<{ invitationId: string }>(answer, 'internalOfferOwnership').invitationId;
}

const SCENES: Record<string, () => Promise<Scene>> = {
  async 'a claim'() {
    const [person, rival] = [await world.user(), await world.user()];
    const handle = unique('claim');
    return {
      query: CLAIM,
      variables: { handle },
      person,
      repeats: ['handle_already_claimed', 'handle_taken'],
      rival: () => world.run(CLAIM, { handle }, rival.scope),
      async check(ok, rivalOk) {
        expect([await handleOf(person), await handleOf(rival)]).toEqual([ok ? handle : null, rivalOk ? handle : null]);
        expect(ok && rivalOk).toBe(false);
      },
    };
  },

  async 'a rename'() {
    const old = unique('old');
    const [person, rival] = [await world.user(undefined, old), await world.user()];
    const handle = unique('new');
    return {
      query: RENAME,
      variables: { handle },
      person,
      repeats: ['conflict', 'handle_taken'],
      rival: () => world.run(CLAIM, { handle }, rival.scope),
      async check(ok, rivalOk) {
        expect([await handleOf(person), await handleOf(rival)]).toEqual([ok ? handle : old, rivalOk ? handle : null]);
        expect(ok && rivalOk).toBe(false);
      },
    };
  },

  async 'a rename that is taken back meanwhile'() {
    const old = unique('old');
    const person = await world.user(undefined, old);
    const handle = unique('new');
    return {
      query: RENAME,
      variables: { handle },
      person,
      repeats: ['conflict'],
      rival: () => world.run(RENAME, { handle: old }, person.scope),
      async check() {
        expect([old, handle]).toContain(await handleOf(person));
      },
    };
  },

  async 'taking a former handle back'() {
    const old = unique('old');
    const [person, rival] = [await world.user(undefined, old), await world.user()];
    await world.run(RENAME, { handle: unique('new') }, person.scope);
    return {
      query: RENAME,
      variables: { handle: old },
      person,
      repeats: ['conflict'],
      rival: () => world.run(CLAIM, { handle: old }, rival.scope),
      async check(ok, rivalOk) {
        expect(rivalOk).toBe(false);
        if (ok) expect(await handleOf(person)).toBe(old);
      },
    };
  },

  async 'taking a handle whose hold has ended'() {
    const old = unique('old');
    const [former, person] = [await world.user(undefined, old), await world.user()];
    await world.run(RENAME, { handle: unique('new') }, former.scope);
    world.clock.advance(90 * DAY);
    return {
      query: CLAIM,
      variables: { handle: old },
      person,
      repeats: ['handle_already_claimed', 'handle_taken'],
      rival: () => world.run(RENAME, { handle: old }, former.scope),
      async check(ok, rivalOk) {
        expect([(await handleOf(person)) === old, (await handleOf(former)) === old]).toEqual([ok, rivalOk]);
        expect(ok && rivalOk).toBe(false);
      },
    };
  },

  async 'taking back a handle that a template bears'() {
    const old = unique('old');
    const [person, rival] = [await world.user(undefined, old), await world.user()];
    const stamp = `mutation { internalStampHandle(input: { handle: "${old}" }) { handle } }`;
    field(await world.run(stamp, {}, systemScope('r')), 'internalStampHandle');
    // Twice, so that the owner's own document remembers the handle no longer.
    for (const next of [unique('new'), unique('new')]) {
      await world.run(RENAME, { handle: next }, person.scope);
      world.clock.advance(90 * DAY);
    }
    return {
      query: RENAME,
      variables: { handle: old },
      person,
      repeats: ['conflict'],
      rival: () => world.run(CLAIM, { handle: old }, rival.scope),
      async check(ok, rivalOk) {
        expect([(await handleOf(person)) === old, rivalOk]).toEqual([ok, false]);
      },
    };
  },

  async 'making a team'() {
    const [person, rival] = [await world.user(undefined, unique('owner')), await world.user()];
    const handle = unique('team');
    return {
      query: CREATE_TEAM,
      variables: { handle },
      person,
      repeats: ['handle_taken'],
      rival: () => world.run(CLAIM, { handle }, rival.scope),
      async check(ok, rivalOk) {
        const teams = await world.db.collection('accounts_teams').countDocuments({ handle });
        expect([teams, await handleOf(rival)]).toEqual([ok ? 1 : 0, rivalOk ? handle : null]);
        expect(ok && rivalOk).toBe(false);
      },
    };
  },

  async 'deleting a team'() {
    const [person, member, invited] = [
      await world.user(undefined, unique('owner')),
      await world.user(),
      await world.user(),
    ];
    const handle = unique('team');
    const team = await teamOf(person, handle);
    await world.run(ACCEPT, { id: await invitationTo(person, team, member) }, member.scope);
    const pending = await invitationTo(person, team, invited);
    return {
      query: DELETE_TEAM,
      variables: { identifier: team },
      person,
      repeats: ['not_found'],
      rival: () => world.run(ACCEPT, { id: pending }, invited.scope),
      async check(ok) {
        expect(await storedTeam(team)).toBe(ok ? null : expect.anything());
        const taken = await world.run(CLAIM, { handle }, (await world.user()).scope);
        expect(taken.slug).toBe('handle_taken');
      },
    };
  },

  async 'accepting a membership'() {
    const [owner, person] = [await world.user(undefined, unique('owner')), await world.user()];
    const team = await teamOf(owner);
    return {
      query: ACCEPT,
      variables: { id: await invitationTo(owner, team, person) },
      person,
      repeats: ['invitation_already_resolved'],
      // Whoever was removed after joining must not be brought back by a late second effect.
      rival: () => world.run(REMOVE, { team, user: person.id }, owner.scope),
      async check(ok, removed) {
        const ids = (await storedTeam(team))?.members.map(({ userId }) => userId);
        expect(ids).toEqual(ok && !removed ? [owner.userId, person.userId] : [owner.userId]);
      },
    };
  },

  async 'accepting a membership of a team that fills up'() {
    const { team, invitation, person, fill } = await nearlyFullTeam();
    return {
      query: ACCEPT,
      variables: { id: invitation },
      person,
      repeats: ['invitation_already_resolved', 'quota_exceeded'],
      rival: fill,
      check: () => tookEffectOrNot(team, person, invitation),
    };
  },

  async 'accepting an ownership'() {
    const [owner, person] = [await world.user(undefined, unique('owner')), await world.user()];
    const team = await teamOf(owner);
    return {
      query: ACCEPT,
      variables: { id: await invitationTo(owner, team, person, TRANSFER) },
      person,
      repeats: ['invitation_already_resolved'],
      // The new owner gives the team back before the first process goes on.
      async rival() {
        const invited = await world.run(TRANSFER, { team, user: owner.id }, person.scope);
        if (invited.slug) return invited;
        const { id } = field<{ invitation: { id: string } }>(invited, 'transferTeamOwnership').invitation;
        return world.run(ACCEPT, { id }, owner.scope);
      },
      async check(ok, givenBack) {
        const stored = await storedTeam(team);
        expect(stored?.ownerId).toBe(ok && !givenBack ? person.userId : owner.userId);
        expect(stored?.members).toHaveLength(ok ? 2 : 1);
      },
    };
  },

  async 'accepting a workflow'() {
    const [owner, person] = [await world.user(), await world.user()];
    const workflow = await workflowOf(owner);
    // The slug is taken already where it goes.
    await workflowOf(person, workflow.slug);
    return {
      query: ACCEPT,
      variables: { id: await offer(workflow, owner, person) },
      person,
      repeats: ['invitation_already_resolved'],
      // The new owner gives the workflow back before the first process goes on.
      async rival() {
        const { ownerId } = await storedWorkflow(workflow._id);
        if (ownerId !== person.userId) return { data: {}, slug: 'forbidden', problem: undefined };
        return world.run(ACCEPT, { id: await offer(workflow, person, owner) }, owner.scope);
      },
      async check(ok, givenBack) {
        const stored = await storedWorkflow(workflow._id);
        expect(stored.ownerId).toBe(ok && !givenBack ? person.userId : owner.userId);
        if (ok) expect(stored.slug).toBe(`${workflow.slug}-2`);
      },
    };
  },
};

const LONG_AGO = 16 * SECOND;

async function recover(only?: string): Promise<void> {
  world.clock.advance(LONG_AGO);
  for (const task of world.accounts.tasks) {
    if (only === undefined || task.name === only) await task.run(new AbortController().signal);
  }
}

function play({ query, variables, person }: Scene): Promise<Answer> {
  return world.run(query, variables, person.scope, front.subgraph);
}

/** Cuts fresh copies of the scene before call 0, 1, 2… until one runs through. Returns how many were cut. */
async function atEveryCall(
  open: () => Promise<Scene>,
  goOn: (scene: Scene, cut: Cut) => Promise<void>,
): Promise<number> {
  for (let call = 0; ; call++) {
    const scene = await open();
    const cut = await startCut(front, call, () => play(scene));
    if (!cut) return call;
    await goOn(scene, cut);
  }
}

/** The person tries again, and everything is in order afterwards. */
async function tryAgain({ query, variables, person, repeats, check }: Scene, rivalOk: boolean): Promise<void> {
  expect(await invariants(world)).toEqual([]);
  const again = await world.run(query, variables, person.scope);
  if (again.slug) expect(repeats).toContain(again.slug);
  // It does not tell whether the handle is taken by the first attempt or by the rival.
  if (again.slug !== 'handle_taken') await check?.(true, rivalOk);
  await recover();
  expect(await invariants(world)).toEqual([]);
}

function succeeded(answer: Answer | undefined): boolean {
  return answer !== undefined && answer.slug === undefined;
}

describe.each(Object.entries(SCENES))('%s', (name, open) => {
  it('can be cut off by a crash before any call to the store', async () => {
    const cuts = await atEveryCall(open, async (scene) => {
      await recover();
      await tryAgain(scene, false);
    });
    expect(cuts).toBeGreaterThan(3);
  });

  it('can be cut off, and meet a rival before the recovery', async () => {
    await atEveryCall(open, async (scene) => {
      const rivalOk = succeeded(await scene.rival?.());
      await recover();
      await tryAgain(scene, rivalOk);
    });
  });

  it('can sleep while a rival goes on', async () => {
    await atEveryCall(open, async ({ rival, check }, { running, resume }) => {
      const rivalOk = succeeded(await rival?.());
      resume();
      const ok = succeeded(await running);
      await recover();
      expect(await invariants(world)).toEqual([]);
      await check?.(ok, rivalOk);
    });
  });

  it.each([
    ['the recovery', undefined],
    ['the recovery of handles alone', 'accounts-handles'],
  ])('can sleep while %s and a rival go on', async (_which, task) => {
    // Without the sweep of drafts and the like, the recovery of handles must hold its own. Others have nothing of it.
    if (task !== undefined && name.startsWith('accepting')) return;
    await atEveryCall(open, async ({ rival, check }, { running, resume }) => {
      await recover(task);
      const rivalOk = succeeded(await rival?.());
      await recover(task);
      resume();
      const ok = succeeded(await running);
      await recover();
      expect(await invariants(world)).toEqual([]);
      await check?.(ok, rivalOk);
    });
  });
});

function runTask(name: string, subgraph: Subgraph): Promise<void> {
  const task = subgraph.tasks.find((candidate) => candidate.name === name);
  if (!task) throw new Error(`no task ${name}`);
  return task.run(new AbortController().signal);
}

const ONCE_ACCEPTED = 3;

describe('two recoveries of an acceptance that died', () => {
  it.each([
    ['that found the team full', [0, 1]],
    ['that found room', [1, 0]],
  ])('agree wherever both are cut, also when the one %s goes on first', async (_which, order) => {
    const recovery = ({ subgraph }: CutProcess) => runTask('accounts-invitations', subgraph);
    for (let full = 0; ; full++) {
      for (let room = 0; ; room++) {
        const { team, person, invitation, fill, leave } = await nearlyFullTeam();
        const scene = { query: ACCEPT, variables: { id: invitation }, person, repeats: [] };
        expect(await startCut(front, ONCE_ACCEPTED, () => play(scene))).not.toBeNull();
        await fill();
        world.clock.advance(LONG_AGO);
        const foundFull = await startCut(front, full, () => recovery(front));
        if (!foundFull) return expect(full).toBeGreaterThan(5);
        await leave();
        const foundRoom = await startCut(back, room, () => recovery(back));
        for (const i of order) {
          const cut = [foundFull, foundRoom][i];
          cut?.resume();
          await cut?.running;
        }
        await recover();
        expect(await invariants(world)).toEqual([]);
        await tookEffectOrNot(team, person, invitation);
        if (!foundRoom) break;
      }
    }
  });
});

describe('signing in', () => {
  it('can be cut off before any call: another code makes the account, once', async () => {
    for (let call = 0; ; call++) {
      const email = `${unique('cut')}@example.com`;
      await world.run(REGISTER, { email });
      const code = await world.code(email);
      const verify = () => world.run(VERIFY_REGISTRATION, { email, code }, anonymous(), front.subgraph);
      if (!(await startCut(front, call, verify))) return expect(call).toBeGreaterThan(3);
      await world.run(LOGIN, { email });
      await world.run(REGISTER, { email });
      expect((await world.run(VERIFY_REGISTRATION, { email, code: await world.code(email) })).slug).toBeUndefined();
      expect(await world.db.collection('accounts_users').countDocuments({ email })).toBe(1);
    }
  });
});

describe('the mail about an invitation', () => {
  it('is sent at least once, wherever the sender dies', async () => {
    for (let call = 0; ; call++) {
      const [owner, person] = [await world.user(undefined, unique('owner')), await world.user()];
      await invitationTo(owner, await teamOf(owner), person);
      const cut = await startCut(back, call, () => runTask('accounts-invitation-mails', back.subgraph));
      if (cut) await world.runTasks();
      expect(world.inbox.mails.filter(({ to }) => to === person.email).length).toBeGreaterThan(0);
      if (!cut) return expect(call).toBeGreaterThan(2);
    }
  });
});
