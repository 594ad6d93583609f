import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { type Caller, type Scope, systemScope } from '../../platform/scope.js';
import { sha256 } from '../../platform/secrets.js';
import type { AccountsContext } from '../../subgraphs/accounts/context.js';
import { CREATE_TENANT, ENTITIES, ROTATE_TENANT, TENANT_BY_ID, TENANTS } from './support/operations.js';
import { anonymous, field, openWorld, type Person, slugs, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld({ tenantsPerUser: 5 });
});
afterAll(() => world?.close());

interface Shown {
  id: string;
  name: string | null;
  keyPrefix: string | null;
  scopes: string[];
  isDefault: boolean;
  rotatedAt: string | null;
  owner: { id: string };
}

interface Made {
  tenant: Shown;
  key: string;
}

async function make({ scope }: Person, input: object = {}): Promise<Made> {
  return field<Made>(await world.run(CREATE_TENANT, input, scope), 'createTenant');
}

async function rotate({ scope }: Person, id: string): Promise<Made> {
  return field<Made>(await world.run(ROTATE_TENANT, { id }, scope), 'rotateTenantKey');
}

async function listed(scope: Scope): Promise<Shown[]> {
  return field<{ nodes: Shown[] }>(await world.run(TENANTS, {}, scope), 'tenants').nodes;
}

const CALLER = `query ($hash: String!) {
  internalCaller(kind: "TENANT_KEY", hash: $hash) {
    userId keyId tenantId scopes email handle handleClaimedAt createdAt suspended
  }
}`;

async function holderOf(key: string): Promise<Caller | null> {
  const answer = await world.run(CALLER, { hash: sha256(key) }, systemScope('r'));
  return field<Caller | null>(answer, 'internalCaller');
}

async function scopeWith(key: string): Promise<Scope> {
  return { ...anonymous(), caller: await holderOf(key) };
}

async function suspend(person: Person, suspended: boolean): Promise<void> {
  const { userService } = world.accounts.context(systemScope('r')) as AccountsContext;
  await userService.setSuspension(person.userId, suspended, null);
}

describe('a new tenant', () => {
  it('shows its key once, and keeps only its hash', async () => {
    const ada = await world.user();
    const { tenant, key } = await make(ada, { name: '  robots ' });
    expect(key).toMatch(/^imgf_[0-9a-f]{64}$/);
    expect(tenant).toMatchObject({
      name: 'robots',
      keyPrefix: key.slice(0, 13),
      scopes: ['GENERATE', 'READ'],
      isDefault: false,
      rotatedAt: null,
      owner: { id: ada.id },
    });
    const stored = await world.db.collection('accounts_tenants').findOne({ userId: ada.userId });
    expect(JSON.stringify(stored)).not.toContain(key.slice(13));
    expect(stored?.['key'].hash).toBe(sha256(key));
  });

  it('has the scopes that were asked for, and no others', async () => {
    const ada = await world.user();
    expect((await make(ada, { scopes: ['READ'] })).tenant.scopes).toEqual(['READ']);
    expect((await make(ada, { scopes: ['READ', 'GENERATE', 'READ'] })).tenant.scopes).toEqual(['GENERATE', 'READ']);
    expect((await world.run(CREATE_TENANT, { scopes: [] }, ada.scope)).slug).toBe('validation_error');
    expect((await world.run(CREATE_TENANT, { name: '' }, ada.scope)).slug).toBe('validation_error');
    expect((await world.run(CREATE_TENANT, {}, anonymous())).slug).toBe('auth_required');
  });

  it('is refused to a suspended account, also by a scope that is older than the suspension', async () => {
    const ada = await world.user();
    await suspend(ada, true);
    expect((await world.run(CREATE_TENANT, {}, ada.scope)).slug).toBe('account_suspended');
  });

  it('is refused beyond the quota, also when many are made at once', async () => {
    const ada = await world.user();
    const all = await Promise.all(Array.from({ length: 12 }, () => world.run(CREATE_TENANT, {}, ada.scope)));
    expect(slugs(all)).toEqual({ ok: 5, quota_exceeded: 7 });
    expect(await listed(ada.scope)).toHaveLength(6);
  });
});

describe('the default tenant', () => {
  it('is there from the first look on, last in the list, once, without a key', async () => {
    const ada = await world.user();
    const { tenant } = await make(ada);
    const lists = await Promise.all(Array.from({ length: 8 }, () => listed(ada.scope)));
    for (const tenants of lists) expect(tenants.map(({ id }) => id)).toEqual([tenant.id, ada.userId]);
    expect(lists[0]?.[1]).toMatchObject({ isDefault: true, keyPrefix: null, scopes: ['GENERATE', 'READ'] });
    expect(ada.scope.caller?.tenantId).toBe(ada.userId);
  });

  it('can be given a key, but not while the account is suspended', async () => {
    const ada = await world.user();
    await suspend(ada, true);
    expect((await world.run(ROTATE_TENANT, { id: ada.userId }, ada.scope)).slug).toBe('account_suspended');
    await suspend(ada, false);
    const { key } = await rotate(ada, ada.userId);
    expect(await holderOf(key)).toMatchObject({ tenantId: ada.userId, scopes: ['generate', 'read'] });
  });
});

