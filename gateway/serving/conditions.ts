/** What a request for bytes wants of them: RFC 9110, sections 13 and 14. One range at most; more are answered with all. */
import type { IncomingHttpHeaders } from 'node:http';
import type { ByteRange } from '../../platform/s3.js';

/** What the conditions of a request are held against. */
export interface Representation {
  etag: string;
  /** As the header says it: whole seconds. */
  lastModified: string;
  size: number;
}

/** What a request says that it has: If-None-Match and If-Modified-Since. */
export interface Known {
  tags: string | undefined;
  since: string | undefined;
}

export function knownBy(headers: IncomingHttpHeaders): Known {
  return { tags: headers['if-none-match'], since: headers['if-modified-since'] };
}

export type Wanted = { kind: 'all' | 'unchanged' | 'unsatisfiable' } | { kind: 'part'; range: ByteRange };

const ALL: Wanted = { kind: 'all' };
const UNCHANGED: Wanted = { kind: 'unchanged' };

export function wantedOf(headers: IncomingHttpHeaders, representation: Representation): Wanted {
  if (isUnchanged(knownBy(headers), representation)) return UNCHANGED;
  const { range } = headers;
  if (range === undefined || !rangeApplies(headers['if-range'], representation)) return ALL;
  return partOf(range, representation.size);
}

/** A date says less than a tag, so it counts only where there is none. */
export function isUnchanged({ tags, since }: Known, { etag, lastModified }: Representation): boolean {
  if (tags !== undefined) return tags === etag || matchesAny(tags, etag);
  if (since === undefined) return false;
  return since === lastModified || Date.parse(since) >= Date.parse(lastModified);
}

/** The weak comparison: for a GET the W/ plays no part. */
function matchesAny(list: string, etag: string): boolean {
  return list.split(',').some((entry) => {
    const tag = entry.trim();
    return tag === '*' || tag.replace(/^W\//, '') === etag;
  });
}

/** Only what is certain to be the same bytes may be continued: a strong tag, or the very date that we gave. */
function rangeApplies(ifRange: string | string[] | undefined, { etag, lastModified }: Representation): boolean {
  return ifRange === undefined || ifRange === etag || ifRange === lastModified;
}

/** What is not understood is as if it were not there. */
function partOf(header: string, size: number): Wanted {
  const match = /^bytes=\s*(?:(\d+)-(\d*)|-(\d+))\s*$/i.exec(header);
  if (!match) return ALL;
  const [, first, last = '', suffix] = match;
  if (suffix !== undefined) {
    const length = Number(suffix);
    if (length === 0) return { kind: 'unsatisfiable' };
    return { kind: 'part', range: { start: Math.max(0, size - length), end: size - 1 } };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return ALL;
  return start >= size ? { kind: 'unsatisfiable' } : { kind: 'part', range: { start, end } };
}
