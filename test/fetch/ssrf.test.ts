/**
 * Nothing that a caller can write leads into our network. Behind 127.0.0.1 (and ::1) waits a server that must never hear
 * anything; 127.0.0.2 plays the public internet.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../platform/fetch/address.js';
import type { FetchFailure } from '../../platform/fetch/error.js';
import { type Resolve, SafeFetcher } from '../../platform/fetch/fetcher.js';
import type { FetchRules } from '../../platform/fetch/rules.js';

const PUBLIC = '127.0.0.2';
const PICTURE = Buffer.from('the bytes of a picture');

const RULES: FetchRules = {
  hosts: null,
  schemes: ['http:', 'https:'],
  maxBytes: 1_000,
  totalMs: 20_000,
  idleMs: 10_000,
};

let outside: Server;
let inside: Server[];
let insideHeard: string[] = [];
let outsideHeard: IncomingMessage[] = [];
let port: number;

/** What names lead to. A list of lists is answered one after the other. */
const NAMES: Record<string, string[]> = {
  'public.test': [PUBLIC],
  'loopback.test': ['127.0.0.1'],
  'loopback6.test': ['::1'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'private.test': ['10.1.2.3'],
  'metadata.test': ['169.254.169.254'],
  'zone.test': ['fe80::1%lo'],
  'both.test': [PUBLIC, '127.0.0.1'],
  'both-reversed.test': ['127.0.0.1', PUBLIC],
  'garbage.test': ['not an address'],
  localhost: ['127.0.0.1', '::1'],
  'localtest.me': ['127.0.0.1'],
  'metadata.google.internal': ['169.254.169.254'],
  '127.0.0.1.nip.test': ['127.0.0.1'],
};

const resolve: Resolve = async (host) => {
  const addresses = NAMES[host.toLowerCase()];
  if (!addresses) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
  return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
};

const allows = (address: string) => address === PUBLIC || isPublicAddress(address);
const fetcher = new SafeFetcher({ allows, resolve });

beforeAll(async () => {
  outside = createServer((request, response) => {
    outsideHeard.push(request);
    const to = /^\/to\/(.*)$/.exec(request.url ?? '')?.[1];
    if (to !== undefined) {
      response.writeHead(302, { location: decodeURIComponent(to) }).end('elsewhere');
      return;
    }
    const left = /^\/hops\/(\d+)$/.exec(request.url ?? '')?.[1];
    if (left !== undefined && left !== '0') {
      response.writeHead(307, { location: `/hops/${Number(left) - 1}` }).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'image/png' }).end(PICTURE);
  });
  await new Promise<void>((done) => outside.listen(0, PUBLIC, done));
  port = (outside.address() as AddressInfo).port;
  // The same port on the inside, so that nothing but the address decides.
  const listen = (host: string) =>
    new Promise<Server | null>((done) => {
      const server = createServer((request, response) => {
        insideHeard.push(request.url ?? '');
        response.end('a secret');
      });
      server.on('connection', () => insideHeard.push(`connection at ${host}`));
      server.once('error', () => done(null));
      server.listen(port, host, () => done(server));
    });
  inside = (await Promise.all(['127.0.0.1', '::1'].map(listen))).filter((server) => server !== null);
  expect(inside.length).toBeGreaterThan(0);
});

afterAll(async () => {
  await Promise.all([outside, ...inside].map((server) => new Promise((done) => server.close(done))));
});

beforeEach(() => {
  insideHeard = [];
  outsideHeard = [];
});

/** `PORT` stands for the port that both sides listen on. */
const withPort = (url: string) => url.replaceAll('PORT', String(port));
const redirectTo = (url: string) => withPort(`http://public.test:PORT/to/${encodeURIComponent(withPort(url))}`);

async function failureOf(url: string, rules = RULES): Promise<FetchFailure> {
  const outcome = await fetcher.read(url, rules).then(
    (bytes) => ({ bytes: bytes.toString() }),
    (error: { failure: FetchFailure }) => ({ failure: error.failure }),
  );
  expect(outcome, url).toHaveProperty('failure');
  return 'failure' in outcome ? outcome.failure : 'network';
}

