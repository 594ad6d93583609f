/** An agent that knows an address and nothing else: the official client finds the way in by itself, through consent. */
import {
  Client,
  type OAuthClientMetadata,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atKnownAddress } from '../support/address.js';
import { Browser } from '../support/browser.js';
import { type Account, type Client as Caller, clientOf } from '../support/client.js';
import { type Platform, SHAPES } from '../support/platform.js';

const CALLBACK = 'http://127.0.0.1:49153/callback';

/** Keeps in memory what a desktop client keeps in its keychain. */
class Keychain implements OAuthClientProvider {
  readonly redirectUrl = CALLBACK;
  readonly clientMetadata: OAuthClientMetadata = {
    client_name: 'An agent',
    redirect_uris: [CALLBACK],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
  };
  sentTo: URL | null = null;
  #client: StoredOAuthClientInformation | undefined;
  #tokens: StoredOAuthTokens | undefined;
  #verifier = '';

  #discovered: OAuthDiscoveryState | undefined;

  clientInformation() {
    return this.#client;
  }

  saveClientInformation(client: StoredOAuthClientInformation) {
    this.#client = client;
  }

  tokens() {
    return this.#tokens;
  }

  saveTokens(tokens: StoredOAuthTokens) {
    this.#tokens = tokens;
  }

  redirectToAuthorization(url: URL) {
    this.sentTo = url;
  }

  codeVerifier() {
    return this.#verifier;
  }

  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }

  discoveryState() {
    return this.#discovered;
  }

  saveDiscoveryState(state: OAuthDiscoveryState) {
    this.#discovered = state;
  }

  forgetAccessToken(): void {
    if (this.#tokens) this.#tokens = { ...this.#tokens, access_token: 'expired' };
  }
}

describe.each(SHAPES)('an agent in %s', (_shape, start) => {
  let platform: Platform;
  let caller: Caller;
  let ada: Account;

  beforeAll(async () => {
    platform = await atKnownAddress(start, { RATE_LIMIT_CODES_PER_EMAIL: '0' });
    caller = clientOf(platform);
    ada = await caller.account('ada@example.com');
  });
  afterAll(() => platform?.stop());

  /** What the person does in the browser that the agent opens. Resolves to the answer at the agent's address. */
  async function consent(url: URL): Promise<URLSearchParams> {
    const browser = new Browser();
    const before = platform.mailbox.mails.length;
    const asked = await browser.send(await browser.open(url.href), { email: ada.email });
    const page = await browser.send(asked, { code: await platform.mailbox.code(ada.email, before) });
    const { location } = await browser.send(page, { decision: 'allow' });
    return new URL(location ?? '').searchParams;
  }

  async function signedIn(path: string, keychain: Keychain): Promise<Client> {
    const url = new URL(path, platform.url);
    const first = new StreamableHTTPClientTransport(url, { authProvider: keychain });
    await expect(new Client({ name: 'agent', version: '1.0.0' }).connect(first)).rejects.toThrow(UnauthorizedError);
    if (!keychain.sentTo) throw new Error('the client was not sent to sign in');
    await first.finishAuth(await consent(keychain.sentTo));
    const client = new Client({ name: 'agent', version: '1.0.0' });
    await client.connect(new StreamableHTTPClientTransport(url, { authProvider: keychain }));
    return client;
  }

  it.each(['/mcp', '/v2/mcp'])('signs in to %s from its address alone, and calls a tool', async (path) => {
    const client = await signedIn(path, new Keychain());
    const name = path === '/mcp' ? 'get_me' : 'billing_status';
    const { structuredContent, isError } = await client.callTool({ name, arguments: {} });
    expect(isError ?? false).toBe(false);
    if (path === '/mcp') expect(structuredContent).toMatchObject({ email: ada.email });
    await client.close();
  });

  it('goes on with a fresh token when the old one no longer holds', async () => {
    const keychain = new Keychain();
    await (await signedIn('/mcp', keychain)).close();
    keychain.forgetAccessToken();
    const client = new Client({ name: 'agent', version: '1.0.0' });
    await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', platform.url), { authProvider: keychain }));
    expect((await client.callTool({ name: 'get_me', arguments: {} })).structuredContent).toMatchObject({
      email: ada.email,
    });
    await client.close();
  });

  it('brings a token of one door to the other in vain', async () => {
    const keychain = new Keychain();
    await (await signedIn('/v2/mcp', keychain)).close();
    const { access_token: token = '' } = keychain.tokens() ?? {};
    expect((await caller.rest('POST', '/mcp', token, {})).status).toBe(401);
    expect((await caller.rest('GET', '/v1/me', token)).status).toBe(401);
  });
});
