/** OAuth clients: applications that registered themselves (RFC 7591), and those that are known from the start. */
import type { Collection } from 'mongodb';
import { z } from 'zod';
import { newId } from '../../../platform/ids.js';
import { anyOf, findBatch } from '../../../platform/mongo/batch.js';
import { randomToken, sha256 } from '../../../platform/secrets.js';
import type { AccountsSettings } from '../deps.js';
import type { Limiter } from '../limiter.js';
import { DAY_MS, plus } from '../time.js';
import type { OAuthClientDoc } from './client.model.js';
import {
  AUTH_METHODS,
  type ClientCredentials,
  CODE_GRANT,
  COMMAND_LINE_CLIENT,
  DEVICE_GRANT,
  GRANT_TYPES,
  OAuthError,
  REFRESH_GRANT,
} from './oauth.contract.js';
import { faultOf } from './redirect-uri.js';

const UNUSED_MS = DAY_MS;
// Longer than a refresh token that is not used.
const USED_MS = 90 * DAY_MS;
const NAME_LENGTH = 100;
const NAMELESS = 'An application without a name';
const HOUR_SECONDS = 3600;

const KNOWN: readonly OAuthClientDoc[] = [
  {
    _id: COMMAND_LINE_CLIENT,
    name: 'The goodeye command',
    redirectUris: [],
    grantTypes: [DEVICE_GRANT, REFRESH_GRANT],
    authMethod: 'none',
    secretHash: null,
    createdAt: new Date('2026-11-01T00:00:00.000Z'),
    until: new Date(8.64e15),
  },
];

const list = <T extends string>(values: readonly T[]) => z.array(z.enum(values)).min(1).max(10);

const metadataRule = z.object({
  client_name: z.string().max(1000).optional(),
  redirect_uris: z.array(z.string()).max(20, 'are too many').default([]),
  grant_types: list(GRANT_TYPES).default([CODE_GRANT]),
  response_types: list(['code']).optional(),
  token_endpoint_auth_method: z.enum(AUTH_METHODS).default('client_secret_basic'),
});

export interface OAuthClientServiceDeps {
  oauthClients: Collection<OAuthClientDoc>;
  limiter: Limiter;
  settings: AccountsSettings;
  now: () => Date;
}

export class OAuthClientService {
  readonly #deps: OAuthClientServiceDeps;

  constructor(deps: OAuthClientServiceDeps) {
    this.#deps = deps;
  }

  async find(id: string): Promise<OAuthClientDoc | null> {
    return KNOWN.find(({ _id }) => _id === id) ?? this.#deps.oauthClients.findOne({ _id: id });
  }

  async names(ids: readonly string[]): Promise<Map<string, string>> {
    const { oauthClients } = this.#deps;
    const found = await findBatch<OAuthClientDoc, Pick<OAuthClientDoc, '_id' | 'name'>>(
      oauthClients,
      { _id: anyOf(ids) },
      { projection: { name: 1 }, limit: ids.length },
    );
    return new Map([...KNOWN, ...found].map(({ _id, name }) => [_id, name]));
  }

  async register(
    metadata: Record<string, unknown>,
    network: string,
  ): Promise<{ client: OAuthClientDoc; secret: string | null }> {
    const { oauthClients, limiter, settings, now } = this.#deps;
    await limiter.take({
      key: `oauth-clients:${network}`,
      limit: settings.oauthClientsPerHour,
      windowSeconds: HOUR_SECONDS,
      message: 'Too many applications were registered from here. Wait a while.',
    });
    const { client_name, redirect_uris, grant_types, token_endpoint_auth_method } = readMetadata(metadata);
    const secret = token_endpoint_auth_method === 'none' ? null : `good_cs_${randomToken()}`;
    const client: OAuthClientDoc = {
      _id: newId(),
      name: nameOf(client_name),
      redirectUris: redirect_uris,
      grantTypes: [...new Set(grant_types)],
      authMethod: token_endpoint_auth_method,
      secretHash: secret && sha256(secret),
      createdAt: now(),
      until: plus(now(), UNUSED_MS),
    };
    await oauthClients.insertOne(client);
    return { client, secret };
  }

  /** The client that speaks, proved as it registered; throws invalid_client otherwise. */
  async authenticate({ clientId, secret, method }: ClientCredentials): Promise<OAuthClientDoc> {
    const client = await this.find(clientId);
    if (!client) throw new OAuthError('invalid_client', 'The client is not known here. It may register again.');
    if (client.authMethod !== method) {
      throw new OAuthError('invalid_client', `This client authenticates by ${client.authMethod}.`);
    }
    if (client.secretHash !== null && (secret === null || sha256(secret) !== client.secretHash)) {
      throw new OAuthError('invalid_client', 'The secret of the client is not right.');
    }
    return client;
  }

  async keep({ _id }: OAuthClientDoc): Promise<void> {
    const { oauthClients, now } = this.#deps;
    await oauthClients.updateOne({ _id }, { $max: { until: plus(now(), USED_MS) } });
  }

  async sweep(): Promise<void> {
    const { oauthClients, now } = this.#deps;
    await oauthClients.deleteMany({ until: { $lte: now() } });
  }
}

function readMetadata(metadata: Record<string, unknown>): z.infer<typeof metadataRule> {
  const parsed = metadataRule.safeParse(metadata);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') || 'client metadata';
    const code = issue?.path[0] === 'redirect_uris' ? 'invalid_redirect_uri' : 'invalid_client_metadata';
    throw new OAuthError(code, `${where}: ${issue?.message ?? 'is not valid'}`);
  }
  const { redirect_uris, grant_types } = parsed.data;
  for (const uri of redirect_uris) {
    const fault = faultOf(uri);
    if (fault !== null) throw new OAuthError('invalid_redirect_uri', `${uri.slice(0, 200)} ${fault}.`);
  }
  if (grant_types.includes(CODE_GRANT) && redirect_uris.length === 0) {
    throw new OAuthError('invalid_redirect_uri', 'redirect_uris must name at least one.');
  }
  return parsed.data;
}

/** Shown to whoever is asked to consent: without what would hide, turn round or break what stands beside it. */
function nameOf(name: string | undefined): string {
  const shown = (name ?? '')
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return [...shown].slice(0, NAME_LENGTH).join('') || NAMELESS;
}
