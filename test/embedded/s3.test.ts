import { createHash, randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type EmbeddedS3, openEmbeddedS3 } from '../../platform/embedded/s3.js';
import { clientOf, temporaryDirectory } from './support.js';

const Bucket = 'pictures';
const PATIENT = { timeout: 20_000, interval: 20 };

let dataDir: string;
let store: EmbeddedS3;
let client: S3Client;

beforeAll(async () => {
  dataDir = await temporaryDirectory();
  store = await openEmbeddedS3({ dataDir, bucket: Bucket });
  client = clientOf(store);
});

afterAll(async () => {
  client.destroy();
  await store.close();
});

async function put(Key: string, Body: Buffer, ContentType = 'image/png') {
  return client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType }));
}

async function bytesOf(Key: string, Range?: string, from = client): Promise<Buffer> {
  const { Body } = await from.send(new GetObjectCommand({ Bucket, Key, Range }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

async function keysBelow(Prefix: string, from = client): Promise<string[]> {
  const { Contents = [] } = await from.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return Contents.map(({ Key = '' }) => Key);
}

describe('the embedded store', () => {
  it('has its bucket, and returns what it was given', async () => {
    await client.send(new HeadBucketCommand({ Bucket }));
    const body = randomBytes(200_000);
    const { ETag } = await put('a/picture.png', body);
    expect(ETag).toBe(`"${createHash('md5').update(body).digest('hex')}"`);
    expect((await bytesOf('a/picture.png')).equals(body)).toBe(true);
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'a/picture.png' }));
    expect(head).toMatchObject({ ContentLength: 200_000, ContentType: 'image/png' });
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a/picture.png' }));
    await expect(bytesOf('a/picture.png')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('takes a stream of known length, and serves ranges of it', async () => {
    const body = randomBytes(3_000_000);
    const Body = Readable.from([body.subarray(0, 1_000_000), body.subarray(1_000_000)]);
    await client.send(new PutObjectCommand({ Bucket, Key: 'stream', Body, ContentLength: body.length }));
    expect((await bytesOf('stream', 'bytes=999990-1000009')).equals(body.subarray(999_990, 1_000_010))).toBe(true);
    expect((await bytesOf('stream', 'bytes=2999995-')).equals(body.subarray(2_999_995))).toBe(true);
    await expect(bytesOf('stream', 'bytes=3000000-')).rejects.toMatchObject({ name: 'InvalidRange' });
    for (const unsupported of ['bytes=-5', 'bytes=0-1,5-6']) {
      expect((await bytesOf('stream', unsupported)).equals(body)).toBe(true);
    }
  });

  it.each(['', 'UPPER', 'a/b', '..', '.incoming'])('refuses "%s" for a bucket', async (bucket) => {
    await expect(openEmbeddedS3({ dataDir, bucket })).rejects.toThrow(`S3_BUCKET "${bucket}" is not the name`);
  });

  it('puts the parts of an upload together', async () => {
    const Key = 'in/parts';
    const parts = [randomBytes(5 * 1024 * 1024), randomBytes(1_234)];
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'image/tiff' }),
    );
    const Parts = await Promise.all(
      parts.map(async (Body, i) => {
        const PartNumber = i + 1;
        const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
        return { ETag, PartNumber };
      }),
    );
    await client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
    expect((await bytesOf(Key)).equals(Buffer.concat(parts))).toBe(true);
  });

  it('forgets an upload in parts that is aborted, and shows those that are unfinished', async () => {
    const begin = async (Key: string) => {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'part' }));
      return { Key, UploadId };
    };
    const unfinished = async (Prefix: string) => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
      return Uploads.map(({ Key, UploadId }) => ({ Key, UploadId }));
    };
    const [one, other] = [await begin('unfinished/<1>'), await begin('unfinished/2')];
    expect(await unfinished('unfinished/<')).toEqual([one]);
    await client.send(new AbortMultipartUploadCommand({ Bucket, ...one }));
    expect(await unfinished('unfinished/')).toEqual([other]);
    expect(await keysBelow('unfinished/')).toEqual([]);
    const outside = new AbortMultipartUploadCommand({ Bucket, Key: 'a', UploadId: '../../picture' });
    await expect(client.send(outside)).rejects.toMatchObject({ name: 'InvalidArgument' });
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key: 'a', UploadId: 'picture' }));
    await client.send(new AbortMultipartUploadCommand({ Bucket, ...other }));
    expect(await unfinished('')).toEqual([]);
  });

  it('keeps what is put into a directory while its last object is deleted', async () => {
    for (let round = 0; round < 30; round++) {
      const [old, fresh] = [`busy/${round}/old`, `busy/${round}/new`];
      await put(old, Buffer.from('old'));
      await Promise.all([client.send(new DeleteObjectCommand({ Bucket, Key: old })), put(fresh, Buffer.from('new'))]);
      expect((await bytesOf(fresh)).toString()).toBe('new');
    }
  });

  it('lists by prefix and delimiter, in the order of the keys, page by page', async () => {
    // "-" sorts before "." and "/", which is not how the files and directories behind the keys sort.
    const keys = ['a', 'a-1', 'a-b/1', 'a/1', 'a/2', 'b/c/d', 'b/c0', 'z'].map((key) => `list/${key}`).sort();
    for (const key of keys) await put(key, Buffer.from(key));
    expect(await keysBelow('list/')).toEqual(keys);
    expect(await keysBelow('list/b/c')).toEqual(['list/b/c/d', 'list/b/c0']);
    expect(await keysBelow('list')).toEqual(keys);
    expect(await keysBelow('none')).toEqual([]);
    expect(await pages({ Prefix: 'list/', MaxKeys: 3 })).toEqual([keys.slice(0, 3), keys.slice(3, 6), keys.slice(6)]);
    expect(await pages({ Prefix: 'list/', StartAfter: 'list/a/1', MaxKeys: 1000 })).toEqual([keys.slice(4)]);
    expect(await pages({ Prefix: 'list/', Delimiter: '/', MaxKeys: 4 })).toEqual([
      ['list/a', 'list/a-1', 'list/a-b/', 'list/a/'],
      ['list/b/', 'list/z'],
    ]);
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'list/z' }));
    expect(Contents).toMatchObject([
      { Key: 'list/z', Size: 6, ETag: `"${createHash('md5').update('list/z').digest('hex')}"` },
    ]);
  });

  async function pages(input: Partial<ListObjectsV2CommandInput>): Promise<string[][]> {
    const found: string[][] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await client.send(new ListObjectsV2Command({ Bucket, ...input, ContinuationToken }));
      const names = [
        ...(page.Contents ?? []).map(({ Key }) => Key),
        ...(page.CommonPrefixes ?? []).map((p) => p.Prefix),
      ];
      expect(page.KeyCount).toBe(names.length);
      found.push(names.map((name = '') => name).sort());
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    return found;
  }

  it('deletes many at once', async () => {
    for (const key of ['many/a', 'many/b', 'many/c']) await put(key, Buffer.from(key));
    const Objects = [{ Key: 'many/a' }, { Key: 'many/c' }, { Key: 'many/missing' }];
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(await keysBelow('many/')).toEqual(['many/b']);
  });

  it.each(['sp ace', 'pl+us', 'ümlaut/日本', "(par)!*'", 'per%cent%2F', 'q?m=1&n', 'h#h', '~tilde', '...', 'a..b/.c'])(
    'takes the key %s',
    async (name) => {
      const key = `names/${name}`;
      await put(key, Buffer.from(key));
      expect((await bytesOf(key)).toString()).toBe(key);
      expect(await keysBelow(key)).toEqual([key]);
      await client.send(new DeleteObjectCommand({ Bucket, Key: key }));
    },
  );

  it.each(['../escape', 'a/../../escape', 'a/.', '..'])(
    'refuses the key %s, which is a path elsewhere',
    async (key) => {
      await expect(put(key, Buffer.from('x'))).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
      const CopySource = `${Bucket}/../s3-credentials.json`;
      const copy = new CopyObjectCommand({ Bucket, Key: 'copy', CopySource });
      await expect(client.send(copy)).rejects.toMatchObject({ name: 'InvalidArgument' });
    },
  );

  it('shows nothing of an upload that breaks off, and keeps what was there before', async () => {
    const whole = randomBytes(1_000);
    await put('broken/old', whole);
    const incoming = join(dataDir, 's3/.incoming');
    for (const Key of ['broken/old', 'broken/new']) {
      const half = new Readable({ read() {} });
      half.push(randomBytes(100_000));
      const breakOff = new AbortController();
      const command = new PutObjectCommand({ Bucket, Key, Body: half, ContentLength: 1_000_000 });
      const sent = client.send(command, { abortSignal: breakOff.signal });
      sent.catch(() => {});
      await vi.waitFor(async () => expect(await readdir(incoming)).toHaveLength(1), PATIENT);
      breakOff.abort();
      await expect(sent).rejects.toThrow();
      await vi.waitFor(async () => expect(await readdir(incoming)).toEqual([]), PATIENT);
    }
    expect(await keysBelow('broken/')).toEqual(['broken/old']);
    expect((await bytesOf('broken/old')).equals(whole)).toBe(true);
  });

  it('writes nothing to the console', async () => {
    const output = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
    await put('quiet', Buffer.from('x'));
    await expect(bytesOf('missing')).rejects.toThrow();
    for (const stream of output) {
      expect(stream).not.toHaveBeenCalled();
      stream.mockRestore();
    }
  });
});

