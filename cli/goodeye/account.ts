/** Signing up and in, keys, the profile, and what is left of the month. */
import type { Command, Context, Given } from '../command.js';
import { credentialsPath, dropCredentials, keepCredentials, readCredentials } from '../credentials.js';
import { clean, write } from '../terminal/terminal.js';
import { signInByBrowser } from './device.js';
import { bodyWord, option, word } from './inputs.js';
import { promptPack } from './pack.js';

const email = bodyWord('email', 'your e-mail address');
const code = bodyWord('code', 'the six digits of the mail');

/** The key goes into the file and nowhere else. */
async function signIn(path: string, given: Given, { api, terminal, environment }: Context): Promise<void> {
  const body = await api.call('POST', path, { body: given });
  const file = credentialsPath(environment);
  await keepCredentials(file, {
    server: api.server,
    api_key: String(body?.['api_key']),
    email: String(given['email']),
  });
  await write(terminal.stderr, `Signed in at ${api.server}. The key is in ${file}.\n`);
}

const sent = (next: string) => (_body: object, given: Given) =>
  `Look into the mail of ${clean(String(given['email']))}, then: goodeye ${next} ${clean(String(given['email']))} CODE\n`;

export const account: readonly Command[] = [
  {
    words: 'register',
    call: 'POST /v1/register',
    help: 'ask for an account; a code comes by mail',
    arguments: [email],
    anonymous: true,
    show: sent('register-verify'),
    examples: ['goodeye register you@example.com', 'goodeye register-verify you@example.com 123456'],
  },
  {
    words: 'register-verify',
    call: 'POST /v1/register/verify',
    help: 'make the account with the code, and keep its key here',
    arguments: [email, code],
    run: (given, context) => signIn('/v1/register/verify', given, context),
  },
  {
    words: 'login',
    call: 'POST /v1/login',
    help: 'sign in here: by a browser, or with an address by a code that comes by mail',
    arguments: [{ ...email, optional: true }],
    anonymous: true,
    examples: ['goodeye login', 'goodeye login you@example.com'],
    async run(given, context) {
      if (given['email'] === undefined) return signInByBrowser(context);
      await context.api.call('POST', '/v1/login', { body: given });
      await write(context.terminal.stderr, sent('login-verify')({}, given));
    },
  },
  {
    words: 'login-verify',
    call: 'POST /v1/login/verify',
    help: 'sign in with the code, and keep the key here',
    arguments: [email, code],
    run: (given, context) => signIn('/v1/login/verify', given, context),
  },
  {
    words: 'logout',
    help: 'forget the key on this machine; revoke it with auth revoke-key',
    async run(_given, { terminal, environment }) {
      const path = credentialsPath(environment);
      const kept = await readCredentials(path);
      await dropCredentials(path);
      await write(terminal.stderr, kept ? `Forgot the key for ${kept.server}.\n` : 'Nobody was signed in here.\n');
    },
  },
  {
    words: 'whoami',
    call: 'GET /v1/me',
    help: 'who you are, and where',
    async run(_given, { api, terminal, format }) {
      const me = (await api.call('GET', '/v1/me')) ?? {};
      const who = me['handle'] ? `@${me['handle']} (${me['email']})` : String(me['email']);
      const text = format === 'json' ? JSON.stringify({ ...me, server: api.server }) : `${clean(who)} at ${api.server}`;
      await write(terminal.stdout, `${text}\n`);
    },
  },
  { words: 'me', call: 'GET /v1/me', help: 'your account' },
  {
    words: 'me claim-handle',
    call: 'PATCH /v1/me',
    help: 'claim a handle, which publishing and teams need',
    arguments: [bodyWord('handle', '3 to 40 of a-z, 0-9 and -')],
  },
  {
    words: 'me rename-handle',
    call: 'POST /v1/me/rename-handle',
    help: 'take another handle: once in 90 days, three times a year',
    arguments: [bodyWord('handle', 'the new one')],
  },
  { words: 'usage', call: 'GET /v1/me/usage', help: 'what is granted, used and left in this period' },
  {
    words: 'auth create-key',
    call: 'POST /v1/api-keys',
    help: 'make a key; it is shown once, on stdout',
    arguments: [bodyWord('name', 'what it is for')],
    show: ({ key }) => `${clean(String(key))}\n`,
    examples: ['goodeye auth create-key ci --table > ci.key'],
  },
  {
    words: 'auth list-keys',
    call: 'GET /v1/api-keys',
    help: 'your keys, without the secrets',
    list: { columns: ['id', 'name', 'created_at', 'last_used_at'] },
  },
  { words: 'auth show-key', call: 'GET /v1/api-keys/{key_id}', help: 'one key', arguments: [word('key_id', 'its id')] },
  {
    words: 'auth revoke-key',
    call: 'DELETE /v1/api-keys/{key_id}',
    help: 'revoke a key; it stops at once',
    arguments: [word('key_id', 'its id, or its name if no other has it')],
    confirm: ({ key_id }) => `Revoke the key ${key_id}?`,
    show: () => 'revoked\n',
  },
  {
    words: 'design',
    plain: true,
    call: 'GET /v1/design/workflow-prompt',
    help: 'the prompt pack by which an agent designs a workflow',
    options: [option('output', 'a folder for the text and its references', { in: 'query' })],
    run: (given, context) => promptPack('GET /v1/design/workflow-prompt', given, context),
  },
];