describe('addresses that are written out', () => {
  it.each<[string, string]>([
    ['loopback', 'http://127.0.0.1:PORT/'],
    ['loopback, another of the 16 million', 'http://127.8.9.10:PORT/'],
    ['loopback over TLS', 'https://127.0.0.1:PORT/'],
    ['decimal', 'http://2130706433:PORT/'],
    ['octal', 'http://0177.0.0.1:PORT/'],
    ['octal in one number', 'http://017700000001:PORT/'],
    ['octal with leading zeros', 'http://0000177.0000000.0000.00001:PORT/'],
    ['hexadecimal', 'http://0x7f.0x0.0x0.0x1:PORT/'],
    ['hexadecimal in one number', 'http://0x7f000001:PORT/'],
    ['hexadecimal in capitals', 'http://0X7F000001:PORT/'],
    ['mixed bases', 'http://0x7f.0.01:PORT/'],
    ['short, two parts', 'http://127.1:PORT/'],
    ['short, three parts', 'http://127.0.1:PORT/'],
    ['short, nothing but zero', 'http://0:PORT/'],
    ['unspecified', 'http://0.0.0.0:PORT/'],
    ['a dot at the end', 'http://127.0.0.1.:PORT/'],
    ['percent-encoded digits', 'http://%31%32%37.0.0.1:PORT/'],
    ['full-width digits', 'http://１２７.０.０.１:PORT/'],
    ['circled digits', 'http://①②⑦.⓪.⓪.①:PORT/'],
    ['ideographic full stops', 'http://127。0。0。1:PORT/'],
    ['backslashes for slashes', 'http:\\\\127.0.0.1:PORT\\'],
    ['one slash', 'http:/127.0.0.1:PORT/'],
    ['tabs and newlines within', 'ht\ntp://127.\t0.0.1:PORT/'],
    ['blanks around', '  http://127.0.0.1:PORT/  '],
    ['private, class A', 'http://10.0.0.1:PORT/'],
    ['private, class B, first', 'http://172.16.0.1:PORT/'],
    ['private, class B, last', 'http://172.31.255.254:PORT/'],
    ['private, class C', 'http://192.168.1.1:PORT/'],
    ['carrier-grade NAT', 'http://100.64.0.1:PORT/'],
    ['link-local', 'http://169.254.1.1:PORT/'],
    ['metadata of most clouds', 'http://169.254.169.254/latest/meta-data/'],
    ['metadata in decimal', 'http://2852039166/'],
    ['metadata in hexadecimal', 'http://0xa9fea9fe/'],
    ['metadata in octal', 'http://0251.0376.0251.0376/'],
    ['metadata of Amazon ECS', 'http://169.254.170.2/v2/credentials'],
    ['metadata of Alibaba', 'http://100.100.100.200/latest/meta-data/'],
    ['metadata of Oracle', 'http://192.0.0.192/latest/'],
    ['control channel of Azure', 'http://168.63.129.16/machine?comp=goalstate'],
    ['multicast', 'http://224.0.0.1:PORT/'],
    ['broadcast', 'http://255.255.255.255:PORT/'],
    ['reserved', 'http://240.0.0.1:PORT/'],
    ['documentation', 'http://192.0.2.1:PORT/'],
    ['benchmarking', 'http://198.18.0.1:PORT/'],
    ['6to4 relay anycast', 'http://192.88.99.1:PORT/'],
    ['IPv6 loopback', 'http://[::1]:PORT/'],
    ['IPv6 loopback in full', 'http://[0000:0000:0000:0000:0000:0000:0000:0001]:PORT/'],
    ['IPv6 unspecified', 'http://[::]:PORT/'],
    ['IPv4-mapped', 'http://[::ffff:127.0.0.1]:PORT/'],
    ['IPv4-mapped in hexadecimal', 'http://[::ffff:7f00:1]:PORT/'],
    ['IPv4-mapped in full', 'http://[0:0:0:0:0:ffff:7f00:0001]:PORT/'],
    ['IPv4-mapped metadata', 'http://[::ffff:a9fe:a9fe]/latest/meta-data/'],
    ['IPv4-compatible', 'http://[::127.0.0.1]:PORT/'],
    ['IPv4-translated', 'http://[::ffff:0:127.0.0.1]:PORT/'],
    ['NAT64', 'http://[64:ff9b::7f00:1]:PORT/'],
    ['NAT64 for local use', 'http://[64:ff9b:1::a9fe:a9fe]:PORT/'],
    ['6to4', 'http://[2002:7f00:1::]:PORT/'],
    ['Teredo', 'http://[2001:0:7f00:1::80ff:fffe]:PORT/'],
    ['ISATAP', 'http://[2600:1234::5efe:7f00:1]:PORT/'],
    ['ISATAP with the universal bit', 'http://[2600:1234::200:5efe:10.0.0.1]:PORT/'],
    ['unique local', 'http://[fd00::1]:PORT/'],
    ['metadata of Amazon over IPv6', 'http://[fd00:ec2::254]/latest/meta-data/'],
    ['IPv6 link-local', 'http://[fe80::1]:PORT/'],
    ['site-local', 'http://[fec0::1]:PORT/'],
    ['IPv6 multicast', 'http://[ff02::1]:PORT/'],
    ['IPv6 documentation', 'http://[2001:db8::1]:PORT/'],
    ['IPv6 discard', 'http://[100::1]:PORT/'],
    ['space that nobody has been given', 'http://[4000::1]:PORT/'],
  ])('%s: %s', async (_name, url) => {
    expect(await failureOf(withPort(url))).toBe('address');
    expect(insideHeard).toEqual([]);
  });
});

