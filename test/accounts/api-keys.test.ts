import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { systemScope } from '../../platform/scope.js';
import { sha256 } from '../../platform/secrets.js';
import { API_KEYS, CREATE_KEY, REVOKE_KEY } from './support/operations.js';
import { anonymous, field, openWorld, type Person, slugs, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

const KEY = 'query ($id: ID!) { apiKey(id: $id) { id name prefix lastUsedAt } }';
const CALLER = `query ($keyHash: String!) {
  internalCaller(kind: "USER_KEY", hash: $keyHash) { userId keyId email handle handleClaimedAt createdAt suspended }
}`;

interface Made {
  id: string;
  key: string;
}

async function make({ scope }: Person, name: string): Promise<Made> {
  const made = await world.run(CREATE_KEY, { name }, scope);
  const { apiKey, key } = field<{ apiKey: { id: string }; key: string }>(made, 'createApiKey');
  return { id: apiKey.id, key };
}

interface Listed {
  nodes: { id: string; name: string; lastUsedAt: string | null }[];
  nextCursor: string | null;
}

async function list({ scope }: Person, variables: object = {}): Promise<Listed> {
  return field<Listed>(await world.run(API_KEYS, variables, scope), 'apiKeys');
}

async function names(person: Person): Promise<string[]> {
  return (await list(person)).nodes.map(({ name }) => name);
}

describe('making a key', () => {
  it('shows it once and stores its hash alone', async () => {
    const person = await world.user();
    const { id, key } = await make(person, '  my automation ');
    expect(key).toMatch(/^good_live_[0-9A-Za-z]{43}$/);
    const stored = await world.db.collection('accounts_keys').findOne({ userId: person.userId });
    expect(stored).toMatchObject({ hash: sha256(key), name: 'my automation' });
    expect(JSON.stringify(stored)).not.toContain(key);
    const { data } = await world.run(KEY, { id }, person.scope);
    expect(data).toEqual({ apiKey: { id, name: 'my automation', prefix: key.slice(0, 14), lastUsedAt: null } });
    expect(world.changed.at(-1)).toBe(person.userId);
  });

  it.each([
    ['nothing', ''],
    ['blanks', '   '],
    ['too much', 'x'.repeat(101)],
    ['a line break', 'a\nb'],
    ['a NUL', 'a\0b'],
    ['a line separator', 'a\u2028b'],
  ])('refuses %s as a name', async (_what, name) => {
    const { scope } = await world.user();
    const { problem } = await world.run(CREATE_KEY, { name }, scope);
    expect(problem?.toBody()).toMatchObject({ error: 'validation_error', details: [{ field: 'name' }] });
  });

  it('needs a caller', async () => {
    expect((await world.run(CREATE_KEY, { name: 'k' }, anonymous())).slug).toBe('auth_required');
  });

  it('never exceeds the quota, also when many are made at once, and frees the place of a revoked key', async () => {
    const limited = await world.process({ keysPerUser: 10 });
    const person = await world.user();
    const create = () => world.run(CREATE_KEY, { name: 'k' }, person.scope, limited);
    expect(slugs(await Promise.all(Array.from({ length: 40 }, create)))).toEqual({ ok: 10, quota_exceeded: 30 });
    expect(await names(person)).toHaveLength(10);
    const identifier = (await list(person, { first: 1 })).nodes[0]?.id;
    await world.run(REVOKE_KEY, { identifier }, person.scope);
    expect((await create()).slug).toBeUndefined();
    expect((await create()).slug).toBe('quota_exceeded');
  });
});

describe('the list of keys', () => {
  it('pages through all of them, newest first', async () => {
    const person = await world.user();
    for (let i = 0; i < 5; i++) await make(person, `key ${i}`);
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: Listed = await list(person, { first: 2, after });
      seen.push(...page.nodes.map(({ name }) => name));
      after = page.nextCursor;
    } while (after !== null);
    expect(seen).toEqual(['key 4', 'key 3', 'key 2', 'key 1', 'key 0']);
  });

  it.each([0, 101, -1])('refuses a page of %i', async (first) => {
    const { scope } = await world.user();
    expect((await world.run(API_KEYS, { first }, scope)).slug).toBe('validation_error');
  });

  it('refuses a cursor that is none', async () => {
    const { scope } = await world.user();
    expect((await world.run(API_KEYS, { after: 'nonsense' }, scope)).slug).toBe('validation_error');
  });
});

