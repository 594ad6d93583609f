import { randomFillSync } from 'node:crypto';
import { Problem } from './errors.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

// Random bytes are drawn in bulk: a system call per id would cost more than the id.
const pool = Buffer.alloc(10 * 256);
let used = pool.length;
let lastMs = 0;
let sequence = 0;

/**
 * A UUIDv7 (RFC 9562). Ids made by one process sort in the order in which they were made, also within a millisecond:
 * the 12 bits after the version are a counter that starts at a random low value each millisecond.
 */
export function newId(now = Date.now()): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + 10);
  used += 10;
  if (now > lastMs) {
    lastMs = now;
    sequence = random.readUInt16BE(0) & 0x3ff;
  } else if (++sequence > 0xfff) {
    lastMs += 1;
    sequence = 0;
  }
  const time = lastMs.toString(16).padStart(12, '0');
  const variant = (((random[2] ?? 0) & 0x3f) | 0x80).toString(16);
  const tail = random.toString('hex', 3, 10);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence.toString(16).padStart(3, '0')}-${variant}${tail.slice(0, 2)}-${tail.slice(2)}`;
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
