/** Bytes that claim to be a picture, and what a provider sends in their stead. */
import { LongText } from '../../../platform/outbound/json.js';
import { ProviderFailure } from './failure.js';
import type { Output } from './provider.js';

const KINDS: readonly { contentType: string; matches(bytes: Buffer): boolean }[] = [
  { contentType: 'image/png', matches: (bytes) => bytes.readUInt32BE(0) === 0x89504e47 },
  { contentType: 'image/jpeg', matches: (bytes) => bytes.readUIntBE(0, 3) === 0xffd8ff },
  {
    contentType: 'image/webp',
    matches: (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
  },
  { contentType: 'image/gif', matches: (bytes) => bytes.toString('latin1', 0, 4) === 'GIF8' },
];
const SHORTEST = 12;

/** Null for what is no picture, whatever it was said to be. */
export function pictureType(bytes: Buffer): string | null {
  if (bytes.length < SHORTEST) return null;
  return KINDS.find(({ matches }) => matches(bytes))?.contentType ?? null;
}

export function bytesOutput(bytes: Buffer, seedUsed: number | null): Output {
  const contentType = pictureType(bytes);
  if (contentType === null) return { kind: 'failure', failure: new ProviderFailure('unreadable') };
  return { kind: 'bytes', bytes, contentType, seedUsed };
}

/** Base64 as it is, or in a data: address. */
export function base64Output(text: string | LongText, seedUsed: number | null): Output {
  const start = isDataUri(text) ? text.indexOf(',') + 1 : 0;
  const bytes = text instanceof LongText ? text.decode(start) : Buffer.from(text.slice(start), 'base64');
  return bytesOutput(bytes, seedUsed);
}

export function isText(value: unknown): value is string | LongText {
  return typeof value === 'string' || value instanceof LongText;
}

export function isDataUri(text: string | LongText): boolean {
  return (text instanceof LongText ? text.toString(0, DATA.length) : text).startsWith(DATA);
}

const DATA = 'data:';

export function dataUri({ bytes, contentType }: { bytes: Uint8Array; contentType: string }): string {
  return `data:${contentType};base64,${base64(bytes)}`;
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

export function httpUrl(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 4096 || !URL.canParse(value)) return null;
  return ['http:', 'https:'].includes(new URL(value).protocol) ? value : null;
}