describe('URLs that are not fetched whatever they lead to', () => {
  it.each<[string, string]>([
    ['a zone id', 'http://[fe80::1%25lo]:PORT/'],
    ['a zone id, bare', 'http://[::1%lo]:PORT/'],
    ['an address with too many parts', 'http://127.0.0.0.1:PORT/'],
    ['an address that overflows', 'http://4294967296:PORT/'],
    ['a number out of range within', 'http://127.0.0.256:PORT/'],
    ['a user', 'http://public.test@127.0.0.1:PORT/'],
    ['a user and a password', 'http://admin:secret@public.test:PORT/'],
    ['an empty user and a password', 'http://:secret@public.test:PORT/'],
    ['an encoded at sign', 'http://public.test%40127.0.0.1:PORT/'],
    ['a user that hides the host behind a hash', 'http://127.0.0.1:PORT#@public.test:bad/'],
    ['file', 'file:///etc/passwd'],
    ['ftp', 'ftp://127.0.0.1:PORT/'],
    ['gopher', 'gopher://127.0.0.1:PORT/_GET'],
    ['data', 'data:image/png;base64,AAAA'],
    ['javascript', 'javascript:alert(1)'],
    ['blob', 'blob:http://127.0.0.1:PORT/1'],
    ['web socket', 'ws://127.0.0.1:PORT/'],
    ['no scheme', '//127.0.0.1:PORT/'],
    ['a path', '/v1/me'],
    ['nothing', ''],
    ['ssh', 'http://public.test:22/'],
    ['mail', 'http://public.test:25/'],
    ['directory service', 'http://public.test:389/'],
    ['no port that exists', 'http://public.test:65536/'],
    ['a host of nothing', 'http://:PORT/'],
    ['a host with a blank', 'http://127.0.0.1 public.test:PORT/'],
    ['a host with a null byte', 'http://public.test\u0000.loopback.test:PORT/'],
  ])('%s: %s', async (_name, url) => {
    expect(['url', 'address']).toContain(await failureOf(withPort(url)));
    expect(insideHeard).toEqual([]);
    expect(outsideHeard).toEqual([]);
  });
});

describe('names that lead inside', () => {
  it.each<[string, string]>([
    ['localhost', 'http://localhost:PORT/'],
    ['localhost with a dot', 'http://localhost.:PORT/'],
    ['localhost in capitals', 'http://LOCALHOST:PORT/'],
    ['a name for loopback', 'http://loopback.test:PORT/'],
    ['a public name for loopback', 'http://localtest.me:PORT/'],
    ['a wildcard name for loopback', 'http://127.0.0.1.nip.test:PORT/'],
    ['a name for ::1', 'http://loopback6.test:PORT/'],
    ['a name for a mapped address', 'http://mapped.test:PORT/'],
    ['a name for a private address', 'http://private.test:PORT/'],
    ['a name for the metadata address', 'http://metadata.test/'],
    ['the name of Google’s metadata', 'http://metadata.google.internal/computeMetadata/v1/'],
    ['a name for a link-local address with a zone', 'http://zone.test:PORT/'],
    ['one good address and one bad', 'http://both.test:PORT/'],
    ['one bad address and one good', 'http://both-reversed.test:PORT/'],
    ['an answer that is no address', 'http://garbage.test:PORT/'],
  ])('%s: %s', async (_name, url) => {
    expect(await failureOf(withPort(url))).toBe('address');
    expect(insideHeard).toEqual([]);
    expect(outsideHeard).toEqual([]);
  });
});

