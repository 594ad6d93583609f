/** Who may do what with a workflow that is shared, and with the verifiers that it pins. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkflowDocument } from '../../subgraphs/registry/workflow/workflow.model.js';
import { interruptible } from '../accounts/support/interrupt.js';
import { RENAME } from '../accounts/support/operations.js';
import { type Person, unique } from '../accounts/support/world.js';
import { stagesOf } from '../support/database.js';
import {
  bare,
  bareWorkflow,
  handOf,
  openWorkflowWorld,
  SAVE,
  verifierRight,
  type WorkflowWorld,
} from './support/world.js';

let world: WorkflowWorld;
let owner: Person;
let guest: Person;
let stranger: Person;

beforeAll(async () => {
  world = await openWorkflowWorld();
  owner = await person();
  guest = await person();
  stranger = await person();
});
afterAll(() => world?.close());

const person = (handle = unique('p')) => world.accounts.user(undefined, handle);
const handle = ({ scope }: Person) => `@${scope.caller?.handle}`;

/** A workflow at its second version, and what several people do with it. */
async function made(input: object = {}) {
  const first = await world.save(owner, input);
  const { data } = await world.save(owner, {
    workflowId: first.data.id,
    expectedVersionToken: first.data.versionToken,
    body: 'second',
    ...input,
  });
  const by = (someone: Person) => handOf(world, someone, data.id);
  return { id: data.id as string, token: data.versionToken as string, by, mine: by(owner), theirs: by(guest) };
}

const oneGrant = async (mine: ReturnType<typeof handOf>) => (await mine.grants()).nodes[0];

it('a save during which the workflow changes hands goes by what its saver may do after that', async () => {
  const team = await world.team(owner);
  const workflows = world.accounts.db.collection<WorkflowDocument>('registry_workflows');
  const pausing = interruptible(world.accounts.db);
  const ask = await world.registryOn(pausing.db);
  for (let call = 0; ; call++) {
    const { id, token, mine } = await made({ name: unique('workflow') });
    await mine.grant(team.id, 'admin');
    const { interrupted, resume } = pausing.interruptBefore(call);
    const input = { workflowId: id, expectedVersionToken: token, name: 'saved', body: 'third' };
    const saving = ask(SAVE, { input }, owner);
    const ended = await Promise.race([saving.then(() => true), interrupted.then(() => false)]);
    const moved = await workflows.updateOne({ _id: bareWorkflow(id) }, { $set: { ownerId: guest.userId } });
    expect(moved.matchedCount).toBe(1);
    resume();
    const { data, problem } = await saving;
    expect([data?.saveWorkflow.workflow.currentVersion, problem]).toEqual([3, undefined]);
    if (!ended) continue;
    expect(call).toBeGreaterThan(2);
    break;
  }
});

