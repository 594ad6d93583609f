/** What callers may send to the accounts. Pure, so that every door can check with the same words. */
import { z } from 'zod';
import { Problem } from '../../platform/errors.js';
import { UserId } from '../../platform/ids.js';

// RFC 5321 addresses without quoted local parts, comments and address literals: nothing in one can end a mail header.
const LOCAL_PART = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*";
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const EMAIL = new RegExp(`^(?=.{1,64}@)${LOCAL_PART}@(?:${LABEL}\\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})$`);

export const emailRule = z
  .string()
  .trim()
  .toLowerCase()
  .max(254, { error: 'must have at most 254 characters', abort: true })
  .regex(EMAIL, 'must be an e-mail address');

export const HANDLE_PATTERN = /^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$/;
// Such a handle could not be told from an id wherever either is accepted.
const UUID_SHAPE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const handleRule = z.string().refine((text) => HANDLE_PATTERN.test(text) && !UUID_SHAPE.test(text));

export const NAME_LENGTH = 100;

export const keyNameRule = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(NAME_LENGTH, { error: `must have at most ${NAME_LENGTH} characters`, abort: true })
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'must not contain control characters');

export const CODE_DIGITS = 6;
export const CODE_TRIES = 5;
export const CODE_WINDOW_SECONDS = 15 * 60;
export const LOOKUP_WINDOW_SECONDS = 60;

export const RENAME_PAUSE_DAYS = 90;
export const RENAMES_PER_YEAR = 3;
export const HANDLE_HOLD_DAYS = 90;

const IDENTIFIER_LENGTH = 300;

function check<T>(field: string, rule: z.ZodType<T, string>, text: string): T {
  const parsed = rule.safeParse(text);
  if (!parsed.success) throw Problem.invalid(field, parsed.error.issues[0]?.message ?? 'is not valid');
  return parsed.data;
}

export function parseEmail(text: string): string {
  return check('email', emailRule, text);
}

export function parseKeyName(text: string): string {
  return check('name', keyNameRule, text);
}

export function parseTenantName(text: string): string {
  return check('name', keyNameRule, text);
}

/** A handle that somebody wants to have. Look-ups are more lenient: see readHandle. */
export function parseHandle(text: string): string {
  const parsed = handleRule.safeParse(text);
  if (!parsed.success) throw new Problem('handle_invalid');
  return parsed.data;
}

/** A handle that somebody refers to, with or without `@`, in whatever case; null when nothing can have it. */
export function readHandle(text: string): string | null {
  const handle = text.trim().replace(/^@/, '').toLowerCase();
  return HANDLE_PATTERN.test(handle) ? handle : null;
}

export type UserIdentifier = { _id: string } | { email: string } | { handle: string };

/** How a user was named: an id, an e-mail address or a handle; null when it can be none of them. */
export function readUserIdentifier(text: string): UserIdentifier | null {
  const trimmed = text.trim();
  if (trimmed.length > IDENTIFIER_LENGTH) return null;
  const id = UserId.parse(trimmed);
  if (id !== null) return { _id: id };
  if (trimmed.indexOf('@') > 0) {
    const email = emailRule.safeParse(trimmed);
    return email.success ? { email: email.data } : null;
  }
  const handle = readHandle(trimmed);
  return handle === null ? null : { handle };
}
