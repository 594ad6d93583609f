/** Input against a schema, with every bad field named at once. */
import type { z } from 'zod';
import { type FieldIssue, Problem } from './errors.js';

/** The message of a schema for what is no such value at all; what is missing is told apart. */
export function wants(message: string) {
  return { error: ({ input }: { input?: unknown }) => (input === undefined ? 'is required' : message) };
}

export function fieldIssue(issue: z.core.$ZodIssue): FieldIssue {
  return { field: issue.path.join('.') || 'body', message: saidByDefault(issue) ?? issue.message };
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

/** Ours, where a schema says nothing of its own: the library's words are for programmers. */
function saidByDefault(issue: z.core.$ZodIssue): string | null {
  const { code, message } = issue;
  if (code === 'invalid_type' && message.startsWith('Invalid input')) {
    return message.endsWith('received undefined')
      ? 'is required'
      : `must be ${KINDS[issue.expected] ?? issue.expected}`;
  }
  if (code === 'invalid_value' && message.startsWith('Invalid ')) {
    return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
  }
  if (code === 'too_big' && message.startsWith('Too big'))
    return `must ${atMost(issue.origin)} ${issue.maximum}${unitOf(issue.origin)}`;
  if (code === 'too_small' && message.startsWith('Too small'))
    return `must ${atLeast(issue.origin)} ${issue.minimum}${unitOf(issue.origin)}`;
  return null;
}

const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' items' };
const unitOf = (origin: string) => UNITS[origin] ?? '';
const atMost = (origin: string) => (origin in UNITS ? 'have at most' : 'be at most');
const atLeast = (origin: string) => (origin in UNITS ? 'have at least' : 'be at least');

export function invalidFields(issues: readonly FieldIssue[]): Problem {
  const named = issues.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new Problem('validation_error', named, { details: issues });
}

export function checked<T>(rules: z.ZodType<T>, given: unknown): T {
  const parsed = rules.safeParse(given);
  if (!parsed.success) throw invalidFields(parsed.error.issues.map(fieldIssue));
  return parsed.data;
}