describe('its credentials', () => {
  it('are random, private to the user, and the same after a restart', async () => {
    const other = await temporaryDirectory();
    const first = await openEmbeddedS3({ dataDir: other, bucket: Bucket });
    await first.close();
    const second = await openEmbeddedS3({ dataDir: other, bucket: Bucket });
    await second.close();
    expect(second).toMatchObject({ accessKeyId: first.accessKeyId, secretAccessKey: first.secretAccessKey });
    expect(second.secretAccessKey).not.toBe(store.secretAccessKey);
    expect((await stat(join(other, 's3-credentials.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(other, 's3'))).mode & 0o777).toBe(0o700);
    await writeFile(join(other, 's3-credentials.json'), '{"accessKeyId":"DARK');
    const third = await openEmbeddedS3({ dataDir: other, bucket: Bucket });
    await third.close();
    expect(third.secretAccessKey).not.toBe(first.secretAccessKey);
    expect(JSON.parse(await readFile(join(other, 's3-credentials.json'), 'utf8'))).toMatchObject({
      secretAccessKey: third.secretAccessKey,
    });
  });

  it.each([
    ['a wrong secret', { secretAccessKey: 'x'.repeat(43) }, 'SignatureDoesNotMatch'],
    ['an unknown key', { accessKeyId: 'DARKROOM000000000000' }, 'InvalidAccessKeyId'],
    ["the package's own pair", { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }, 'InvalidAccessKeyId'],
  ])('are not replaced by %s', async (_, keys, name) => {
    const stranger = clientOf(store, keys);
    await put('secret', Buffer.from('x'));
    await expect(keysBelow('', stranger)).rejects.toMatchObject({ name });
    await expect(bytesOf('secret', undefined, stranger)).rejects.toMatchObject({ name });
    const command = new PutObjectCommand({ Bucket, Key: 'secret', Body: 'y' });
    await expect(stranger.send(command)).rejects.toMatchObject({ name });
    expect((await bytesOf('secret')).toString()).toBe('x');
    stranger.destroy();
  });

  it.each([
    ['GET', '/', {}],
    ['GET', `/${Bucket}`, {}],
    ['GET', `/${Bucket}/secret`, {}],
    ['PUT', `/${Bucket}/secret`, {}],
    ['PUT', '/another-bucket', {}],
    ['DELETE', `/${Bucket}/secret`, {}],
    ['POST', `/${Bucket}?delete`, {}],
    ['OPTIONS', `/${Bucket}/secret`, { origin: 'http://evil', 'access-control-request-method': 'GET' }],
    ['GET', `/${Bucket}/secret`, { host: 's3-website.amazonaws.com' }],
    ['GET', `/${Bucket}/secret?X-Amz-Algorithm=AWS4-HMAC-SHA256`, {}],
    ['GET', `/${Bucket}/secret`, { authorization: '' }],
    ['GET', `/${Bucket}/secret`, { authorization: 'Basic eDp4' }],
    ['GET', `/${Bucket}/secret`, { authorization: 'AWS S3RVER:x', date: new Date().toUTCString() }],
  ])('are asked for: %s %s %o', async (method, path, headers) => {
    await put('secret', Buffer.from('x'));
    const { status, body } = await send(method, path, headers);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(body).not.toBe('x');
    expect((await bytesOf('secret')).toString()).toBe('x');
  });

  it('are asked for where a planted website would do without', async () => {
    await put('secret', Buffer.from('the contents'));
    const planted = join(dataDir, 'planted');
    await mkdir(planted);
    const website = '<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument></WebsiteConfiguration>';
    await writeFile(join(planted, '._S3rver_website.xml'), website);
    const path = `/..%2Fplanted/..%2Fs3%2F${Bucket}%2Fsecret`;
    for (const authorization of ['', 'AWS4-HMAC-SHA256 x', 'AWS S3RVER:x']) {
      const { status, body } = await send('GET', path, { authorization });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(body).not.toContain('the contents');
    }
  });

  it('sign one request only', async () => {
    await put('secret', Buffer.from('x'));
    let signed: Record<string, string> = {};
    const overhear = (message: unknown) => {
      signed = { ...(message as { request: ClientRequest }).request.getHeaders() } as Record<string, string>;
    };
    subscribe('http.client.request.start', overhear);
    await bytesOf('secret');
    unsubscribe('http.client.request.start', overhear);
    const path = `/${Bucket}/secret?x-id=GetObject`;
    expect(await send('GET', path, signed)).toMatchObject({ status: 200, body: 'x' });
    const refused = async (method: string, to: string, change: Record<string, string>) =>
      /<Code>(\w+)</.exec((await send(method, to, { ...signed, ...change })).body)?.[1];
    expect(await refused('DELETE', path, {})).toBe('SignatureDoesNotMatch');
    expect(await refused('GET', `/${Bucket}/other?x-id=GetObject`, {})).toBe('SignatureDoesNotMatch');
    expect(await refused('GET', `${path}&acl`, {})).toBe('SignatureDoesNotMatch');
    expect(await refused('GET', path, { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' })).toBe('SignatureDoesNotMatch');
    expect(await refused('GET', path, { host: 'localhost' })).toBe('SignatureDoesNotMatch');
    expect(await refused('GET', path, { 'x-amz-date': '20200101T000000Z' })).toBe('RequestTimeTooSkewed');
    const { authorization = '' } = signed;
    expect(await refused('GET', path, { authorization: authorization.replace('host;', '') })).toBe('AccessDenied');
    const another = authorization.replace(/[0-9a-f]$/, (digit) => (digit === '0' ? '1' : '0'));
    expect(await refused('GET', path, { authorization: another })).toBe('SignatureDoesNotMatch');
    expect((await bytesOf('secret')).toString()).toBe('x');
  });

  function send(method: string, path: string, headers: Record<string, string>) {
    return new Promise<{ status: number; body: string }>((done, fail) => {
      const outgoing = request(`${store.endpoint}${path}`, { method, headers }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => done({ status: response.statusCode ?? 0, body }));
      });
      outgoing.on('error', fail).end();
    });
  }
});

describe('a restart', () => {
  it('keeps the objects and clears away half-written ones', async () => {
    const other = await temporaryDirectory();
    const first = await openEmbeddedS3({ dataDir: other, bucket: Bucket });
    const before = clientOf(first);
    await before.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'kept', ContentType: 'text/plain' }));
    await writeFile(join(other, 's3/.incoming/left-by-a-kill'), 'half');
    // The client still holds its connection open: the close must not wait for it.
    await first.close();
    before.destroy();

    const second = await openEmbeddedS3({ dataDir: other, bucket: Bucket });
    const after = clientOf(second);
    expect((await bytesOf('kept', undefined, after)).toString()).toBe('kept');
    expect(await keysBelow('', after)).toEqual(['kept']);
    expect(await readdir(join(other, 's3/.incoming'))).toEqual([]);
    after.destroy();
    await second.close();
    await second.close();
  });
});
