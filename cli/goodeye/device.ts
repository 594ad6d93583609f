/** Signing in by letting this machine in from a browser: the device grant of RFC 8628, and a key named after the machine. */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Api } from '../api.js';
import type { Context } from '../command.js';
import { credentialsPath, keepCredentials } from '../credentials.js';
import { Failure } from '../failure.js';
import { clean, write } from '../terminal/terminal.js';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const SLOWER_S = 5;

type Answer = Record<string, unknown>;

export async function signInByBrowser(context: Context): Promise<void> {
  const { api, terminal, environment } = context;
  const config = (await api.call('GET', '/.well-known/goodeye-client-config')) ?? {};
  const clientId = text(config, 'workos_client_id');
  const begun = await send(api, text(config, 'workos_device_authorization_uri'), { client_id: clientId });
  if (begun['error']) throw refusal(begun);
  await write(
    terminal.stderr,
    `Open ${clean(String(begun['verification_uri_complete'] ?? begun['verification_uri']))}\n` +
      `and let this machine in if the page shows ${clean(text(begun, 'user_code'))}.\n`,
  );
  const activity = context.activity('waiting to be let in');
  const token = await polled(api, text(config, 'workos_token_uri'), clientId, begun).finally(() => activity.end());
  const asItself = new Api({ server: api.server, key: token, signal: api.signal, signIn: '' });
  const exchanged = await asItself.call('POST', '/v1/auth/exchange', { body: { hostname: hostname() } });
  const file = credentialsPath(environment);
  await keepCredentials(file, { server: api.server, api_key: text(exchanged ?? {}, 'api_key') });
  await write(terminal.stderr, `Signed in at ${api.server}. The key is in ${file}.\n`);
}

/** The access token, once somebody has decided. */
async function polled(api: Api, url: string, clientId: string, begun: Answer): Promise<string> {
  let seconds = Number(begun['interval'] ?? SLOWER_S);
  const until = Date.now() + Number(begun['expires_in']) * 1_000;
  while (Date.now() < until) {
    await sleep(seconds * 1_000, undefined, { signal: api.signal });
    const fields = { grant_type: GRANT, client_id: clientId, device_code: text(begun, 'device_code') };
    const answer = await send(api, url, fields);
    if (answer['error'] === 'slow_down') seconds += SLOWER_S;
    else if (answer['error'] === undefined) return text(answer, 'access_token');
    else if (answer['error'] !== 'authorization_pending') throw refusal(answer);
  }
  throw new Failure('nobody let this machine in while there was time', { hint: 'Start again with goodeye login.' });
}

/** OAuth's answers, errors included, are JSON of its own kind. */
async function send({ signal }: Api, url: string, fields: Readonly<Record<string, string>>): Promise<Answer> {
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(fields), signal }).catch(
    (error: Error) => {
      throw signal.aborted ? error : new Failure(`cannot reach ${url}`, { cause: error });
    },
  );
  const body: unknown = await answer.json().catch(() => null);
  if (typeof body !== 'object' || body === null) throw new Failure(`${url} answered something that is not JSON`);
  return body as Answer;
}

function refusal({ error, error_description: words }: Answer): Failure {
  if (error === 'access_denied') return new Failure('the page refused this machine');
  return new Failure(`signing in failed: ${words ?? error}`);
}

function text(answer: Answer, name: string): string {
  const value = answer[name];
  if (typeof value !== 'string') throw new Failure(`the server did not say ${name}, so it cannot sign in this way`);
  return value;
}