describe('a grant', () => {
  it('names a user by id, e-mail address or handle, and a team by id or handle', async () => {
    const team = await world.team(stranger);
    for (const named of [guest.id, guest.userId, guest.email.toUpperCase(), handle(guest), handle(guest).slice(1)]) {
      const { mine } = await made();
      expect((await mine.grant(named, 'view')).grant).toMatchObject({
        granteeType: 'USER',
        granteeIdentifier: handle(guest),
        role: 'VIEW',
        isViaTeam: false,
      });
      expect((await mine.revoke(named)).revoked).toBe(true);
    }
    for (const named of [team.id, `@${team.handle}`]) {
      const { mine } = await made();
      expect((await mine.grant(named, 'edit')).grant).toMatchObject({
        granteeType: 'TEAM',
        granteeIdentifier: `@${team.handle}`,
        isViaTeam: true,
      });
    }
  });

  it('of somebody who is not there is user_not_found, and one to the owner a conflict', async () => {
    const { mine } = await made();
    for (const named of ['nobody@example.com', '@nobody', 'usr_01900000-0000-7000-8000-000000000000', '::']) {
      expect(await mine.grant(named, 'view')).toBe('user_not_found');
      expect(await mine.revoke(named)).toBe('user_not_found');
    }
    expect(await mine.grant(owner.id, 'view')).toBe('conflict');
    expect(await mine.grant(' ', 'view')).toBe('validation_error');
    expect(await mine.revoke(guest.id)).toBe('not_found');
  });

  it('shows a user without a handle by id, never by e-mail address', async () => {
    const { mine } = await made();
    const nameless = await world.accounts.user();
    await mine.grant(nameless.email, 'view');
    expect((await mine.grants()).nodes).toEqual([
      {
        granteeType: 'USER',
        granteeIdentifier: nameless.id,
        role: 'VIEW',
        oldestVersion: 2,
        grantedBy: { id: owner.id },
        isViaTeam: false,
      },
    ]);
  });

  it('follows its grantee through a change of handle', async () => {
    const { mine, by } = await made();
    const renamer = await person();
    await mine.grant(handle(renamer), 'view');
    const renamed = unique('renamed');
    await world.accounts.run(RENAME, { handle: renamed }, renamer.scope);
    expect((await oneGrant(mine)).granteeIdentifier).toBe(`@${renamed}`);
    expect((await by(renamer).read()).effectiveRole).toBe('VIEW');
    expect((await mine.revoke(`@${renamed}`)).revoked).toBe(true);
  });

  it('can be given by the owner and by who has admin, and by nobody else', async () => {
    const { mine, theirs, by } = await made();
    const other = await person();
    expect(await by(stranger).grant(other.id, 'view')).toBe('not_found');
    for (const role of ['view', 'edit']) {
      await mine.grant(guest.id, role);
      for (const refused of [
        await theirs.grant(other.id, 'view'),
        await theirs.grants(),
        await theirs.revoke(guest.id),
      ]) {
        expect(refused).toBe('forbidden');
      }
    }
    await mine.grant(guest.id, 'admin');
    expect((await theirs.grant(other.id, 'admin')).grant.role).toBe('ADMIN');
    expect((await theirs.grants()).nodes).toHaveLength(2);
    expect((await theirs.revoke(other.id)).revoked).toBe(true);
    expect(await theirs.grant(other.id, 'owner').catch((error: Error) => error.message)).toMatch(/GrantRole/);
  });

  it('says nothing of who has an account to whoever may not share the workflow', async () => {
    const { mine, theirs, by } = await made();
    await mine.grant(guest.id, 'edit');
    for (const named of [stranger.email, 'nobody@example.com']) {
      expect(await theirs.grant(named, 'view')).toBe('forbidden');
      expect(await theirs.revoke(named)).toBe('forbidden');
      expect(await by(stranger).grant(named, 'view')).toBe('not_found');
    }
  });

  it('lets view read, edit save and admin share, and leaves archiving and erasing to the owner', async () => {
    const { id, mine, theirs, token } = await made();
    const other = await person();
    await mine.grant(guest.id, 'view');
    expect(await theirs.read()).toMatchObject({ effectiveRole: 'VIEW', versionToken: null });
    expect(await theirs.save({ expectedVersionToken: token })).toBe('forbidden');
    await mine.grant(guest.id, 'edit');
    expect((await theirs.read()).versionToken).toBe(token);
    const saved = await theirs.save({ expectedVersionToken: token, body: 'third' });
    expect(saved).toMatchObject({ currentVersion: 3, effectiveRole: 'EDIT' });
    expect((await mine.read()).version.body).toBe('third');
    await mine.grant(guest.id, 'admin');
    await theirs.grant(other.id, 'view');
    const ends = ['archiveWorkflow', 'unarchiveWorkflow', 'deleteWorkflow'];
    for (const mutation of ends) {
      const query = `mutation($input: WorkflowInput!) { ${mutation}(input: $input) { __typename } }`;
      expect((await world.ask(query, { input: { id } }, guest)).problem.error).toBe('forbidden');
    }
  });

  it('is kept in number', async () => {
    const { id, mine } = await made();
    const many = Array.from({ length: 499 }, (_, i) => ({
      _id: `0${i}`,
      granteeType: 'USER',
      granteeId: `nobody ${i}`,
      role: 'view',
      floor: 1,
      grantedBy: owner.userId,
      grantedAt: new Date(),
    }));
    const workflows = world.accounts.db.collection<WorkflowDocument>('registry_workflows');
    await workflows.updateOne({ _id: id.slice(3) }, { $set: { grants: many as never } });
    const [one, other] = [await person(), await person()];
    const races = await Promise.all([mine.grant(one.id, 'view'), mine.grant(other.id, 'view')]);
    expect(races.filter((answer) => answer === 'quota_exceeded')).toHaveLength(1);
    expect((await workflows.findOne({ _id: id.slice(3) }))?.grants).toHaveLength(500);
  });

  it('races with others for one grantee without a second entry, and is not lost among those for several', async () => {
    const { mine } = await made();
    await Promise.all(['view', 'edit', 'admin', 'view'].map((role) => mine.grant(guest.id, role)));
    expect((await mine.grants()).nodes).toHaveLength(1);
    const many = await Promise.all(Array.from({ length: 5 }, () => person()));
    await Promise.all(many.map((one) => mine.grant(one.id, 'view')));
    expect((await mine.grants()).nodes).toHaveLength(6);
  });
});

