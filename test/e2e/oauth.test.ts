/** OAuth as its clients know it: oauth4webapi walks all of it, in a browser without scripts, in both shapes. */
import {
  Client as Agent,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import fc from 'fast-check';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atKnownAddress } from '../support/address.js';
import { Browser, type Page } from '../support/browser.js';
import { type Account, type Client, clientOf } from '../support/client.js';
import { type Platform, SHAPES } from '../support/platform.js';

const INSECURE = { [oauth.allowInsecureRequests]: true };
const REDIRECT = 'http://127.0.0.1/callback';
/** As an application has it that was given a port a moment ago. */
const CALLBACK = 'http://127.0.0.1:49152/callback';
const EVERYTHING = 'account generate read';

describe.each(SHAPES)('OAuth in %s', (_name, start) => {
  let platform: Platform;
  let rest: Client['rest'];
  let graph: Client['graph'];
  let ada: Account;
  let server: oauth.AuthorizationServer;
  let client: oauth.Client;

  beforeAll(async () => {
    platform = await atKnownAddress(start, { RATE_LIMIT_CODES_PER_EMAIL: '0' });
    const door = clientOf(platform);
    rest = door.rest;
    graph = door.graph;
    ada = await door.account('ada@example.com');
    const issuer = new URL(platform.url);
    const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE });
    server = await oauth.processDiscoveryResponse(issuer, found);
    client = await register({ client_name: 'A tester' });
  });
  afterAll(() => platform?.stop());

  async function register(metadata: Partial<oauth.OmitSymbolProperties<oauth.Client>>): Promise<oauth.Client> {
    const wanted = {
      redirect_uris: [REDIRECT],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
      ...metadata,
    };
    const response = await oauth.dynamicClientRegistrationRequest(server, wanted, INSECURE);
    return oauth.processDynamicClientRegistrationResponse(response);
  }

  async function authorizationUrl(changes: Record<string, string | null> = {}) {
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const url = new URL(server.authorization_endpoint ?? '');
    const parameters = {
      client_id: client.client_id,
      redirect_uri: CALLBACK,
      response_type: 'code',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      ...changes,
    };
    for (const [name, value] of Object.entries(parameters)) if (value !== null) url.searchParams.set(name, value);
    return { url: url.href, verifier, state };
  }

  /** From a page that asks for an e-mail address to the one that asks for a decision. */
  async function signIn(browser: Browser, first: Page, email = ada.email): Promise<Page> {
    const before = platform.mailbox.mails.length;
    const asked = await browser.send(first, { email });
    expect(asked.status).toBe(200);
    const consent = await browser.send(asked, { code: await platform.mailbox.code(email, before) });
    expect(consent.status).toBe(200);
    return consent;
  }

  /** The answer that the client's address is sent. */
  async function allowed(changes: Record<string, string | null> = {}, decision = 'allow') {
    const browser = new Browser();
    const { url, verifier, state } = await authorizationUrl(changes);
    const consent = await signIn(browser, await browser.open(url));
    const answer = await browser.send(consent, { decision });
    expect(answer.status).toBe(303);
    const location = new URL(answer.location ?? '');
    return { location, verifier, state, consent };
  }

  function redeem(location: URL, verifier: string, state: string, as = client, auth = oauth.None()) {
    const parameters = oauth.validateAuthResponse(server, as, location, state);
    return oauth.authorizationCodeGrantRequest(server, as, auth, parameters, CALLBACK, verifier, INSECURE);
  }

  async function tokens(changes: Record<string, string | null> = {}): Promise<oauth.TokenEndpointResponse> {
    const { location, verifier, state } = await allowed(changes);
    const response = await redeem(location, verifier, state);
    return oauth.processAuthorizationCodeResponse(server, client, response);
  }

  const refresh = (token = '') => oauth.refreshTokenGrantRequest(server, client, oauth.None(), token, INSECURE);
  const refusal = async (response: Response | Promise<Response>) => {
    const { status } = await response;
    const body = (await (await response).json()) as { error: string };
    return [status, body.error];
  };
  const statusOf = async (path: string, token: string) => (await rest('GET', path, token)).status;
  /** Whether the door for agents takes a token: it would rather have another body. */
  const knocks = async (path: string, token: string) => (await rest('POST', path, token, {})).status !== 401;

  describe('finding the way', () => {
    it('leads from each resource to the server that protects it', async () => {
      for (const path of ['', '/mcp', '/v2/mcp']) {
        const resource = new URL(platform.url + path);
        const response = await oauth.resourceDiscoveryRequest(resource, INSECURE);
        const found = await oauth.processResourceDiscoveryResponse(resource, response);
        expect(found.authorization_servers).toEqual([platform.url]);
        expect(found.bearer_methods_supported).toEqual(['header']);
      }
    });

    it('says what is supported: S256 alone, and the issuer with each answer', () => {
      expect(server).toMatchObject({
        issuer: platform.url,
        code_challenge_methods_supported: ['S256'],
        response_types_supported: ['code'],
        authorization_response_iss_parameter_supported: true,
        registration_endpoint: `${platform.url}/register`,
        device_authorization_endpoint: `${platform.url}/device_authorization`,
      });
    });

    it('begins with the challenge of a refused request', async () => {
      const { headers } = await rest('GET', '/v1/me');
      const named = `resource_metadata="${platform.url}/.well-known/oauth-protected-resource"`;
      expect(headers.get('www-authenticate')).toBe(`Bearer realm="darkroom", ${named}`);
      const bad = await rest('GET', '/v1/me', 'good_at_wrong');
      expect(bad.headers.get('www-authenticate')).toContain('error="invalid_token"');
    });

    it('tells shipped command lines where to begin', async () => {
      const { body } = await rest('GET', '/.well-known/goodeye-client-config');
      expect(body).toMatchObject({
        ignore_defaults: expect.arrayContaining(['*.pyc']),
        workos_client_id: 'goodeye-cli',
        workos_device_authorization_uri: server.device_authorization_endpoint,
        workos_token_uri: server.token_endpoint,
      });
    });
  });

  describe('a code', () => {
    it('becomes a token that is an identity on /v1, /v2 and the graph', async () => {
      const { access_token: token, refresh_token, expires_in, scope, token_type } = await tokens();
      expect([token_type, expires_in, scope]).toEqual(['bearer', 3600, EVERYTHING]);
      expect(token).toMatch(/^good_at_[0-9A-Za-z]{43}$/);
      expect(refresh_token).toMatch(/^good_rt_/);
      expect((await rest('GET', '/v1/me', token)).body).toMatchObject({ id: ada.id, email: ada.email });
      expect(await statusOf('/v2/tenants', token)).toBe(200);
      expect((await graph('{ me { id } }', {}, token)).body.data.me.id).toBe(ada.id);
    });

    it('makes an account for somebody who had none', async () => {
      const browser = new Browser();
      const { url, verifier, state } = await authorizationUrl();
      const consent = await signIn(browser, await browser.open(url), 'newcomer@example.com');
      const { location } = await browser.send(consent, { decision: 'allow' });
      const response = await redeem(new URL(location ?? ''), verifier, state);
      const { access_token } = await oauth.processAuthorizationCodeResponse(server, client, response);
      expect((await rest('GET', '/v1/me', access_token)).body.email).toBe('newcomer@example.com');
    });

    it('is good once; the second time ends what the first one gave', async () => {
      const { location, verifier, state } = await allowed();
      const first = await redeem(location, verifier, state);
      const { access_token, refresh_token } = await oauth.processAuthorizationCodeResponse(server, client, first);
      expect(await statusOf('/v1/me', access_token)).toBe(200);
      expect(await refusal(redeem(location, verifier, state))).toEqual([400, 'invalid_grant']);
      expect(await statusOf('/v1/me', access_token)).toBe(401);
      expect(await refusal(refresh(refresh_token))).toEqual([400, 'invalid_grant']);
    });

    it('is worth nothing without the verifier, at another address, or to another client', async () => {
      const { location, verifier, state } = await allowed();
      const wrong = oauth.generateRandomCodeVerifier();
      expect(await refusal(redeem(location, wrong, state))).toEqual([400, 'invalid_grant']);
      const other = await register({ client_name: 'Another' });
      expect(await refusal(redeem(location, verifier, state, other))).toEqual([400, 'invalid_grant']);
      const parameters = oauth.validateAuthResponse(server, client, location, state);
      const elsewhere = oauth.authorizationCodeGrantRequest(
        server,
        client,
        oauth.None(),
        parameters,
        REDIRECT,
        verifier,
        INSECURE,
      );
      expect(await refusal(elsewhere)).toEqual([400, 'invalid_grant']);
      expect((await redeem(location, verifier, state)).status).toBe(200);
    });

    it('comes with the issuer, so that a client that was mixed up finds out', async () => {
      const { location, state } = await allowed();
      expect(location.searchParams.get('iss')).toBe(platform.url);
      const mixedUp = { ...server, issuer: 'https://honest.example' };
      expect(() => oauth.validateAuthResponse(mixedUp, client, location, state)).toThrow(/iss/);
    });

    it('is redeemed by a client with a secret in the way that it registered', async () => {
      for (const [method, right, wrong] of [
        ['client_secret_post', oauth.ClientSecretPost, oauth.ClientSecretBasic],
        ['client_secret_basic', oauth.ClientSecretBasic, oauth.ClientSecretPost],
      ] as const) {
        const confidential = await register({ token_endpoint_auth_method: method });
        const secret = String(confidential.client_secret);
        const { location, verifier, state } = await allowed({ client_id: confidential.client_id });
        const attempt = (auth: oauth.ClientAuth) => redeem(location, verifier, state, confidential, auth);
        expect(await refusal(attempt(wrong(secret)))).toEqual([401, 'invalid_client']);
        expect(await refusal(attempt(right('guessed')))).toEqual([401, 'invalid_client']);
        expect(await refusal(attempt(oauth.None()))).toEqual([401, 'invalid_client']);
        expect((await attempt(right(secret))).status).toBe(200);
      }
    });
  });

  describe('a request for a code', () => {
    const answerOf = async (changes: Record<string, string | null>) => {
      const page = await new Browser().open((await authorizationUrl(changes)).url);
      const location = page.location === null ? null : new URL(page.location);
      return { status: page.status, error: location?.searchParams.get('error'), location };
    };

    it.each<[string, Record<string, string | null>, string]>([
      ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
      ['PKCE without a method', { code_challenge_method: null }, 'invalid_request'],
      ['no PKCE', { code_challenge: null, code_challenge_method: null }, 'invalid_request'],
      ['a token instead of a code', { response_type: 'token' }, 'unsupported_response_type'],
      ['a resource of somebody else', { resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
      ['an answer by another way', { response_mode: 'form_post' }, 'invalid_request'],
      ['a request object', { request_uri: 'https://example.com/request' }, 'invalid_request'],
      ['a sign-in that nobody sees', { prompt: 'none' }, 'login_required'],
    ])('with %s is answered as documented', async (_what, changes, expected) => {
      const { status, error, location } = await answerOf({ ...changes, state: 'abc' });
      expect([status, error]).toEqual([303, expected]);
      expect(location?.origin).toBe(new URL(CALLBACK).origin);
      expect(location?.searchParams.get('state')).toBe('abc');
      expect(location?.searchParams.get('iss')).toBe(platform.url);
    });

    it('that is refused sends nobody to a site that anybody could have registered, unasked', async () => {
      const site = await register({ redirect_uris: ['https://app.example/callback?a=1'] });
      const changes = { client_id: site.client_id, redirect_uri: null, response_type: 'token', state: 'abc' };
      const { status, text, location } = await new Browser().open((await authorizationUrl(changes)).url);
      expect([status, location]).toEqual([400, null]);
      const link = /<a href="([^"]+)">Go back to app\.example</.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? '';
      const target = new URL(link);
      expect(target.origin + target.pathname).toBe('https://app.example/callback');
      expect(Object.fromEntries(target.searchParams)).toMatchObject({
        a: '1',
        error: 'unsupported_response_type',
        state: 'abc',
        iss: platform.url,
      });
    });

    it('with an address that is not the client’s leads nowhere', async () => {
      const foreign = [
        'https://evil.example/callback',
        'http://127.0.0.1:1/callback/more',
        'http://127.0.0.1:1/callback?x=1',
        'http://localhost/callback',
        'https://127.0.0.1/callback',
        'http://127.0.0.1.evil.example/callback',
        'http://127.0.0.1@evil.example/callback',
        'javascript:alert(1)',
      ];
      for (const redirect_uri of foreign) {
        const { status, location } = await answerOf({ redirect_uri });
        expect([status, location], redirect_uri).toEqual([400, null]);
      }
      for (const client_id of ['unknown', '', null]) {
        expect(await answerOf({ client_id })).toMatchObject({ status: 400, location: null });
      }
    });
  });

  describe('the pages', () => {
    it('run nothing, load nothing, and cannot be framed', async () => {
      const hostile = await register({ client_name: '<script>alert(1)</script>" onfocus="x\u202e' });
      const browser = new Browser();
      const { url } = await authorizationUrl({ client_id: hostile.client_id });
      const first = await browser.open(url);
      const consent = await signIn(browser, first);
      for (const { text, headers } of [first, consent]) {
        expect(text).not.toMatch(/<script|<img|<link|<iframe| on\w+="|\u202e/i);
        expect(text).toContain('&lt;script&gt;');
        const policy = headers.get('content-security-policy') ?? '';
        expect(policy).toContain("default-src 'none'");
        expect(policy).toContain("frame-ancestors 'none'");
        expect(policy).not.toContain('unsafe-inline');
        expect(headers.get('x-frame-options')).toBe('DENY');
        expect(headers.get('cache-control')).toBe('no-store');
        expect(headers.get('referrer-policy')).toBe('no-referrer');
      }
      // Browsers hold the way back to the client to this as well.
      expect(consent.headers.get('content-security-policy')).toContain("form-action 'self' http://127.0.0.1:49152");
    });

    it('name their parts for those who do not see them', async () => {
      const browser = new Browser();
      const first = await browser.open((await authorizationUrl()).url);
      const wrong = await browser.send(first, { email: 'no address' });
      expect(wrong.status).toBe(400);
      for (const { text } of [first, wrong]) {
        expect(text).toContain('<html lang="en">');
        expect(text.match(/<h1>/g)).toHaveLength(1);
        expect(text).toContain('<main>');
        expect(text).toContain('<label for="email">');
      }
      expect(wrong.text).toMatch(/aria-invalid="true" aria-describedby="fault"/);
      expect(wrong.text).toMatch(/id="fault" role="alert"/);
    });

    it('say what is asked for, by whom, and where the answer goes', async () => {
      const { consent } = await allowed({ scope: 'read', resource: `${platform.url}/v2/mcp` });
      expect(consent.text).toContain('A tester');
      expect(consent.text).toContain('ada@example.com');
      expect(consent.text).toContain('http://127.0.0.1:49152');
      expect(consent.text).toContain('see your jobs');
      expect(consent.text).not.toContain('make pictures');
    });

    it('send a refusal back', async () => {
      const { location, state } = await allowed({}, 'deny');
      expect(location.searchParams.get('error')).toBe('access_denied');
      expect(location.searchParams.get('state')).toBe(state);
      expect(location.searchParams.get('code')).toBeNull();
    });

    it('do nothing for another browser, another site’s form, or somebody who changed what they hold', async () => {
      const browser = new Browser();
      const consent = await signIn(browser, await browser.open((await authorizationUrl()).url));
      const allow = { decision: 'allow' };
      const elsewhere = await new Browser().send(consent, allow);
      expect([elsewhere.status, elsewhere.location]).toEqual([400, null]);
      const forged = await browser.send(consent, allow, { 'sec-fetch-site': 'cross-site' });
      expect([forged.status, forged.location]).toEqual([400, null]);
      const [payload = '', mac = ''] = (consent.fields['flow'] ?? '').split('.');
      const flow = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), userId: 'somebody else' };
      const changed = `${Buffer.from(JSON.stringify(flow)).toString('base64url')}.${mac}`;
      const tampered = await browser.send(consent, { ...allow, flow: changed });
      expect([tampered.status, tampered.location]).toEqual([400, null]);
      expect((await browser.send(consent, allow)).status).toBe(303);
    });

    it('let nobody in with a wrong code', async () => {
      const browser = new Browser();
      const asked = await browser.send(await browser.open((await authorizationUrl()).url), { email: ada.email });
      const wrong = await browser.send(asked, { code: '000000x' });
      expect(wrong.status).toBe(401);
      expect(wrong.text).toContain('role="alert"');
      const skipped = await browser.send(wrong, { code: '', decision: 'allow' });
      expect([skipped.status, skipped.location]).toEqual([401, null]);
    });
  });

  describe('a token of one resource', () => {
    it('is refused at another', async () => {
      const api = await tokens();
      const tools = await tokens({ resource: `${platform.url}/mcp` });
      const pictures = await tokens({ resource: `${platform.url}/v2/mcp` });
      expect(pictures.scope).toBe('generate read');
      expect(await knocks('/mcp', tools.access_token)).toBe(true);
      for (const { access_token } of [api, pictures]) {
        expect(await knocks('/mcp', access_token)).toBe(false);
        expect(await knocks('/%6dcp', access_token)).toBe(false);
      }
      for (const { access_token } of [tools, pictures]) {
        expect(await statusOf('/v1/me', access_token)).toBe(401);
        expect(await statusOf('/v2/tenants', access_token)).toBe(401);
        expect((await graph('{ me { id } }', {}, access_token)).status).toBe(401);
      }
      const other = oauth.refreshTokenGrantRequest(server, client, oauth.None(), tools.refresh_token ?? '', {
        ...INSECURE,
        additionalParameters: { resource: platform.url },
      });
      expect(await refusal(other)).toEqual([400, 'invalid_target']);
    });

    it('can do what its scopes say', async () => {
      const { access_token, scope } = await tokens({ scope: 'read offline_access' });
      expect(scope).toBe('read');
      expect(await statusOf('/v2/billing/status', access_token)).toBe(200);
      const refused = await rest('GET', '/v1/me', access_token);
      expect([refused.status, refused.body.required_scope]).toEqual([403, 'account']);
    });
  });

  describe('a refresh token', () => {
    it('is replaced at each use, and used twice it ends the family', async () => {
      const first = await tokens();
      const second = await oauth.processRefreshTokenResponse(server, client, await refresh(first.refresh_token));
      expect(second.refresh_token).not.toBe(first.refresh_token);
      expect(await statusOf('/v1/me', second.access_token)).toBe(200);
      expect(await refusal(refresh(first.refresh_token))).toEqual([400, 'invalid_grant']);
      expect(await refusal(refresh(second.refresh_token))).toEqual([400, 'invalid_grant']);
      for (const { access_token } of [first, second]) expect(await statusOf('/v1/me', access_token)).toBe(401);
    });

    it('that was made up ends nothing', async () => {
      const { access_token, refresh_token = '' } = await tokens();
      const forged = refresh_token.replace(/.\./, (end) => (end.startsWith('A') ? 'B.' : 'A.'));
      expect(await refusal(refresh(forged))).toEqual([400, 'invalid_grant']);
      expect(await statusOf('/v1/me', access_token)).toBe(200);
      expect((await refresh(refresh_token)).status).toBe(200);
    });

    it('is of no use to another client', async () => {
      const { refresh_token = '' } = await tokens();
      const other = await register({ client_name: 'Another' });
      const theirs = oauth.refreshTokenGrantRequest(server, other, oauth.None(), refresh_token, INSECURE);
      expect(await refusal(theirs)).toEqual([400, 'invalid_grant']);
      expect((await refresh(refresh_token)).status).toBe(200);
    });
  });

  describe('revocation', () => {
    const revoke = async (token: string, as = client) =>
      oauth.processRevocationResponse(await oauth.revocationRequest(server, as, oauth.None(), token, INSECURE));

    it('ends an access token at once, and what a refresh token stands for', async () => {
      const { access_token, refresh_token = '' } = await tokens();
      await revoke(access_token);
      expect(await statusOf('/v1/me', access_token)).toBe(401);
      const renewed = await oauth.processRefreshTokenResponse(server, client, await refresh(refresh_token));
      expect(await statusOf('/v1/me', renewed.access_token)).toBe(200);
      await revoke(renewed.refresh_token ?? '');
      expect(await statusOf('/v1/me', renewed.access_token)).toBe(401);
      expect(await refusal(refresh(renewed.refresh_token))).toEqual([400, 'invalid_grant']);
    });

    it('answers alike for tokens that nobody has, and does nothing to another client’s', async () => {
      const { access_token } = await tokens();
      await revoke('good_at_unknown');
      await revoke(access_token, await register({ client_name: 'Another' }));
      expect(await statusOf('/v1/me', access_token)).toBe(200);
    });
  });

  describe('whoever let an application in', () => {
    it('finds it in a list, and can end it', async () => {
      const eve = await clientOf(platform).account('eve@example.com');
      const browser = new Browser();
      const { url, verifier, state } = await authorizationUrl({ scope: 'generate read', resource: platform.url });
      const consent = await signIn(browser, await browser.open(url), eve.email);
      const listed = async () => (await rest('GET', '/v1/applications', eve.key)).body.items;
      const { location } = await browser.send(consent, { decision: 'allow' });
      expect(await listed()).toEqual([]);
      const response = await redeem(new URL(location ?? ''), verifier, state);
      const given = await oauth.processAuthorizationCodeResponse(server, client, response);
      const [found, ...others] = await listed();
      expect(others).toEqual([]);
      expect(found).toEqual({
        id: expect.any(String),
        name: 'A tester',
        scopes: ['generate', 'read'],
        resource: platform.url,
        created_at: expect.stringMatching(/Z$/),
      });
      const path = `/v1/applications/${found.id}`;
      expect((await rest('DELETE', path, ada.key)).status).toBe(404);
      expect(await statusOf('/v2/billing/status', given.access_token)).toBe(200);
      expect((await rest('DELETE', path, eve.key)).status).toBe(204);
      expect(await statusOf('/v2/billing/status', given.access_token)).toBe(401);
      expect(await refusal(refresh(given.refresh_token))).toEqual([400, 'invalid_grant']);
      expect((await rest('DELETE', path, eve.key)).status).toBe(404);
      expect(await listed()).toEqual([]);
    });
  });

  describe('a device', () => {
    const shipped: oauth.Client = { client_id: 'goodeye-cli' };

    async function begin() {
      const parameters = new URLSearchParams();
      const response = await oauth.deviceAuthorizationRequest(server, shipped, oauth.None(), parameters, INSECURE);
      return oauth.processDeviceAuthorizationResponse(server, shipped, response);
    }
    const poll = (code: string) => oauth.deviceCodeGrantRequest(server, shipped, oauth.None(), code, INSECURE);

    async function decide(page: string, decision: string): Promise<Page> {
      const browser = new Browser();
      const typed = await browser.open(page);
      const consent = await signIn(browser, await browser.send(typed, {}));
      expect(consent.text).toContain('The goodeye command');
      return browser.send(consent, { decision });
    }

    it('is let in by somebody who types its code, once, and gets a key for its machine', async () => {
      const begun = await begin();
      expect(begun).toMatchObject({ verification_uri: `${platform.url}/device`, expires_in: 900, interval: 5 });
      expect(begun.user_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
      expect(await refusal(poll(begun.device_code))).toEqual([400, 'authorization_pending']);
      expect(await refusal(poll(begun.device_code))).toEqual([400, 'slow_down']);
      const done = await decide(begun.verification_uri_complete ?? '', 'allow');
      expect([done.status, done.text.includes('Your device is let in')]).toEqual([200, true]);
      const response = await poll(begun.device_code);
      const { access_token } = await oauth.processDeviceCodeResponse(server, shipped, response);
      expect(await refusal(poll(begun.device_code))).toEqual([400, 'invalid_grant']);

      const { status, body } = await rest('POST', '/v1/auth/exchange', access_token, { hostname: 'laptop' });
      expect(status).toBe(200);
      expect(body).toMatchObject({
        api_key: expect.stringMatching(/^good_live_/),
        key_id: expect.stringMatching(/^key_/),
      });
      const keys = await rest('GET', '/v1/api-keys', body.api_key);
      expect(keys.body.items[0]).toMatchObject({ id: body.key_id, name: 'laptop' });
      const withKey = await rest('POST', '/v1/auth/exchange', body.api_key);
      expect([withKey.status, withKey.body.error]).toEqual([403, 'forbidden']);
    });

    it('is told when it is refused, and lets nobody in who mistypes', async () => {
      const begun = await begin();
      const browser = new Browser();
      const page = await browser.open(begun.verification_uri);
      const mistyped = await browser.send(page, { user_code: 'BCDF-GHJK' });
      expect([mistyped.status, mistyped.text.includes('role="alert"')]).toEqual([400, true]);
      const lower = `${begun.verification_uri}?user_code=${begun.user_code.toLowerCase().replace('-', ' ')}`;
      await decide(lower, 'deny');
      expect(await refusal(poll(begun.device_code))).toEqual([400, 'access_denied']);
    });
  });

  it.each([
    ['/mcp', 'get_usage'],
    ['/v2/mcp', 'billing_status'],
  ])('leads the official client from nothing but the address of %s to a tool call', async (path, tool) => {
    const url = new URL(path, platform.url);
    let sentTo: URL | undefined;
    const kept: {
      information?: StoredOAuthClientInformation;
      tokens?: StoredOAuthTokens;
      verifier?: string;
      found?: OAuthDiscoveryState;
    } = {};
    const authProvider: OAuthClientProvider = {
      redirectUrl: CALLBACK,
      clientMetadata: {
        client_name: 'The official client',
        redirect_uris: [CALLBACK],
        token_endpoint_auth_method: 'none',
      },
      clientInformation: () => kept.information,
      saveClientInformation(information) {
        kept.information = information;
      },
      tokens: () => kept.tokens,
      saveTokens(given) {
        kept.tokens = given;
      },
      redirectToAuthorization(target) {
        sentTo = target;
      },
      saveCodeVerifier(verifier) {
        kept.verifier = verifier;
      },
      codeVerifier: () => kept.verifier ?? '',
      saveDiscoveryState(found) {
        kept.found = found;
      },
      discoveryState: () => kept.found,
    };
    const first = new StreamableHTTPClientTransport(url, { authProvider });
    const turnedAway = new Agent({ name: 'tests', version: '1.0.0' });
    await expect(turnedAway.connect(first)).rejects.toThrow(/unauthorized/i);
    const browser = new Browser();
    const consent = await signIn(browser, await browser.open(sentTo?.href ?? ''));
    const answer = await browser.send(consent, { decision: 'allow' });
    await first.finishAuth(new URL(answer.location ?? '').searchParams);
    const agent = new Agent({ name: 'tests', version: '1.0.0' });
    await agent.connect(new StreamableHTTPClientTransport(url, { authProvider }));
    const { isError } = await agent.callTool({ name: tool, arguments: {} });
    expect(isError ?? false).toBe(false);
    await agent.close();
  });

  describe('a client that speaks badly', () => {
    const post = async (path: string, body: Record<string, string> | string, headers: Record<string, string> = {}) => {
      const sent = typeof body === 'string' ? body : new URLSearchParams(body).toString();
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      const response = await fetch(platform.url + path, {
        method: 'POST',
        headers: { ...type, ...headers },
        body: sent,
      });
      return {
        status: response.status,
        headers: response.headers,
        body: (await response.json()) as { error?: string },
      };
    };

    it('is told in OAuth’s words', async () => {
      const id = client.client_id;
      const wrong: [Record<string, string> | string, number, string][] = [
        [{}, 401, 'invalid_client'],
        [{ client_id: 'unknown', grant_type: 'refresh_token', refresh_token: 'x' }, 401, 'invalid_client'],
        [{ client_id: id }, 400, 'invalid_request'],
        [{ client_id: id, grant_type: 'password' }, 400, 'unsupported_grant_type'],
        [{ client_id: id, grant_type: 'authorization_code', code: 'x' }, 400, 'invalid_request'],
        [`client_id=${id}&client_id=${id}&grant_type=refresh_token`, 400, 'invalid_request'],
        [
          { client_id: id, grant_type: 'refresh_token', refresh_token: 'x', resource: 'http://x' },
          400,
          'invalid_target',
        ],
        [
          { client_id: id, grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: 'x' },
          400,
          'unauthorized_client',
        ],
      ];
      for (const [body, status, error] of wrong) {
        const answer = await post('/token', body);
        expect([answer.status, answer.body.error], JSON.stringify(body)).toEqual([status, error]);
        expect(answer.headers.get('cache-control')).toBe('no-store');
      }
      const basic = await post('/token', { grant_type: 'refresh_token' }, { authorization: 'Basic nonsense' });
      expect([basic.status, basic.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="darkroom"']);
      expect((await post('/token', '{}', { 'content-type': 'application/json' })).status).toBe(415);
    });

    it('never brings the server to an error of its own', async () => {
      const words = fc.oneof(
        fc.string({ maxLength: 60 }),
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.constantFrom(
          '',
          client.client_id,
          'goodeye-cli',
          'S256',
          'code',
          'refresh_token',
          REDIRECT,
          '__proto__',
          '\u0000',
        ),
        fc.constantFrom('authorization_code', 'good_rt_x.y', 'good_at_x', 'x.y', `${platform.url}/mcp`, 'account read'),
      );
      const names = fc.constantFrom(
        ...['client_id', 'client_secret', 'redirect_uri', 'response_type', 'code_challenge', 'code_challenge_method'],
        ...[
          'state',
          'scope',
          'resource',
          'grant_type',
          'code',
          'code_verifier',
          'refresh_token',
          'device_code',
          'token',
        ],
        ...['flow', 'email', 'decision', 'user_code', 'constructor'],
      );
      const parameters = fc.array(fc.tuple(names, words), { maxLength: 8 }).map((pairs) => new URLSearchParams(pairs));
      const paths = ['/token', '/revoke', '/device_authorization', '/authorize', '/device'];
      const header = fc.option(fc.constantFrom('Basic', 'Basic !', 'Basic OmE=', 'Bearer x', 'Basic JTo='), {
        nil: undefined,
      });
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...paths),
          parameters,
          header,
          fc.boolean(),
          async (path, given, auth, get) => {
            const headers: Record<string, string> = auth === undefined ? {} : { authorization: auth };
            const response = get
              ? await fetch(`${platform.url}${path}?${given}`, { headers, redirect: 'manual' })
              : await fetch(platform.url + path, { method: 'POST', headers, body: given, redirect: 'manual' });
            expect(response.status, await response.text()).toBeLessThan(500);
          },
        ),
        { numRuns: process.env['LONG'] ? 2_000 : 120 },
      );
      await fc.assert(
        fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), async (others, uris) => {
          const body = { redirect_uris: uris, client_name: uris, ...others };
          expect((await rest('POST', '/register', undefined, body)).status).toBeLessThan(500);
        }),
        { numRuns: process.env['LONG'] ? 500 : 30 },
      );
      const failures = platform.programs
        .flatMap((program) => program.output().split('\n'))
        .filter((line) => /"level":(50|60)/.test(line));
      expect(failures).toEqual([]);
    });

    it('registers nothing that could send an answer astray', async () => {
      const attempt = async (metadata: object) => {
        const answer = await rest('POST', '/register', undefined, { token_endpoint_auth_method: 'none', ...metadata });
        return [answer.status, answer.body.error];
      };
      const bad = [
        'http://example.com/cb',
        'javascript:alert(1)',
        'data:text/html,x',
        'https://example.com/#fragment',
        'https://user:secret@example.com/',
        '/relative',
        'https://exa mple.com',
        '',
      ];
      for (const uri of bad)
        expect(await attempt({ redirect_uris: [uri] }), uri).toEqual([400, 'invalid_redirect_uri']);
      expect(await attempt({})).toEqual([400, 'invalid_redirect_uri']);
      const uris = { redirect_uris: ['https://example.com/cb', 'cursor://anysphere.cursor-mcp/oauth/callback'] };
      expect(await attempt(uris)).toEqual([201, undefined]);
      expect(await attempt({ ...uris, grant_types: ['implicit'] })).toEqual([400, 'invalid_client_metadata']);
      expect(await attempt({ ...uris, token_endpoint_auth_method: 'tls' })).toEqual([400, 'invalid_client_metadata']);
    });
  });
});
