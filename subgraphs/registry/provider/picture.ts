/** Bytes that claim to be a picture, and what a provider sends in their stead. */
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
export function base64Output(text: string, seedUsed: number | null): Output {
  const start = text.startsWith('data:') ? text.indexOf(',') + 1 : 0;
  return bytesOutput(Buffer.from(start === 0 ? text : text.slice(start), 'base64'), seedUsed);
}

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