describe('the floor', () => {
  it('is the version that was current when it was granted, and hides what was before', async () => {
    const { mine, theirs, token } = await made();
    await mine.grant(guest.id, 'view');
    await mine.save({ expectedVersionToken: token, body: 'third' });
    const read = await theirs.read();
    expect(read.currentVersion).toBe(3);
    expect(read.versions.nodes).toEqual([{ version: 3 }, { version: 2 }]);
    expect(await theirs.read(1)).toBe('not_found');
    expect((await theirs.read(2)).version.body).toBe('second');
  });

  it('is lifted by include_history, kept by a later role, and lowered by a later include_history', async () => {
    const { mine, theirs, token } = await made();
    expect((await mine.grant(guest.id, 'view', true)).grant.oldestVersion).toBe(1);
    await mine.revoke(guest.id);
    await mine.grant(guest.id, 'view');
    await mine.save({ expectedVersionToken: token, body: 'third' });
    expect((await mine.grant(guest.id, 'edit')).grant).toMatchObject({ oldestVersion: 2, role: 'EDIT' });
    expect((await mine.grant(guest.id, 'view', false)).grant).toMatchObject({ oldestVersion: 2, role: 'VIEW' });
    expect(await theirs.read(1)).toBe('not_found');
    expect((await mine.grant(guest.id, 'view', true)).grant.oldestVersion).toBe(1);
    expect((await theirs.read(1)).version.version).toBe(1);
  });

  it('of who shares is the least that they can give', async () => {
    const { mine, theirs, by } = await made();
    await mine.grant(guest.id, 'admin');
    const other = await person();
    expect((await theirs.grant(other.id, 'view', true)).grant.oldestVersion).toBe(2);
    expect((await theirs.grant(guest.id, 'admin', true)).grant.oldestVersion).toBe(2);
    expect(await by(other).read(1)).toBe('not_found');
  });

  it('is that of the moment at which the grant is written, not of the one at which it was asked for', async () => {
    const { id, mine, theirs, token } = await made();
    const dying = interruptible(world.accounts.db);
    const slow = await world.registryOn(dying.db);
    // The reads of the decision come before the write.
    for (let call = 0; call < 6; call++) {
      await mine.revoke(guest.id);
      const { interrupted, resume } = dying.interruptBefore(call);
      const granting = handOf({ ...world, ask: slow }, owner, id).grant(guest.id, 'view');
      const reached = await Promise.race([interrupted.then(() => true), granting.then(() => false)]);
      if (!reached) return expect(call).toBeGreaterThan(2);
      const { versionToken, currentVersion } = await mine.read();
      await mine.save({ expectedVersionToken: versionToken, body: `${call}` });
      resume();
      expect((await granting).grant.oldestVersion).toBe(currentVersion + 1);
      expect(await theirs.read(currentVersion)).toBe('not_found');
    }
    expect(token).toBeDefined();
  });
});

