/** What a run may say. Pure, so that every door checks with the same words. */
import { z } from 'zod';
import type { FieldIssue } from '../../../platform/errors.js';
import { invalidFields, wants } from '../../../platform/rules.js';
import { versionRule } from '../versioned/rules.js';
import type { InputContract } from './verifier.model.js';
import { inputIssues } from './verifier.rules.js';

export const INPUT_LENGTH = 200_000;
export const INPUTS_LENGTH = 400_000;

const inputsRule = z
  .record(
    z.string(),
    z.string(wants('must be a text')).max(INPUT_LENGTH, `must have at most ${INPUT_LENGTH} characters`),
    wants('must be an object with a text for each input field'),
  )
  .refine((inputs) => Object.values(inputs).reduce((sum, text) => sum + text.length, 0) <= INPUTS_LENGTH, {
    error: `must have at most ${INPUTS_LENGTH} characters in all`,
  });

export const verifierRunRules = z.object({
  inputs: inputsRule
    .nullish()
    .describe('A text for each of the verifier’s input fields, and nothing else. It is not stored.')
    .meta({ examples: [{ user_query: 'What is 2+2?', agent_response: '4' }] }),
  media_url: z
    .string(wants('must be a URL'))
    .max(2_048, 'must have at most 2048 characters')
    .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
      error: 'must be a public http or https URL',
    })
    .nullish()
    .describe('The picture, where the contract has one.'),
  version: versionRule.nullish().describe('Version of the verifier; the current one when left out.'),
});

export type VerifierRunRequest = z.infer<typeof verifierRunRules>;

export interface Contract {
  inputContract: InputContract;
  inputFields: readonly string[];
}

/** Exactly the declared fields, and a picture exactly where the contract has one. */
export function requireInputs(
  { inputs, media_url }: VerifierRunRequest,
  { inputContract, inputFields }: Contract,
): void {
  const issues: FieldIssue[] = inputIssues(inputs ?? {}, inputFields, 'inputs');
  if (inputContract === 'text' && media_url) {
    issues.push({ field: 'media_url', message: 'must be left out: this verifier judges texts' });
  }
  if (inputContract !== 'text' && !media_url) {
    issues.push({ field: 'media_url', message: 'is required: this verifier judges a picture' });
  }
  if (issues.length > 0) throw invalidFields(issues);
}
