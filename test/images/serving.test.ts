/** The serving URL: what it answers to whom, from memory and from the bucket, in one process and in several. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LiveImage } from '../../subgraphs/images/image/image.model.js';
import type { Account } from '../support/client.js';
import { openWorld, ownerOf, pathOf, someBytes, type World } from './support/world.js';

let world: World;
let shift = 0;
const now = () => new Date(Date.now() + shift);

beforeAll(async () => {
  world = await openWorld(now);
});
afterAll(() => world?.close());

interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Each header as it was sent, where fetch() would hide some. */
function get(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
      );
    });
    request.on('error', reject);
    request.end();
  });
}

/**
 * What sends a request each of the ways that an answer may take: an odd header past the bytes of its connection, and a
 * range, which does not count where If-Range names other bytes, past the shortcut of the HTTP server.
 */
const WAYS: [string, Record<string, string>][] = [
  ['from the bytes of its connection', {}],
  ['by the HTTP server', { 'x-odd': '1' }],
  ['by the framework', { range: 'bytes=0-9', 'if-range': '"other"' }],
];

const ofTheMessage = new Set(['date', 'connection', 'keep-alive', 'x-request-id']);
const toldIn = (headers: IncomingHttpHeaders) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !ofTheMessage.has(name)));

/** All that is said of a public image, whoever has the bytes already. */
const saidOf = ({ sha256 }: LiveImage) => ({
  'cache-control': 'public, max-age=300',
  etag: `"${sha256}"`,
  'last-modified': 'Wed, 04 Mar 2026 05:06:07 GMT',
  'accept-ranges': 'bytes',
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'ETag, Content-Length, Content-Range, Accept-Ranges, X-Request-Id',
  'cross-origin-resource-policy': 'cross-origin',
  'x-content-type-options': 'nosniff',
  'content-disposition': 'inline',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'referrer-policy': 'no-referrer',
});

const errorOf = ({ status, body }: Reply) => [status, JSON.parse(body.toString()).error];

const SHAPES: [string, () => Promise<string>][] = [
  ['in one process', async () => (await world.start({ kind: 'start' })).url],
  ['with images in another process', async () => (await world.start({ kind: 'gateway' }, await world.subgraphs())).url],
];

