/** Input against a schema, with every bad field named at once. */
import type { z } from 'zod';
import { type FieldIssue, Problem } from './errors.js';

/** The message of a schema for what is no such value at all; what is missing is told apart. */
export function wants(message: string) {
  return { error: ({ input }: { input?: unknown }) => (input === undefined ? 'is required' : message) };
}

export function fieldIssue({ path, code, message }: z.core.$ZodIssue): FieldIssue {
  const missing = code === 'invalid_type' && message.endsWith('received undefined');
  return { field: path.join('.') || 'body', message: missing ? 'is required' : message };
}

export function invalidFields(issues: readonly FieldIssue[]): Problem {
  const named = issues.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return new Problem('validation_error', named, { details: issues });
}

export function checked<T>(rules: z.ZodType<T>, given: unknown): T {
  const parsed = rules.safeParse(given);
  if (!parsed.success) throw invalidFields(parsed.error.issues.map(fieldIssue));
  return parsed.data;
}
