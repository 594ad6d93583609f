import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { systemScope } from '../../platform/scope.js';
import { invariants } from './support/invariants.js';
import { CLAIM, CREATE_TEAM, DELETE_TEAM, ME, RENAME, USER } from './support/operations.js';
import { anonymous, DAY, field, openWorld, type Person, SECOND, slugs, unique, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => {
  expect(await invariants(world)).toEqual([]);
  await world.close();
});

const RESOLVE =
  'query ($handle: String!) { internalResolveHandle(handle: $handle) { ownerType ownerId handle redirected } }';
const STAMP = `mutation ($handle: String!) {
  internalStampHandle(input: { handle: $handle }) { handle ownerType ownerId }
}`;

const claim = (person: Person, handle: string) => world.run(CLAIM, { handle }, person.scope);
const rename = (person: Person, handle: string) => world.run(RENAME, { handle }, person.scope);
const resolve = async (handle: string) =>
  field<{ ownerId: string; handle: string; redirected: boolean } | null>(
    await world.run(RESOLVE, { handle }, systemScope('r')),
    'internalResolveHandle',
  );

describe('claiming a handle', () => {
  it('gives it to the caller, and the rest of the request shows it', async () => {
    const person = await world.user();
    const handle = unique('me');
    const query = `mutation { claimHandle(input: { handle: "${handle}" }) { handle claimedAt user { id handle email } } }`;
    expect((await world.run(query, {}, person.scope)).data).toEqual({
      claimHandle: {
        handle,
        claimedAt: world.clock.now().toISOString(),
        user: { id: person.id, handle, email: person.email },
      },
    });
    expect(world.changed.at(-1)).toBe(person.userId);
    const found = await world.run(USER, { identifier: `@${handle}` }, person.scope);
    expect(found.data).toMatchObject({ user: { id: person.id, handle } });
  });

  it('shows the new state to later fetches that share the request', async () => {
    const person = await world.user();
    const context = world.accounts.context(person.scope) as { users: { load(id: string): Promise<unknown> } };
    const { execute, parse } = await import('graphql');
    const handle = unique('me');
    const run = (query: string) =>
      execute({ schema: world.accounts.schema, document: parse(query), contextValue: context, rootValue: {} });
    await run(`mutation { claimHandle(input: { handle: "${handle}" }) { handle } }`);
    expect(await run(ME)).toMatchObject({ data: { me: { handle } } });
  });

  it.each([
    '',
    'ab',
    '-ab',
    'ab-',
    'Upper',
    'under_score',
    'dot.ted',
    'sp ace',
    '@ada',
    'a'.repeat(41),
    'ümlaut',
    newId(),
  ])('refuses %j as no handle', async (handle) => {
    expect((await claim(await world.user(), handle)).slug).toBe('handle_invalid');
  });

  it.each(['abc', `a${'-'.repeat(38)}b`, '1-2', '000'])('takes %j', async (handle) => {
    expect((await claim(await world.user(), handle)).slug).toBeUndefined();
  });

  it.each(['admin', 'api', 'system', 'graphql', 'mcp', 'support', 'www', 'acme'])(
    'keeps %s reserved',
    async (handle) => {
      expect((await claim(await world.user(), handle)).slug).toBe('handle_reserved');
    },
  );

  it('works once for a user', async () => {
    const person = await world.user();
    const handle = unique('first');
    await claim(person, handle);
    expect((await claim(person, unique('second'))).slug).toBe('handle_already_claimed');
    expect((await claim(person, handle)).slug).toBe('handle_already_claimed');
  });

  it('needs a caller', async () => {
    expect((await world.run(CLAIM, { handle: 'abcd' }, anonymous())).slug).toBe('auth_required');
  });

  it('lets one of 200 concurrent claimants win', async () => {
    const people = await Promise.all(Array.from({ length: 200 }, () => world.user()));
    const handle = unique('contested');
    const answers = await Promise.all(people.map((person) => claim(person, handle)));
    expect(slugs(answers)).toEqual({ ok: 1, handle_taken: 199 });
    const winner = people[answers.findIndex(({ slug }) => slug === undefined)];
    expect(await resolve(handle)).toMatchObject({ ownerId: winner?.userId, redirected: false });
    expect(await world.db.collection('accounts_users').countDocuments({ handle })).toBe(1);
  });

  it('lets a user who claims 50 handles at once have one, and frees the others', async () => {
    const person = await world.user();
    const handles = Array.from({ length: 50 }, () => unique('greedy'));
    const answers = await Promise.all(handles.map((handle) => claim(person, handle)));
    expect(slugs(answers)).toEqual({ ok: 1, handle_already_claimed: 49 });
    const left = world.db.collection<{ _id: string }>('accounts_handles').find({ _id: { $in: handles } });
    expect(await left.toArray()).toHaveLength(1);
  });

  it('answers one of several equal claims of one user with success', async () => {
    const person = await world.user();
    const handle = unique('double');
    const answers = await Promise.all(Array.from({ length: 20 }, () => claim(person, handle)));
    expect(slugs(answers)).toEqual({ ok: 1, handle_already_claimed: 19 });
    expect(await resolve(handle)).toMatchObject({ ownerId: person.userId });
  });

  it('shares one namespace with teams', async () => {
    const owner = await world.user(undefined, unique('owner'));
    const handle = unique('shared');
    await world.run(CREATE_TEAM, { handle }, owner.scope);
    expect((await claim(await world.user(), handle)).slug).toBe('handle_taken');
    expect((await world.run(CREATE_TEAM, { handle: owner.scope.caller?.handle }, owner.scope)).slug).toBe(
      'handle_taken',
    );
  });
});

