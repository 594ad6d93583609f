/**
 * What the gateway asks of accounts on behalf of OAuth clients: each call with the shape of its input and of its answer,
 * which both ends check. The shapes are nobody else's, so the graph has one internal field for all of them.
 */
import { z } from 'zod';
import { RESOURCES } from '../../../platform/resources.js';
import { KEY_SCOPES } from '../../../platform/scope.js';

/** The codes of RFC 6749, 7591, 8628 and 8707 that there is a use for here. */
const OAUTH_ERRORS = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_grant_type',
  'unsupported_response_type',
  'access_denied',
  'login_required',
  'authorization_pending',
  'slow_down',
  'expired_token',
  'invalid_redirect_uri',
  'invalid_client_metadata',
] as const;

export type OAuthErrorCode = (typeof OAUTH_ERRORS)[number];

/** A refusal in OAuth's own words. What is not about OAuth is a Problem here as everywhere. */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode;

  constructor(code: OAuthErrorCode, description: string) {
    super(description);
    this.name = 'OAuthError';
    this.code = code;
  }
}

export const CODE_GRANT = 'authorization_code';
export const REFRESH_GRANT = 'refresh_token';
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const GRANT_TYPES = [CODE_GRANT, REFRESH_GRANT, DEVICE_GRANT] as const;
export const AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post'] as const;

/** Shipped command lines know the id of their client beforehand. */
export const COMMAND_LINE_CLIENT = 'goodeye-cli';

export const ACCESS_TOKEN_SECONDS = 3600;
export const DEVICE_CODE_SECONDS = 900;

const text = z.string().max(4000);
const scopes = z.array(z.enum(KEY_SCOPES));
const resource = z.enum(RESOURCES);

const client = z.object({
  id: z.string(),
  name: z.string(),
  redirectUris: z.array(z.string()),
  grantTypes: z.array(z.enum(GRANT_TYPES)),
  authMethod: z.enum(AUTH_METHODS),
  createdAt: z.coerce.date(),
});
export type OAuthClientView = z.infer<typeof client>;

/** How a client says at the token endpoint who it is. */
const credentials = z.object({ clientId: text, secret: text.nullable(), method: z.enum(AUTH_METHODS) });
export type ClientCredentials = z.infer<typeof credentials>;

/** What a client asks for and a user allows. */
const wish = z.object({ resource, scopes });
export type Wish = z.infer<typeof wish>;

const tokens = z.object({
  accessToken: z.string(),
  refreshToken: z.string().nullable(),
  scopes,
  /** Whose tokens they are. Null: there is nobody to forget. */
  userId: z.string().nullable(),
});
export type Tokens = z.infer<typeof tokens>;

export const OAUTH_CALLS = {
  register: {
    input: z.object({ metadata: z.record(z.string(), z.unknown()), network: z.string() }),
    output: client.extend({ secret: z.string().nullable() }),
  },
  client: { input: z.object({ id: text }), output: client.nullable() },
  requestCode: { input: z.object({ email: text, network: z.string() }), output: z.object({ email: z.string() }) },
  signIn: { input: z.object({ email: text, code: text }), output: z.object({ userId: z.string(), email: z.string() }) },
  authorize: {
    input: wish.extend({ clientId: text, userId: z.string(), redirectUri: text, challenge: z.string() }),
    output: z.object({ code: z.string() }),
  },
  startDevice: {
    input: z.object({ client: credentials, wish, network: z.string() }),
    output: z.object({ deviceCode: z.string(), userCode: z.string(), intervalSeconds: z.number() }),
  },
  findDevice: {
    input: z.object({ userCode: text, network: z.string() }),
    output: wish.extend({ grantId: z.string(), clientId: z.string(), clientName: z.string() }).nullable(),
  },
  decideDevice: {
    input: z.object({ grantId: z.string(), userId: z.string(), approved: z.boolean() }),
    output: z.object({ decided: z.boolean() }),
  },
  redeemCode: {
    input: z.object({
      client: credentials,
      code: text,
      verifier: text,
      redirectUri: text.nullable(),
      resource: resource.nullable(),
    }),
    output: tokens,
  },
  refresh: {
    input: z.object({
      client: credentials,
      refreshToken: text,
      scopes: scopes.nullable(),
      resource: resource.nullable(),
    }),
    output: tokens,
  },
  redeemDevice: {
    input: z.object({ client: credentials, deviceCode: text, resource: resource.nullable() }),
    output: tokens,
  },
  revoke: {
    input: z.object({ client: credentials, token: text }),
    output: z.object({ userId: z.string().nullable() }),
  },
} as const;

export type OAuthCall = keyof typeof OAUTH_CALLS;
export type InputOf<C extends OAuthCall> = z.infer<(typeof OAUTH_CALLS)[C]['input']>;
export type OutputOf<C extends OAuthCall> = z.infer<(typeof OAUTH_CALLS)[C]['output']>;

/** How a refusal travels. */
export const refusalSchema = z.object({
  refused: z.object({ code: z.enum(OAUTH_ERRORS), description: z.string(), userId: z.string().nullable() }),
});

/** A refusal that ended tokens of somebody, whom the edge has to forget. */
export class TokensEnded extends OAuthError {
  readonly userId: string;

  constructor(userId: string, description: string) {
    super('invalid_grant', description);
    this.userId = userId;
  }
}
