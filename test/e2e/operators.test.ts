/** What the person who runs the installation can do and see. */

import { stat } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, clientOf } from '../support/client.js';
import { oneProcess, type Platform } from '../support/platform.js';
import { launch } from '../support/process.js';

describe('darkroom admin', () => {
  let platform: Platform;
  let client: Client;
  let dataDir: string;
  beforeAll(async () => {
    platform = await oneProcess();
    client = clientOf(platform);
    dataDir = /data in (\S+)/.exec(platform.programs[0]?.output() ?? '')?.[1] ?? '';
  });
  afterAll(() => platform?.stop());

  async function admin(...words: string[]) {
    const { exited, output } = launch(['admin', ...words], { DATA_DIR: dataDir });
    return { code: await exited, output: output() };
  }

  it('suspends and reinstates at once, by address', async () => {
    const { key, id } = await client.account('rogue@example.com');
    await client.rest('PATCH', '/v1/me', key, { handle: 'rogue' });
    const suspended = await admin('suspend', 'rogue@example.com', '--reason', 'spam');
    expect(suspended).toEqual({ code: 0, output: `${JSON.stringify({ user_id: id, suspended: true })}\n` });

    const refused = await client.rest('POST', '/v1/api-keys', key, { name: 'more' });
    expect([refused.status, refused.body.error]).toEqual([403, 'account_suspended']);
    expect((await client.rest('GET', '/v1/me', key)).status).toBe(200);
    expect((await client.rest('GET', '/v1/api-keys', key)).status).toBe(200);
    const before = platform.mailbox.mails.length;
    await client.rest('POST', '/v1/login', undefined, { email: 'rogue@example.com' });
    const code = await platform.mailbox.code('rogue@example.com', before);
    const signIn = await client.rest('POST', '/v1/login/verify', undefined, { email: 'rogue@example.com', code });
    expect([signIn.status, signIn.body.error]).toEqual([403, 'account_suspended']);

    expect((await admin('reinstate', '@rogue')).code).toBe(0);
    expect((await client.rest('POST', '/v1/api-keys', key, { name: 'more' })).status).toBe(201);
  });

  it('says who is not there, and how it is used', async () => {
    expect(await admin('suspend', 'nobody@example.com')).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^darkroom: [^\n]+\n$/),
    });
    expect(await admin('promote', 'x')).toMatchObject({ code: 2, output: expect.stringContaining('admin takes') });
    expect(await admin('--help')).toMatchObject({ code: 0, output: expect.stringContaining('reinstate USER') });
  });

  it('is reached through a socket that is closed to other users', async () => {
    const { mode } = await stat(join(dataDir, 'admin.sock'));
    expect(mode & 0o777).toBe(0o600);
    for (const path of ['/suspension', '/admin/suspension']) {
      expect((await client.rest('POST', path, undefined, { user: 'x', suspended: true, reason: null })).status).toBe(
        404,
      );
    }
  });

  it('works on the store itself when no process runs', async () => {
    const { key } = await client.account('later@example.com');
    expect(await platform.programs[0]?.stop()).toBe(0);
    expect(await admin('suspend', 'later@example.com')).toMatchObject({ code: 0 });
    const { startProgram } = await import('../support/process.js');
    const again = await startProgram(['start'], {
      DATA_DIR: dataDir,
      SMTP_URL: platform.mailbox.url,
      SECRET_KEY: 'a secret key that only the tests know, 32+',
    });
    const second = clientOf({ url: again.url, mailbox: platform.mailbox });
    const refused = await second.rest('POST', '/v1/api-keys', key, { name: 'more' });
    expect(refused.body.error).toBe('account_suspended');
    expect(await again.stop()).toBe(0);
  });
});

describe('traces', () => {
  it('go to the OTLP endpoint: a span for the request, and for each fetch of its plan', async () => {
    const received: { url: string; headers: IncomingHttpHeaders; body: string }[] = [];
    const collector = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push({
          url: request.url ?? '',
          headers: request.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        });
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    const platform = await oneProcess({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    const client = clientOf(platform);
    const { key } = await client.account('trace@example.com');
    await client.graph('{ me { email tier { slug } } }', {}, key);
    await platform.stop();
    collector.close();

    expect(received.every(({ url }) => url === '/v1/traces')).toBe(true);
    const spans = received
      .flatMap(({ body }) => JSON.parse(body).resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans)
      .flatMap(({ spans: some }) => some);
    const request = spans.find(({ name }) => name === 'POST /graphql');
    const children = spans.filter(({ traceId }) => traceId === request?.traceId).map(({ name }) => name);
    expect(children.filter((name: string) => name === 'gateway.fetch').length).toBeGreaterThanOrEqual(1);
    expect(JSON.stringify(spans)).not.toContain(key);
    expect(JSON.stringify(spans)).not.toContain('trace@example.com');
  });
});
