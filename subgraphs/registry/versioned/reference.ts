/** How callers say which deployed thing they mean: `uuid`, `uuid@N`, `system:name`, or a name where names are taken. */
import { type IdKind, PlainId } from '../../../platform/ids.js';
import { NAME } from './rules.js';

export type Reference =
  | { kind: 'id'; id: string; version: number | null }
  | { kind: 'system'; name: string }
  | { kind: 'name'; name: string; version: number | null };

const SYSTEM = 'system:';
const VERSION = /^[1-9]\d{0,8}$/;

/** Null for what can refer to nothing, which is to answer like a missing thing. */
export function readReference(text: string, ids: IdKind = PlainId): Reference | null {
  if (text.startsWith(SYSTEM)) return { kind: 'system', name: text.slice(SYSTEM.length) };
  const at = text.lastIndexOf('@');
  const bare = at < 0 ? text : text.slice(0, at);
  const pin = at < 0 ? null : text.slice(at + 1);
  if (pin !== null && !VERSION.test(pin)) return null;
  const version = pin === null ? null : Number(pin);
  const id = ids.parse(bare);
  if (id !== null) return { kind: 'id', id, version };
  return NAME.test(bare) ? { kind: 'name', name: bare, version } : null;
}
