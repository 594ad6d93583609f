import type { Collection } from 'mongodb';
import { newUserKey } from '../../../platform/credentials.js';
import { Problem } from '../../../platform/errors.js';
import { type Events, IDENTITY_CHANGED } from '../../../platform/events.js';
import { KeyId, newId } from '../../../platform/ids.js';
import { anyOf, findBatch } from '../../../platform/mongo/batch.js';
import { Lookups } from '../../../platform/mongo/lookups.js';
import { findPage, type Page, type PageRequest } from '../../../platform/mongo/page.js';
import { type Caller, wholeAccount } from '../../../platform/scope.js';
import { sha256 } from '../../../platform/secrets.js';
import { parseKeyName } from '../rules.js';
import type { UserService } from '../user/user.service.js';
import { collidesOn, withFreeSlot } from '../writes.js';
import type { ApiKeyDoc } from './api-key.model.js';
import type { LastUse } from './last-use.js';

const SHOWN_LENGTH = 'good_live_'.length + 4;
const EVICTIONS = 10;

export interface NewApiKey {
  apiKey: ApiKeyDoc;
  /** The key itself, which nothing can show again. */
  secret: string;
}

export interface ApiKeyServiceDeps {
  apiKeys: Collection<ApiKeyDoc>;
  userService: UserService;
  lastUse: LastUse;
  events: Events;
  keysPerUser: number;
  now: () => Date;
}

export class ApiKeyService {
  readonly #deps: ApiKeyServiceDeps;
  readonly #owners: Lookups<ApiKeyDoc, Pick<ApiKeyDoc, '_id' | 'userId' | 'hash'>>;

  constructor(deps: ApiKeyServiceDeps) {
    this.#deps = deps;
    this.#owners = new Lookups(deps.apiKeys, { field: 'hash', projection: { userId: 1, hash: 1 } });
  }

  async create(caller: Caller, name: string): Promise<NewApiKey> {
    const checked = parseKeyName(name);
    // Asked of the store: the scope may be older than a suspension.
    const { suspended } = await this.#deps.userService.fresh(caller);
    if (suspended) throw new Problem('account_suspended');
    const made = await this.#mint(caller.userId, checked, 'CREATED');
    if (made === 'full') throw this.#tooMany();
    return made;
  }

  /** The key that a sign-in hands out. */
  createAtSignIn(userId: string): Promise<NewApiKey> {
    return this.#createInPlaceOf(userId, `sign-in ${this.#deps.now().toISOString().slice(0, 10)}`);
  }

  /** A key for the machine on which somebody signed in with an access token. */
  async exchange(caller: Caller, hostname: string | null): Promise<NewApiKey> {
    if (caller.audience === null)
      throw new Problem('forbidden', 'This takes an access token, and you sent an API key.');
    const name = parseKeyName(hostname ?? 'sign-in');
    const { suspended } = await this.#deps.userService.fresh(caller);
    if (suspended) throw new Problem('account_suspended');
    return this.#createInPlaceOf(caller.userId, name);
  }

