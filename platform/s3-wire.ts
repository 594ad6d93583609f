/**
 * Requests to the bucket past the S3 client, whose pipeline costs more than everything else about a read or a write. Only
 * plain success is dealt with here. For anything else, refusals and failures to connect included, the caller asks the
 * client, which knows when to try again and what to make of an error.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { Pool } from 'undici';
import { requestWhole } from './outbound/whole.js';

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

/** Where the bucket is, by the client's own rules, and for which region requests to it are signed. */
interface Place {
  pool: Pool;
  host: string;
  path: string;
  region: string;
  /** Nobody stands between the two ends who could change bytes on their way. */
  isGuarded: boolean;
}

export interface WireOptions {
  client: S3Client;
  bucket: string;
  region: string;
  endpoint: string | undefined;
  forcePathStyle: boolean;
}

export interface GetRequest {
  key: string;
  range: string | undefined;
  signal: AbortSignal | undefined;
}

export interface GetAnswer {
  contentRange: string | undefined;
  /** Must be read to its end or destroyed. */
  body: Readable;
}

export interface PutRequest {
  key: string;
  /** In the order of the names. */
  query?: Readonly<Record<string, string>>;
  contentType?: string;
  body: Buffer;
  /** Of the body, where it is known anyway. */
  sha256?: Buffer | null;
}

type ToSend = Partial<GetRequest & PutRequest> & { method: 'GET' | 'PUT'; key: string };

/** As many as the client opens. */
const CONNECTIONS = 50;
/** Until an answer begins, and between two chunks of it. */
const SILENT_MS = 60_000;
/** An answer to a put has no body; an error has a short one. */
const MOST_OF_PUT = 64 * 1024;

export class BucketWire {
  readonly #options: WireOptions;
  readonly #signingKey = rememberLast(signingKey);
  #place: Place | null | undefined;

  constructor(options: WireOptions) {
    this.#options = options;
  }

  /** Null where there is no plain success. */
  async get({ key, range, signal }: GetRequest): Promise<GetAnswer | null> {
    signal?.throwIfAborted();
    try {
      const { pool, ...request } = await this.#signed({ method: 'GET', key, range });
      const { statusCode, headers, body } = await pool.request({ ...request, ...(signal && { signal }) });
      if (statusCode === 200 || statusCode === 206) return { body, contentRange: textOf(headers['content-range']) };
      await body.dump();
      return null;
    } catch {
      signal?.throwIfAborted();
      return null;
    }
  }

  /** A small object at once, without a stream; null where there is no plain success, or more than that. */
  async getWhole(key: string, maxBytes: number, signal?: AbortSignal): Promise<Buffer | null> {
    try {
      const { pool, ...request } = await this.#signed({ method: 'GET', key });
      const { status, body } = await requestWhole(pool, request, { maxBytes, signal });
      return status === 200 ? body : null;
    } catch {
      signal?.throwIfAborted();
      return null;
    }
  }

  /** The ETag; null where there is no plain success. */
  async put({ body, ...put }: PutRequest): Promise<string | null> {
    try {
      const { pool, ...request } = await this.#signed({ method: 'PUT', ...put, body });
      const { status, headers } = await requestWhole(pool, { ...request, body }, { maxBytes: MOST_OF_PUT });
      return status === 200 ? (headers.etag ?? '') : null;
    } catch {
      return null;
    }
  }

  async #signed({ method, key, query = {}, range, contentType, body, sha256 = null }: ToSend) {
    this.#place ??= this.#find();
    const { pool, path: base, host, region, isGuarded } = this.#place;
    const { config } = this.#options.client;
    const credentials = await config.credentials();
    const toSign = {
      method,
      host,
      path: `${base}/${encodeKey(key)}`,
      query: encodeQuery(query),
      range,
      contentType,
      payload: body ? payloadOf(body, sha256, isGuarded) : EMPTY_SHA256,
      region,
      time: new Date(Date.now() + config.systemClockOffset),
    };
    const headers = signedHeaders(toSign, credentials, this.#signingKey);
    const path = toSign.query === '' ? toSign.path : `${toSign.path}?${toSign.query}`;
    return { pool, method, path, headers };
  }

  #find(): Place {
    const { client, bucket, region, endpoint, forcePathStyle } = this.#options;
    const { url, properties } = client.config.endpointProvider({
      Bucket: bucket,
      Region: region,
      ForcePathStyle: forcePathStyle,
      ...(endpoint !== undefined && { Endpoint: endpoint }),
    });
    const scheme = properties?.authSchemes?.find(({ name }) => name === 'sigv4');
    if (!scheme) throw new Error('requests to this bucket are signed in another way');
    return {
      pool: new Pool(url.origin, { connections: CONNECTIONS, headersTimeout: SILENT_MS, bodyTimeout: SILENT_MS }),
      host: url.host,
      path: url.pathname.replace(/\/+$/, ''),
      region: String(scheme['signingRegion']),
      isGuarded: url.protocol === 'https:' || LOOPBACK.has(url.hostname),
    };
  }

  async close(): Promise<void> {
    await this.#place?.pool.destroy();
  }
}

function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

function payloadOf(body: Buffer, known: Buffer | null, isGuarded: boolean): string {
  if (known) return known.toString('hex');
  return isGuarded ? 'UNSIGNED-PAYLOAD' : createHash('sha256').update(body).digest('hex');
}

export interface RequestToSign {
  method: string;
  host: string;
  /** Encoded once, as it is sent. */
  path: string;
  query?: string;
  range?: string | undefined;
  contentType?: string | undefined;
  /** The body's hash in hex, or what S3 takes in its place. */
  payload?: string;
  region: string;
  time: Date;
}

/** Of no bytes at all. */
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** A request's headers, signed with AWS Signature Version 4. */
export function signedHeaders(
  { method, host, path, query = '', range, contentType, payload = EMPTY_SHA256, region, time }: RequestToSign,
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  keyOf: typeof signingKey = signingKey,
): Record<string, string> {
  const date = time.toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  // In the order of their names.
  const headers: Record<string, string> = {
    ...(contentType !== undefined && { 'content-type': contentType }),
    host,
    ...(range !== undefined && { range }),
    'x-amz-content-sha256': payload,
    'x-amz-date': date,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const request = `${method}\n${path}\n${query}\n${lines.join('')}\n${names}\n${payload}`;
  const hash = createHash('sha256').update(request).digest('hex');
  const signature = hmac(keyOf(secretAccessKey, scope), `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash}`).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}

function signingKey(secretAccessKey: string, scope: string): Buffer {
  return scope.split('/').reduce(hmac, Buffer.from(`AWS4${secretAccessKey}`));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** It changes with the day and with the credentials. */
function rememberLast(make: typeof signingKey): typeof signingKey {
  let last: { secret: string; scope: string; key: Buffer } | undefined;
  return (secret, scope) => {
    if (last?.secret !== secret || last.scope !== scope) last = { secret, scope, key: make(secret, scope) };
    return last.key;
  };
}

/** Every segment with all that is reserved, as S3 signs it. */
function encodeKey(key: string): string {
  return encodeStrictly(key).replaceAll('%2F', '/');
}

function encodeQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${name}=${encodeStrictly(value)}`)
    .join('&');
}

function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