describe('a team', () => {
  it('gives its members what it was granted, from when they join until they leave', async () => {
    const { mine, by } = await made();
    const [lead, member] = [await person(), await person()];
    const team = await world.team(lead);
    await mine.grant(`@${team.handle}`, 'edit', true);
    expect((await by(lead).read()).effectiveRole).toBe('EDIT');
    expect(await by(member).read()).toBe('not_found');
    await world.join(team, member);
    expect(await by(member).read(1)).toMatchObject({ effectiveRole: 'EDIT' });
    await world.quit(team, member);
    expect(await by(member).read()).toBe('not_found');
    expect((await by(member).list({ filter: 'SHARED_WITH_ME' })).nodes).toEqual([]);
    await world.deleteTeam(team);
    expect(await by(lead).read()).toBe('not_found');
    expect((await oneGrant(mine)).granteeIdentifier).toBe(team.id);
    expect((await mine.revoke(team.id)).revoked).toBe(true);
  });

  it('adds to what its members have themselves: of each the most', async () => {
    const { mine, by, token } = await made();
    const [lead, member] = [await person(), await person()];
    const team = await world.team(lead);
    await world.join(team, member);
    await mine.grant(member.id, 'view', true);
    await mine.save({ expectedVersionToken: token, body: 'third' });
    await mine.grant(team.id, 'admin');
    const read = await by(member).read();
    expect(read.effectiveRole).toBe('ADMIN');
    expect(read.versions.nodes).toHaveLength(3);
    expect(await by(member).leave()).toMatchObject({ removedDirectGrants: 1 });
    expect((await by(member).read()).versions.nodes).toEqual([{ version: 3 }]);
    expect(await by(member).leave()).toMatchObject({ removedDirectGrants: 0 });
  });
});

describe('leaving', () => {
  it('gives up one’s own grant alone, and is not for the owner or strangers', async () => {
    const { mine, theirs, by } = await made();
    const other = await person();
    await mine.grant(guest.id, 'view');
    await mine.grant(other.id, 'view');
    expect(await mine.leave()).toBe('conflict');
    expect(await by(stranger).leave()).toBe('not_found');
    expect((await theirs.leave()).removedDirectGrants).toBe(1);
    expect(await theirs.read()).toBe('not_found');
    expect(await theirs.leave()).toBe('not_found');
    expect((await by(other).read()).effectiveRole).toBe('VIEW');
  });
});

describe('the lists', () => {
  it('of workflows hold what is one’s own, what is shared, or both, once each and page by page', async () => {
    const [me, other] = [await person(), await person()];
    const team = await world.team(other);
    await world.join(team, me);
    const expected: { id: string; effectiveRole: string }[] = [];
    for (let i = 0; i < 6; i++) {
      const { data } = await world.save(i % 2 ? me : other, { tags: [i < 3 ? 'early' : 'late'] });
      expected.unshift({ id: data.id, effectiveRole: i % 2 ? 'OWNER' : 'EDIT' });
      if (i % 2) continue;
      await handOf(world, other, data.id).grant(me.id, 'view');
      await handOf(world, other, data.id).grant(team.id, 'edit');
    }
    const { list } = handOf(world, me, '');
    expect((await list({ filter: 'ALL' })).nodes).toEqual(expected);
    expect((await list({})).nodes).toEqual(expected);
    const shared = expected.filter(({ effectiveRole }) => effectiveRole === 'EDIT');
    expect((await list({ filter: 'SHARED_WITH_ME' })).nodes).toEqual(shared);
    expect((await list({ filter: 'MINE' })).nodes).toEqual(expected.filter((one) => !shared.includes(one)));
    expect((await list({ filter: 'SHARED_WITH_ME', tag: 'early' })).nodes).toEqual(shared.slice(1));
    expect((await list({ filter: 'ALL', search: 'early' })).nodes).toEqual(expected.slice(3));
    const paged = [];
    for (let after: string | null = null, page = 0; page === 0 || after !== null; page++) {
      const found = await list({ filter: 'ALL', first: 2, after });
      paged.push(...found.nodes);
      after = found.nextCursor;
    }
    expect(paged).toEqual(expected);
    const [archived] = shared;
    const archive = 'mutation($input: WorkflowInput!) { archiveWorkflow(input: $input) { workflow { id } } }';
    await world.ask(archive, { input: { id: archived?.id } }, other);
    expect((await list({ filter: 'SHARED_WITH_ME' })).nodes).toEqual(shared.slice(1));
    expect((await list({ filter: 'SHARED_WITH_ME', includeArchived: true })).nodes).toEqual(shared);
  });

  it('of grants are paginated in the order of granting', async () => {
    const { mine } = await made();
    const names = [];
    for (let i = 0; i < 5; i++) {
      const one = await person();
      names.push(handle(one));
      await mine.grant(one.id, 'view');
    }
    const seen: string[] = [];
    for (let after: string | null = null, page = 0; page === 0 || after !== null; page++) {
      const found = await mine.grants({ first: 2, after });
      seen.push(...found.nodes.map(({ granteeIdentifier }: { granteeIdentifier: string }) => granteeIdentifier));
      after = found.nextCursor;
    }
    expect(seen).toEqual(names);
  });
});

