import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Attempt, fingerprintOf, Idempotency, namedRequests } from '../../platform/idempotency.js';
import { ensureIndexes } from '../../platform/mongo/store.js';
import { openDatabase, stagesOf, type TestDatabase } from '../support/database.js';

const NAME = 'named_requests';
const HOUR = 3_600_000;

let database: TestDatabase;
let time = Date.parse('2026-03-01T12:00:00Z');
const now = () => new Date(time);
let requests: Idempotency<{ id: string; at: Date }>;
let numbered = 0;

beforeAll(async () => {
  database = await openDatabase();
  await ensureIndexes(database.db, [namedRequests(NAME)]);
  requests = new Idempotency(database.db, NAME, now);
});
afterAll(() => database?.close());

const name = (fingerprint: string, key = `key-${++numbered}`, caller = 'ada') => ({
  operation: 'run',
  caller,
  key,
  fingerprint,
});
const refused = expect.objectContaining({ slug: 'conflict' });

describe('a request that its caller named', () => {
  it('is done once, and answered alike ever after', async () => {
    let done = 0;
    const request = name('a');
    const work = async (id: string) => ({ id, at: new Date(++done) });
    const first = await requests.run(request, work);
    expect(await requests.run(request, work)).toEqual(first);
    expect(done).toBe(1);
  });

  it('is refused with another body, and free for another caller or operation', async () => {
    const request = name('a');
    const work = async (id: string) => ({ id, at: now() });
    const first = await requests.run(request, work);
    await expect(requests.run({ ...request, fingerprint: 'b' }, work)).rejects.toEqual(refused);
    expect(await requests.run({ ...request, caller: 'ben', fingerprint: 'b' }, work)).not.toEqual(first);
    expect(await requests.run({ ...request, operation: 'upload', fingerprint: 'b' }, work)).not.toEqual(first);
  });

  it('is done by one of many that are sent at once', async () => {
    let done = 0;
    const request = name('a');
    const attempts = Array.from({ length: 40 }, () =>
      requests.run(request, async (id) => {
        done += 1;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { id, at: now() };
      }),
    );
    const outcomes = await Promise.allSettled(attempts);
    expect(done).toBe(1);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toEqual(refused);
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
  });

  it('may be tried again when its work was refused', async () => {
    const request = name('a');
    await expect(requests.run(request, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await requests.run(request, async (id) => ({ id, at: now() }))).toHaveProperty('id');
  });

  it('keeps its name when its work failed and left something behind, which the next attempt finds', async () => {
    const request = name('a');
    const ids: string[] = [];
    const failing = (stands: () => Promise<boolean>) =>
      requests.run(
        request,
        (id) => {
          ids.push(id);
          return Promise.reject(new Error('no'));
        },
        stands,
      );
    await expect(failing(async () => true)).rejects.toThrow('no');
    await expect(failing(() => Promise.reject(new Error('nobody knows')))).rejects.toThrow('no');
    await expect(failing(async () => false)).rejects.toThrow('no');
    await expect(failing(async () => false)).rejects.toThrow('no');
    expect(ids.map((id) => ids.indexOf(id))).toEqual([0, 0, 0, 3]);
  });

  it('is taken over under the same work id when the process at work died', async () => {
    const request = name('a');
    const dead = await requests.begin(request);
    if (!(dead instanceof Attempt)) throw new Error('not begun');
    await expect(requests.begin(request)).rejects.toEqual(refused);
    time += HOUR;
    const heir = await requests.begin(request);
    if (!(heir instanceof Attempt)) throw new Error('not taken over');
    expect(heir.workId).toBe(dead.workId);
    // The one that was thought dead has lost the name, whatever it still does.
    await dead.finish({ id: 'dead', at: now() }, 'a');
    await dead.abandon();
    await heir.finish({ id: 'heir', at: now() }, 'a');
    expect((await requests.run(request, () => Promise.reject(new Error('done twice')))).id).toBe('heir');
  });

  it('is forgotten after a day', async () => {
    const request = name('a');
    const work = async (id: string) => ({ id, at: now() });
    const first = await requests.run(request, work);
    time += 23 * HOUR;
    expect(await requests.run(request, work)).toEqual(first);
    time += 2 * HOUR;
    expect(await requests.run({ ...request, fingerprint: 'b' }, work)).not.toEqual(first);
    time += 25 * HOUR;
    const commands = await database.commandsOf(() => requests.task('sweep').run(new AbortController().signal));
    expect(await database.db.collection(NAME).countDocuments()).toBe(0);
    const [sweep] = commands;
    const filter = sweep?.['deletes']?.[0]?.q;
    const plan = await database.explain({ find: NAME, filter });
    expect(stagesOf(plan['queryPlanner'].winningPlan)).not.toContain('COLLSCAN');
  });

  it.each(['', ' ', 'é', 'x'.repeat(256), '\n'])('is refused under the name %j', async (key) => {
    await expect(requests.begin(name('a', key))).rejects.toMatchObject({ slug: 'validation_error' });
  });
});

it('a fingerprint tells requests apart, and not the order in which they are written', () => {
  expect(fingerprintOf({ a: 1, b: { c: [1, 2], d: null } })).toBe(fingerprintOf({ b: { d: null, c: [1, 2] }, a: 1 }));
  expect(fingerprintOf({ a: [1, 2] })).not.toBe(fingerprintOf({ a: [2, 1] }));
  expect(fingerprintOf({ a: undefined })).toBe(fingerprintOf({}));
});
