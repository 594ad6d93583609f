/** How the processes of one installation hold together, and what they do at the end of their lives. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { SCOPE_HEADER, signScope, systemScope } from '../../platform/scope.js';
import { Secrets } from '../../platform/secrets.js';
import { SUBGRAPH_NAMES } from '../../platform/subgraph.js';
import { clientOf } from '../support/client.js';
import { deadPort } from '../support/mailbox.js';
import { manyProcesses, oneProcess, type Platform, SECRET_KEY } from '../support/platform.js';
import { launch, type Program, startProgram } from '../support/process.js';

describe('a subgraph on its own port', () => {
  let platform: Platform;
  let accounts: Program;
  beforeAll(async () => {
    platform = await manyProcesses();
    accounts = platform.programs[1] as Program;
  });
  afterAll(() => platform?.stop());

  const ask = (headers: Record<string, string>, query = '{ __typename }') =>
    fetch(`${accounts.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
    });
  const secrets = new Secrets(SECRET_KEY);

  it('refuses a request without the signed identity', async () => {
    const client = clientOf(platform);
    const { key } = await client.account('port@example.com');
    const refused: Record<string, string>[] = [
      {},
      { authorization: `Bearer ${key}` },
      { [SCOPE_HEADER]: 'x.y' },
      { [SCOPE_HEADER]: signScope(secrets, 'billing', systemScope('r')) },
      { [SCOPE_HEADER]: signScope(new Secrets('not the secret of this installation!'), 'accounts', systemScope('r')) },
      { [SCOPE_HEADER]: signScope(secrets, 'accounts', systemScope('r'), Date.now() - 60_000) },
    ];
    for (const headers of refused) {
      const response = await ask(headers);
      expect([response.status, ((await response.json()) as { error: string }).error]).toEqual([401, 'auth_required']);
    }
    expect((await ask({ [SCOPE_HEADER]: signScope(secrets, 'accounts', systemScope('r')) })).status).toBe(200);
  });

  it('keeps internal operations from gateways that act for a caller', async () => {
    const scope = { ...systemScope(newId()), internal: false };
    const response = await ask(
      { [SCOPE_HEADER]: signScope(secrets, 'accounts', scope) },
      '{ internalCaller(kind: "USER_KEY", hash: "x") { userId } }',
    );
    const { errors } = (await response.json()) as { errors?: unknown[] };
    expect(errors).toHaveLength(1);
  });

  it('is reported by /readyz and answered for with 503 when it is gone, and is back when it is back', async () => {
    const billing = platform.programs[4] as Program;
    const client = clientOf(platform);
    const { key } = await client.account('gone@example.com');
    await billing.kill();
    const { body } = await client.graph('{ me { email tier { slug } } }', {}, key);
    expect(body.data.me).toEqual({ email: 'gone@example.com', tier: null });
    expect(body.errors[0].extensions).toMatchObject({ code: 'unavailable', http: { status: 503 }, retryable: true });
    const ready = await client.rest('GET', '/readyz');
    expect([ready.status, ready.body.checks.billing, ready.body.checks.accounts]).toEqual([503, 'unavailable', 'ok']);
    expect((await client.rest('GET', '/healthz')).status).toBe(200);
  });
});

describe('a shutdown', () => {
  it('finishes requests in flight and ends with 0', async () => {
    const platform = await oneProcess();
    const client = clientOf(platform);
    const { key } = await client.account('bye@example.com');
    const [program] = platform.programs as [Program];
    const inFlight = Array.from({ length: 50 }, (_, i) => client.rest('POST', '/v1/api-keys', key, { name: `k${i}` }));
    await new Promise((resolve) => setTimeout(resolve, 5));
    const code = program.stop();
    const settled = await Promise.allSettled(inFlight);
    const answered = settled.filter((result) => result.status === 'fulfilled');
    expect(answered.length).toBeGreaterThan(0);
    // What was not answered was never accepted; nothing was answered with an error.
    expect(answered.every((result) => result.status === 'fulfilled' && result.value.status === 201)).toBe(true);
    expect(await code).toBe(0);
    expect(program.output()).not.toMatch(/"level":(50|60)/);
    await platform.stop();
  });
});

describe('a start', () => {
  const env = { SECRET_KEY };

  it.each([
    [['start'], { PORT: 'http' }, 'PORT must be a whole number'],
    [['subgraph', 'accounts'], {}, 'MONGODB_URL and S3_ENDPOINT must be set'],
    [['gateway'], {}, 'SUBGRAPH_ACCOUNTS_URL must be set'],
    [['subgraph', 'nothing'], {}, 'subgraph takes one of accounts, registry, images, billing'],
    [['dance'], {}, 'there is no command "dance"'],
    [['--dance'], {}, "Unknown option '--dance'"],
  ])('with a mistake (%j %j) says so in one line', async (args, wrong, line) => {
    const dir = await mkdtemp(join(tmpdir(), 'darkroom-'));
    const { exited, output } = launch(args, { ...env, DATA_DIR: dir, ...wrong });
    expect(await exited).toBe(2);
    expect(output().trim()).toMatch(/^darkroom: [^\n]+$/);
    expect(output()).toContain(line);
    await rm(dir, { recursive: true });
  });

  it('on a data directory that is in use says who uses it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'darkroom-'));
    const first = await startProgram(['start'], { ...env, DATA_DIR: dir });
    const { exited, output } = launch(['start'], { ...env, DATA_DIR: dir });
    expect(await exited).not.toBe(0);
    expect(output()).toContain(dir);
    expect(output()).toContain(String(first.process.pid));
    expect(await first.stop()).toBe(0);
    const next = await startProgram(['start'], { ...env, DATA_DIR: dir });
    expect(await next.stop()).toBe(0);
    await rm(dir, { recursive: true });
  });

  it('prints help and version', async () => {
    for (const [flag, text] of [
      ['--help', 'darkroom subgraph NAME'],
      ['--version', '0.1.0'],
    ] as const) {
      const { exited, output } = launch([flag], {});
      expect(await exited).toBe(0);
      expect(output()).toContain(text);
    }
  });
});

const redis = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) => existsSync(path));

describe.skipIf(!redis)('two gateways with Redis (skipped where redis-server is missing)', () => {
  it('hear of a revoked key within two seconds, and share their rate limits', async () => {
    const port = await deadPort();
    const server = spawn(redis as string, [
      '--port',
      String(port),
      '--save',
      '',
      '--appendonly',
      'no',
      '--bind',
      '127.0.0.1',
    ]);
    const REDIS_URL = `redis://127.0.0.1:${port}`;
    const platform = await manyProcesses({ REDIS_URL, RATE_LIMIT_REQUESTS_PER_MINUTE: '100' });
    const addresses = Object.fromEntries(
      SUBGRAPH_NAMES.map((name, i) => [`SUBGRAPH_${name.toUpperCase()}_URL`, platform.programs[i + 1]?.url ?? '']),
    );
    let second: Program | undefined;
    try {
      second = await startProgram(['gateway'], {
        SECRET_KEY,
        REDIS_URL,
        RATE_LIMIT_REQUESTS_PER_MINUTE: '100',
        ...addresses,
      });
      const one = clientOf(platform);
      const two = clientOf({ url: second.url, mailbox: platform.mailbox });
      const { key } = await one.account('both@example.com');
      const minted = await one.rest('POST', '/v1/api-keys', key, { name: 'other' });
      expect((await two.rest('GET', '/v1/me', minted.body.key)).status).toBe(200);
      await one.rest('DELETE', `/v1/api-keys/${minted.body.id}`, key);
      await expect
        .poll(async () => (await two.rest('GET', '/v1/me', minted.body.key)).status, { timeout: 2_000 })
        .toBe(401);

      const spent = await one.rest('GET', '/v1/me', key);
      const shared = await two.rest('GET', '/v1/me', key);
      const left = (answer: { headers: Headers }) => Number(answer.headers.get('ratelimit-remaining'));
      expect(left(shared)).toBe(left(spent) - 1);
    } finally {
      await second?.stop();
      await platform.stop();
      server.kill('SIGTERM');
    }
  });
});

describe('two gateways without Redis', () => {
  it('do not run side by side, but one follows another at once', async () => {
    const platform = await manyProcesses();
    const addresses = Object.fromEntries(
      SUBGRAPH_NAMES.map((name, i) => [`SUBGRAPH_${name.toUpperCase()}_URL`, platform.programs[i + 1]?.url ?? '']),
    );
    const { exited, output } = launch(['gateway'], { SECRET_KEY, ...addresses });
    expect(await exited).toBe(2);
    expect(output()).toMatch(/darkroom: REDIS_URL must be set/);
    // A killed gateway is waited for; one that left is not.
    await platform.programs[0]?.kill();
    const start = Date.now();
    const next = await startProgram(['gateway'], { SECRET_KEY, ...addresses });
    expect(Date.now() - start).toBeLessThan(20_000);
    expect(await next.stop()).toBe(0);
    await platform.stop();
  });
});

describe('the rate limit of requests', () => {
  it('counts by key, tells what is left, and says when to come back', async () => {
    const platform = await oneProcess({ RATE_LIMIT_REQUESTS_PER_MINUTE: '10' });
    try {
      const client = clientOf(platform);
      const { key } = await client.account('limit@example.com');
      let last = await client.rest('GET', '/v1/me', key);
      expect(last.headers.get('ratelimit-limit')).toBe('10');
      for (let i = 0; i < 12 && last.status === 200; i++) last = await client.rest('GET', '/v1/me', key);
      expect([last.status, last.body.error, last.body.retryable]).toEqual([429, 'rate_limited', true]);
      expect(last.headers.get('ratelimit-remaining')).toBe('0');
      const wait = Number(last.headers.get('retry-after'));
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(60);
      expect((await client.graph('{ __typename }', {}, key)).status).toBe(429);
    } finally {
      await platform.stop();
    }
  });
});