  /**
   * When the account has no place left, the sign-in key that was not used for the longest time gives way: otherwise
   * signing in often would end in being locked out.
   */
  async #createInPlaceOf(userId: string, name: string): Promise<NewApiKey> {
    const made = await this.#mint(userId, name, 'SIGN_IN');
    if (made !== 'full') return made;
    for (let attempt = 0; attempt < EVICTIONS; attempt++) {
      const slot = await this.#evictSignInKey(userId);
      if (slot === null) break;
      try {
        return await this.#insert(userId, name, 'SIGN_IN', slot);
      } catch (error) {
        if (!collidesOn(error, 'slot')) throw error;
      }
    }
    throw this.#tooMany();
  }

  #tooMany(): Problem {
    return new Problem('quota_exceeded', `An account can have ${this.#deps.keysPerUser} API keys.`, {
      hint: 'Revoke a key that you no longer use.',
    });
  }

  #mint(userId: string, name: string, origin: ApiKeyDoc['origin']): Promise<NewApiKey | 'full'> {
    const { apiKeys, keysPerUser } = this.#deps;
    return withFreeSlot(apiKeys, { userId }, keysPerUser, (slot) => this.#insert(userId, name, origin, slot));
  }

  async #insert(userId: string, name: string, origin: ApiKeyDoc['origin'], slot: number): Promise<NewApiKey> {
    const { apiKeys, events, now } = this.#deps;
    const secret = newUserKey();
    const apiKey: ApiKeyDoc = {
      _id: newId(),
      userId,
      hash: sha256(secret),
      prefix: secret.slice(0, SHOWN_LENGTH),
      name,
      origin,
      slot,
      createdAt: now(),
      lastUsedAt: null,
    };
    await apiKeys.insertOne(apiKey);
    events.publish(IDENTITY_CHANGED, userId);
    return { apiKey, secret };
  }

  /** Returns the place that became free, or null when there is no sign-in key to give way. */
  async #evictSignInKey(userId: string): Promise<number | null> {
    const { apiKeys, events } = this.#deps;
    const owned = await apiKeys.find({ userId }).sort({ _id: -1 }).toArray();
    const used = ({ lastUsedAt, createdAt }: ApiKeyDoc) => (lastUsedAt ?? createdAt).getTime();
    const oldest = owned.filter(({ origin }) => origin === 'SIGN_IN').toSorted((a, b) => used(a) - used(b))[0];
    if (!oldest) return null;
    await apiKeys.deleteOne({ _id: oldest._id });
    events.publish(IDENTITY_CHANGED, userId);
    return oldest.slot;
  }

  list({ userId }: Caller, page: PageRequest): Promise<Page<ApiKeyDoc>> {
    return findPage(this.#deps.apiKeys, { userId }, page);
  }

  /** Null in place of keys that are not there or not this user's. */
  async byIds(userId: string, ids: readonly string[]): Promise<(ApiKeyDoc | null)[]> {
    const found = await findBatch(this.#deps.apiKeys, { _id: anyOf(ids), userId }, { limit: ids.length });
    const byId = new Map(found.map((doc) => [doc._id, doc]));
    return ids.map((id) => byId.get(id) ?? null);
  }

  /** Returns the id of the revoked key. */
  async revoke({ userId }: Caller, identifier: string): Promise<string> {
    const _id = await this.#identify(userId, identifier);
    const { deletedCount } = await this.#deps.apiKeys.deleteOne({ _id, userId });
    if (deletedCount === 0) throw new Problem('not_found', 'API key not found.');
    this.#deps.events.publish(IDENTITY_CHANGED, userId);
    return _id;
  }

  async #identify(userId: string, identifier: string): Promise<string> {
    const { apiKeys } = this.#deps;
    const projection = { _id: 1 } as const;
    const id = KeyId.parse(identifier);
    if (id !== null && (await apiKeys.findOne({ _id: id, userId }, { projection }))) return id;
    const [named, other] = await apiKeys.find({ userId, name: identifier.trim() }, { projection }).limit(2).toArray();
    if (!named) throw new Problem('not_found', 'API key not found.');
    if (other) throw new Problem('conflict', 'Several keys have that name. Revoke by id.');
    return named._id;
  }

  /** Who holds the key with this hash, as of now. Counts as a use of the key. */
  async holder(hash: string): Promise<Caller | null> {
    const { userService, lastUse, now } = this.#deps;
    const key = await this.#owners.find(hash);
    const user = key && (await userService.byId(key.userId));
    if (!user) return null;
    lastUse.note(key._id, now());
    return { keyId: key._id, ...wholeAccount(user.userId), ...user };
  }

  /** Those of these hashes that are of keys. No use of them. */
  async good(hashes: readonly string[]): Promise<string[]> {
    const found = await findBatch<ApiKeyDoc>(
      this.#deps.apiKeys,
      { hash: anyOf(hashes) },
      { projection: { hash: 1 }, limit: hashes.length },
    );
    return found.map(({ hash }) => hash);
  }
}
