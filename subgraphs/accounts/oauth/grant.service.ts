/**
 * Authorization codes, refresh tokens and access tokens. Every token is stored as a hash, each is spent by one update that
 * matches once, and what is spent twice ends everything that came of the same sign-in.
 */
import type { Collection, Filter } from 'mongodb';
import { newAccessToken } from '../../../platform/credentials.js';
import { Problem } from '../../../platform/errors.js';
import { type Events, IDENTITY_CHANGED } from '../../../platform/events.js';
import { newId, PlainId } from '../../../platform/ids.js';
import { anyOf, findBatch } from '../../../platform/mongo/batch.js';
import { findPage, type Page, type PageRequest } from '../../../platform/mongo/page.js';
import type { Resource } from '../../../platform/resources.js';
import type { Caller, KeyScope } from '../../../platform/scope.js';
import { randomToken, type Secrets, sha256 } from '../../../platform/secrets.js';
import { DAY_MS, plus, SECOND_MS } from '../time.js';
import { PROFILE_FIELDS, type ProfileDoc, profileOf, type UserDoc } from '../user/user.model.js';
import type { OAuthClientDoc } from './client.model.js';
import type { OAuthClientService } from './client.service.js';
import type { AccessToken, GrantDoc } from './grant.model.js';
import {
  ACCESS_TOKEN_SECONDS,
  CODE_GRANT,
  type InputOf,
  OAuthError,
  REFRESH_GRANT,
  type Tokens,
  TokensEnded,
} from './oauth.contract.js';
import { allows } from './redirect-uri.js';
import { grantOf, newRefreshToken } from './refresh-token.js';

const CODE_MS = 60 * SECOND_MS;
const REFRESH_MS = 30 * DAY_MS;
const ACCESS_MS = ACCESS_TOKEN_SECONDS * SECOND_MS;
/** How long after its end a grant is kept, so that what is used too late or twice is recognised. */
const REMEMBERED_MS = DAY_MS;
/** Tokens of one grant at a time: somebody who renews more often loses the oldest before its hour is over. */
const ACCESS_TOKENS = 20;

export interface GrantServiceDeps {
  grants: Collection<GrantDoc>;
  users: Collection<UserDoc>;
  oauthClientService: OAuthClientService;
  secrets: Secrets;
  events: Events;
  now: () => Date;
}

export class GrantService {
  readonly #deps: GrantServiceDeps;

  constructor(deps: GrantServiceDeps) {
    this.#deps = deps;
  }

  /** The user allowed it. */
  async authorize({ clientId, userId, redirectUri, challenge, resource, scopes }: InputOf<'authorize'>) {
    const { grants, oauthClientService, now } = this.#deps;
    const client = await oauthClientService.find(clientId);
    if (!client?.redirectUris.some((registered) => allows(registered, redirectUri))) {
      throw new OAuthError('invalid_client', 'The client is not known here any more.');
    }
    const code = `good_ac_${randomToken()}`;
    const expiresAt = plus(now(), CODE_MS);
    await grants.insertOne({
      ...newGrant(clientId, userId, { resource, scopes }, now()),
      code: { hash: sha256(code), challenge, redirectUri, expiresAt, used: false },
      until: plus(expiresAt, REMEMBERED_MS),
    });
    await oauthClientService.keep(client);
    return { code };
  }

