/** What REST callers get when they ask for what is not there, or in a way that is not understood. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Client, clientOf } from '../support/client.js';
import { oneProcess, type Platform } from '../support/platform.js';

let platform: Platform;
let client: Client;
let account: Account;

beforeAll(async () => {
  platform = await oneProcess({ REQUEST_TIMEOUT_SECONDS: '2', MAX_BODY_BYTES: '20000' });
  client = clientOf(platform);
  account = await client.account('edge@example.com');
});
afterAll(() => platform?.stop());

/** Sends bytes as they are and returns all that comes back. */
function raw(bytes: string, endAfterMs = 8_000): Promise<string> {
  const { hostname, port } = new URL(platform.url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    const timer = setTimeout(() => socket.destroy(), endAfterMs);
    socket.on('data', (chunk) => {
      answer += chunk.toString('utf8');
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? undefined : reject(error)));
  });
}

describe('the one error shape', () => {
  it.each([
    ['an unknown path', 'GET', '/v1/nothing-here', undefined, 404, 'not_found'],
    ['an unknown version', 'GET', '/v9/me', undefined, 404, 'not_found'],
    ['malformed JSON', 'POST', '/v1/register', '{"email": ', 400, 'validation_error'],
    ['a body that is a list', 'POST', '/v1/register', '[]', 400, 'validation_error'],
    ['a body that is null', 'POST', '/v1/register', 'null', 400, 'validation_error'],
    [
      'a poisoned prototype',
      'POST',
      '/v1/register',
      '{"__proto__": {"x": 1}, "email": "a@b.example"}',
      400,
      'validation_error',
    ],
    [
      'a body that is too large',
      'POST',
      '/v1/register',
      `{"email": "${'x'.repeat(30_000)}"}`,
      413,
      'payload_too_large',
    ],
    ['an escaped path that is no UTF-8', 'GET', '/v1/teams/%ff%fe', undefined, 400, 'validation_error'],
  ])('answers %s', async (_name, method, path, body, status, slug) => {
    const answer = await client.rest(method, path, account.key, body);
    expect([answer.status, answer.body.error]).toEqual([status, slug]);
    expect(answer.body.message).toEqual(expect.any(String));
    expect(answer.body.request_id).toBe(answer.headers.get('x-request-id'));
  });

  it.each(['/v1/images', '/v1/i/unknown.png', '/graphql', '/nothing-here'])(
    'is not needed for OPTIONS %s, whoever asks',
    async (path) => {
      const { status, headers } = await fetch(platform.url + path, { method: 'OPTIONS' });
      expect([status, headers.get('access-control-allow-origin')]).toEqual([204, '*']);
      expect(headers.get('access-control-allow-methods')).toContain('PATCH');
    },
  );

  it('is what a wrong method of the payment events gets too', async () => {
    const { status, headers, body } = await client.rest('GET', '/v2/billing/webhook');
    expect([status, headers.get('allow'), body.error]).toEqual([405, 'POST', 'method_not_allowed']);
  });

  it('names every bad field', async () => {
    const { status, body } = await client.rest('POST', '/v1/register/verify', undefined, { email: 7 });
    expect(status).toBe(400);
    expect(body.details.map(({ field }: { field: string }) => field).sort()).toEqual(['code', 'email']);
    expect(body.message).toContain('code: is required');
  });

  it.each(['0', '101', '1.5', '-1', 'ten', ''])('refuses limit=%s by name', async (limit) => {
    const { status, body } = await client.rest('GET', `/v1/api-keys?limit=${limit}`, account.key);
    expect([status, body.error, body.details[0].field]).toEqual([400, 'validation_error', 'limit']);
  });

  it.each(['x', 'bm90IGpzb24', Buffer.from('{"i":7}').toString('base64url')])(
    'refuses cursor=%s by name',
    async (cursor) => {
      const { status, body } = await client.rest('GET', `/v1/api-keys?cursor=${cursor}`, account.key);
      expect([status, body.error, body.details[0].field]).toEqual([400, 'validation_error', 'cursor']);
    },
  );

  it('tells which methods a path has', async () => {
    for (const [method, path, allow] of [
      ['POST', '/v1/me', 'GET, PATCH, HEAD'],
      ['GET', '/v1/register', 'POST'],
      ['PUT', '/v1/api-keys/key_1', 'GET, DELETE, HEAD'],
      ['DELETE', '/v1/invitations/1/accept', 'POST'],
      ['PATCH', '/v1/workflows/search', 'POST, GET, DELETE, HEAD'],
    ] as const) {
      const answer = await client.rest(method, path, undefined, method === 'GET' ? undefined : {});
      expect([answer.status, answer.body.error, answer.headers.get('allow')], `${method} ${path}`).toEqual([
        405,
        'method_not_allowed',
        allow,
      ]);
    }
  });

  it('refuses bodies of other media types', async () => {
    for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'nonsense']) {
      const response = await fetch(`${platform.url}/v1/register`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: '{"email":"a@b.example"}',
      });
      expect(response.status, type).toBe(415);
      expect(((await response.json()) as { error: string }).error).toBe('unsupported_media_type');
    }
  });

  it('ignores fields that it does not know', async () => {
    const { status } = await client.rest('POST', '/v1/login', undefined, { email: 'a@b.example', extra: true });
    expect(status).toBe(202);
  });

  it('answers HEAD like GET, without a body', async () => {
    const response = await fetch(`${platform.url}/v1/me`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${account.key}` },
    });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });
});

describe('paths', () => {
  it('take identifiers as they are and encoded', async () => {
    await client.rest('PATCH', '/v1/me', account.key, { handle: 'edge' });
    await client.rest('POST', '/v1/teams', account.key, { handle: 'edge-team' });
    for (const team of ['edge-team', '@edge-team', '%40edge-team']) {
      expect((await client.rest('GET', `/v1/teams/${team}`, account.key)).status, team).toBe(200);
    }
    for (const user of ['edge@example.com', 'edge%40example.com', '@edge', account.id]) {
      const { body } = await client.rest('DELETE', `/v1/teams/edge-team/members/${user}`, account.key);
      expect(body.error, user).toBe('conflict');
    }
  });

  it('of bodiless POSTs need no media type, and DELETEs may carry a body', async () => {
    const id = '01900000-0000-7000-8000-000000000000';
    const post = await fetch(`${platform.url}/v1/invitations/${id}/accept`, {
      method: 'POST',
      headers: { authorization: `Bearer ${account.key}` },
    });
    expect(post.status).toBe(404);
    const { status } = await client.rest('DELETE', `/v1/teams/${id}`, account.key, { reason: 'none' });
    expect(status).toBe(404);
  });
});

describe('credentials', () => {
  it('that are bad are never treated as none', async () => {
    for (const [method, path] of [
      ['POST', '/v1/register'],
      ['POST', '/v1/login'],
      ['GET', '/v1/me'],
    ] as const) {
      const body = method === 'POST' ? { email: 'a@b.example' } : undefined;
      expect((await client.rest(method, path, 'good_live_bad', body)).status, path).toBe(401);
    }
    for (const authorization of ['Basic YTpi', 'Bearer', 'Bearer a b', 'good_live_x', '']) {
      const response = await fetch(`${platform.url}/v1/me`, { headers: { authorization } });
      expect(response.status, authorization).toBe(401);
    }
  });

  it('are not read from X-API-Key on /v1', async () => {
    const response = await fetch(`${platform.url}/v1/me`, { headers: { 'x-api-key': account.key } });
    expect(response.status).toBe(401);
  });

  it('never reach the log, nor do codes', async () => {
    expect(platform.programs.map((program) => program.output()).join('')).not.toContain(account.key);
  });
});

describe('headers', () => {
  it('protect and open as an API needs', async () => {
    const { headers } = await client.rest('GET', '/v1/me', account.key);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    const preflight = await fetch(`${platform.url}/v1/me`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-methods')).toContain('PATCH');
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
  });
});

describe('bytes that are no honest request', () => {
  it('are answered and let go', async () => {
    expect(await raw('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"validation_error"/);
    expect(await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 [\s\S]*"headers_too_large"/,
    );
  });

  it('that stop coming are timed out', async () => {
    const start = Date.now();
    const answer = await raw(
      'POST /v1/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"em',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*"request_timeout"/);
    expect(Date.now() - start).toBeLessThan(7_000);
  });

  it('do not grow the memory', async () => {
    const resident = async () => {
      const text = await (await fetch(`${platform.url}/metrics`)).text();
      return Number(/^darkroom_process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
    };
    const round = () =>
      Promise.all(
        Array.from({ length: 200 }, (_, i) =>
          client
            .rest('POST', '/v1/register', undefined, `{"email": "${'x'.repeat(i % 2 ? 19_000 : 60_000)}`)
            .catch(() => null),
        ),
      );
    await round();
    const before = await resident();
    for (let i = 0; i < 10; i++) await round();
    expect((await resident()) - before).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('what runs it needs to know', () => {
  it('is at /healthz, /readyz and /metrics', async () => {
    expect((await client.rest('GET', '/healthz')).body).toEqual({ status: 'ok' });
    expect((await client.rest('GET', '/readyz')).body).toEqual({
      status: 'ok',
      checks: { accounts: 'ok', registry: 'ok', images: 'ok', billing: 'ok' },
    });
    const metrics = await (await fetch(`${platform.url}/metrics`)).text();
    expect(metrics).toMatch(/darkroom_http_request_duration_seconds_count\{[^}]*route="\/v1\/me"/);
    expect(metrics).toMatch(/darkroom_subgraph_call_duration_seconds_count\{[^}]*subgraph="accounts"/);
  });
});
