/** The device grant (RFC 8628): a short code that somebody types in a browser lets in what shows it. */
import { randomInt } from 'node:crypto';
import type { Collection } from 'mongodb';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import { randomToken, type Secrets, sha256 } from '../../../platform/secrets.js';
import type { AccountsSettings } from '../deps.js';
import type { Limiter } from '../limiter.js';
import { DAY_MS, plus, SECOND_MS } from '../time.js';
import type { OAuthClientDoc } from './client.model.js';
import type { OAuthClientService } from './client.service.js';
import type { GrantDoc } from './grant.model.js';
import { type GrantService, invalidGrant, newGrant, requireGrantType, requireSameResource } from './grant.service.js';
import {
  DEVICE_CODE_SECONDS,
  DEVICE_GRANT,
  type InputOf,
  OAuthError,
  type Tokens,
  type Wish,
} from './oauth.contract.js';

/** Without vowels, which would make words, and without letters that are taken for others. */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const CODE_LETTERS = 8;
const INTERVAL_SECONDS = 5;
const ATTEMPTS = 5;
/** 20 guesses among 20^8 codes that live for a quarter of an hour. */
const GUESSES = 20;
const GUESS_WINDOW_SECONDS = 900;

export interface DeviceServiceDeps {
  grants: Collection<GrantDoc>;
  grantService: GrantService;
  oauthClientService: OAuthClientService;
  limiter: Limiter;
  secrets: Secrets;
  settings: AccountsSettings;
  now: () => Date;
}

export class DeviceService {
  readonly #deps: DeviceServiceDeps;

  constructor(deps: DeviceServiceDeps) {
    this.#deps = deps;
  }

  async start(client: OAuthClientDoc, wish: Wish, network: string) {
    requireGrantType(client, DEVICE_GRANT);
    const { grants, limiter, settings, now } = this.#deps;
    await limiter.take({
      key: `oauth-devices:${network}`,
      limit: settings.oauthClientsPerHour,
      windowSeconds: 3600,
      message: 'Too many devices asked to be let in from here. Wait a while.',
    });
    const deviceCode = `good_dc_${randomToken()}`;
    const expiresAt = plus(now(), DEVICE_CODE_SECONDS * SECOND_MS);
    for (let attempt = 1; ; attempt++) {
      const userCode = Array.from({ length: CODE_LETTERS }, () => LETTERS.charAt(randomInt(LETTERS.length))).join('');
      try {
        await grants.insertOne({
          ...newGrant(client._id, null, wish, now()),
          device: {
            hash: sha256(deviceCode),
            userCode: this.#mac(userCode),
            state: 'PENDING',
            expiresAt,
            intervalSeconds: INTERVAL_SECONDS,
            polledAt: null,
          },
          until: plus(expiresAt, DAY_MS),
        });
        const shown = `${userCode.slice(0, CODE_LETTERS / 2)}-${userCode.slice(CODE_LETTERS / 2)}`;
        return { deviceCode, userCode: shown, intervalSeconds: INTERVAL_SECONDS };
      } catch (error) {
        if (!isDuplicateKey(error) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  /** What waits for this code; null when nothing does. */
  async find(userCode: string, network: string) {
    const { grants, limiter, oauthClientService, settings, now } = this.#deps;
    await limiter.take({
      key: `oauth-user-codes:${network}`,
      limit: settings.oauthClientsPerHour === 0 ? 0 : GUESSES,
      windowSeconds: GUESS_WINDOW_SECONDS,
      message: 'Too many codes were tried from here. Wait a while.',
    });
    const letters = userCode.toUpperCase().replaceAll(/[^A-Z]/g, '');
    const grant = await grants.findOne({ 'device.userCode': this.#mac(letters) });
    if (grant?.device?.state !== 'PENDING' || grant.device.expiresAt <= now()) return null;
    const client = await oauthClientService.find(grant.clientId);
    if (!client) return null;
    const { _id: grantId, clientId, resource, scopes } = grant;
    return { grantId, clientId, clientName: client.name, resource, scopes };
  }

  /** False when somebody has decided already, or it is too late. */
  async decide({ grantId, userId, approved }: InputOf<'decideDevice'>): Promise<boolean> {
    const { grants, now } = this.#deps;
    const open = { _id: grantId, 'device.state': 'PENDING' as const, 'device.expiresAt': { $gt: now() } };
    const decision = approved ? { 'device.state': 'APPROVED' as const, userId } : { 'device.state': 'DENIED' as const };
    const { modifiedCount } = await grants.updateOne(open, { $set: decision });
    return modifiedCount === 1;
  }

  async redeem(
    client: OAuthClientDoc,
    { deviceCode, resource }: Omit<InputOf<'redeemDevice'>, 'client'>,
  ): Promise<Tokens> {
    requireGrantType(client, DEVICE_GRANT);
    const { grants, grantService, oauthClientService, now } = this.#deps;
    const grant = await grants.findOne({ 'device.hash': sha256(deviceCode), clientId: client._id });
    if (!grant?.device || grant.device.state === 'USED') throw invalidGrant('The device code is not known here.');
    const { state, expiresAt } = grant.device;
    if (expiresAt <= now()) throw new OAuthError('expired_token', 'The device code has expired. Ask for another.');
    if (state === 'DENIED') throw new OAuthError('access_denied', 'The user did not let the device in.');
    if (state === 'PENDING') throw await this.#notYet(grant);
    requireSameResource(grant, resource);
    const approved = { _id: grant._id, 'device.state': 'APPROVED' as const, revokedAt: null };
    const tokens = await grantService.issueFor(client, grant, approved, { 'device.state': 'USED' });
    if (!tokens) throw invalidGrant('The device code was used already.');
    await oauthClientService.keep(client);
    return tokens;
  }

  /** Who asks before the interval is over waits longer from then on. */
  async #notYet({ _id, device }: GrantDoc): Promise<OAuthError> {
    const { grants, now } = this.#deps;
    const { polledAt = null, intervalSeconds = INTERVAL_SECONDS } = device ?? {};
    const early = polledAt !== null && now() < plus(polledAt, intervalSeconds * SECOND_MS);
    const slower = early ? { $inc: { 'device.intervalSeconds': INTERVAL_SECONDS } } : {};
    await grants.updateOne({ _id }, { $set: { 'device.polledAt': now() }, ...slower });
    return early
      ? new OAuthError('slow_down', `Wait ${intervalSeconds + INTERVAL_SECONDS} seconds between two attempts.`)
      : new OAuthError('authorization_pending', 'The user has not decided yet.');
  }

  #mac(userCode: string): string {
    return this.#deps.secrets.mac('oauth-user-code', userCode);
  }
}
