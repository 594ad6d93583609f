/** What many callers do at once, over HTTP, against one process and many. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, clientOf } from '../support/client.js';
import { type Platform, SHAPES } from '../support/platform.js';

describe.each(SHAPES)('races in %s', (_name, start) => {
  let platform: Platform;
  let client: Client;

  beforeAll(async () => {
    platform = await start();
    client = clientOf(platform);
  });
  afterAll(() => platform?.stop());

  it('200 concurrent claims of one handle: exactly one wins', async () => {
    const accounts = [];
    for (let i = 0; i < 200; i += 20) {
      const batch = Array.from({ length: 20 }, (_, j) => client.account(`claim-${i + j}@example.com`));
      accounts.push(...(await Promise.all(batch)));
    }
    const answers = await Promise.all(
      accounts.map(({ key }) => client.rest('PATCH', '/v1/me', key, { handle: 'the-one' })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.error === 'handle_taken')).toHaveLength(199);
    const holders = await Promise.all(accounts.map(({ key }) => client.rest('GET', '/v1/me', key)));
    expect(holders.filter(({ body }) => body.handle === 'the-one')).toHaveLength(1);
  });

  it('200 concurrent verifications with one code: one key', async () => {
    const email = 'once@example.com';
    await client.rest('POST', '/v1/register', undefined, { email });
    const code = await platform.mailbox.code(email);
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => client.rest('POST', '/v1/register/verify', undefined, { email, code })),
    );
    const keys = answers.filter(({ status }) => status === 200);
    expect(keys).toHaveLength(1);
    expect(answers.filter(({ body }) => body.error === 'invalid_credentials')).toHaveLength(199);
    const listed = await client.rest('GET', '/v1/api-keys', keys[0]?.body.api_key);
    expect(listed.body.items).toHaveLength(1);
  });

  it('a thousand wrong codes: void after five', async () => {
    const email = 'guess@example.com';
    await client.rest('POST', '/v1/register', undefined, { email });
    const code = await platform.mailbox.code(email);
    const guesses = Array.from({ length: 1000 }, (_, i) => String((Number(code) + 1 + i) % 1_000_000).padStart(6, '0'));
    for (let i = 0; i < guesses.length; i += 100) {
      const answers = await Promise.all(
        guesses
          .slice(i, i + 100)
          .map((guess) => client.rest('POST', '/v1/register/verify', undefined, { email, code: guess })),
      );
      expect(answers.every(({ status }) => status === 401)).toBe(true);
    }
    const right = await client.rest('POST', '/v1/register/verify', undefined, { email, code });
    expect([right.status, right.body.error]).toEqual([401, 'invalid_credentials']);
  });

  it('a code survives four wrong tries', async () => {
    const email = 'careless@example.com';
    await client.rest('POST', '/v1/register', undefined, { email });
    const code = await platform.mailbox.code(email);
    const wrong = code === '000000' ? '000001' : '000000';
    for (let i = 0; i < 4; i++) await client.rest('POST', '/v1/register/verify', undefined, { email, code: wrong });
    expect((await client.rest('POST', '/v1/register/verify', undefined, { email, code })).status).toBe(200);
  });

  it('a revoked key stops at once, also under load', async () => {
    const { key } = await client.account('revoke@example.com');
    const { body: second } = await client.rest('POST', '/v1/api-keys', key, { name: 'second' });
    let revokedAt = Number.POSITIVE_INFINITY;
    const late: number[] = [];
    const load = Array.from({ length: 8 }, async () => {
      while (performance.now() < revokedAt + 500) {
        const sentAt = performance.now();
        const { status } = await client.rest('GET', '/v1/me', second.key);
        if (sentAt > revokedAt && status !== 401) late.push(sentAt - revokedAt);
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await client.rest('DELETE', `/v1/api-keys/${second.id}`, key);
    revokedAt = performance.now();
    await Promise.all(load);
    expect(late).toEqual([]);
  });
});

describe('register and login', () => {
  it('take as long for a known address as for an unknown one', async () => {
    const platform = await SHAPES[0]?.[1]({ RATE_LIMIT_CODES_PER_EMAIL: '0' });
    if (!platform) throw new Error('no platform');
    try {
      const client = clientOf(platform);
      for (let i = 0; i < 10; i++) await client.account(`known-${i}@example.com`);
      const times: Record<string, number[]> = {};
      const measure = async (path: string, kind: string, email: string) => {
        const start = performance.now();
        await client.rest('POST', path, undefined, { email });
        const name = `${path} ${kind}`;
        times[name] = [...(times[name] ?? []), performance.now() - start];
      };
      for (let i = 0; i < 150; i++) {
        for (const path of ['/v1/register', '/v1/login']) {
          // Each kind goes first half of the time, so that neither warms the caches for the other.
          const known = () => measure(path, 'known', `known-${i % 10}@example.com`);
          const unknown = () => measure(path, 'unknown', `unknown-${i % 10}@example.com`);
          for (const call of i % 2 ? [known, unknown] : [unknown, known]) await call();
        }
      }
      const median = (values: number[] = []) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
      for (const path of ['/v1/register', '/v1/login']) {
        const ratio = median(times[`${path} known`]) / median(times[`${path} unknown`]);
        expect(ratio, path).toBeGreaterThan(0.75);
        expect(ratio, path).toBeLessThan(1.33);
      }
    } finally {
      await platform.stop();
    }
  });
});
