import type { Collection } from 'mongodb';
import { newTenantKey } from '../../../platform/credentials.js';
import { Problem } from '../../../platform/errors.js';
import { type Events, IDENTITY_CHANGED } from '../../../platform/events.js';
import { newId, PlainId } from '../../../platform/ids.js';
import { anyOf, findBatch } from '../../../platform/mongo/batch.js';
import { findPage, type Page, type PageRequest } from '../../../platform/mongo/page.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import type { Caller } from '../../../platform/scope.js';
import { sha256 } from '../../../platform/secrets.js';
import { parseTenantName } from '../rules.js';
import { PROFILE_FIELDS, type ProfileDoc, profileOf, type UserDoc } from '../user/user.model.js';
import type { UserService } from '../user/user.service.js';
import { withFreeSlot } from '../writes.js';
import type { TenantDoc, TenantKey, TenantScope } from './tenant.model.js';

const SHOWN_LENGTH = 'imgf_'.length + 8;
const ALL_SCOPES: readonly TenantScope[] = ['generate', 'read'];
const DEFAULT_SLOT = -1;

export interface NewTenantKey {
  tenant: TenantDoc;
  /** The key itself, which nothing can show again. */
  secret: string;
}

export interface NewTenant {
  name?: string | null;
  scopes?: readonly TenantScope[] | null;
}

export interface TenantServiceDeps {
  tenants: Collection<TenantDoc>;
  users: Collection<UserDoc>;
  userService: UserService;
  events: Events;
  tenantsPerUser: number;
  now: () => Date;
}

export class TenantService {
  readonly #deps: TenantServiceDeps;

  constructor(deps: TenantServiceDeps) {
    this.#deps = deps;
  }

  async create(caller: Caller, { name, scopes }: NewTenant): Promise<NewTenantKey> {
    const { tenants, tenantsPerUser, now } = this.#deps;
    const { userId } = caller;
    const checked = { name: name == null ? null : parseTenantName(name), scopes: parseScopes(scopes) };
    await this.#requireGoodStanding(caller);
    const { key, secret } = mint();
    const places = { userId, slot: { $gt: DEFAULT_SLOT } };
    const made = await withFreeSlot(tenants, places, tenantsPerUser, async (slot) => {
      const tenant: TenantDoc = { _id: newId(), userId, ...checked, key, slot, createdAt: now(), rotatedAt: null };
      await tenants.insertOne(tenant);
      return tenant;
    });
    if (made === 'full') throw new Problem('quota_exceeded', `An account can have ${tenantsPerUser} tenants.`);
    return { tenant: made, secret };
  }

  async list(caller: Caller, page: PageRequest): Promise<Page<TenantDoc>> {
    await this.#ensureDefault(caller.userId);
    return findPage(this.#deps.tenants, { userId: caller.userId }, page);
  }

  /** Null in place of tenants that are not there, not this user's, or not the one that the caller's key is of. */
  async byIds({ userId, tenantId, scopes }: Caller, ids: readonly string[]): Promise<(TenantDoc | null)[]> {
    const visible = scopes.includes('account') ? ids : ids.filter((id) => id === tenantId);
    if (visible.includes(userId)) await this.#ensureDefault(userId);
    const found = await findBatch(this.#deps.tenants, { _id: anyOf(visible), userId }, { limit: ids.length });
    const byId = new Map(found.map((doc) => [doc._id, doc]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** The old key is worth nothing from the moment on in which the new one exists. */
  async rotate(caller: Caller, identifier: string): Promise<NewTenantKey> {
    const { tenants, events, now } = this.#deps;
    const named = PlainId.parse(identifier);
    const [current] = named === null ? [] : await this.byIds(caller, [named]);
    if (!current) throw new Problem('not_found', 'Tenant not found.');
    // Replacing a key gives nothing that was not there; whose account is suspended may still stop one that leaked.
    if (current.key === null) await this.#requireGoodStanding(caller);
    const { key, secret } = mint();
    // Of two at once one would hand out a key that the other has ended already.
    const unchanged = { _id: current._id, userId: caller.userId, 'key.id': current.key?.id ?? null };
    const tenant = await tenants.findOneAndUpdate(
      unchanged,
      { $set: { key, rotatedAt: now() } },
      { returnDocument: 'after' },
    );
    if (!tenant) throw new Problem('conflict', 'The key of this tenant was replaced a moment ago. Try again.');
    events.publish(IDENTITY_CHANGED, caller.userId);
    return { tenant, secret };
  }

  /** Who holds the key with this hash, as of now. */
  async holder(hash: string): Promise<Caller | null> {
    const { tenants, users } = this.#deps;
    const tenant = await tenants.findOne({ 'key.hash': hash }, { projection: { userId: 1, scopes: 1, key: 1 } });
    if (!tenant?.key) return null;
    const user = await users.findOne<ProfileDoc>({ _id: tenant.userId }, { projection: PROFILE_FIELDS });
    if (!user) return null;
    return { keyId: tenant.key.id, tenantId: tenant._id, scopes: tenant.scopes, audience: null, ...profileOf(user) };
  }

  /** Those of these hashes that are of keys. */
  async good(hashes: readonly string[]): Promise<string[]> {
    const found = await findBatch<TenantDoc>(
      this.#deps.tenants,
      { 'key.hash': anyOf(hashes) },
      { projection: { 'key.hash': 1 }, limit: hashes.length },
    );
    return found.flatMap(({ key }) => key?.hash ?? []);
  }

  /** Asked of the store: the scope may be older than a suspension. */
  async #requireGoodStanding(caller: Caller): Promise<void> {
    const { suspended } = await this.#deps.userService.fresh(caller);
    if (suspended) throw new Problem('account_suspended');
  }

  async #ensureDefault(userId: string): Promise<void> {
    const { tenants, now } = this.#deps;
    if (await tenants.findOne({ _id: userId }, { projection: { _id: 1 } })) return;
    const first = { _id: userId, userId, name: 'default', scopes: [...ALL_SCOPES], key: null, slot: DEFAULT_SLOT };
    await tenants.insertOne({ ...first, createdAt: now(), rotatedAt: null }).catch((error: unknown) => {
      if (!isDuplicateKey(error)) throw error;
    });
  }
}

function mint(): { key: TenantKey; secret: string } {
  const secret = newTenantKey();
  return { key: { id: newId(), hash: sha256(secret), prefix: secret.slice(0, SHOWN_LENGTH) }, secret };
}

function parseScopes(scopes: readonly TenantScope[] | null | undefined): TenantScope[] {
  if (scopes == null) return [...ALL_SCOPES];
  if (scopes.length === 0) throw Problem.invalid('scopes', 'must name at least one scope');
  return ALL_SCOPES.filter((scope) => scopes.includes(scope));
}