describe('renaming a handle', () => {
  async function named(): Promise<{ person: Person; handle: string }> {
    const handle = unique('old');
    return { person: await world.user(undefined, handle), handle };
  }

  it('changes it, and the old one leads to the new one for 90 days', async () => {
    const { person, handle } = await named();
    const next = unique('new');
    const answer = await rename(person, next);
    expect(answer.data).toEqual({
      renameHandle: {
        handle: next,
        claimedAt: world.clock.now().toISOString(),
        renamed: true,
        selfReclaim: false,
        user: { handle: next },
      },
    });
    expect(world.changed.at(-1)).toBe(person.userId);
    expect(await resolve(next)).toMatchObject({ ownerId: person.userId, handle: next, redirected: false });
    expect(await resolve(`@${handle.toUpperCase()}`)).toMatchObject({ handle: next, redirected: true });
    expect((await world.run(USER, { identifier: handle }, person.scope)).slug).toBe('user_not_found');
    world.clock.advance(90 * DAY);
    expect(await resolve(handle)).toBeNull();
  });

  it('needs a handle, a valid and free one, and another one', async () => {
    const { person, handle } = await named();
    expect((await rename(await world.user(), unique('x'))).slug).toBe('handle_not_claimed');
    expect((await rename(person, 'No')).slug).toBe('handle_invalid');
    expect((await rename(person, 'admin')).slug).toBe('handle_reserved');
    expect((await rename(person, handle)).slug).toBe('conflict');
    expect((await rename(person, (await named()).handle)).slug).toBe('handle_taken');
    // None of that counted.
    expect((await rename(person, unique('new'))).slug).toBeUndefined();
  });

  it('is possible once in a rolling 90 days', async () => {
    world.clock.set('2027-02-01T00:00:00Z');
    const { person } = await named();
    await rename(person, unique('one'));
    world.clock.advance(90 * DAY - 1);
    expect((await rename(person, unique('two'))).problem?.toBody()).toMatchObject({
      error: 'handle_rename_too_soon',
      retry_after: 1,
    });
    world.clock.advance(1);
    expect((await rename(person, unique('two'))).slug).toBeUndefined();
    expect((await rename(person, unique('three'))).problem?.toBody()).toMatchObject({
      retry_after: (90 * DAY) / SECOND,
    });
  });

  it('is possible three times in a calendar year of UTC', async () => {
    world.clock.set('2028-01-01T00:00:00Z');
    const { person } = await named();
    for (let i = 0; i < 3; i++) {
      expect((await rename(person, unique('n'))).slug).toBeUndefined();
      world.clock.advance(90 * DAY);
    }
    // 2028-09-27: the pause is over, the year is not.
    const refused = await rename(person, unique('n'));
    expect(refused.problem?.toBody()).toMatchObject({
      error: 'handle_rename_limit_exceeded',
      retry_after: (Date.UTC(2029, 0, 1) - world.clock.now().getTime()) / SECOND,
    });
    world.clock.set('2028-12-31T23:59:59.999Z');
    expect((await rename(person, unique('n'))).problem?.toBody()).toMatchObject({ retry_after: 1 });
    world.clock.set('2029-01-01T00:00:00Z');
    expect((await rename(person, unique('n'))).slug).toBeUndefined();
  });

  it('counts a rename for the year in which it happened, and says when both limits are past', async () => {
    world.clock.set('2030-01-05T00:00:00Z');
    const { person } = await named();
    await rename(person, unique('n'));
    world.clock.set('2030-07-01T00:00:00Z');
    await rename(person, unique('n'));
    world.clock.set('2030-12-20T00:00:00Z');
    await rename(person, unique('n'));
    world.clock.advance(DAY);
    const soon = await rename(person, unique('n'));
    expect(soon.problem?.toBody()).toMatchObject({ error: 'handle_rename_too_soon', retry_after: (89 * DAY) / SECOND });
    world.clock.set('2031-03-20T00:00:00Z');
    for (const time of ['2031-03-20T00:00:00Z', '2031-07-01T00:00:00Z', '2031-10-01T00:00:00Z']) {
      world.clock.set(time);
      expect((await rename(person, unique('n'))).slug, time).toBeUndefined();
    }
  });

  it('gives a former handle back at any time in the 90 days, counted by neither limit', async () => {
    world.clock.set('2032-02-01T00:00:00Z');
    const { person, handle: first } = await named();
    const second = unique('second');
    await rename(person, second);
    for (const handle of [first, second, first, second, first]) {
      world.clock.advance(1000);
      const answer = await rename(person, handle);
      expect(answer.data).toMatchObject({ renameHandle: { handle, renamed: true, selfReclaim: true } });
    }
    expect(await resolve(second)).toMatchObject({ handle: first, redirected: true });
    expect((await rename(person, unique('third'))).slug).toBe('handle_rename_too_soon');
    // The pause runs from the one rename that counted.
    world.clock.set('2032-05-01T00:00:00Z');
    expect((await rename(person, unique('third'))).data).toMatchObject({ renameHandle: { selfReclaim: false } });
  });

  it('counts taking a former handle back after its 90 days', async () => {
    world.clock.set('2033-02-01T00:00:00Z');
    const { person, handle } = await named();
    await rename(person, unique('next'));
    world.clock.advance(90 * DAY);
    expect((await rename(person, handle)).data).toMatchObject({ renameHandle: { selfReclaim: false } });
    expect((await rename(person, unique('other'))).slug).toBe('handle_rename_too_soon');
  });

  it('keeps a former handle from others for 90 days and no longer', async () => {
    const { person, handle } = await named();
    await rename(person, unique('next'));
    world.clock.advance(90 * DAY - 1);
    const stranger = await world.user();
    expect((await claim(stranger, handle)).slug).toBe('handle_taken');
    world.clock.advance(1);
    const racers = [stranger, ...(await Promise.all(Array.from({ length: 20 }, () => world.user())))];
    expect(slugs(await Promise.all(racers.map((racer) => claim(racer, handle))))).toEqual({ ok: 1, handle_taken: 20 });
    expect((await rename(person, handle)).slug).toBe('handle_taken');
  });

  it('lets either the former owner or a stranger have a handle whose hold ends, never both', async () => {
    for (let round = 0; round < 5; round++) {
      const { person, handle } = await named();
      await rename(person, unique('next'));
      world.clock.advance(90 * DAY);
      const stranger = await world.user();
      const answers = await Promise.all([rename(person, handle), claim(stranger, handle)]);
      expect(slugs(answers)).toEqual({ ok: 1, handle_taken: 1 });
    }
  });

  it('lets one of many racing renames of a user through the limits', async () => {
    const { person } = await named();
    const handles = Array.from({ length: 30 }, () => unique('race'));
    const answers = await Promise.all(handles.map((handle) => rename(person, handle)));
    expect(slugs(answers)).toEqual({ ok: 1, handle_rename_too_soon: 29 });
    const left = world.db.collection<{ _id: string }>('accounts_handles').find({ _id: { $in: handles } });
    expect(await left.toArray()).toHaveLength(1);
  });

  it('keeps what several racing changes of one user leave in order', async () => {
    const { person, handle: first } = await named();
    const second = unique('second');
    await rename(person, second);
    const answers = await Promise.all(Array.from({ length: 24 }, (_, i) => rename(person, i % 2 ? first : second)));
    expect(Object.keys(slugs(answers)).filter((slug) => slug !== 'ok' && slug !== 'conflict')).toEqual([]);
    await world.runTasks();
    expect(await invariants(world)).toEqual([]);
  });
});

