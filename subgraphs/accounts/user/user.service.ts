import type { Collection } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { type Events, IDENTITY_CHANGED } from '../../../platform/events.js';
import { newId } from '../../../platform/ids.js';
import { Lookups } from '../../../platform/mongo/lookups.js';
import { retryOnDuplicate } from '../../../platform/mongo/writes.js';
import { type Caller, requireCaller, type Scope } from '../../../platform/scope.js';
import type { AccountsSettings } from '../deps.js';
import type { Limiter } from '../limiter.js';
import { LOOKUP_WINDOW_SECONDS, readUserIdentifier } from '../rules.js';
import { PROFILE_FIELDS, type Profile, type ProfileDoc, profileOf, type UserDoc } from './user.model.js';

export interface UserServiceDeps {
  users: Collection<UserDoc>;
  limiter: Limiter;
  events: Events;
  settings: AccountsSettings;
  now: () => Date;
}

export class UserService {
  readonly #users: Collection<UserDoc>;
  readonly #profiles: Lookups<UserDoc, ProfileDoc>;
  readonly #limiter: Limiter;
  readonly #events: Events;
  readonly #settings: AccountsSettings;
  readonly #now: () => Date;

  constructor({ users, limiter, events, settings, now }: UserServiceDeps) {
    this.#users = users;
    this.#profiles = new Lookups<UserDoc, ProfileDoc>(users, { projection: PROFILE_FIELDS });
    this.#limiter = limiter;
    this.#events = events;
    this.#settings = settings;
    this.#now = now;
  }

  byIds(ids: readonly string[]): Promise<(Profile | null)[]> {
    return Promise.all(ids.map((id) => this.byId(id)));
  }

  async byId(id: string): Promise<Profile | null> {
    const found = await this.#profiles.find(id);
    return found && profileOf(found);
  }

  async find(identifier: string): Promise<Profile | null> {
    const filter = readUserIdentifier(identifier);
    const found = filter && (await this.#users.findOne<ProfileDoc>(filter, { projection: PROFILE_FIELDS }));
    return found ? profileOf(found) : null;
  }

  /** The user whom a caller names. It tells who has an account, so nobody may ask for many in a short time. */
  async named(scope: Scope, identifier: string): Promise<Profile> {
    await this.countLookup(requireCaller(scope).userId);
    const found = await this.find(identifier);
    if (!found) throw new Problem('user_not_found');
    return found;
  }

  async countLookup(userId: string): Promise<void> {
    await this.#limiter.take({
      key: `lookup:${userId}`,
      limit: this.#settings.userLookupsPerMinute,
      windowSeconds: LOOKUP_WINDOW_SECONDS,
      message: 'You have looked up too many users. Wait a moment.',
    });
  }

  /** The caller as the store has it now; the scope may be a moment old. */
  async fresh({ userId }: Caller): Promise<Profile> {
    const found = await this.#users.findOne<ProfileDoc>({ _id: userId }, { projection: PROFILE_FIELDS });
    if (!found) throw new Problem('auth_required');
    return profileOf(found);
  }

  /** The account of an address whose control is proven, made at the first time. */
  async ensure(email: string): Promise<Profile> {
    const account: Omit<UserDoc, 'email'> = {
      _id: newId(),
      createdAt: this.#now(),
      handle: null,
      handleClaimedAt: null,
      formerHandles: [],
      renames: [],
      rev: 0,
      suspended: false,
      suspension: null,
    };
    const user = await retryOnDuplicate(() =>
      this.#users.findOneAndUpdate(
        { email },
        { $setOnInsert: account },
        { upsert: true, returnDocument: 'after', projection: PROFILE_FIELDS },
      ),
    );
    if (!user) throw new Error('an upsert returned nothing');
    return profileOf(user);
  }

  async setSuspension(identifier: string, suspended: boolean, reason: string | null): Promise<Profile> {
    const user = await this.find(identifier);
    if (!user) throw new Problem('user_not_found');
    const suspension = suspended ? { reason, at: this.#now() } : null;
    await this.#users.updateOne({ _id: user.userId }, { $set: { suspended, suspension } });
    this.#events.publish(IDENTITY_CHANGED, user.userId);
    return { ...user, suspended };
  }
}
