/** The endpoints that clients call by themselves: tokens, revocation, registration, and the beginning of a device grant. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../platform/errors.js';
import { networkOf } from '../../platform/network.js';
import {
  ACCESS_TOKEN_SECONDS,
  type ClientCredentials,
  CODE_GRANT,
  DEVICE_CODE_SECONDS,
  DEVICE_GRANT,
  OAuthError,
  REFRESH_GRANT,
  type Tokens,
  TokensEnded,
} from '../../subgraphs/accounts/oauth/oauth.contract.js';
import { formOf, type Handler, type OAuthDeps } from './deps.js';
import { PATHS } from './metadata.js';
import { Parameters, readResource, readScopes, readWish } from './wish.js';

const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

export type ClientHandlers = Record<'token' | 'revoke' | 'register' | 'deviceAuthorization', Handler>;

export function createClientHandlers(deps: OAuthDeps): ClientHandlers {
  const { accounts, admission, issuer, forget } = deps;

  /** Runs what answers a client: what is refused is said in OAuth's words. */
  function forClients(handler: Handler): Handler {
    return async (request, reply) => {
      await admission.countNetwork(request, reply);
      try {
        return await handler(request, reply);
      } catch (error) {
        if (!(error instanceof OAuthError)) throw error;
        if (error instanceof TokensEnded) forget(error.userId);
        return refuse(request, reply, error);
      }
    };
  }

  async function token(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const given = new Parameters(formOf(request));
    const client = credentialsOf(request, given);
    const resource = readResource(given, issuer);
    const issued = await issue(given.need('grant_type'), given, { client, resource }, request.id);
    return reply.send(tokenAnswer(issued));
  }

  function issue(
    grantType: string,
    given: Parameters,
    common: { client: ClientCredentials; resource: ReturnType<typeof readResource> },
    requestId: string,
  ): Promise<Tokens> {
    if (grantType === CODE_GRANT) {
      const [code, verifier] = [given.need('code'), given.need('code_verifier')];
      if (!VERIFIER.test(verifier)) throw new OAuthError('invalid_grant', 'code_verifier is not one.');
      return accounts.call(
        'redeemCode',
        { ...common, code, verifier, redirectUri: given.get('redirect_uri') },
        requestId,
      );
    }
    if (grantType === REFRESH_GRANT) {
      const refreshToken = given.need('refresh_token');
      return accounts.call('refresh', { ...common, refreshToken, scopes: readScopes(given) }, requestId);
    }
    if (grantType === DEVICE_GRANT) {
      return accounts.call('redeemDevice', { ...common, deviceCode: given.need('device_code') }, requestId);
    }
    throw new OAuthError('unsupported_grant_type', 'This grant type is not supported here.');
  }

  /** The same answer for every token, known or not (RFC 7009 §2.2). */
  async function revoke(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const given = new Parameters(formOf(request));
    const input = { client: credentialsOf(request, given), token: given.need('token') };
    const { userId } = await accounts.call('revoke', input, request.id);
    if (userId !== null) forget(userId);
    return reply.code(200).send();
  }

  async function register(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { body } = request;
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new OAuthError('invalid_client_metadata', 'The body must be a JSON object.');
    }
    const input = { metadata: body as Record<string, unknown>, network: networkOf(request.ip) };
    const client = await accounts.call('register', input, request.id);
    return reply.code(201).send({
      client_id: client.id,
      client_id_issued_at: Math.floor(client.createdAt.getTime() / 1000),
      ...(client.secret !== null && { client_secret: client.secret, client_secret_expires_at: 0 }),
      client_name: client.name,
      redirect_uris: client.redirectUris,
      grant_types: client.grantTypes,
      response_types: client.grantTypes.includes(CODE_GRANT) ? ['code'] : [],
      token_endpoint_auth_method: client.authMethod,
    });
  }

  async function deviceAuthorization(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const given = new Parameters(formOf(request));
    const wish = readWish(given, issuer);
    const input = { client: credentialsOf(request, given), wish, network: networkOf(request.ip) };
    const { deviceCode, userCode, intervalSeconds } = await accounts.call('startDevice', input, request.id);
    const page = issuer + PATHS.device;
    return reply.send({
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: page,
      verification_uri_complete: `${page}?user_code=${userCode}`,
      expires_in: DEVICE_CODE_SECONDS,
      interval: intervalSeconds,
    });
  }

  return {
    token: forClients(token),
    revoke: forClients(revoke),
    register: forClients(register),
    deviceAuthorization: forClients(deviceAuthorization),
  };
}

function tokenAnswer({ accessToken, refreshToken, scopes }: Tokens) {
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: ACCESS_TOKEN_SECONDS,
    ...(refreshToken !== null && { refresh_token: refreshToken }),
    scope: scopes.join(' '),
  };
}

/** By one way alone (RFC 6749 §2.3). */
function credentialsOf({ headers: { authorization } }: FastifyRequest, given: Parameters): ClientCredentials {
  const [named, secret] = [given.get('client_id'), given.get('client_secret')];
  if (authorization === undefined) {
    if (named === null) throw new OAuthError('invalid_client', 'client_id is missing.');
    return { clientId: named, secret, method: secret === null ? 'none' : 'client_secret_post' };
  }
  const basic = readBasic(authorization);
  if (secret !== null) throw new OAuthError('invalid_request', 'The client authenticates in two ways at once.');
  if (!basic || (named !== null && named !== basic.id)) {
    throw new OAuthError('invalid_client', 'The Authorization header does not say who the client is.');
  }
  return { clientId: basic.id, secret: basic.secret, method: 'client_secret_basic' };
}

function readBasic(header: string): { id: string; secret: string } | null {
  const encoded = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(header)?.[1];
  const pair = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 0) return null;
  try {
    const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '));
    return { id: decode(pair.slice(0, colon)), secret: decode(pair.slice(colon + 1)) };
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

function refuse({ headers }: FastifyRequest, reply: FastifyReply, { code, message }: OAuthError): FastifyReply {
  const unknown = code === 'invalid_client';
  // Whoever tried by a header is told by one how to (RFC 6749 §5.2).
  if (unknown && headers.authorization !== undefined) reply.header('www-authenticate', 'Basic realm="darkroom"');
  return reply.code(unknown ? 401 : 400).send({ error: code, error_description: message });
}

/** The whole of a body that is no form, in the words of whoever reads it. */
export function requireForm(contentType: string | undefined): void {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== FORM) throw new Problem('unsupported_media_type', undefined, { hint: `Send Content-Type: ${FORM}.` });
}

export const FORM = 'application/x-www-form-urlencoded';