describe.each(SHAPES)('served %s', (_shape, open) => {
  let url: string;
  let ada: Account;
  let ben: Account;
  let small: LiveImage;
  let bytes: Buffer;

  beforeAll(async () => {
    url = await open();
    ada = await world.account(url, `ada@${new URL(url).port}.test`);
    ben = await world.account(url, `ben@${new URL(url).port}.test`);
    bytes = someBytes(50_000);
    small = await world.put(bytes, { ownerId: ownerOf(ada) });
  });

  const as = ({ key }: Account) => ({ authorization: `Bearer ${key}` });

  it.each(['from the bucket', 'from memory'])('a public image is sent to anybody, %s', async () => {
    const { status, headers, body } = await get(url + pathOf(small));
    expect(status).toBe(200);
    expect(body.equals(bytes)).toBe(true);
    expect(headers).toMatchObject({
      'content-type': 'image/png',
      'content-length': '50000',
      'cache-control': 'public, max-age=300',
      etag: `"${small.sha256}"`,
      'last-modified': 'Wed, 04 Mar 2026 05:06:07 GMT',
      'accept-ranges': 'bytes',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
      'content-disposition': 'inline',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      date: expect.any(String),
    });
    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers).not.toHaveProperty('ratelimit-limit');
  });

  it('says the same from memory as from the bucket, header by header', async () => {
    const image = await world.put(someBytes(1_000));
    const cold = await get(url + pathOf(image), { 'x-request-id': 'same' });
    const warm = await get(url + pathOf(image), { 'x-request-id': 'same' });
    const { date: _cold, ...first } = cold.headers;
    const { date: _warm, ...second } = warm.headers;
    expect(second).toEqual(first);
    expect(warm.body.equals(cold.body)).toBe(true);
  });

  it('takes the extension for decoration', async () => {
    for (const ending of ['', '.png', '.jpg', '.exe', '.png?size=large']) {
      const reply = await get(`${url}/v1/i/${small.token}${ending}`);
      expect([reply.status, reply.headers['content-type'], reply.body.length], ending).toEqual([
        200,
        'image/png',
        50_000,
      ]);
    }
  });

  it('does not look at credentials for a public image', async () => {
    for (const authorization of ['Bearer good_live_wrong', 'nonsense', 'Basic YTpi']) {
      expect((await get(url + pathOf(small), { authorization })).status).toBe(200);
    }
    const fresh = await world.put(someBytes(100));
    expect((await get(url + pathOf(fresh), { authorization: 'nonsense' })).status).toBe(200);
  });

  it('answers 304 to whoever has the bytes, and 200 to whoever has others', async () => {
    const etag = `"${small.sha256}"`;
    for (const known of [etag, `W/${etag}`, '*', `"other", ${etag}`, `W/"a",W/${etag}`]) {
      const { status, headers, body } = await get(url + pathOf(small), { 'if-none-match': known });
      expect([status, body.length], known).toEqual([304, 0]);
      expect(toldIn(headers), known).toEqual(saidOf(small));
    }
    for (const known of ['"other"', small.sha256, 'W/"other"', '']) {
      expect((await get(url + pathOf(small), { 'if-none-match': known })).status, known).toBe(200);
    }
    const since = (date: string, extra = {}) => get(url + pathOf(small), { 'if-modified-since': date, ...extra });
    expect((await since('Wed, 04 Mar 2026 05:06:07 GMT')).status).toBe(304);
    expect((await since('Thu, 05 Mar 2026 05:06:07 GMT')).status).toBe(304);
    expect((await since('Wed, 04 Mar 2026 05:06:06 GMT')).status).toBe(200);
    expect((await since('yesterday')).status).toBe(200);
    // A tag says more than a date.
    expect((await since('Wed, 04 Mar 2026 05:06:07 GMT', { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it.each([
    ['bytes=0-0', 0, 0],
    ['bytes=10-19', 10, 19],
    ['bytes=49990-', 49_990, 49_999],
    ['bytes=-5', 49_995, 49_999],
    ['bytes=-60000', 0, 49_999],
    ['bytes=49000-99999', 49_000, 49_999],
  ])('sends the part %s', async (range, start, end) => {
    for (const image of [small, await world.put(bytes)]) {
      const { status, headers, body } = await get(url + pathOf(image), { range });
      expect(status).toBe(206);
      expect(headers['content-range']).toBe(`bytes ${start}-${end}/50000`);
      expect(headers['content-length']).toBe(String(end - start + 1));
      expect(body.equals(bytes.subarray(start, end + 1))).toBe(true);
    }
  });

  it('refuses a part that is not there, and sends all for a range that it does not understand', async () => {
    for (const range of ['bytes=50000-', 'bytes=50000-60000', 'bytes=-0']) {
      const reply = await get(url + pathOf(small), { range });
      expect(errorOf(reply), range).toEqual([416, 'range_not_satisfiable']);
      expect(reply.headers['content-range']).toBe('bytes */50000');
    }
    for (const range of ['bytes=5-2', 'bytes=0-1,5-6', 'lines=1-2', 'bytes', 'bytes=a-b']) {
      const { status, body } = await get(url + pathOf(small), { range });
      expect([status, body.length], range).toEqual([200, 50_000]);
    }
  });

  it('continues a download only of the same bytes', async () => {
    const part = (ifRange: string) => get(url + pathOf(small), { range: 'bytes=0-9', 'if-range': ifRange });
    expect((await part(`"${small.sha256}"`)).status).toBe(206);
    expect((await part('Wed, 04 Mar 2026 05:06:07 GMT')).status).toBe(206);
    for (const other of ['"other"', `W/"${small.sha256}"`, 'Wed, 04 Mar 2026 05:06:08 GMT']) {
      expect((await part(other)).status, other).toBe(200);
    }
  });

  it('answers HEAD as GET without the bytes', async () => {
    const asked: Record<string, string>[] = [{}, { range: 'bytes=0-9' }, { 'if-none-match': '*' }];
    for (const headers of asked) {
      const head = await get(url + pathOf(small), { ...headers, 'x-request-id': 'same' }, 'HEAD');
      const { body: _, ...whole } = await get(url + pathOf(small), { ...headers, 'x-request-id': 'same' });
      expect(head.body).toHaveLength(0);
      const drop = ({ date: _date, ...rest }: IncomingHttpHeaders) => rest;
      expect([head.status, drop(head.headers)]).toEqual([whole.status, drop(whole.headers)]);
      expect(head.headers).toMatchObject(saidOf(small));
    }
  });

  it.each(WAYS)('says everything with a 200 and with a 304 that is answered %s', async (_way, extra) => {
    await get(url + pathOf(small));
    const whole = await get(url + pathOf(small), extra);
    expect(whole.status).toBe(200);
    expect(toldIn(whole.headers)).toEqual({
      ...saidOf(small),
      'content-type': 'image/png',
      'content-length': '50000',
    });
    const known = { ...extra, 'if-none-match': `"${small.sha256}"` };
    for (const method of ['GET', 'HEAD']) {
      const unchanged = await get(url + pathOf(small), known, method);
      expect([unchanged.status, toldIn(unchanged.headers)], method).toEqual([304, saidOf(small)]);
    }
  });

  it('refuses other methods', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const reply = await get(url + pathOf(small), {}, method);
      expect(errorOf(reply)).toEqual([405, 'method_not_allowed']);
      expect(reply.headers.allow).toBe('GET, HEAD');
    }
  });

  it('lets pages anywhere ask', async () => {
    const preflight = await get(
      url + pathOf(small),
      { origin: 'https://elsewhere.test', 'access-control-request-method': 'GET' },
      'OPTIONS',
    );
    expect(preflight.status).toBe(204);
    expect(preflight.headers['access-control-allow-origin']).toBe('*');
  });

  it('a private image is its owner’s alone', async () => {
    const secret = someBytes(2_000);
    const image = await world.put(secret, { ownerId: ownerOf(ada), visibility: 'private' });
    const path = url + pathOf(image);
    expect(errorOf(await get(path))).toEqual([401, 'auth_required']);
    expect((await get(path)).headers['www-authenticate']).toMatch(/^Bearer/);
    expect(errorOf(await get(path, { authorization: 'Bearer good_live_wrong' }))).toEqual([401, 'auth_required']);
    expect(errorOf(await get(path, { authorization: 'nonsense' }))).toEqual([401, 'auth_required']);
    expect(errorOf(await get(path, { 'x-api-key': ada.key }))).toEqual([401, 'auth_required']);
    const foreign = await get(path, as(ben));
    const missing = await get(`${url}/v1/i/${'0'.repeat(43)}.png`, as(ben));
    expect(errorOf(foreign)).toEqual([404, 'image_not_found']);
    const masked = (reply: Reply) => ({ ...JSON.parse(reply.body.toString()), request_id: '' });
    expect(masked(foreign)).toEqual(masked(missing));
    for (let i = 0; i < 2; i++) {
      const own = await get(path, as(ada));
      expect(own.status).toBe(200);
      expect(own.body.equals(secret)).toBe(true);
      expect(own.headers['cache-control']).toBe('private, no-store');
      expect(own.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'content-disposition': 'inline' });
    }
    const part = await get(path, { ...as(ada), range: 'bytes=10-19' });
    expect([part.status, part.headers['cache-control']]).toEqual([206, 'private, no-store']);
    expect(part.body.equals(secret.subarray(10, 20))).toBe(true);
    expect(errorOf(await get(path, { range: 'bytes=9999-' }))).toEqual([401, 'auth_required']);
    expect(errorOf(await get(path, { 'if-none-match': '*' }))).toEqual([401, 'auth_required']);
    expect(errorOf(await get(path, { ...as(ben), 'if-none-match': '*' }))).toEqual([404, 'image_not_found']);
  });

  it.each(['', 'x', '0'.repeat(43), '0'.repeat(600), '%00', '..%2f..', `${'0'.repeat(42)}é`])(
    'knows no image %j',
    async (token) => {
      const reply = await get(encodeURI(`${url}/v1/i/${token}.png`));
      expect(reply.status).toBe(404);
      expect(JSON.parse(reply.body.toString()).error).toMatch(/not_found$/);
      expect(reply.headers['cache-control']).toBe('no-store');
    },
  );

  it('tells caches to keep no image beyond its end, and stops at that moment', async () => {
    const image = await world.put(someBytes(100), { expiresAt: new Date(now().getTime() + 100_000) });
    const path = url + pathOf(image);
    for (let i = 0; i < 2; i++) {
      const age = Number(/^public, max-age=(\d+)$/.exec((await get(path)).headers['cache-control'] ?? '')?.[1]);
      expect(age).toBeGreaterThan(60);
      expect(age).toBeLessThanOrEqual(100);
    }
    shift += 101_000;
    expect(errorOf(await get(path))).toEqual([404, 'image_not_found']);
    expect(errorOf(await get(path, { 'if-none-match': '*' }))).toEqual([404, 'image_not_found']);
    expect(errorOf(await get(path, { range: 'bytes=0-1' }))).toEqual([404, 'image_not_found']);
  });

  it('passes on what is too large to keep, at the pace of its reader, and drops it when the reader leaves', async () => {
    const large = someBytes(6_000_000);
    const image = await world.put(large);
    expect((await get(url + pathOf(image))).body.equals(large)).toBe(true);
    const part = await get(url + pathOf(image), { range: 'bytes=5999990-' });
    expect(part.body.equals(large.subarray(5_999_990))).toBe(true);
    await new Promise<void>((resolve) => {
      const request = httpRequest(url + pathOf(image), (response) => {
        response.once('data', () => request.destroy());
        response.on('error', () => {});
        response.on('close', resolve);
      });
      request.on('error', () => {});
      request.end();
    });
    // Many of those at once would use up the connections to the bucket if they were not given back.
    await Promise.all(
      Array.from({ length: 60 }, async () => {
        const request = httpRequest(url + pathOf(image), (response) => {
          response.once('data', () => request.destroy());
          response.on('error', () => {});
        });
        request.on('error', () => {});
        request.end();
        await new Promise((resolve) => request.on('close', resolve));
      }),
    );
    expect((await get(url + pathOf(image))).body.equals(large)).toBe(true);
  });

  it('a change that went by without notice is seen within two seconds', async () => {
    const image = await world.put(someBytes(100), { ownerId: ownerOf(ada) });
    const path = url + pathOf(image);
    expect((await get(path)).status).toBe(200);
    await world.images.updateOne({ _id: image._id }, { $set: { visibility: 'private' } });
    const changed = performance.now();
    let last = changed;
    for (;;) {
      const asked = performance.now();
      const { status } = await get(path);
      if (status === 401) break;
      expect(status).toBe(200);
      last = asked;
      await pause(25);
    }
    expect(last - changed).toBeLessThan(2_000);
    await world.images.deleteOne({ _id: image._id });
    await pause(2_000);
    expect(errorOf(await get(path, as(ada)))).toEqual([404, 'image_not_found']);
  });
});
