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
import { type Account, clientOf } from '../support/client.js';
import { oneProcess, type Platform } from '../support/platform.js';

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

describe('an agent that signed in', () => {
  let platform: Platform;
  let ada: Account;

  beforeAll(async () => {
    platform = await atKnownAddress(oneProcess, { RATE_LIMIT_CODES_PER_EMAIL: '0' });
    ada = await clientOf(platform).account('ada@example.com');
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
});
