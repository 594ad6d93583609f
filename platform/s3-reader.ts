/**
 * Reads objects past the S3 client, whose pipeline costs more than everything else about a read. Only the plain success is
 * dealt with here. For anything else, refusals and failures to connect included, the caller asks the client, which knows
 * when to try again and what to make of an error.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { Pool } from 'undici';

export interface ReadRequest {
  key: string;
  range: string | undefined;
  signal: AbortSignal | undefined;
}

export interface ObjectAnswer {
  body: Readable;
  contentRange: string | undefined;
}

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
}

export interface ObjectReaderOptions {
  client: S3Client;
  bucket: string;
  region: string;
  endpoint: string | undefined;
  forcePathStyle: boolean;
}

/** As many as the client opens. */
const CONNECTIONS = 50;
/** Until an answer begins, and between two chunks of it. */
const SILENT_MS = 60_000;

export class ObjectReader {
  readonly #options: ObjectReaderOptions;
  readonly #signingKey = rememberLast(signingKey);
  #place: Place | null | undefined;

  constructor(options: ObjectReaderOptions) {
    this.#options = options;
  }

  /** Null where there is no plain success. */
  async read({ key, range, signal }: ReadRequest): Promise<ObjectAnswer | null> {
    signal?.throwIfAborted();
    try {
      this.#place ??= this.#find();
      const { pool, path: base } = this.#place;
      const path = `${base}/${encodeKey(key)}`;
      const headers = await this.#headers(this.#place, path, range);
      const {
        statusCode,
        headers: given,
        body,
      } = await pool.request({
        method: 'GET',
        path,
        headers,
        ...(signal && { signal }),
      });
      const contentRange = given['content-range'];
      if (statusCode === 200 || statusCode === 206) {
        return { body, contentRange: typeof contentRange === 'string' ? contentRange : undefined };
      }
      await body.dump();
      return null;
    } catch {
      signal?.throwIfAborted();
      return null;
    }
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
    };
  }

  async #headers({ host, region }: Place, path: string, range: string | undefined): Promise<Record<string, string>> {
    const { config } = this.#options.client;
    const credentials = await config.credentials();
    const time = new Date(Date.now() + config.systemClockOffset);
    return signedHeaders({ host, path, range, region, time }, credentials, this.#signingKey);
  }

  async close(): Promise<void> {
    await this.#place?.pool.destroy();
  }
}

export interface GetToSign {
  host: string;
  /** Encoded once, as it is sent. */
  path: string;
  range?: string | undefined;
  region: string;
  time: Date;
}

/** Of no bytes at all. */
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** A GET's headers, signed with AWS Signature Version 4. */
export function signedHeaders(
  { host, path, range, region, time }: GetToSign,
  { accessKeyId, secretAccessKey, sessionToken }: Credentials,
  keyOf: typeof signingKey = signingKey,
): Record<string, string> {
  const date = time.toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  // In the order of their names.
  const headers: Record<string, string> = {
    host,
    ...(range !== undefined && { range }),
    'x-amz-content-sha256': EMPTY_SHA256,
    'x-amz-date': date,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken }),
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const request = `GET\n${path}\n\n${lines.join('')}\n${names}\n${EMPTY_SHA256}`;
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
  return encodeURIComponent(key)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/');
}
