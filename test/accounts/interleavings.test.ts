/**
 * Operations of a few users on a few handles and one team, each cut before a chosen call, go on in a chosen order among
 * recoveries, leaps of time and deaths. Every choice comes from the seed, which a failure names.
 */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Subgraph } from '../../platform/subgraph.js';
import { type Interruptible, type Interruption, interruptible } from './support/interrupt.js';
import { invariants } from './support/invariants.js';
import {
  ACCEPT,
  CANCEL,
  CLAIM,
  CREATE_TEAM,
  DECLINE,
  DELETE_TEAM,
  INVITATIONS,
  INVITE,
  REMOVE,
  RENAME,
  TRANSFER,
} from './support/operations.js';
import { type Answer, DAY, field, openWorld, type Person, SECOND, type World } from './support/world.js';

const ROUNDS = process.env['LONG'] ? 3_000 : 60;
const FIRST = Number(process.env['SEED'] ?? 1);

let world: World;
let processes: { subgraph: Subgraph; store: Interruptible }[];
beforeAll(async () => {
  world = await openWorld({ membersPerTeam: 3, teamsPerUser: 2 });
  processes = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const store = interruptible(world.db);
      return { store, subgraph: await world.process({}, store.db) };
    }),
  );
});
afterAll(() => world?.close());
beforeEach(clear);

async function clear(): Promise<void> {
  for (const { name } of await world.db.listCollections().toArray()) await world.db.collection(name).deleteMany({});
}

/** Mulberry32: small, and the same everywhere. */
function chooser(seed: number) {
  let state = seed;
  function below(limit: number): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }
  return { below, of: <T>(items: readonly T[]): T => items[below(items.length)] as T };
}

type Choose = ReturnType<typeof chooser>;

const HANDLES = ['aaa', 'bbb', 'ccc', 'ddd'];

interface Move {
  query: string;
  variables: object;
  person: Person;
}

async function move(choose: Choose, people: readonly Person[]): Promise<Move> {
  const person = choose.of(people);
  const handle = choose.of(HANDLES);
  const user = choose.of(people).id;
  const teams = await world.db
    .collection('accounts_teams')
    .find({ handle: { $ne: null } })
    .toArray();
  const team = teams.length > 0 ? String(choose.of(teams)._id) : 'none';
  const invitations = await world.db.collection('accounts_invitations').find({ state: 'PENDING' }).toArray();
  const id = invitations.length > 0 ? String(choose.of(invitations)._id) : 'none';
  const [query, variables] = choose.of([
    [CLAIM, { handle }],
    [RENAME, { handle }],
    [RENAME, { handle }],
    [CREATE_TEAM, { handle }],
    [DELETE_TEAM, { identifier: team }],
    [INVITE, { team, user }],
    [TRANSFER, { team, user }],
    [REMOVE, { team, user }],
    [ACCEPT, { id }],
    [ACCEPT, { id }],
    [CANCEL, { id }],
    [DECLINE, { id }],
  ] as const);
  return { query, variables, person };
}

async function recover(): Promise<void> {
  world.clock.advance(16 * SECOND);
  await world.runTasks();
}

async function play(seed: number): Promise<void> {
  const choose = chooser(seed);
  const people = [
    await world.user('one@example.com'),
    await world.user('two@example.com'),
    await world.user('three@example.com'),
  ];
  await world.run(CLAIM, { handle: 'aaa' }, people[0]?.scope);
  await world.run(CREATE_TEAM, { handle: 'bbb' }, people[0]?.scope);
  await world.run(INVITE, { team: 'bbb', user: people[1]?.id }, people[0]?.scope);
  let under: { running: Promise<Answer>; cut: Interruption }[] = [];
  for (let step = 0; step < 14; step++) {
    const kind = choose.below(10);
    if (kind < 5) {
      const { query, variables, person } = await move(choose, people);
      const { subgraph, store } = choose.of(processes);
      const cut = store.interruptBefore(choose.below(14));
      const running = world.run(query, variables, person.scope, subgraph);
      const ended = await Promise.race([cut.interrupted.then(() => false), running.then(() => true)]);
      if (ended) store.interruptBefore(Number.POSITIVE_INFINITY);
      else under.push({ running, cut });
    } else if (kind < 8 && under.length > 0) {
      const chosen = choose.of(under);
      under = under.filter((other) => other !== chosen);
      // One in four never goes on.
      if (choose.below(4) > 0) {
        chosen.cut.resume();
        await chosen.running;
      }
    } else if (kind === 8) await recover();
    else if (choose.below(3) === 0) world.clock.advance(91 * DAY);
  }
  for (const { running, cut } of under) {
    cut.resume();
    await running;
  }
  await recover();
  expect(await invariants(world)).toEqual([]);
  for (const { scope } of people)
    field(await world.run(INVITATIONS, { filter: 'ALL', state: 'ALL' }, scope), 'invitations');
}

it(`hold together in ${ROUNDS} interleavings`, { timeout: ROUNDS * 5_000 }, async () => {
  for (let seed = FIRST; seed < FIRST + ROUNDS; seed++) {
    await clear();
    try {
      await play(seed);
    } catch (error) {
      throw new Error(`with SEED=${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }
});
