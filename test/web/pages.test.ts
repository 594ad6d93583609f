import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { fastify } from 'fastify';
import { type Dispatcher, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ASSET_CSP, DOCS_CSP, EXPLORER_CSP, pages } from '../../gateway/pages.js';
import { ASSETS_DIR, buildPages, openSite, type Site } from './site.js';

let site: Site;
let script: string;

beforeAll(async () => {
  site = await openSite();
  const html = readFileSync(join(ASSETS_DIR, 'explorer/index.html'), 'utf8');
  script = /src="(\/assets\/[^"]+\.js)"/.exec(html)?.[1] ?? '';
});

afterAll(() => site.close());

type Headers = Record<string, string>;

async function ask(path: string, headers: Headers = {}, method: Dispatcher.HttpMethod = 'GET') {
  const response = await request(site.origin + path, { method, headers });
  return { ...response, body: Buffer.from(await response.body.arrayBuffer()) };
}

describe.each([
  { path: '/graphql', csp: EXPLORER_CSP, title: 'GraphQL explorer' },
  { path: '/v1/docs', csp: DOCS_CSP, title: 'API reference' },
])('the page at $path', ({ path, csp, title }) => {
  it('is HTML under its own policy, in no frame, checked again each time', async () => {
    const { statusCode, headers, body } = await ask(path);
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': csp,
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
      vary: 'Accept, Accept-Encoding',
    });
    expect(body.toString()).toContain(`<title>${title} · Darkroom</title>`);
  });

  it('has no script of its own text and names no other host', async () => {
    const html = (await ask(path)).body.toString();
    expect(html).not.toMatch(/<script(?![^>]* src="\/assets\/)/);
    expect(html).not.toMatch(/https?:\/\//);
  });

  it('is not sent again to whoever has it', async () => {
    const { headers } = await ask(path);
    const again = await ask(path, { 'if-none-match': `"other", W/${headers['etag']}` });
    expect(again.statusCode).toBe(304);
    expect(again.body).toHaveLength(0);
    expect(again.headers['etag']).toBe(headers['etag']);
    expect((await ask(path, { 'if-none-match': '"other"' })).statusCode).toBe(200);
  });

  it('answers HEAD with the same headers and no body', async () => {
    const got = await ask(path);
    const head = await ask(path, {}, 'HEAD');
    expect(head.statusCode).toBe(200);
    expect(head.body).toHaveLength(0);
    expect(head.headers).toMatchObject({ etag: got.headers['etag'], 'content-length': got.headers['content-length'] });
  });
});

describe('the policies', () => {
  it.each([EXPLORER_CSP, DOCS_CSP, ASSET_CSP])('allow no script but our files: %s', (csp) => {
    expect(csp).toContain("default-src 'none'");
    expect(csp).toContain("script-src 'self';");
    expect(csp).toContain("frame-ancestors 'none'");
    expect(csp).not.toContain('unsafe-eval');
  });
});

describe('a file under /assets', () => {
  it('may be kept for good', async () => {
    const { statusCode, headers } = await ask(script);
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'content-security-policy': ASSET_CSP,
      vary: 'Accept-Encoding',
    });
  });

  it.each([
    { accept: 'gzip, deflate, br, zstd', encoding: 'br', decode: brotliDecompressSync },
    { accept: 'gzip', encoding: 'gzip', decode: gunzipSync },
    { accept: 'br;q=0, *', encoding: 'gzip', decode: gunzipSync },
    { accept: 'identity', encoding: undefined, decode: (body: Buffer) => body },
    { accept: 'br;q=0, gzip;q=0.0', encoding: undefined, decode: (body: Buffer) => body },
  ])('comes as $encoding for "$accept"', async ({ accept, encoding, decode }) => {
    const plain = await ask(script);
    const { headers, body } = await ask(script, { 'accept-encoding': accept });
    expect(headers['content-encoding']).toBe(encoding);
    expect(decode(body).equals(plain.body)).toBe(true);
    expect(headers['etag'] === plain.headers['etag']).toBe(encoding === undefined);
  });

  it('answers HEAD', async () => {
    const head = await ask(script, { 'accept-encoding': 'br' }, 'HEAD');
    expect(head.statusCode).toBe(200);
    expect(head.body).toHaveLength(0);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(0);
  });

  it.each([
    '/assets/',
    '/assets/nothing.js',
    '/assets/../manifest.json',
    '/assets/..%2fmanifest.json',
    '/assets/%2e%2e/explorer/index.html',
    '/assets/..%5c..%5cpackage.json',
    '/assets/../../../package.json',
    '/assets/toString',
    '/assets/__proto__',
  ])('is one that the build made, which %s is not', async (path) => {
    const { statusCode, body } = await ask(path);
    expect(statusCode).toBe(404);
    expect(body.toString()).toBe('{"error":"nothing here"}');
  });

  it('has no compressed twin under a name of its own', async () => {
    expect((await ask(`${script}.br`)).statusCode).toBe(404);
  });
});

describe('the build', () => {
  it('is left alone when nothing changed', () => {
    expect(buildPages()).toBe('');
  });

  it('is asked for when it is missing', async () => {
    const app = fastify().register(pages({ assetsDir: mkdtempSync(join(tmpdir(), 'pages-')) }));
    await expect(app.ready()).rejects.toThrow(/not built .* run npm run build/);
    await app.close().catch(() => undefined);
  });
});
