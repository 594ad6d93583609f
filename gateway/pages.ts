/**
 * The two pages for a browser, the GraphQL explorer and the REST reference, and the files that they load. All are
 * read once, so that what is served is a look-up among known names and never a path on disk.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';

/** Monaco and GraphiQL write style elements and attributes as they run. Their workers are held to script-src. */
export const EXPLORER_CSP = policy({
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'font-src': "'self'",
  'connect-src': "'self'",
});

/** The reference writes its theme as styles too, and shows the image that a tried request brings as a blob. */
export const DOCS_CSP = policy({
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data: blob:",
  'connect-src': "'self'",
});

/** A worker runs under the policy of its own file, not of the page that starts it. */
export const ASSET_CSP = policy({ 'default-src': "'none'", 'script-src': "'self'" });

export interface PagesOptions {
  /** The directory that scripts/build-web.js writes. */
  assetsDir: string;
}

export function pages({ assetsDir }: PagesOptions): FastifyPluginAsync {
  const plugin: FastifyPluginAsync = async (app) => {
    const site = loadSite(assetsDir);
    app.decorate(SITE, site);

    app.get('/v1/docs', (request, reply) => sendPage(request, reply, site.docs, DOCS_CSP));

    app.get<{ Params: { '*': string } }>('/assets/*', (request, reply) => {
      const asset = site.assets.get(`assets/${request.params['*']}`);
      if (!asset) return reply.callNotFound();
      reply.header('cache-control', 'public, max-age=31536000, immutable');
      reply.header('vary', 'Accept-Encoding');
      return send(request, reply, asset, ASSET_CSP);
    });
  };
  // explorerPage() is called from routes outside this plugin, so what it decorates must not stay inside.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
}

/** Answers GET /graphql for a browser. The same address answers programs, hence the Vary. */
export function explorerPage(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendPage(request, reply, request.server.getDecorator<Site>(SITE).explorer, EXPLORER_CSP);
}

interface Variant {
  body: Buffer;
  etag: string;
}

interface Asset {
  type: string;
  identity: Variant;
  encoded: Map<string, Variant>;
}

interface Site {
  explorer: Asset;
  docs: Asset;
  assets: Map<string, Asset>;
}

interface ManifestEntry {
  name: string;
  encodings: string[];
}

const SITE = 'darkroomPages';
const SUFFIX: Record<string, string> = { br: '.br', gzip: '.gz' };
const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.woff2': 'font/woff2',
};

function loadSite(dir: string): Site {
  const assets = new Map(readManifest(dir).map((entry) => [entry.name, loadAsset(dir, entry)]));
  const page = (name: string) => {
    const asset = assets.get(name);
    if (!asset) throw new Error(`The build of the browser pages in ${dir} lacks ${name}: run npm run build`);
    return asset;
  };
  return { explorer: page('explorer/index.html'), docs: page('docs/index.html'), assets };
}

function readManifest(dir: string): ManifestEntry[] {
  try {
    const manifest = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as { files: ManifestEntry[] };
    return manifest.files;
  } catch (cause) {
    throw new Error(`The browser pages are not built in ${dir}: run npm run build`, { cause });
  }
}

function loadAsset(dir: string, { name, encodings }: ManifestEntry): Asset {
  const read = (suffix: string): Variant => {
    const body = readFileSync(join(dir, name + suffix));
    return { body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
  };
  return {
    type: TYPES[extname(name)] ?? 'application/octet-stream',
    identity: read(''),
    encoded: new Map(encodings.map((encoding) => [encoding, read(SUFFIX[encoding] ?? '')])),
  };
}

function sendPage(request: FastifyRequest, reply: FastifyReply, page: Asset, csp: string): FastifyReply {
  reply.header('cache-control', 'no-cache');
  reply.header('vary', 'Accept, Accept-Encoding');
  return send(request, reply, page, csp);
}

function send(request: FastifyRequest, reply: FastifyReply, asset: Asset, csp: string): FastifyReply {
  const { body, etag, encoding } = choose(request, asset);
  reply.headers({
    etag,
    'content-security-policy': csp,
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  if (encoding) reply.header('content-encoding', encoding);
  return reply.type(asset.type).send(body);
}

function choose(request: FastifyRequest, asset: Asset): Variant & { encoding?: string } {
  const accepted = weights(request.headers['accept-encoding']);
  for (const [encoding, variant] of asset.encoded) {
    if ((accepted.get(encoding) ?? accepted.get('*') ?? 0) > 0) return { ...variant, encoding };
  }
  return asset.identity;
}

function matches(header: string | undefined, etag: string): boolean {
  // RFC 9110 §13.1.2 asks for the weak comparison, and a proxy that compresses makes our tags weak.
  const tags = header?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags?.some((tag) => tag === etag || tag === '*') ?? false;
}

/** What an Accept-Encoding header names, with the weight of each. */
function weights(header: string | undefined): Map<string, number> {
  const entries = (header ?? '').split(',').map((part): [string, number] => {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const q = Number(parameters.find((piece) => piece.startsWith('q='))?.slice(2) ?? 1);
    return [name, Number.isNaN(q) ? 0 : q];
  });
  return new Map(entries);
}

function policy(directives: Record<string, string>): string {
  const everywhere = { 'base-uri': "'none'", 'form-action': "'none'", 'frame-ancestors': "'none'" };
  return Object.entries({ ...directives, ...everywhere })
    .map(([name, value]) => `${name} ${value}`)
    .join('; ');
}