  async redeemCode(
    client: OAuthClientDoc,
    { code, verifier, redirectUri, resource }: Omit<InputOf<'redeemCode'>, 'client'>,
  ): Promise<Tokens> {
    requireGrantType(client, CODE_GRANT);
    const { grants, now } = this.#deps;
    const hash = sha256(code);
    const grant = await grants.findOne({ 'code.hash': hash, clientId: client._id });
    if (!grant?.code || grant.revokedAt !== null) throw invalidGrant('The code is not known here.');
    if (grant.code.used)
      throw await this.#ended(grant, 'The code was used before. All tokens that came of it are ended.');
    if (grant.code.expiresAt <= now()) throw invalidGrant('The code has expired.');
    if (redirectUri !== null && redirectUri !== grant.code.redirectUri) {
      throw invalidGrant('redirect_uri is not the one that the code was sent to.');
    }
    if (sha256(verifier) !== grant.code.challenge) throw invalidGrant('code_verifier does not meet the challenge.');
    requireSameResource(grant, resource);
    const unused = { _id: grant._id, 'code.used': false, revokedAt: null };
    const tokens = await this.#issue(client, grant, grant.scopes, unused, { 'code.used': true });
    if (!tokens)
      throw await this.#ended(grant, 'The code was used twice at once. All tokens that came of it are ended.');
    return tokens;
  }

  async refresh(
    client: OAuthClientDoc,
    { refreshToken, scopes, resource }: Omit<InputOf<'refresh'>, 'client'>,
  ): Promise<Tokens> {
    requireGrantType(client, REFRESH_GRANT);
    const { grants, secrets, oauthClientService, now } = this.#deps;
    const _id = grantOf(secrets, refreshToken);
    const grant = _id === null ? null : await grants.findOne({ _id, clientId: client._id });
    if (!grant?.refresh) throw invalidGrant('The refresh token is not known here any more.');
    const hash = sha256(refreshToken);
    const reused = 'The refresh token was used before. All tokens of this sign-in are ended.';
    if (grant.refresh.hash !== hash) throw await this.#ended(grant, reused);
    if (grant.refresh.expiresAt <= now()) throw invalidGrant('The refresh token has expired.');
    requireSameResource(grant, resource);
    if (scopes?.some((scope) => !grant.scopes.includes(scope))) {
      throw new OAuthError('invalid_scope', 'A renewed token cannot do more than the first one.');
    }
    const current = { _id: grant._id, 'refresh.hash': hash, revokedAt: null };
    const tokens = await this.#issue(client, grant, scopes ?? grant.scopes, current);
    if (!tokens) throw await this.#ended(grant, reused);
    await oauthClientService.keep(client);
    return tokens;
  }