describe('a pinned verifier', () => {
  const right = (someone: Person, id: string) => verifierRight(world, someone, id);
  const pinned = (id: string, version?: number) => ({ verifiers: [{ name: 'clear', verifierId: id, version }] });

  it('is run by who may read the workflow and seen by who may save it, as long as they may', async () => {
    const id = await world.verifier(owner);
    const { mine, theirs } = await made(pinned(id));
    expect(await right(guest, id)).toBe('not_found');
    await mine.grant(guest.id, 'view');
    expect(await right(guest, id)).toBe('exec');
    await mine.grant(guest.id, 'edit');
    expect(await right(guest, id)).toBe('tune');
    await mine.grant(guest.id, 'view');
    expect(await right(guest, id)).toBe('exec');
    await theirs.leave();
    expect(await right(guest, id)).toBe('not_found');
  });

  it('is reached from when a version pins it until one does not', async () => {
    const id = await world.verifier(owner);
    const { mine, token } = await made();
    await mine.grant(guest.id, 'view', true);
    const with_ = await mine.save({ expectedVersionToken: token, ...pinned(id) });
    expect(await right(guest, id)).toBe('exec');
    const kept = await mine.save({ expectedVersionToken: with_.versionToken });
    expect(await right(guest, id)).toBe('exec');
    await mine.save({ expectedVersionToken: kept.versionToken, verifiers: [] });
    expect(await right(guest, id)).toBe('not_found');
  });

  it('of another is not handed out by naming it, and is once its owner puts it in', async () => {
    const id = await world.verifier(owner);
    const source = await made(pinned(id));
    await source.mine.grant(guest.id, 'view');
    // The guest may run it, so they may pin it; that gives nobody anything.
    const theirs = (await world.save(guest, pinned(id))).data;
    const thirdHand = await person();
    await handOf(world, guest, theirs.id).grant(thirdHand.id, 'view');
    expect(await right(thirdHand, id)).toBe('not_found');
    await handOf(world, guest, theirs.id).grant(owner.id, 'edit');
    const saved = await handOf(world, owner, theirs.id).save({
      expectedVersionToken: theirs.versionToken,
      ...pinned(id),
    });
    expect(saved.currentVersion).toBe(2);
    expect(await right(thirdHand, id)).toBe('exec');
    // Another editor moves the pin to a version of it: it still is what its owner put in.
    await handOf(world, guest, theirs.id).save({ expectedVersionToken: saved.versionToken, ...pinned(id, 1) });
    expect(await right(thirdHand, id)).toBe('exec');
    expect(await right(guest, id)).toBe('tune');
  });

  it('that an editor brings is shared with the owner of the workflow and everybody in it', async () => {
    const { mine, theirs, token, by } = await made();
    await mine.grant(guest.id, 'edit');
    const id = await world.verifier(guest);
    await theirs.save({ expectedVersionToken: token, ...pinned(id) });
    expect(await right(owner, id)).toBe('tune');
    const reader = await person();
    await mine.grant(reader.id, 'view');
    expect(await right(reader, id)).toBe('exec');
    expect((await by(reader).read()).version.verifiers).toEqual([{ verifierId: id }]);
  });

  it('is found by its name: one’s own first, else the only one that is reached, else none can be meant', async () => {
    const name = unique('clarity');
    const [me, one, two] = [await person(), await person(), await person()];
    const [first, second] = [await world.verifier(one, name), await world.verifier(two, name)];
    const workflows = [];
    for (const [who, id] of [[one, first] as const, [two, second] as const]) {
      const { data } = await world.save(who, pinned(id));
      workflows.push(handOf(world, who, data.id));
    }
    expect(await right(me, name)).toBe('not_found');
    await workflows[0]?.grant(me.id, 'edit');
    const shown = await world.ask('query($id: ID!) { verifier(id: $id) { id } }', { id: name }, me);
    expect(shown.data.verifier.id).toBe(first);
    await workflows[1]?.grant(me.id, 'edit');
    expect(await right(me, name)).toBe('conflict');
    // What can only be run is not among what could be seen.
    await workflows[1]?.grant(me.id, 'view');
    expect(await right(me, name)).toBe('tune');
    const own = await world.verifier(me, name);
    const seen = await world.ask('query($id: ID!) { verifier(id: $id) { id } }', { id: name }, me);
    expect(seen.data.verifier.id).toBe(own);
  });

  it('goes with an erased workflow, and with the verifier’s own end', async () => {
    const id = await world.verifier(owner);
    const one = await made(pinned(id));
    const two = await made(pinned(id));
    await one.mine.grant(guest.id, 'edit');
    await two.mine.grant(guest.id, 'view');
    expect(await right(guest, id)).toBe('tune');
    const erase = 'mutation($input: WorkflowInput!) { deleteWorkflow(input: $input) { deleted } }';
    await world.ask(erase, { input: { id: one.id } }, owner);
    expect(await right(guest, id)).toBe('exec');
    const revoke = 'mutation($input: RevokeVerifierInput!) { revokeVerifier(input: $input) { status } }';
    await world.ask(revoke, { input: { verifier: id } }, owner);
    expect(await right(guest, id)).toBe('not_found');
  });
});

