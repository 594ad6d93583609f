/** The headers of a served image, assembled once: names and values in turn, as Node takes them. */
import type { ServedImage } from '../../subgraphs/images/client.js';
import type { Representation } from './conditions.js';

const MAX_AGE_SECONDS = 300;

/** Whatever a browser is shown of ours as a page of its own, it must do nothing with it but show it. */
const ALWAYS = [
  'content-disposition',
  'inline',
  'content-security-policy',
  "default-src 'none'; frame-ancestors 'none'; sandbox",
  'x-content-type-options',
  'nosniff',
  'referrer-policy',
  'no-referrer',
];

/** What pages may read of an answer. */
export const EXPOSED = 'ETag, Content-Length, Content-Range, Accept-Ranges, X-Request-Id';

/** For pages anywhere. */
const OPEN = [
  'access-control-allow-origin',
  '*',
  'access-control-expose-headers',
  EXPOSED,
  'cross-origin-resource-policy',
  'cross-origin',
];

export interface PublicPicture extends Representation {
  expiresAt: number;
  /** For a 200, but for its Cache-Control. */
  whole: readonly string[];
  /** For a 304, but for its Cache-Control. */
  unchanged: readonly string[];
  /** The same as header lines. */
  wholeText: string;
  unchangedText: string;
}

export function representationOf({
  sha256,
  createdAt,
  sizeBytes,
}: Pick<ServedImage, 'sha256' | 'createdAt' | 'sizeBytes'>): Representation {
  return { etag: `"${sha256}"`, lastModified: createdAt.toUTCString(), size: sizeBytes };
}

/** Null for a private image: nothing of it is prepared for just anybody. */
export function publicPicture(image: ServedImage): PublicPicture | null {
  if (image.visibility !== 'public') return null;
  const representation = representationOf(image);
  const whole = [
    ...wholeHeaders(image.contentType, representation),
    'content-length',
    String(image.sizeBytes),
    ...OPEN,
  ];
  const unchanged = [...unchangedHeaders(representation), ...OPEN];
  return {
    ...representation,
    expiresAt: image.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
    whole,
    unchanged,
    wholeText: lines(whole),
    unchangedText: lines(unchanged),
  };
}

function lines(pairs: readonly string[]): string {
  return pairs.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
}

/** What says of the bytes what they are, whoever they are for. */
export function wholeHeaders(contentType: string, representation: Representation): string[] {
  return ['content-type', contentType, ...unchangedHeaders(representation)];
}

/** The same for whoever has the bytes. */
export function unchangedHeaders({ etag, lastModified }: Representation): string[] {
  return ['etag', etag, 'last-modified', lastModified, 'accept-ranges', 'bytes', ...ALWAYS];
}

export function publicCacheControl(expiresAt: number, now: number): string {
  const left = expiresAt - now;
  if (left >= MAX_AGE_SECONDS * 1000) return 'public, max-age=300';
  return `public, max-age=${Math.max(0, Math.floor(left / 1000))}`;
}

export const PRIVATE_CACHE_CONTROL = 'private, no-store';