  /** Null when the grant is no longer what `filter` says. */
  async #issue(
    client: OAuthClientDoc,
    grant: GrantDoc,
    scopes: KeyScope[],
    filter: Filter<GrantDoc>,
    set: object = {},
  ): Promise<Tokens | null> {
    const { grants, secrets, now } = this.#deps;
    const accessToken = newAccessToken();
    const access: AccessToken = { hash: sha256(accessToken), scopes, expiresAt: plus(now(), ACCESS_MS) };
    const refreshToken = client.grantTypes.includes(REFRESH_GRANT) ? newRefreshToken(secrets, grant._id) : null;
    const refreshExpiry = plus(now(), REFRESH_MS);
    const refresh = refreshToken && { refresh: { hash: sha256(refreshToken), expiresAt: refreshExpiry } };
    const until = plus(refresh ? refreshExpiry : access.expiresAt, REMEMBERED_MS);
    const { modifiedCount } = await grants.updateOne(filter, {
      $set: { ...set, ...refresh, until },
      $push: { access: { $each: [access], $slice: -ACCESS_TOKENS } },
    });
    return modifiedCount === 1 ? { accessToken, refreshToken, scopes, userId: grant.userId } : null;
  }

  /** For the device grant: the same tokens, by whatever update spends the device's code. */
  issueFor(client: OAuthClientDoc, grant: GrantDoc, filter: Filter<GrantDoc>, set: object): Promise<Tokens | null> {
    return this.#issue(client, grant, grant.scopes, filter, set);
  }

  /** A refresh token takes all that came of its sign-in with it. Returns whose it was; null when there was none. */
  async revoke(client: OAuthClientDoc, token: string): Promise<string | null> {
    const { grants, secrets } = this.#deps;
    const hash = sha256(token);
    const _id = grantOf(secrets, token);
    if (_id !== null) {
      const grant = await grants.findOne({ _id, clientId: client._id });
      if (!grant?.refresh) return null;
      await this.#end(grant);
      return grant.userId;
    }
    const own = { 'access.hash': hash, clientId: client._id };
    const grant = await grants.findOneAndUpdate(own, { $pull: { access: { hash } } });
    if (grant?.userId) this.#deps.events.publish(IDENTITY_CHANGED, grant.userId);
    return grant?.userId ?? null;
  }

  /** What somebody has let in and that can still be used. */
  list({ userId }: Caller, page: PageRequest): Promise<Page<GrantDoc>> {
    const { grants, now } = this.#deps;
    const usable = { 'access.hash': { $gt: '' }, until: { $gt: plus(now(), REMEMBERED_MS) } };
    return findPage(grants, { userId, ...usable }, page);
  }

  /** Returns the id of what has ended. */
  async disconnect({ userId }: Caller, identifier: string): Promise<string> {
    const _id = PlainId.parse(identifier);
    const found = _id === null ? null : await this.#deps.grants.findOne({ _id, userId, revokedAt: null });
    if (!found) throw new Problem('not_found', 'Application not found.');
    await this.#end(found);
    return found._id;
  }

  async #ended(grant: GrantDoc, why: string): Promise<OAuthError> {
    await this.#end(grant);
    return grant.userId === null ? invalidGrant(why) : new TokensEnded(grant.userId, why);
  }

  async #end({ _id, userId }: GrantDoc): Promise<void> {
    const { grants, events, now } = this.#deps;
    await grants.updateOne({ _id }, { $set: { access: [], revokedAt: now() }, $unset: { refresh: 1 } });
    if (userId !== null) events.publish(IDENTITY_CHANGED, userId);
  }

  /** Who holds the access token with this hash, as of now. */
  async holder(hash: string): Promise<Caller | null> {
    const { grants, users, now } = this.#deps;
    const grant = await grants.findOne({ 'access.hash': hash });
    const token = grant?.access.find((access) => access.hash === hash);
    if (!grant?.userId || !token || token.expiresAt <= now()) return null;
    const user = await users.findOne<ProfileDoc>({ _id: grant.userId }, { projection: PROFILE_FIELDS });
    if (!user) return null;
    const { _id: keyId, resource: audience } = grant;
    return { keyId, tenantId: user._id, scopes: token.scopes, audience, ...profileOf(user) };
  }

  /** Which of these access tokens are good at this moment. */
  async good(hashes: readonly string[]): Promise<string[]> {
    const { grants, now } = this.#deps;
    const wanted = new Set(hashes);
    const found = await findBatch<GrantDoc, Pick<GrantDoc, '_id' | 'access'>>(
      grants,
      { 'access.hash': anyOf(hashes) },
      { projection: { access: 1 }, limit: hashes.length },
    );
    const live = found.flatMap(({ access }) => access.filter(({ expiresAt }) => expiresAt > now()));
    return live.map(({ hash }) => hash).filter((hash) => wanted.has(hash));
  }

  async sweep(): Promise<void> {
    const { grants, now } = this.#deps;
    await grants.deleteMany({ until: { $lte: now() } });
  }
}

export function newGrant(
  clientId: string,
  userId: string | null,
  wish: { resource: Resource; scopes: KeyScope[] },
  createdAt: Date,
): Omit<GrantDoc, 'until'> {
  return { _id: newId(), clientId, userId, ...wish, access: [], createdAt, revokedAt: null };
}

export function invalidGrant(why: string): OAuthError {
  return new OAuthError('invalid_grant', why);
}

export function requireGrantType(client: OAuthClientDoc, type: OAuthClientDoc['grantTypes'][number]): void {
  if (client.grantTypes.includes(type)) return;
  throw new OAuthError('unauthorized_client', `This client did not register for ${type}.`);
}

export function requireSameResource(grant: GrantDoc, asked: Resource | null): void {
  if (asked === null || asked === grant.resource) return;
  throw new OAuthError('invalid_target', 'resource is not the one that was allowed.');
}