describe('the store', () => {
  it('is asked the same of what is another’s and of what is missing', async () => {
    const id = await world.verifier(owner);
    const { id: private_ } = await made({ verifiers: [{ name: 'v', verifierId: id }] });
    const missing = 'wf_01900000-0000-7000-8000-00000000000a';
    const asked = async (workflow: string, verifier: string) => {
      const { commands } = await world.accounts.commands.during(async () => {
        const hand = handOf(world, stranger, workflow);
        for (const answer of [await hand.read(), await hand.read(1), await hand.leave(), await hand.grants()]) {
          expect(answer).toBe('not_found');
        }
        expect(await hand.save({ expectedVersionToken: 'x' })).toBe('not_found');
        expect(await verifierRight(world, stranger, verifier)).toBe('not_found');
      });
      const text = commands.map(({ commandName, command }) => {
        const { lsid: _lsid, ...rest } = command;
        return `${commandName} ${JSON.stringify(rest)}`;
      });
      // Embeddings of what was saved are made meanwhile.
      const own = text.filter((line) => !line.includes('embedding'));
      return own.map((line) => line.replaceAll(workflow.slice(3), 'W').replaceAll(bare(verifier), 'V'));
    };
    expect(await asked(private_, id)).toEqual(await asked(missing, 'vrf_01900000-0000-7000-8000-00000000000b'));
  });

  it('is asked through indexes alone', async () => {
    const id = await world.verifier(owner);
    const team = await world.team(guest);
    const { mine, theirs, by } = await made({ verifiers: [{ name: 'v', verifierId: id }] });
    const { commands } = await world.accounts.commands.during(async () => {
      await mine.grant(team.id, 'view');
      await theirs.read();
      for (const filter of ['ALL', 'SHARED_WITH_ME', 'MINE']) {
        await theirs.list({ filter, first: 2 });
        await theirs.list({ filter, first: 2, includeArchived: true, search: 'workflow' });
        await theirs.list({ filter, first: 2, tag: 't' });
      }
      await verifierRight(world, guest, id);
      await verifierRight(world, guest, unique('no-such-name'));
      await mine.grants();
      await mine.revoke(team.id);
      await by(stranger).leave();
    });
    const reads = commands.filter(({ commandName }) => ['find', 'distinct', 'findAndModify'].includes(commandName));
    expect(reads.length).toBeGreaterThan(20);
    for (const { command } of reads) {
      const { lsid: _lsid, $db: _db, writeConcern: _w, ...bareCommand } = command;
      const plan = await world.accounts.db.command({ explain: bareCommand, verbosity: 'queryPlanner' });
      expect(stagesOf(plan), JSON.stringify(bareCommand)).not.toContain('COLLSCAN');
      const winner = plan['queryPlanner'].winningPlan;
      expect(stagesOf(winner), JSON.stringify(bareCommand)).not.toContain('SORT');
      // That index sorts too, by reading everybody's.
      if (command['sort']) expect(JSON.stringify(winner), JSON.stringify(bareCommand)).not.toContain('"_id_"');
    }
  });
});
