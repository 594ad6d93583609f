/** What the person who runs the installation can do and see. */

import { stat } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { OBJECT_PREFIX, objectKey } from '../../subgraphs/images/image/image.model.js';
import { smallPng } from '../images/support/pictures.js';
import { type Bucket, openBucket } from '../support/bucket.js';
import { type Client, clientOf } from '../support/client.js';
import { oneProcess, type Platform } from '../support/platform.js';
import { launch } from '../support/process.js';
import { sendForm } from '../support/uploads.js';

describe('darkroom admin', () => {
  let platform: Platform;
  let client: Client;
  let dataDir: string;
  let bucket: Bucket;
  beforeAll(async () => {
    platform = await oneProcess();
    client = clientOf(platform);
    ({ dataDir } = platform);
    bucket = await openBucket(dataDir);
  });
  afterAll(async () => {
    await bucket?.close();
    await platform?.stop();
  });

  async function admin(...words: string[]) {
    const { exited, output } = launch(['admin', ...words], { DATA_DIR: dataDir });
    return { code: await exited, output: output() };
  }

  it('suspends and reinstates at once, by address', async () => {
    const { key, id } = await client.account('rogue@example.com');
    await client.rest('PATCH', '/v1/me', key, { handle: 'rogue' });
    const suspended = await admin('suspend', 'rogue@example.com', '--reason', 'spam');
    expect(suspended.code).toBe(0);
    expect(JSON.parse(suspended.output)).toEqual({ user_id: id, suspended: true, act: expect.any(String) });

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

  it('gives credits and dollars once for each act, a tier and a plan, and shows the account', async () => {
    const { key, id } = await client.account('gifted@example.com');
    const act = '0190a000-0000-7000-8000-00000000000a';
    const grant = ['grant', 'gifted@example.com', '--credits', '300', '--reason', 'sorry', '--act', act];
    const given = JSON.parse((await admin(...grant)).output);
    expect(given).toMatchObject({ user_id: id, act, available_credits: 350, plan: 'free', tier: 'hobby' });
    expect(JSON.parse((await admin(...grant)).output)).toEqual({ ...given, repeated: true });
    const other = await admin('grant', 'gifted@example.com', '--credits', '900', '--act', act);
    expect(other).toMatchObject({ code: 1, output: expect.stringContaining('another act') });

    await admin('grant', id, '--usd', '2.5', '--expires', '2999-01-01');
    await admin('tier', id, 'pro');
    const plan = JSON.parse((await admin('plan', id, 'agency', '--until', '2999-01-01')).output);
    expect(plan).toMatchObject({ plan: 'agency', tier: 'pro', given_plan: 'agency', available_credits: 4_350 });
    const shown = JSON.parse((await admin('show', 'gifted@example.com')).output);
    expect(shown).toMatchObject({
      user_id: id,
      email: 'gifted@example.com',
      suspended: false,
      plan: 'agency',
      available_usd: 52.5,
      available_credits: 4_350,
      owed_credits: 0,
    });
    expect((await client.rest('GET', '/v1/me/usage', key)).body).toMatchObject({
      tier: 'pro',
      purchased_remaining_usd: 2.5,
      available_usd: 52.5,
    });
    expect((await client.rest('GET', '/v2/billing/status', key)).body).toMatchObject({
      plan: 'agency',
      priorityQueue: true,
      quotaRemaining: 4_350,
      purchaseEligible: false,
    });
    expect(JSON.parse((await admin('plan', id, 'free')).output)).toMatchObject({ plan: 'free', tier: 'pro' });
    expect(JSON.parse((await admin('tier', id, 'hobby')).output)).toMatchObject({ tier: 'hobby' });
  });

  it('keeps all of that on record, with who gave the command', async () => {
    const { acts, next_cursor } = JSON.parse(
      (await admin('audit', '--user', 'gifted@example.com', '--limit', '4')).output,
    );
    expect(acts.map(({ kind }: { kind: string }) => kind)).toEqual(['tier', 'plan', 'plan', 'tier']);
    expect(acts[0]).toMatchObject({
      operator: userInfo().username,
      details: { tier: 'hobby', reason: null },
      begun_at: expect.stringMatching(/Z$/),
      done_at: expect.stringMatching(/Z$/),
    });
    const rest = JSON.parse((await admin('audit', '--user', 'gifted@example.com', '--after', next_cursor)).output);
    expect(rest.acts.map(({ kind }: { kind: string }) => kind)).toEqual(['grant', 'grant']);
    const all = JSON.parse((await admin('audit')).output).acts as { kind: string; user_id: string }[];
    expect(all.filter(({ kind }) => kind === 'suspend')).toHaveLength(1);
  });

  it('says who is not there, and how it is used', async () => {
    expect(await admin('suspend', 'nobody@example.com')).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^darkroom: [^\n]+\n$/),
    });
    expect(await admin('promote', 'x')).toMatchObject({ code: 2, output: expect.stringContaining('admin takes') });
    expect(await admin('--help')).toMatchObject({ code: 0, output: expect.stringContaining('reinstate USER') });
  });

  it('compares the bucket with the records', async () => {
    const none = { checked: 0, found: 0, examples: [] };
    const { code, output } = await admin('images', 'check');
    const whole = { objects_without_record: none, records_without_object: none, mended: false };
    expect([code, JSON.parse(output)]).toEqual([0, whole]);
    expect(JSON.parse((await admin('images', 'check', '--mend')).output)).toEqual({ ...whole, mended: true });
    expect(await admin('images', 'count')).toMatchObject({ code: 2 });
  });

  it('finds what is in the bucket or on record alone, and clears it away when it is to mend', async () => {
    const { key } = await client.account('pictures@example.com');
    const png = await smallPng();
    const send = async () => (await sendForm(platform.url, key, [['file', png]])).body.id as string;
    const [kept, lost] = [await send(), await send()];
    await bucket.store.delete(objectKey(lost));
    const stray = objectKey(newId());
    const foreign = `${OBJECT_PREFIX}of-somebody-else`;
    const put = (name: string) =>
      bucket.store.write({
        key: name,
        bytes: (async function* () {
          yield png;
        })(),
        contentType: () => 'image/png',
      });
    for (const name of [stray, foreign]) await put(name);

    const check = async (...flags: string[]) => {
      const { code, output } = await admin('images', 'check', ...flags);
      const { objects_without_record: objects, records_without_object: records, mended } = JSON.parse(output);
      objects.examples.sort();
      return { code, objects, records, mended };
    };
    const found = {
      code: 0,
      objects: { checked: 3, found: 2, examples: [stray, foreign].sort() },
      records: { checked: 2, found: 1, examples: [lost] },
    };
    expect(await check()).toEqual({ ...found, mended: false });
    // Looking changes nothing.
    expect(await check('--mend')).toEqual({ ...found, mended: true });
    expect(await check()).toEqual({
      code: 0,
      // What is none of ours is left to the operator.
      objects: { checked: 2, found: 1, examples: [foreign] },
      records: { checked: 1, found: 0, examples: [] },
      mended: false,
    });
    expect(await bucket.store.exists(stray)).toBe(false);
    expect((await client.rest('GET', `/v1/images/${lost}`, key)).status).toBe(404);
    expect((await client.rest('GET', `/v1/images/${kept}`, key)).status).toBe(200);
    await bucket.store.delete(foreign);
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
