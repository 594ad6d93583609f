/**
 * Who may do what, in which state, by both doors: one table, run against the built program. And whoever may not see a
 * thing is answered as if it did not exist, to the last header, and in the same time.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERRORS, type ErrorSlug } from '../../platform/errors.js';
import { clientOf } from '../support/client.js';
import { type Platform, SHAPES } from '../support/platform.js';
import {
  type AnyKind,
  CALLERS,
  type Caller,
  type Operation,
  type Outcome,
  type RestCall,
  type State,
  type World,
} from './access/table.js';
import { templates } from './access/templates.js';
import { workflows } from './access/workflows.js';

const KINDS: readonly AnyKind[] = [workflows, templates];
const LONG = process.env['LONG'] !== undefined;
const STRANGERS: readonly Caller[] = LONG ? ['stranger', 'former member', 'former grantee'] : ['stranger'];
const PAIRS = LONG ? 300 : 40;

type Door = 'rest' | 'graph';
// biome-ignore lint/suspicious/noExplicitAny: each kind's operations take the subjects that it makes, and no others.
type AnyOperation = Operation<any>;

let combinations = 0;

function changesIn({ changes = false }: AnyOperation, state: State): boolean {
  return typeof changes === 'boolean' ? changes : changes.includes(state);
}

describe.each(SHAPES)('in %s', (shape, start) => {
  let platform: Platform;
  let world: World;
  /** The whole table in one process; what is read, saved and shared in many, where the ways are longer. */
  const isWhole = shape === 'one process' || LONG;
  const statesOf = ({ states }: AnyKind) =>
    isWhole ? states : states.filter((state) => state === 'live' || state === 'below the floor');

  beforeAll(async () => {
    platform = await start({ RATE_LIMIT_CODES_PER_EMAIL: '0' });
    world = await settled(platform);
  });
  afterAll(async () => {
    console.log(`access, ${shape}: ${combinations} combinations of caller, operation and state so far, by each door`);
    await platform?.stop();
  });

  const keyOf = (caller: Caller) => (caller === 'anonymous' ? undefined : world.people[caller].key);

  async function rest({ method, path, body, headers }: RestCall, caller: Caller) {
    const key = keyOf(caller);
    const response = await fetch(platform.url + path, {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  async function send(operation: AnyOperation, door: Door, subject: unknown, state: State, caller: Caller) {
    if (door === 'rest') return rest(operation.rest(subject, state), caller);
    return rest({ method: 'POST', path: '/graphql', body: operation.graph?.(subject, state) ?? {} }, caller);
  }

  async function outcomeOf(operation: AnyOperation, door: Door, subject: unknown, state: State, caller: Caller) {
    const { status, headers, text } = await send(operation, door, subject, state, caller);
    const isJson = headers.get('content-type')?.startsWith('application/json');
    const body = isJson ? JSON.parse(text) : null;
    if (door === 'graph') {
      const [error] = body.errors ?? [];
      if (error) return String(error.extensions.code);
      return operation.told?.(Object.values(body.data)[0], subject) ?? 'ok';
    }
    if (status < 300) return operation.told?.(body, subject) ?? 'ok';
    expect(status).toBe(ERRORS[body.error as ErrorSlug].status);
    return String(body.error);
  }

  describe.each(KINDS.map((kind) => [kind.name, kind] as const))('%s', (_name, kind) => {
    const shared = new Map<State, Promise<unknown>>();
    const subjectIn = (state: State) => {
      const known = shared.get(state) ?? kind.make(world, state);
      shared.set(state, known);
      return known;
    };
    const states = statesOf(kind);
    const [hidden] = kind.hidden;
    if (!hidden) throw new Error('a kind that hides nothing');
    const doors = (operation: AnyOperation): Door[] => (operation.graph ? ['rest', 'graph'] : ['rest']);

    it.each(kind.operations.map((operation) => [operation.name, operation] as const))(
      '%s',
      async (_operation, operation: AnyOperation) => {
        const wrong: string[] = [];
        for (const state of operation.states ?? kind.states) {
          if (!states.includes(state)) continue;
          const subject = await subjectIn(state);
          for (const caller of (!LONG && kind.callers) || CALLERS) {
            combinations += 1;
            const expected: Outcome = operation.outcome(caller, state);
            const spends = expected === 'ok' && changesIn(operation, state);
            for (const door of doors(operation)) {
              const on = spends ? await kind.make(world, state, caller) : subject;
              const answer = await outcomeOf(operation, door, on, state, caller);
              if (answer !== expected) wrong.push(`${caller}, ${state}, ${door}: ${answer}, and not ${expected}`);
            }
          }
        }
        expect(wrong).toEqual([]);
      },
    );

    it('answers a stranger as it answers about what does not exist, in body and headers', async () => {
      const differences: string[] = [];
      for (const state of new Set([hidden, ...states.filter((one) => kind.hidden.includes(one))])) {
        const subject = await subjectIn(state);
        const missing = kind.missing(subject);
        for (const operation of kind.operations) {
          if (!(operation.states ?? kind.states).includes(state)) continue;
          for (const caller of STRANGERS) {
            for (const door of doors(operation)) {
              const [another, absent] = [
                told(await send(operation, door, subject, state, caller), subject),
                told(await send(operation, door, missing, state, caller), missing),
              ];
              if (another !== absent) differences.push(`${operation.name}, ${caller}, ${door}: ${another} / ${absent}`);
            }
          }
        }
      }
      expect(differences).toEqual([]);
    });

    it('answers a stranger in the time in which it answers about what does not exist', async () => {
      const subject = await subjectIn(hidden);
      const missing = kind.missing(subject);
      const [operation] = kind.operations;
      if (!operation) throw new Error('a kind without operations');
      const [others, absent]: [number[], number[]] = [[], []];
      const timed = async (times: number[], on: unknown) => {
        const begin = performance.now();
        await send(operation, 'rest', on, hidden, 'stranger');
        times.push(performance.now() - begin);
      };
      for (let pair = 0; pair < PAIRS; pair++) {
        const both = [() => timed(others, subject), () => timed(absent, missing)];
        // Neither always comes first.
        for (const one of pair % 2 ? both.reverse() : both) await one();
      }
      const [a, b] = [median(others), median(absent)];
      console.log(`${operation.name}, ${shape}: another's ${a.toFixed(2)} ms, missing ${b.toFixed(2)} ms`);
      expect(Math.max(a, b) / Math.min(a, b)).toBeLessThan(2);
    });
  });
});

it('the table has more than 400 combinations', () => {
  expect(combinations).toBeGreaterThan(400);
});

async function settled(platform: Platform): Promise<World> {
  const client = clientOf(platform);
  const people: Record<string, World['guest']> = {};
  for (const caller of CALLERS) {
    if (caller !== 'anonymous') people[caller] = await client.account(`${caller.replaceAll(' ', '-')}@example.com`);
  }
  const handle = 'the-owner';
  await client.rest('PATCH', '/v1/me', people['owner']?.key, { handle });
  const guest = await client.account('guest@example.com');
  const other = await client.account('other@example.com');
  const lead = await client.account('lead@example.com');
  await client.rest('PATCH', '/v1/me', lead.key, { handle: 'the-lead' });
  const team = (await client.rest('POST', '/v1/teams', lead.key, { handle: 'the-team' })).body.team_id;
  for (const member of ['via team', 'former member']) {
    const { id = '', key = '' } = people[member] ?? {};
    const invited = await client.rest('POST', `/v1/teams/${team}/members`, lead.key, { user_identifier: id });
    await client.rest('POST', `/v1/invitations/${invited.body.invitation_id}/accept`, key);
  }
  const former = people['former member']?.id;
  await client.rest('DELETE', `/v1/teams/${team}/members/${former}`, lead.key);
  return { client, people: people as World['people'], teamId: team, handle, guest, other };
}

/** Everything that an answer says, but for what is never the same twice and for what was asked, in the caller's words. */
function told({ status, headers, text }: { status: number; headers: Headers; text: string }, subject: object): string {
  const own = new Set(['date', 'x-request-id']);
  const asked = Object.values(subject).filter((value) => typeof value === 'string');
  const body = [headers.get('x-request-id') ?? '-', ...asked].reduce((left, word) => left.replaceAll(word, ''), text);
  const length = Number(headers.get('content-length')) - Buffer.byteLength(text);
  const shown = [...headers].filter(([name]) => !own.has(name) && name !== 'content-length');
  return JSON.stringify({ status, shown, length, body });
}

function median(values: readonly number[]): number {
  return values.toSorted((x, y) => x - y)[Math.floor(values.length / 2)] ?? 0;
}
