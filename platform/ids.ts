import { randomFillSync } from 'node:crypto';
import { Problem } from './errors.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

// Drawn and written in bulk: a system call per id, or its digits one by one, would cost more than the id.
const RANDOM_DIGITS = 19;
const pool = Buffer.alloc(RANDOM_DIGITS * 256);
let digits = '';
let used = 0;
let lastMs = 0;
let sequence = 0;
/** Of an id, what is the same for all of one millisecond. */
let beginning = '';

/**
 * A UUIDv7 (RFC 9562). Ids made by one process sort in the order in which they were made, also within a millisecond:
 * the 12 bits after the version are a counter that starts at a random low value each millisecond.
 */
export function newId(now = Date.now()): string {
  if (used === digits.length) {
    digits = randomFillSync(pool).toString('hex');
    used = 0;
  }
  const at = used;
  used += RANDOM_DIGITS;
  if (now > lastMs) {
    begin(now, Number.parseInt(digits.slice(at, at + 3), 16) & 0x3ff);
  } else if (++sequence > 0xfff) {
    begin(lastMs + 1, 0);
  }
  const counter = sequence.toString(16).padStart(3, '0');
  const variant = VARIANTS[Number.parseInt(digits.charAt(at + 3), 16) & 3];
  return `${beginning}${counter}-${variant}${digits.slice(at + 4, at + 7)}-${digits.slice(at + 7, at + RANDOM_DIGITS)}`;
}

const VARIANTS = ['8', '9', 'a', 'b'] as const;

function begin(ms: number, first: number): void {
  lastMs = ms;
  sequence = first;
  const time = ms.toString(16).padStart(12, '0');
  beginning = `${time.slice(0, 8)}-${time.slice(8)}-7`;
}

/** How one kind of id looks to callers: some kinds carry a prefix, and input is accepted with and without it. */
export interface IdKind {
  readonly prefix: string;
  /** The id as callers see it. */
  format(uuid: string): string;
  /** The stored UUID, or null when the text cannot be such an id. */
  parse(text: string): string | null;
}

function idKind(prefix: string): IdKind {
  return {
    prefix,
    format: (uuid) => prefix + uuid,
    parse(text) {
      const bare = (prefix !== '' && text.startsWith(prefix) ? text.slice(prefix.length) : text).toLowerCase();
      return UUID.test(bare) ? bare : null;
    },
  };
}

export const UserId = idKind('usr_');
export const KeyId = idKind('key_');
export const WorkflowId = idKind('wf_');
export const VerifierId = idKind('vrf_');
export const VerifierRunId = idKind('vrn_');
export const PlainId = idKind('');

/** For look-ups where a malformed id must answer like a missing thing. */
export function parseIdOr404(kind: IdKind, text: string, what: string): string {
  const id = kind.parse(text);
  if (id === null) throw new Problem('not_found', `${what} not found`);
  return id;
}
