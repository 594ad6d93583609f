/** goodeye and imgforge as people and scripts use them: processes, with their streams, files and exit status. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atKnownAddress } from '../support/address.js';
import { Browser } from '../support/browser.js';
import { type Ended, start } from '../support/cli.js';
import { type Account, type Client, clientOf } from '../support/client.js';
import { oneProcess, type Platform } from '../support/platform.js';

let platform: Platform;
let client: Client;
let ada: Account;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commands-'));
  platform = await atKnownAddress(oneProcess);
  client = clientOf(platform);
  ada = await client.account('ada@example.com');
  await client.rest('PATCH', '/v1/me', ada.key, { handle: 'ada' });
});
afterAll(async () => {
  await platform?.stop();
  await rm(folder, { recursive: true, force: true });
});

const environment = (more: Record<string, string> = {}) => ({
  XDG_CONFIG_HOME: join(folder, 'config'),
  GOODEYE_SERVER: platform.url,
  ...more,
});
const goodeye = (...words: string[]): Promise<Ended> =>
  start('goodeye', words, environment({ GOODEYE_API_KEY: ada.key })).ended;
const imgforge = (...words: string[]): Promise<Ended> =>
  start('imgforge', words, environment({ IMGFORGE_API_KEY: ada.key })).ended;
const bodyOf = ({ stdout }: Ended) => JSON.parse(stdout);

describe('signing in', () => {
  it('takes a code from the mail, keeps the key in a file of its owner alone, and shows it nowhere', async () => {
    const as = (...words: string[]) => start('goodeye', words, environment()).ended;
    const before = platform.mailbox.mails.length;
    expect(await as('register', 'eve@example.com', '--table')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('goodeye register-verify eve@example.com CODE'),
    });
    const verified = await as(
      'register-verify',
      'eve@example.com',
      await platform.mailbox.code('eve@example.com', before),
    );
    expect(verified).toMatchObject({ status: 0, stdout: '' });
    const file = join(folder, 'config/goodeye/credentials.json');
    const { api_key: key } = JSON.parse(await readFile(file, 'utf8'));
    expect(key).toMatch(/^good_live_/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(verified.stdout + verified.stderr).not.toContain(key);
    expect(await as('whoami', '--table')).toMatchObject({ status: 0, stdout: `eve@example.com at ${platform.url}\n` });
    expect((await as('logout')).status).toBe(0);
    expect(await as('whoami')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('goodeye login'),
    });
  });

  it('works from a browser, without a word at the terminal', async () => {
    const env = { XDG_CONFIG_HOME: join(folder, 'browser'), GOODEYE_SERVER: platform.url };
    const running = start('goodeye', ['login'], env);
    await expect.poll(() => running.stderr()).toMatch(/shows [A-Z]{4}-[A-Z]{4}/);
    const [, address = ''] = /Open (\S+)/.exec(running.stderr()) ?? [];
    const browser = new Browser();
    const before = platform.mailbox.mails.length;
    // The code stands in the form already.
    const typed = await browser.send(await browser.open(address), {});
    const asked = await browser.send(typed, { email: ada.email });
    const page = await browser.send(asked, { code: await platform.mailbox.code(ada.email, before) });
    await browser.send(page, { decision: 'allow' });
    expect(await running.ended).toMatchObject({ status: 0, stdout: '' });
    const { stdout } = await start('goodeye', ['whoami', '--table'], env).ended;
    expect(stdout).toBe(`@ada (ada@example.com) at ${platform.url}\n`);
  });

  it('shows a kept key to no other server', async () => {
    let seen: unknown = 'nothing';
    const other = await listening((headers) => (seen = headers['authorization']));
    const config = join(folder, 'other');
    const env = { XDG_CONFIG_HOME: config, GOODEYE_SERVER: platform.url };
    const before = platform.mailbox.mails.length;
    await start('goodeye', ['login', 'ada@example.com'], env).ended;
    await start(
      'goodeye',
      ['login-verify', 'ada@example.com', await platform.mailbox.code('ada@example.com', before)],
      env,
    ).ended;
    await start('goodeye', ['me', '--server', other.url], env).ended;
    expect(seen).toBeUndefined();
    other.close();
  });
});

describe('answers', () => {
  it('are one line of JSON to a pipe, tables with --table', async () => {
    const piped = await goodeye('auth', 'list-keys');
    expect(piped).toMatchObject({ status: 0, stderr: '' });
    expect(piped.stdout.trim().split('\n')).toHaveLength(1);
    expect(bodyOf(piped).items[0].id).toMatch(/^key_/);
    expect((await goodeye('auth', 'list-keys', '--table')).stdout).toMatch(/^id +name +created at/);
  });

  it('come page by page, or whole with --all', async () => {
    for (let i = 0; i < 3; i += 1) await goodeye('auth', 'create-key', `key ${i}`);
    const page = await goodeye('auth', 'list-keys', '--limit', '2');
    expect(bodyOf(page).items).toHaveLength(2);
    const all = bodyOf(await goodeye('auth', 'list-keys', '--limit', '2', '--all'));
    expect(all.items.length).toBeGreaterThanOrEqual(4);
    expect(all.next_cursor).toBeNull();
  });

  it('hold no control characters of other people’s on a terminal', async () => {
    await client.rest('POST', '/v1/workflows', ada.key, { name: 'Evil', body: 'evil\u001b[2Jbody' });
    const { stdout } = await goodeye('workflows', 'get', 'evil');
    expect(stdout).toContain('evil[2Jbody');
    expect(stdout).not.toContain('\u001b');
  });
});

describe('images', () => {
  it('are drawn to addresses on stdout, with the rest on stderr, and saved whole', async () => {
    const path = join(folder, 'lake.png');
    const drawn = await goodeye('image-generators', 'generate', '--prompt', 'A lake', '--output', path);
    expect(drawn.status).toBe(0);
    expect(drawn.stdout).toMatch(/^http\S+\/v1\/i\/\S+\.png\n$/);
    expect(drawn.stderr).toMatch(/1 drawn in \d+ ms for \$0\.01/);
    expect((await readFile(path)).subarray(1, 4).toString()).toBe('PNG');
    const asked = await goodeye('image-generators', 'generate', '--prompt', 'A lake', '--json');
    expect(bodyOf(asked)).toMatchObject({ status: 'complete', num_images: 1 });
  });

  it('have a price in the table of models', async () => {
    const { status, stdout } = await goodeye('image-generators', 'models', '--table');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^slug +provider +contracts +price +available$/m);
    const { items } = (await client.rest('GET', '/v1/models?limit=100')).body;
    const { price } = items.find(({ slug }: { slug: string }) => slug === 'local/atelier');
    expect(price).toBeGreaterThan(0);
    const atelier = stdout.split('\n').find((line) => line.startsWith('local/atelier'));
    expect(atelier?.split(/ {2,}/)).toEqual(['local/atelier', 'local', expect.any(String), String(price), 'true']);
  });

  it('are uploaded, shared, kept back, given an end, and deleted after asking', async () => {
    const uploaded = bodyOf(
      await goodeye('images', 'upload', join(folder, 'lake.png'), '--visibility', 'public', '--ttl', '600'),
    );
    expect(uploaded).toMatchObject({ visibility: 'public', source: 'upload', expires_at: expect.any(String) });
    const { id } = uploaded;
    expect(bodyOf(await goodeye('images', 'unshare', id)).visibility).toBe('private');
    expect(bodyOf(await goodeye('images', 'share', id)).visibility).toBe('public');
    expect(bodyOf(await goodeye('images', 'set-ttl', id, 'permanent')).expires_at).toBeNull();
    expect(bodyOf(await goodeye('images', 'set-ttl', id, '60')).expires_at).not.toBeNull();
    expect(await goodeye('images', 'delete', id)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--yes'),
    });
    expect((await goodeye('images', 'get', id)).status).toBe(0);
    expect((await goodeye('images', 'delete', id, '--yes')).status).toBe(0);
    expect(await goodeye('images', 'get', id)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('image_not_found'),
    });
  });

  it('that are none are refused by name', async () => {
    const path = join(folder, 'note.png');
    await writeFile(path, 'not a picture');
    expect(await goodeye('images', 'upload', path)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('unsupported_image_type'),
    });
    expect(await goodeye('images', 'upload', join(folder, 'missing.png'))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('there is no file'),
    });
  });
});

describe('workflows', () => {
  it('are saved with the files beside them, without what clients ignore, and come back as they were', async () => {
    const source = join(folder, 'report');
    const { mkdir } = await import('node:fs/promises');
    await mkdir(join(source, 'notes'), { recursive: true });
    await writeFile(join(source, 'WORKFLOW.md'), '# Report\n\nCollect the numbers.\n');
    await writeFile(join(source, 'notes/how.md'), 'Like this.\n');
    await writeFile(join(source, '.DS_Store'), 'junk');
    const saved = await goodeye('workflows', 'save', source, '--name', 'Report', '--outcome', 'It is there');
    expect(bodyOf(saved)).toMatchObject({ slug: 'report', version: 1 });
    const { stdout } = await goodeye('workflows', 'get', 'report');
    expect(stdout).toMatch(
      /^<<< RUNBOOK wf_\S+ version 1: Report\n# Report\n\nCollect the numbers\.\n>>> END OF RUNBOOK\n$/,
    );
    const plain = join(folder, 'plain.md');
    await goodeye('workflows', 'get', 'report', '--output', plain);
    expect(await readFile(plain, 'utf8')).toBe('# Report\n\nCollect the numbers.\n');
    expect(
      bodyOf(await goodeye('workflows', 'files', 'report')).files.map((file: { path: string }) => file.path),
    ).toEqual(['notes/how.md']);
    expect((await goodeye('workflows', 'files', 'report', '--path', 'notes/how.md')).stdout).toBe('Like this.\n');
    await goodeye('workflows', 'files', 'report', '--output', join(folder, 'back'));
    expect(await readFile(join(folder, 'back/notes/how.md'), 'utf8')).toBe('Like this.\n');
    expect((await goodeye('workflows', 'teach', 'report')).stdout).toContain('Report');
  });

  it('are published, read and forked as templates', async () => {
    const published = await goodeye('templates', 'publish', 'report');
    expect(published.status, published.stderr).toBe(0);
    const read = await goodeye('templates', 'get', '@ada/report', '--anonymous');
    expect(read.stdout).toMatch(/^<<< RUNBOOK @ada\/report version 1: Report\n/);
    expect(bodyOf(await goodeye('templates', 'list')).items).toHaveLength(1);
    expect(bodyOf(await goodeye('templates', 'fork', '@ada/report'))).toMatchObject({ slug: 'report-2' });
  });
});

describe('imgforge', () => {
  it('draws a picture and follows a job that nobody waits for in the request', async () => {
    const path = join(folder, 'boat.webp');
    const drawn = await imgforge('generate', 'A boat', '--tier', 'premium', '--output', path);
    expect(drawn.status, drawn.stderr).toBe(0);
    expect(bodyOf(drawn)).toMatchObject({ state: 'completed', quality_tier: 'premium' });
    expect((await readFile(path)).subarray(8, 12).toString()).toBe('WEBP');
    const { job_id: id } = bodyOf(drawn);
    expect(bodyOf(await imgforge('jobs', 'get', id))).toMatchObject({ job_id: id, state: 'completed' });
    expect(bodyOf(await imgforge('jobs', 'list')).jobs[0].job_id).toBe(id);
  });

  it('lists what can be used in two sections', async () => {
    const { stdout } = await imgforge('models', '--table');
    expect(stdout).toMatch(/^Tier defaults\n/);
    expect(stdout).toContain('--tier draft');
  });

  it('takes a key in a flag, and never shows it', async () => {
    const ended = await start('imgforge', ['jobs', 'list', '--key', 'imgf_wrong'], environment()).ended;
    expect(ended).toMatchObject({ status: 1, stdout: '' });
    expect(ended.stderr).not.toContain('imgf_wrong');
  });
});

describe('verifiers', () => {
  it('take the contracts that there are, which help and completion know', async () => {
    const deploy = ['verifiers', 'deploy', '--name', 'picture', '--criterion', 'It is sharp.'];
    expect(await goodeye(...deploy, '--input-contract', 'media')).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('text, text_image, image'),
    });
    const deployed = await goodeye(...deploy, '--input-contract', 'image');
    expect(bodyOf(deployed)).toMatchObject({ name: 'picture', input_contract: 'image' });
    const completed = await goodeye('__complete', '--', 'verifiers', 'deploy', '--input-contract', '');
    expect(completed.stdout).toBe('image\ntext\ntext_image\n');
    const help = (await goodeye('verifiers', 'deploy', '--help')).stdout.replaceAll(/\s+/g, ' ');
    expect(help).toContain('(choices: "text", "text_image", "image")');
  });

  it('go by their names when they are revoked, too', async () => {
    const deploy = ['verifiers', 'deploy', '--name', 'gone', '--criterion', 'Short.', '--input-fields', 'text'];
    const { verifier_id } = bodyOf(await goodeye(...deploy));
    for (let i = 0; i < 2; i += 1) {
      expect(bodyOf(await goodeye('verifiers', 'revoke', 'gone', '--yes'))).toEqual({ verifier_id, status: 'revoked' });
    }
    expect(bodyOf(await goodeye('verifiers', 'runs', 'gone')).items).toEqual([]);
    expect(await goodeye('verifiers', 'show', 'gone')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('not_found'),
    });
    expect(bodyOf(await goodeye('verifiers', 'delete', 'gone', '--yes'))).toEqual({ verifier_id, deleted: true });
    expect(bodyOf(await goodeye(...deploy)).version).toBe(1);
  });
});

describe('a command line', () => {
  it.each([
    ['an unknown command', ['imags']],
    ['an unknown flag', ['images', 'list', '--colour']],
    ['a missing word', ['images', 'get']],
    ['a wrong choice', ['images', 'list', '--source', 'stolen']],
    ['no number', ['images', 'list', '--limit', 'many']],
    ['no JSON', ['image-generators', 'generate', '--prompt', 'x', '--params-json', '{']],
    [
      'two that exclude each other',
      ['image-generators', 'generate', '--prompt', 'x', '--model', 'a', '--generator', 'b'],
    ],
    ['an address of no server', ['me', '--server', 'ftp://x']],
  ])('with %s is a mistake', async (_what, words) => {
    expect(await goodeye(...words)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/\S/) });
  });

  it('is explained by --help, with examples', async () => {
    const { status, stdout } = await goodeye('images', 'upload', '--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(/Examples:\n {2}goodeye images upload/);
  });

  it('is completed by shells', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      expect((await goodeye('completion', shell)).stdout, shell).toContain('goodeye __complete');
    }
    expect((await goodeye('__complete', '--', 'images', 's')).stdout).toBe('set-ttl\nshare\n');
    expect((await goodeye('__complete', '--', 'images', 'list', '--source', '')).stdout).toBe('generated\nupload\n');
  });
});

describe('a server', () => {
  it('that is not there is named, with what to do', async () => {
    const ended = await goodeye('me', '--server', 'http://127.0.0.1:9');
    expect(ended).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('cannot reach http://127.0.0.1:9'),
    });
  });

  it('that answers something else is not believed', async () => {
    const other = await listening(() => undefined);
    expect(await goodeye('me', '--server', other.url)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('not JSON'),
    });
    other.close();
  });

  it('that is slow can be left with Ctrl-C', async () => {
    const slow = createServer(() => undefined);
    const url = await open(slow);
    const running = start('goodeye', ['me', '--server', url], environment({ GOODEYE_API_KEY: 'good_live_x' }));
    await new Promise((resolve) => slow.once('request', resolve));
    running.kill('SIGINT');
    expect(await running.ended).toMatchObject({
      status: 130,
      stdout: '',
      stderr: expect.stringContaining('interrupted'),
    });
    slow.closeAllConnections();
    slow.close();
  });
});

async function open(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function listening(seen: (headers: Record<string, string | string[] | undefined>) => void) {
  const server = createServer(({ headers }, answer) => {
    seen(headers);
    answer.end('<html>hello</html>');
  });
  const url = await open(server);
  return { url, close: () => server.close() };
}
