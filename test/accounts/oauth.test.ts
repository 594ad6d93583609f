/** What accounts keeps of OAuth, with a clock that tests turn: what expires, what is used twice, and what is stored. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { type Caller, systemScope } from '../../platform/scope.js';
import { sha256 } from '../../platform/secrets.js';
import type { AccountsContext } from '../../subgraphs/accounts/context.js';
import {
  type ClientCredentials,
  DEVICE_GRANT,
  type InputOf,
  type OAuthCall,
  OAuthError,
  type OutputOf,
  type Tokens,
} from '../../subgraphs/accounts/oauth/oauth.contract.js';
import { allows, faultOf } from '../../subgraphs/accounts/oauth/redirect-uri.js';
import { anonymous, DAY, field, MINUTE, openWorld, type Person, SECOND, unique, type World } from './support/world.js';

const CALL = 'mutation ($call: String!, $input: String!) { internalOAuth(input: { call: $call, input: $input }) }';
const HOLDER = `query ($hash: String!) {
  internalCaller(kind: "ACCESS_TOKEN", hash: $hash) { userId keyId tenantId scopes audience }
}`;
const HOUR = 60 * MINUTE;
const REDIRECT = 'http://127.0.0.1/callback';
const VERIFIER = 'a verifier that is long enough to be one, 43 or more';
const ALL: Caller['scopes'] = ['account', 'generate', 'read'];

let world: World;
let ada: Person;
let client: ClientCredentials;

beforeAll(async () => {
  world = await openWorld({ oauthClientsPerHour: 0 });
  ada = await world.user();
  client = await register();
});
afterAll(() => world?.close());

async function call<C extends OAuthCall>(name: C, input: InputOf<C>): Promise<OutputOf<C>> {
  const answer = await world.run(CALL, { call: name, input: JSON.stringify(input) }, systemScope('r'));
  const body = JSON.parse(field<string>(answer, 'internalOAuth'));
  if (body?.refused) throw new OAuthError(body.refused.code, body.refused.description);
  return body;
}

const refusal = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'ok',
    (error: OAuthError) => error.code,
  );

async function register(metadata: Record<string, unknown> = {}): Promise<ClientCredentials> {
  const wanted = {
    redirect_uris: [REDIRECT],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
    ...metadata,
  };
  const { id } = await call('register', { metadata: wanted, network: '198.51.100.7' });
  return { clientId: id, secret: null, method: 'none' };
}

async function code(changes: Partial<InputOf<'authorize'>> = {}): Promise<string> {
  const wanted = { clientId: client.clientId, userId: ada.userId, redirectUri: REDIRECT, challenge: sha256(VERIFIER) };
  return (await call('authorize', { ...wanted, resource: '', scopes: ALL, ...changes })).code;
}

const redeem = (value: string, changes: Partial<InputOf<'redeemCode'>> = {}) =>
  call('redeemCode', { client, code: value, verifier: VERIFIER, redirectUri: REDIRECT, resource: null, ...changes });

const refresh = ({ refreshToken }: Pick<Tokens, 'refreshToken'>, changes: Partial<InputOf<'refresh'>> = {}) =>
  call('refresh', { client, refreshToken: refreshToken ?? '', scopes: null, resource: null, ...changes });

async function signedIn(): Promise<Tokens> {
  return redeem(await code());
}

async function holderOf({ accessToken }: Pick<Tokens, 'accessToken'>): Promise<Caller | null> {
  const answer = await world.run(HOLDER, { hash: sha256(accessToken) }, systemScope('r'));
  return field<Caller | null>(answer, 'internalCaller');
}

describe('what expires', () => {
  it('is a code, after a minute', async () => {
    const [soon, late] = [await code(), await code()];
    world.clock.advance(59 * SECOND);
    expect(await refusal(redeem(soon))).toBe('ok');
    world.clock.advance(SECOND);
    expect(await refusal(redeem(late))).toBe('invalid_grant');
  });

  it('is an access token, after an hour', async () => {
    const tokens = await signedIn();
    world.clock.advance(HOUR - SECOND);
    expect(await holderOf(tokens)).toMatchObject({
      userId: ada.userId,
      tenantId: ada.userId,
      scopes: ALL,
      audience: '',
    });
    world.clock.advance(SECOND);
    expect(await holderOf(tokens)).toBeNull();
    expect(await refusal(refresh(tokens))).toBe('ok');
  });

  it('is a refresh token, 30 days after it was given, however old the sign-in is', async () => {
    let tokens = await signedIn();
    for (let month = 0; month < 3; month++) {
      world.clock.advance(29 * DAY);
      await world.runTasks();
      tokens = await refresh(tokens);
    }
    world.clock.advance(30 * DAY);
    expect(await refusal(refresh(tokens))).toBe('invalid_grant');
  });

  it('is a device code, after a quarter of an hour, also where it was allowed', async () => {
    const begun = await call('startDevice', { client, wish: { resource: '', scopes: ALL }, network: '198.51.100.7' });
    const poll = () => call('redeemDevice', { client, deviceCode: begun.deviceCode, resource: null });
    const found = await call('findDevice', { userCode: begun.userCode, network: '198.51.100.7' });
    const decide = { grantId: found?.grantId ?? '', userId: ada.userId, approved: true };
    expect(await call('decideDevice', decide)).toEqual({ decided: true });
    expect(await call('decideDevice', { ...decide, approved: false })).toEqual({ decided: false });
    world.clock.advance(15 * MINUTE);
    expect(await refusal(poll())).toBe('expired_token');
    expect(await call('findDevice', { userCode: begun.userCode, network: '198.51.100.7' })).toBeNull();
  });

  it('goes from the store, and so do clients that nobody uses', async () => {
    const idle = await register();
    const used = await signedIn();
    world.clock.advance(2 * DAY);
    await world.runTasks();
    expect(await call('client', { id: idle.clientId })).toBeNull();
    expect(await call('client', { id: client.clientId })).not.toBeNull();
    expect(await refusal(refresh(used))).toBe('ok');
    world.clock.advance(32 * DAY);
    await world.runTasks();
    expect(await world.db.collection('accounts_oauth_grants').countDocuments()).toBe(0);
  });
});

describe('what is used twice at once', () => {
  it('is a code: one of many gets tokens, and they do not live', async () => {
    const value = await code();
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => redeem(value)));
    const won = all.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(won.length).toBeLessThanOrEqual(1);
    for (const tokens of won) {
      expect(await holderOf(tokens)).toBeNull();
      expect(await refusal(refresh(tokens))).toBe('invalid_grant');
    }
  });

  it('is a refresh token: the family ends', async () => {
    const first = await signedIn();
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => refresh(first)));
    const won = all.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(won.length).toBeLessThanOrEqual(1);
    for (const tokens of [first, ...won]) {
      expect(await holderOf(tokens)).toBeNull();
      expect(await refusal(refresh(tokens))).toBe('invalid_grant');
    }
  });

  it('is a device code: one of many gets tokens', async () => {
    const begun = await call('startDevice', { client, wish: { resource: '', scopes: ['read'] }, network: 'n' });
    const found = await call('findDevice', { userCode: begun.userCode, network: 'n' });
    await call('decideDevice', { grantId: found?.grantId ?? '', userId: ada.userId, approved: true });
    const polls = Array.from({ length: 8 }, () =>
      call('redeemDevice', { client, deviceCode: begun.deviceCode, resource: null }),
    );
    const won = (await Promise.allSettled(polls)).filter(({ status }) => status === 'fulfilled');
    expect(won).toHaveLength(1);
  });
});

describe('what is stored', () => {
  it('is no secret, token or code that anybody could use', async () => {
    const tokens = await signedIn();
    const begun = await call('startDevice', { client, wish: { resource: '', scopes: ALL }, network: 'n' });
    const metadata = { redirect_uris: [REDIRECT], token_endpoint_auth_method: 'client_secret_post' };
    const { secret } = await call('register', { metadata, network: 'n' });
    const unused = await code();
    const stored = JSON.stringify([
      await world.db.collection('accounts_oauth_grants').find().toArray(),
      await world.db.collection('accounts_oauth_clients').find().toArray(),
    ]);
    const { accessToken, refreshToken } = tokens;
    for (const value of [accessToken, refreshToken, begun.deviceCode, secret, unused]) {
      const secretPart = value?.replace(/^good_\w\w_/, '') ?? '';
      expect(secretPart.length).toBeGreaterThan(20);
      expect(stored).not.toContain(secretPart);
    }
    expect(stored).not.toContain(begun.userCode.replace('-', ''));
    expect(stored).not.toContain(sha256(begun.userCode.replace('-', '')));
  });

  it('grows no further with each renewal', async () => {
    let tokens = await signedIn();
    for (let i = 0; i < 25; i++) tokens = await refresh(tokens);
    const grant = await world.db
      .collection('accounts_oauth_grants')
      .findOne({ 'access.hash': sha256(tokens.accessToken) });
    expect(grant?.['access']).toHaveLength(20);
    expect(await holderOf(tokens)).not.toBeNull();
  });
});

describe('a grant', () => {
  it('tells those who remember its user that it ended', async () => {
    const tokens = await signedIn();
    const before = world.changed.length;
    await call('revoke', { client, token: tokens.refreshToken ?? '' });
    expect(world.changed.slice(before)).toEqual([ada.userId]);
  });

  it('can be renewed for less, and not for more', async () => {
    const tokens = await redeem(await code({ scopes: ['generate', 'read'] }));
    expect(await refusal(refresh(tokens, { scopes: ['account'] }))).toBe('invalid_scope');
    const less = await refresh(tokens, { scopes: ['read'] });
    expect((await holderOf(less))?.scopes).toEqual(['read']);
    expect((await holderOf(tokens))?.scopes).toEqual(['generate', 'read']);
    expect((await refresh(less)).scopes).toEqual(['generate', 'read']);
  });

  it('is not renewed for a client that did not register for it', async () => {
    const plain = await register({ grant_types: ['authorization_code'] });
    const tokens = await redeem(await code({ clientId: plain.clientId }), { client: plain });
    expect(tokens.refreshToken).toBeNull();
    expect(await refusal(refresh(await signedIn(), { client: plain }))).toBe('unauthorized_client');
  });

  it('is made for no address that its client did not register', async () => {
    expect(await refusal(code({ redirectUri: 'https://evil.example/' }))).toBe('invalid_client');
    expect(await refusal(code({ clientId: newId() }))).toBe('invalid_client');
  });
});

describe('a device', () => {
  it('that asks too often waits longer from then on', async () => {
    const begun = await call('startDevice', { client, wish: { resource: '', scopes: ALL }, network: 'n' });
    const poll = () => refusal(call('redeemDevice', { client, deviceCode: begun.deviceCode, resource: null }));
    expect(await poll()).toBe('authorization_pending');
    world.clock.advance(4 * SECOND);
    expect(await poll()).toBe('slow_down');
    world.clock.advance(6 * SECOND);
    expect(await poll()).toBe('slow_down');
    world.clock.advance(15 * SECOND);
    expect(await poll()).toBe('authorization_pending');
  });

  it('is found by its code however it is typed, and by few guesses only', async () => {
    const limited = await world.process({ oauthClientsPerHour: 100 });
    const { oauth } = limited.context(systemScope('r')) as AccountsContext;
    const network = unique('guesser');
    const begun = await oauth.startDevice({ client, wish: { resource: '', scopes: ALL }, network });
    const typed = begun.userCode.toLowerCase().replace('-', ' ');
    expect(await oauth.findDevice({ userCode: typed, network })).toMatchObject({ clientId: client.clientId });
    for (let i = 1; i < 20; i++) expect(await oauth.findDevice({ userCode: 'BBBB-BBBB', network })).toBeNull();
    await expect(oauth.findDevice({ userCode: begun.userCode, network })).rejects.toMatchObject({
      slug: 'rate_limited',
    });
  });
});

it('limits how many applications one network registers', async () => {
  const limited = await world.process({ oauthClientsPerHour: 2 });
  const { oauth } = limited.context(systemScope('r')) as AccountsContext;
  const input = { metadata: { redirect_uris: [REDIRECT] }, network: unique('registrar') };
  await oauth.register(input);
  await oauth.register(input);
  await expect(oauth.register(input)).rejects.toMatchObject({ slug: 'rate_limited' });
});

it('answers the platform alone', async () => {
  for (const scope of [ada.scope, anonymous()]) {
    expect((await world.run(CALL, { call: 'client', input: '{"id":"x"}' }, scope)).slug).toBe('forbidden');
  }
  expect((await world.run(CALL, { call: 'constructor', input: '{}' }, systemScope('r'))).slug).toBe('validation_error');
  expect(await refusal(call('client', { id: 'x'.repeat(5000) }))).toBe('invalid_request');
});

describe('an address for answers', () => {
  it.each([
    'https://example.com/cb?x=1',
    'http://localhost:3000/cb',
    'http://[::1]:8/cb',
    'vscode://a.b/cb',
    'com.example:/cb',
  ])('%s may be registered', (uri) => expect(faultOf(uri)).toBeNull());

  it.each([
    'http://example.com',
    'http://127.0.0.1.example.com',
    'JavaScript:alert(1)',
    'java\nscript:alert(1)',
    'https://a.example\\@b.example',
    'blob:https://example.com/x',
    'https://example.com#',
    'https://user@example.com',
    `https://example.com/${'x'.repeat(2000)}`,
    'nonsense',
  ])('%s may not', (uri) => expect(faultOf(uri)).not.toBeNull());

  it('is the registered one to the letter, but for the port on this machine', () => {
    expect(allows('https://example.com/cb', 'https://example.com/cb')).toBe(true);
    expect(allows('http://127.0.0.1/cb', 'http://127.0.0.1:50123/cb')).toBe(true);
    expect(allows('http://localhost:1/cb', 'http://localhost:2/cb')).toBe(true);
    for (const [registered, asked] of [
      ['https://example.com/cb', 'https://example.com:444/cb'],
      ['https://example.com/cb', 'https://example.com/cb/'],
      ['https://example.com/cb', 'https://example.com/cb?x'],
      ['http://127.0.0.1/cb', 'http://localhost/cb'],
      ['http://127.0.0.1/cb', 'https://127.0.0.1/cb'],
      ['http://127.0.0.1/cb', 'http://127.0.0.1:1/other'],
      ['http://127.0.0.1/cb', 'http://127.0.0.1:1@evil.example/cb'],
      ['vscode://a/cb', 'vscode://b/cb'],
    ] as const) {
      expect(allows(registered, asked), `${registered} ${asked}`).toBe(false);
    }
  });
});