describe('revoking a key', () => {
  it('works by id in both forms and by a name that no other key has', async () => {
    const person = await world.user();
    const [one, two] = [await make(person, 'one'), await make(person, 'two')];
    await make(person, 'three');
    for (const identifier of [one.id, two.id.replace('key_', ''), ' three ']) {
      expect((await world.run(REVOKE_KEY, { identifier }, person.scope)).data).toMatchObject({
        revokeApiKey: { revoked: true },
      });
    }
    expect(await names(person)).toEqual([]);
    expect(world.changed.at(-1)).toBe(person.userId);
    expect((await world.run(REVOKE_KEY, { identifier: one.id }, person.scope)).slug).toBe('not_found');
    expect((await world.run(REVOKE_KEY, { identifier: 'three' }, person.scope)).slug).toBe('not_found');
  });

  it('refuses a name that several keys share', async () => {
    const person = await world.user();
    await make(person, 'twin');
    await make(person, 'twin');
    expect((await world.run(REVOKE_KEY, { identifier: 'twin' }, person.scope)).slug).toBe('conflict');
    expect(await names(person)).toEqual(['twin', 'twin']);
  });

  it('finds a key whose name looks like an id', async () => {
    const person = await world.user();
    const name = `key_${newId()}`;
    await make(person, name);
    expect((await world.run(REVOKE_KEY, { identifier: name }, person.scope)).slug).toBeUndefined();
  });

  it('answers for the key of another as for none', async () => {
    const [person, other] = [await world.user(), await world.user()];
    const { id } = await make(person, 'mine');
    const foreign = await world.run(REVOKE_KEY, { identifier: id }, other.scope);
    const missing = await world.run(REVOKE_KEY, { identifier: `key_${newId()}` }, other.scope);
    expect(foreign.problem?.toBody()).toEqual(missing.problem?.toBody());
    expect((await world.run(KEY, { id }, other.scope)).slug).toBe('not_found');
    expect((await world.run(KEY, { id: 'x' }, other.scope)).slug).toBe('not_found');
    expect(await names(person)).toEqual(['mine']);
  });

  it('succeeds for one of many that revoke at once', async () => {
    const person = await world.user();
    const { id } = await make(person, 'once');
    const revokes = Array.from({ length: 20 }, () => world.run(REVOKE_KEY, { identifier: id }, person.scope));
    expect(slugs(await Promise.all(revokes))).toEqual({ ok: 1, not_found: 19 });
  });
});

describe('the holder of a key', () => {
  it('is told to the platform alone, by hash, with what a scope carries', async () => {
    const person = await world.user(undefined, `h-${newId().slice(-12)}`);
    const { id, key } = await make(person, 'k');
    const keyHash = sha256(key);
    const { result, commands } = await world.commands.during(() => world.run(CALLER, { keyHash }, systemScope('r')));
    expect(result.data).toMatchObject({
      internalCaller: {
        userId: person.userId,
        keyId: id.replace('key_', ''),
        email: person.email,
        handle: person.scope.caller?.handle,
        suspended: false,
      },
    });
    expect(commands.map(({ commandName }) => commandName)).toEqual(['find', 'find']);
    expect((await world.run(CALLER, { keyHash }, person.scope)).slug).toBe('forbidden');
    expect((await world.run(CALLER, { keyHash }, anonymous())).slug).toBe('forbidden');
    expect((await world.run(CALLER, { keyHash: sha256('x') }, systemScope('r'))).data).toEqual({
      internalCaller: null,
    });
    await world.run(REVOKE_KEY, { identifier: id }, person.scope);
    expect((await world.run(CALLER, { keyHash }, systemScope('r'))).data).toEqual({ internalCaller: null });
  });

  it('is noted in memory and written in bulk', async () => {
    const subgraph = await world.process();
    const person = await world.user();
    const made = await Promise.all(['a', 'b', 'c'].map((name) => make(person, name)));
    const use = ({ key }: Made) => world.run(CALLER, { keyHash: sha256(key) }, systemScope('r'), subgraph);
    const used = await world.commands.during(() =>
      Promise.all(Array.from({ length: 30 }, (_, i) => use(made[i % 2] as Made))),
    );
    expect(used.commands.filter(({ commandName }) => commandName !== 'find')).toEqual([]);
    const { commands } = await world.commands.during(() => subgraph.close());
    expect(commands.map(({ commandName }) => commandName)).toEqual(['update']);
    const at = world.clock.now().toISOString();
    const byName = Object.fromEntries((await list(person)).nodes.map(({ name, lastUsedAt }) => [name, lastUsedAt]));
    expect(byName).toEqual({ a: at, b: at, c: null });
  });
});