describe('the register of handles', () => {
  it('believes the owner, should it ever disagree', async () => {
    const handle = unique('mine');
    const { userId } = await world.user(undefined, handle);
    const claims = world.db.collection<{ _id: string }>('accounts_handles');
    await claims.updateOne({ _id: handle }, { $set: { heldUntil: new Date(0) } });
    expect((await claim(await world.user(), handle)).slug).toBe('handle_taken');
    await claims.updateOne({ _id: handle }, { $unset: { heldUntil: 1 } });
    expect(await resolve(handle)).toMatchObject({ ownerId: userId, redirected: false });
  });
});

describe("a team's handle", () => {
  it('is held for 90 days after the team is deleted, and free then', async () => {
    const owner = await world.user(undefined, unique('owner'));
    const handle = unique('team');
    await world.run(CREATE_TEAM, { handle }, owner.scope);
    await world.run(DELETE_TEAM, { identifier: handle }, owner.scope);
    expect(await resolve(handle)).toBeNull();
    world.clock.advance(90 * DAY - 1);
    expect((await world.run(CREATE_TEAM, { handle }, owner.scope)).slug).toBe('handle_taken');
    expect((await claim(await world.user(), handle)).slug).toBe('handle_taken');
    world.clock.advance(1);
    expect((await world.run(CREATE_TEAM, { handle }, owner.scope)).slug).toBeUndefined();
    expect(await resolve(handle)).toMatchObject({ ownerType: 'TEAM', redirected: false });
  });
});

describe('a handle that a published template bears', () => {
  it('never goes to anybody else, and back to its owner at any time', async () => {
    const handle = unique('stamped');
    const person = await world.user(undefined, handle);
    const stamped = await world.run(STAMP, { handle: `@${handle}` }, systemScope('r'));
    expect(stamped.data).toEqual({ internalStampHandle: { handle, ownerType: 'USER', ownerId: person.userId } });
    await rename(person, unique('next'));
    world.clock.advance(1000 * DAY);
    expect((await claim(await world.user(), handle)).slug).toBe('handle_taken');
    expect((await rename(person, handle)).slug).toBeUndefined();
  });

  it('is stamped by the platform alone, and must exist', async () => {
    const handle = unique('stamped');
    const person = await world.user(undefined, handle);
    expect((await world.run(STAMP, { handle }, person.scope)).slug).toBe('forbidden');
    expect((await world.run(RESOLVE, { handle }, person.scope)).slug).toBe('forbidden');
    expect((await world.run(STAMP, { handle: unique('none') }, systemScope('r'))).slug).toBe('not_found');
    expect((await world.run(STAMP, { handle: '!' }, systemScope('r'))).slug).toBe('not_found');
    expect(await resolve('!')).toBeNull();
  });
});