describe('the holder of a tenant’s key', () => {
  it('is its owner, acting for that tenant with those scopes', async () => {
    const ada = await world.user();
    const { tenant, key } = await make(ada, { scopes: ['READ'] });
    const holder = await holderOf(key);
    expect(holder).toMatchObject({ userId: ada.userId, email: ada.email, tenantId: tenant.id, scopes: ['read'] });
    expect(await holderOf(`imgf_${'0'.repeat(64)}`)).toBeNull();
    const asUserKey = CALLER.replace('TENANT_KEY', 'USER_KEY');
    expect((await world.run(asUserKey, { hash: sha256(key) }, systemScope('r'))).data).toEqual({
      internalCaller: null,
    });
    expect((await world.run(CALLER, { hash: sha256(key) }, ada.scope)).slug).toBe('forbidden');
  });

  it('sees that tenant alone', async () => {
    const ada = await world.user();
    const [one, two] = [await make(ada), await make(ada)];
    const scope = await scopeWith(one.key);
    const own = await world.run(TENANT_BY_ID, { id: one.tenant.id }, scope);
    expect(field<Shown>(own, 'tenant').id).toBe(one.tenant.id);
    for (const id of [two.tenant.id, ada.userId]) {
      expect((await world.run(TENANT_BY_ID, { id }, scope)).slug).toBe('not_found');
    }
    const representations = [one, two].map(({ tenant }) => ({ __typename: 'Tenant', id: tenant.id }));
    const entities = await world.run(ENTITIES, { representations }, scope);
    expect(field<({ id: string } | null)[]>(entities, '_entities').map((found) => found?.id)).toEqual([
      one.tenant.id,
      undefined,
    ]);
  });
});

describe('replacing a key', () => {
  it('ends the old one with the same write', async () => {
    const ada = await world.user();
    const { tenant, key } = await make(ada);
    const before = world.changed.length;
    const replaced = await rotate(ada, tenant.id);
    expect(replaced.key).not.toBe(key);
    expect(replaced.tenant).toMatchObject({ id: tenant.id, keyPrefix: replaced.key.slice(0, 13) });
    expect(replaced.tenant.rotatedAt).not.toBeNull();
    expect(await holderOf(key)).toBeNull();
    expect(await holderOf(replaced.key)).toMatchObject({ tenantId: tenant.id });
    expect(world.changed.slice(before)).toEqual([ada.userId]);
  });

  it('never hands out a key that is dead already: of many at once the losers are told', async () => {
    const ada = await world.user();
    const { tenant } = await make(ada);
    const all = await Promise.all(
      Array.from({ length: 10 }, () => world.run(ROTATE_TENANT, { id: tenant.id }, ada.scope)),
    );
    const won = all.filter(({ slug }) => slug === undefined).map((answer) => field<Made>(answer, 'rotateTenantKey'));
    expect(new Set(all.map(({ slug }) => slug ?? 'ok'))).toEqual(new Set(['ok', 'conflict']));
    const alive = await Promise.all(won.map(({ key }) => holderOf(key)));
    expect(alive.filter(Boolean)).toHaveLength(1);
  });

  it('works for a suspended account, so that a leaked key can be stopped', async () => {
    const ada = await world.user();
    const { tenant, key } = await make(ada);
    await suspend(ada, true);
    await rotate(ada, tenant.id);
    expect(await holderOf(key)).toBeNull();
  });

  it('of somebody else’s tenant answers as if there were none', async () => {
    const [ada, eve] = [await world.user(), await world.user()];
    const { tenant } = await make(ada);
    const strange = [tenant.id, ada.userId, newId(), 'nonsense', ''];
    for (const id of strange) {
      const [wrote, read] = [
        await world.run(ROTATE_TENANT, { id }, eve.scope),
        await world.run(TENANT_BY_ID, { id }, eve.scope),
      ];
      for (const { problem } of [wrote, read]) {
        expect([problem?.slug, problem?.message]).toEqual(['not_found', 'Tenant not found.']);
      }
    }
  });
});

it('pages through tenants, newest first', async () => {
  const ada = await world.user();
  const made: string[] = [];
  for (let i = 0; i < 4; i++) made.unshift((await make(ada)).tenant.id);
  const found: string[] = [];
  let after: string | null = null;
  do {
    const answer = await world.run(TENANTS, { first: 2, after }, ada.scope);
    const page: { nodes: Shown[]; nextCursor: string | null } = field(answer, 'tenants');
    found.push(...page.nodes.map(({ id }) => id));
    after = page.nextCursor;
  } while (after !== null);
  expect(found).toEqual([...made, ada.userId]);
});
