/** Reading and writing objects past the S3 client: what is sent, and when the client is asked after all. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedS3, openEmbeddedS3 } from '../../platform/embedded/s3.js';
import { refusalOf } from '../../platform/embedded/s3-signature.js';
import { ObjectStore } from '../../platform/s3.js';
import { signedHeaders } from '../../platform/s3-wire.js';

const KEYS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };

it("signs Amazon's own example as Amazon does", () => {
  const headers = signedHeaders(
    {
      method: 'GET',
      host: 'examplebucket.s3.amazonaws.com',
      path: '/test.txt',
      range: 'bytes=0-9',
      region: 'us-east-1',
      time: new Date('2013-05-24T00:00:00Z'),
    },
    KEYS,
  );
  expect(headers['authorization']).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, ' +
      'SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, ' +
      'Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  );
});

describe('from a store that notes what it is asked', () => {
  let server: Server;
  let port: number;
  let asked: IncomingMessage[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let store: ObjectStore;

  /** The client names itself; a read past it does not. */
  const byClient = ({ headers }: IncomingMessage) => headers['user-agent'] !== undefined;

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request);
      answer(request, response);
    }).listen(0, '0.0.0.0');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => server.close());
  beforeEach(() => {
    asked = [];
    answer = (_request, response) => response.end('bytes');
    store = storeOf();
  });
  afterEach(() => store.close());

  function storeOf(options: Partial<ConstructorParameters<typeof ObjectStore>[0]> = {}): ObjectStore {
    const endpoint = `http://127.0.0.1:${port}`;
    return new ObjectStore({
      endpoint,
      region: 'eu-central-1',
      bucket: 'pictures',
      forcePathStyle: true,
      credentials: KEYS,
      ...options,
    });
  }

  async function textOf(key: string, from = store): Promise<string | undefined> {
    const body = await from.read(key);
    return body ? (await buffer(body)).toString() : undefined;
  }

  it.each(['images/ab/1', "a b/ü+(1)'!*~.png", 'x?y=1&z#%41'])('signs what it sends for the key %s', async (key) => {
    expect(await textOf(key)).toBe('bytes');
    const [request] = asked as [IncomingMessage];
    expect(byClient(request)).toBe(false);
    expect(decodeURIComponent(request.url ?? '')).toBe(`/pictures/${key}`);
    expect(refusalOf(request, KEYS)).toBeUndefined();
    expect(request.headers['authorization']).toContain('/eu-central-1/s3/aws4_request');
    // The same path as the client's.
    await store.delete(key).catch(() => undefined);
    expect(asked[1]?.url?.split('?')[0]).toBe(request.url);
  });

  it('asks below the path of an endpoint', async () => {
    const below = storeOf({ endpoint: `http://127.0.0.1:${port}/storage/` });
    expect(await textOf('key', below)).toBe('bytes');
    expect(asked.map(({ url }) => url)).toEqual(['/storage/pictures/key']);
    below.close();
  });

  it('names the bucket in the host where paths do not', async () => {
    const virtual = storeOf({ endpoint: `http://localhost:${port}`, forcePathStyle: false, bucket: 'pictures' });
    // Where that name does not resolve, the client cannot reach the store either.
    await textOf('key', virtual).catch(() => undefined);
    for (const { url, headers } of asked)
      expect([url?.split('?')[0], headers.host]).toEqual(['/key', `pictures.localhost:${port}`]);
    virtual.close();
  });

  it('sends the token of temporary credentials, signed', async () => {
    const sessionToken = 'for an hour/+=';
    const temporary = storeOf({ credentials: { ...KEYS, sessionToken } as typeof KEYS });
    expect(await textOf('key', temporary)).toBe('bytes');
    const [request] = asked as [IncomingMessage];
    expect(request.headers['x-amz-security-token']).toBe(sessionToken);
    expect(request.headers['authorization']).toContain('x-amz-security-token');
    expect(refusalOf(request, KEYS)).toBeUndefined();
    temporary.close();
  });

  it('leaves an overloaded store to the client, which tries again', async () => {
    answer = (_request, response) => {
      if (asked.length < 3) response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>');
      else response.end('bytes');
    };
    expect(await textOf('key')).toBe('bytes');
    expect(asked.map(byClient)).toEqual([false, true, true]);
  });

  it('leaves a connection that breaks to the client', async () => {
    answer = (request, response) => {
      if (asked.length < 3) request.socket.destroy();
      else response.end('bytes');
    };
    expect(await textOf('key')).toBe('bytes');
    expect(asked.map(byClient)).toEqual([false, true, true]);
  });

  it('has nothing where there is no object, and throws what else the store says', async () => {
    const refuse = (status: number, code: string) => {
      answer = (_request, response) =>
        response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`);
    };
    refuse(404, 'NoSuchKey');
    expect(await store.read('key')).toBeNull();
    refuse(404, 'NoSuchBucket');
    await expect(store.read('key')).rejects.toMatchObject({ name: 'NoSuchBucket' });
    refuse(403, 'AccessDenied');
    await expect(store.read('key')).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('lets go of the store when its reader leaves, before an answer and amid one', async () => {
    const gone = new AbortController();
    answer = () => gone.abort();
    await expect(store.read('key', null, gone.signal)).rejects.toThrow();
    await expect(store.read('key', null, gone.signal)).rejects.toThrow();
    expect(asked.length).toBe(1);
    await closed(asked[0]);
    answer = (_request, response) => response.writeHead(200, { 'content-length': 10 }).write('half');
    const body = await store.read('key');
    body?.destroy();
    await closed(asked[1]);
  });

  it('fails where the bytes break off', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('half', () => response.destroy());
    };
    await expect(textOf('key')).rejects.toThrow();
  });

  describe('writes', () => {
    const small = Buffer.from('a picture');
    const sha256 = createHash('sha256').update(small).digest();
    /** Two parts and a bit. */
    const large = Buffer.alloc(11 * 1024 * 1024, 'x');
    let bodies: Buffer[];

    beforeEach(() => {
      bodies = [];
      answer = async (request, response) => {
        bodies.push(await buffer(request));
        const { method, url = '' } = request;
        if (method === 'POST' && url.includes('uploads')) {
          response.end('<InitiateMultipartUploadResult><UploadId>u+1/2</UploadId></InitiateMultipartUploadResult>');
        } else if (method === 'POST') {
          response.end('<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>');
        } else {
          response.writeHead(200, { etag: `"part-${bodies.length}"` }).end();
        }
      };
    });

    function write(bytes: Buffer, hash: Buffer | null = null, to = store): Promise<void> {
      async function* pieces() {
        for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
      }
      return to.write({
        key: "images/ab/1 (ü)'",
        bytes: pieces(),
        contentType: () => 'image/png',
        sha256: () => hash,
      });
    }

    it('what fits into one put at once, signed with its hash', async () => {
      await write(small, sha256);
      const [request] = asked as [IncomingMessage];
      expect([asked.length, request.method, byClient(request)]).toEqual([1, 'PUT', false]);
      expect(request.headers).toMatchObject({
        'content-type': 'image/png',
        'content-length': String(small.length),
        'x-amz-content-sha256': sha256.toString('hex'),
      });
      expect(refusalOf(request, KEYS)).toBeUndefined();
      expect(bodies).toEqual([small]);
    });

    it('no bytes at all', async () => {
      await write(Buffer.alloc(0));
      expect([asked.map(({ method }) => method), bodies]).toEqual([['PUT'], [Buffer.alloc(0)]]);
      expect(refusalOf(asked[0] as IncomingMessage, KEYS)).toBeUndefined();
    });

    it('the rest in parts, without a hash of each where nobody can come between', async () => {
      await write(large);
      const parts = asked.filter(({ method }) => method === 'PUT');
      expect(Buffer.concat(bodies.slice(1, -1)).equals(large)).toBe(true);
      expect(parts.map(({ url }) => url?.split('?')[1])).toEqual(
        [1, 2, 3].map((number) => `partNumber=${number}&uploadId=u%2B1%2F2`),
      );
      for (const part of parts) {
        expect([byClient(part), refusalOf(part, KEYS)]).toEqual([false, undefined]);
        expect(part.headers['x-amz-content-sha256']).toBe('UNSIGNED-PAYLOAD');
      }
      expect(bodies.at(-1)?.toString()).toMatch(/part-2.*part-3.*part-4/s);
    });

    it('parts with a hash of each over an open network', async () => {
      const open = storeOf({ endpoint: `http://127.0.0.2:${port}` });
      await write(large, null, open);
      const parts = asked.filter(({ method }) => method === 'PUT');
      const hashes = bodies.slice(1, -1).map((body) => createHash('sha256').update(body).digest('hex'));
      expect(parts.map(({ headers }) => headers['x-amz-content-sha256'])).toEqual(hashes);
      open.close();
    });

    it.each([
      ['an overloaded store', (response: ServerResponse) => response.writeHead(503).end('<Error/>')],
      ['a connection that breaks', (response: ServerResponse) => response.destroy()],
    ])('through the client what %s did not take', async (_, fail) => {
      const usual = answer;
      let failures = 0;
      answer = async (request, response) => {
        if (request.method !== 'PUT' || failures === 2) return usual(request, response);
        failures += 1;
        await buffer(request).catch(() => undefined);
        fail(response);
      };
      await write(small, sha256);
      expect([asked.map(byClient), bodies]).toEqual([[false, true, true], [small]]);
      failures = 0;
      bodies = [];
      asked = [];
      await write(large);
      expect(asked.filter(({ method }) => method === 'PUT').map(byClient)).toEqual([false, true, true, false, false]);
      expect(Buffer.concat(bodies.slice(1, -1)).equals(large)).toBe(true);
    });

    it('nothing that the store refuses', async () => {
      answer = async (request, response) => {
        await buffer(request);
        response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
      };
      await expect(write(small)).rejects.toMatchObject({ name: 'AccessDenied' });
    });
  });

  async function closed(request: IncomingMessage | undefined): Promise<void> {
    if (request && !request.socket.destroyed) await once(request.socket, 'close');
  }
});

describe('from the embedded store', () => {
  const bytes = Buffer.from('0123456789');
  let directory: string;
  let s3: EmbeddedS3;
  let store: ObjectStore;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'darkroom-objects-'));
    s3 = await openEmbeddedS3({ dataDir: directory, bucket: 'darkroom' });
    store = new ObjectStore({ ...s3, bucket: 'darkroom', forcePathStyle: true, credentials: s3 });
    const whole = async function* () {
      yield bytes;
    };
    await store.write({ key: 'a/key', bytes: whole(), contentType: () => 'text/plain' });
  });
  afterAll(async () => {
    store?.close();
    await s3?.close();
    await rm(directory, { recursive: true, force: true });
  });

  it.each([
    [0, 0],
    [0, 9],
    [3, 5],
    [9, 9],
  ])('has the bytes from %i to %i', async (start, end) => {
    const body = await store.read('a/key', { start, end });
    if (!body) throw new Error('nothing there');
    expect((await buffer(body)).toString()).toBe(bytes.subarray(start, end + 1).toString());
  });

  it('has nothing under another key', async () => {
    expect(await store.read('another')).toBeNull();
  });
});
