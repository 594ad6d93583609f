/**
 * Verifies AWS Signature Version 4 over a request as it came in. s3rver has a check of its own, which refuses signed
 * requests for a bucket ("/bucket/" loses its slash before it is compared) and lets unsigned ones pass.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface KeyPair {
  accessKeyId: string;
  secretAccessKey: string;
}

/** The code of S3's answer to a request that does not prove who it is from. */
export type Refusal = 'AccessDenied' | 'InvalidAccessKeyId' | 'RequestTimeTooSkewed' | 'SignatureDoesNotMatch';

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/((\d{8})\/[^/,]+\/s3\/aws4_request), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

const TIME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

const MAX_SKEW_MS = 15 * 60_000;

/**
 * Undefined if the request is signed with `keys`. The signature covers the body's hash as the header states it; that
 * the body has it is not checked, since nobody stands between two ends of the loopback interface.
 */
export function refusalOf(request: IncomingMessage, keys: KeyPair, now = Date.now()): Refusal | undefined {
  const [, accessKeyId, scope = '', day = '', headers = '', signature = ''] =
    AUTHORIZATION.exec(request.headers.authorization ?? '') ?? [];
  const time = headerOf(request, 'x-amz-date');
  const signed = headers.split(';');
  if (accessKeyId === undefined || !signed.includes('host') || !signed.includes('x-amz-date')) return 'AccessDenied';
  if (accessKeyId !== keys.accessKeyId) return 'InvalidAccessKeyId';
  if (!time.startsWith(day) || !(Math.abs(timeOf(time) - now) <= MAX_SKEW_MS)) return 'RequestTimeTooSkewed';
  const hash = createHash('sha256').update(canonicalRequest(request, signed)).digest('hex');
  const expected = hmac(signingKey(keys.secretAccessKey, scope), `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash}`);
  return timingSafeEqual(expected, Buffer.from(signature, 'hex')) ? undefined : 'SignatureDoesNotMatch';
}

/** S3 signs the path as it is sent, encoded once. */
function canonicalRequest(request: IncomingMessage, signed: readonly string[]): string {
  const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s);
  return [
    request.method,
    path,
    canonicalQuery(query),
    ...signed.map((name) => `${name}:${headerOf(request, name)}`),
    '',
    signed.join(';'),
    headerOf(request, 'x-amz-content-sha256'),
  ].join('\n');
}

/** Ordered by name, then by value: NUL comes before whatever a name can go on with, as "=" does not. */
function canonicalQuery(query: string): string {
  const pairs = query.split('&').filter((pair) => pair !== '');
  return pairs
    .map((pair) => (pair.includes('=') ? pair.replace('=', '\0') : `${pair}\0`))
    .sort()
    .map((pair) => pair.replace('\0', '='))
    .join('&');
}

function headerOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name] ?? '';
  return (Array.isArray(value) ? value.join(',') : value).trim().replace(/ +/g, ' ');
}

function signingKey(secretAccessKey: string, scope: string): Buffer {
  return scope.split('/').reduce(hmac, Buffer.from(`AWS4${secretAccessKey}`));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function timeOf(text: string): number {
  return Date.parse(text.replace(TIME, '$1-$2-$3T$4:$5:$6Z'));
}