describe('redirects', () => {
  it.each<[string, string, FetchFailure]>([
    ['to loopback', 'http://127.0.0.1:PORT/', 'address'],
    ['to loopback in decimal', 'http://2130706433:PORT/', 'address'],
    ['to ::1', 'http://[::1]:PORT/', 'address'],
    ['to a name for loopback', 'http://loopback.test:PORT/', 'address'],
    ['without a scheme', '//127.0.0.1:PORT/', 'address'],
    ['to the metadata address', 'http://169.254.169.254/latest/meta-data/', 'address'],
    ['to a file', 'file:///etc/passwd', 'url'],
    ['to data', 'data:image/png;base64,AAAA', 'url'],
    ['with credentials', 'http://a:b@public.test:PORT/', 'url'],
    ['to a mail port', 'http://public.test:25/', 'url'],
    ['to something else', 'http://[nonsense', 'url'],
  ])('%s', async (_name, target, failure) => {
    expect(await failureOf(redirectTo(target))).toBe(failure);
    expect(insideHeard).toEqual([]);
    expect(outsideHeard).toHaveLength(1);
  });

  it('to loopback by way of a second redirect', async () => {
    expect(await failureOf(redirectTo(redirectTo('http://127.0.0.1:PORT/')))).toBe('address');
    expect(insideHeard).toEqual([]);
  });

  it('off the list of hosts', async () => {
    NAMES['other.test'] = [PUBLIC];
    const rules = { ...RULES, hosts: ['public.test'] };
    expect(await failureOf(redirectTo('http://other.test:PORT/'), rules)).toBe('host');
    expect(outsideHeard).toHaveLength(1);
  });

  it('from https-only rules to http', async () => {
    expect(await failureOf(redirectTo('http://public.test:PORT/'), { ...RULES, schemes: ['https:'] })).toBe('url');
    expect(outsideHeard).toEqual([]);
  });

  it('more than three', async () => {
    expect(await failureOf(withPort('http://public.test:PORT/hops/4'))).toBe('redirects');
    expect(outsideHeard).toHaveLength(4);
  });
});

describe('a name that changes its answer between check and use', () => {
  const changing = (...answers: string[]) => {
    const asked: string[] = [];
    const fickle = new SafeFetcher({
      allows,
      resolve: async (host) => {
        asked.push(host);
        const address = answers[Math.min(asked.length, answers.length) - 1] ?? '';
        return [{ address, family: 4 }];
      },
    });
    return { fickle, asked };
  };

  it('is connected to at the address that was checked, and asked no second time', async () => {
    const { fickle, asked } = changing(PUBLIC, '127.0.0.1');
    expect(await fickle.read(withPort('http://rebind.test:PORT/'), RULES)).toEqual(PICTURE);
    expect(asked).toEqual(['rebind.test']);
    expect(insideHeard).toEqual([]);
  });

  it('is checked anew after a redirect to itself', async () => {
    const { fickle } = changing(PUBLIC, '127.0.0.1');
    const url = withPort(`http://rebind.test:PORT/to/${encodeURIComponent('/again')}`);
    await expect(fickle.read(url, RULES)).rejects.toMatchObject({ failure: 'address' });
    expect(insideHeard).toEqual([]);
  });

  it('is refused when it was private at the check', async () => {
    const { fickle, asked } = changing('127.0.0.1', PUBLIC);
    await expect(fickle.read(withPort('http://rebind.test:PORT/'), RULES)).rejects.toMatchObject({
      failure: 'address',
    });
    expect(asked).toHaveLength(1);
  });
});

describe('what may be fetched is', () => {
  it.each<[string, string]>([
    ['a name for a public address', 'http://public.test:PORT/a.png?size=1'],
    ['a name in capitals', 'http://PUBLIC.test:PORT/'],
    ['a name with a dot at the end', 'http://public.test.:PORT/'],
    ['an address', `http://${PUBLIC}:PORT/`],
    ['three redirects', 'http://public.test:PORT/hops/3'],
    ['a redirect to a path', 'http://public.test:PORT/to/%2Felsewhere'],
  ])('%s: %s', async (_name, url) => {
    expect(await fetcher.read(withPort(url), RULES)).toEqual(PICTURE);
  });

  it('a host on the list, by name and by wildcard', async () => {
    NAMES['a.cdn.test'] = [PUBLIC];
    NAMES['cdn.test'] = [PUBLIC];
    NAMES['evilcdn.test'] = [PUBLIC];
    const rules = { ...RULES, hosts: ['public.test', '*.CDN.test'] };
    expect(await fetcher.read(withPort('http://public.test:PORT/'), rules)).toEqual(PICTURE);
    expect(await fetcher.read(withPort('http://a.cdn.test:PORT/'), rules)).toEqual(PICTURE);
    for (const host of ['cdn.test', 'evilcdn.test', 'public.test.evil.test', 'a.cdn.test.evil.test']) {
      expect(await failureOf(withPort(`http://${host}:PORT/`), rules), host).toBe('host');
    }
  });

  it('and the other side hears nothing of ours', async () => {
    await fetcher.read(withPort('http://public.test:PORT/a.png?size=1#part'), RULES);
    const [request] = outsideHeard;
    expect(request?.url).toBe('/a.png?size=1');
    expect(Object.keys(request?.headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'user-agent',
    ]);
  });

  it.each(['1.1.1.1', '8.8.8.8', '172.15.0.1', '172.32.0.1', '100.128.0.1', '192.167.0.1', '2606:4700::1111'])(
    'a public address: %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );
});
