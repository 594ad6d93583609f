/** Reads what a judge answered. Nothing but exactly the asked-for form is a verdict. */
import { z } from 'zod';

const MAX_REASONING = 4_000;

const verdictSchema = z.object({ passed: z.boolean(), reasoning: z.string() });

export interface GivenVerdict {
  passed: boolean;
  reasoning: string;
}

/** Null for what is no verdict. */
export function readVerdict(text: string): GivenVerdict | null {
  let value: unknown;
  try {
    value = JSON.parse(unwrapped(text));
  } catch {
    return null;
  }
  const parsed = verdictSchema.safeParse(value);
  if (!parsed.success) return null;
  const { passed, reasoning } = parsed.data;
  return {
    passed,
    reasoning: shorten(reasoning.trim()) || (passed ? 'The criterion is met.' : 'The criterion is not met.'),
  };
}

export function shorten(text: string): string {
  return text.length <= MAX_REASONING ? text : `${text.slice(0, MAX_REASONING - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Servers without a constrained form like to put JSON into a fence. */
function unwrapped(text: string): string {
  const trimmed = text.trim();
  return trimmed.startsWith('```') ? trimmed.replace(/^```[a-z]*\s*/i, '').replace(/\s*```$/, '') : trimmed;
}
