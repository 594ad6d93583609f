/** What a deploy may say. Pure, so that every door checks with the same words. */
import { z } from 'zod';
import { type FieldIssue, Problem } from '../../../platform/errors.js';
import { invalidFields, wants } from '../../../platform/rules.js';
import { tokenRule } from '../generator/generator.rules.js';
import { descriptionRule, nameRule } from '../versioned/rules.js';
import { INPUT_CONTRACTS, type VerifierConfig } from './verifier.model.js';

export const CRITERION_LENGTH = 8_000;
export const MAX_FIELDS = 20;
export const MAX_EXAMPLES = 50;
export const EXAMPLE_INPUT_LENGTH = 20_000;
export const EXAMPLES_LENGTH = 200_000;
export const EFFORTS = ['minimal', 'low', 'medium', 'high'] as const;

const FIELD = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

const criterionRule = z
  .string(wants('must be a text'))
  .refine((text) => text.trim() !== '', 'must not be empty')
  .max(CRITERION_LENGTH, `must have at most ${CRITERION_LENGTH} characters`);

const fieldRule = z
  .string(wants('must be a text'))
  .regex(FIELD, 'must be 1 to 64 letters, digits, hyphens and underscores, and begin with a letter');

export const inputFieldsRule = z
  .array(fieldRule, wants('must be a list of names'))
  .max(MAX_FIELDS, `must have at most ${MAX_FIELDS} names`)
  .refine((names) => new Set(names).size === names.length, 'must not name a field twice');

export const exampleInputsRule = z.record(
  z.string(),
  z.string(wants('must be a text')).max(EXAMPLE_INPUT_LENGTH, `must have at most ${EXAMPLE_INPUT_LENGTH} characters`),
  wants('must be an object with a text for each input field'),
);

const exampleReasoningRule = z.string(wants('must be a text')).max(2_000, 'must have at most 2000 characters');

const exampleRule = z.object({
  inputs: exampleInputsRule,
  passed: z.boolean(wants('must be true or false')),
  reasoning: exampleReasoningRule.nullish(),
});

/** As REST clients write it: `expected` is another word for `passed`. */
export const restExampleRule = exampleRule
  .extend({
    passed: z.boolean(wants('must be true or false')).nullish().describe('Whether these inputs meet the criterion.'),
    expected: z.boolean(wants('must be true or false')).nullish().describe('The same as `passed`.'),
  })
  .refine(({ passed, expected }) => (passed ?? expected ?? null) !== null, {
    path: ['passed'],
    error: 'is required: whether these inputs meet the criterion',
  })
  .refine(({ passed, expected }) => (passed ?? null) === null || (expected ?? null) === null || passed === expected, {
    path: ['expected'],
    error: 'contradicts passed',
  });

function examplesRule<T extends z.ZodType>(element: T) {
  return z
    .array(element, wants('must be a list of examples'))
    .max(MAX_EXAMPLES, `must have at most ${MAX_EXAMPLES} examples`);
}

export const modelSettingsRule = z.strictObject(
  {
    model: z.string(wants('must be the name of a model')).min(1).max(200, 'must have at most 200 characters').nullish(),
    reasoning_effort: z.enum(EFFORTS, wants(`must be one of ${EFFORTS.join(', ')}`)).nullish(),
  },
  wants('must be an object with model and reasoning_effort'),
);

const common = {
  name: nameRule
    .describe('Unique among your verifiers, revoked ones included.')
    .meta({ examples: ['response-clarity'] }),
  description: descriptionRule.nullish().describe('What it is for.'),
  criterion: criterionRule
    .describe('What must hold for the inputs to pass.')
    .meta({ examples: ['The response is clear, direct, and free of unnecessary qualifiers.'] }),
  input_contract: z
    .enum(INPUT_CONTRACTS, wants(`must be one of ${INPUT_CONTRACTS.join(', ')}`))
    .nullish()
    .describe('What a run is given: texts (the default), texts and a picture, or a picture alone.'),
  input_fields: inputFieldsRule
    .nullish()
    .describe('The names of the texts of a run; none for `image`.')
    .meta({ examples: [['user_query', 'agent_response']] }),
  model_settings: modelSettingsRule.nullish().describe('Which model judges, and how hard it thinks.'),
  expected_version_token: tokenRule
    .nullish()
    .describe('The token of the latest deploy; left out, or null, for a new name.'),
};

export const deployRules = z.object({ ...common, few_shot_examples: examplesRule(exampleRule).nullish() });

export const restDeployRules = z
  .object({
    ...common,
    few_shot_examples: examplesRule(restExampleRule)
      .nullish()
      .describe('Cases that are decided already: `{inputs, passed, reasoning?}`. The local judge goes by them alone.'),
    examples: examplesRule(restExampleRule).nullish().describe('The same as `few_shot_examples`, with `expected`.'),
  })
  .refine(({ few_shot_examples, examples }) => !few_shot_examples || !examples, {
    path: ['examples'],
    error: 'is another word for few_shot_examples: give one of them',
  });

export type DeployVerifierRequest = z.infer<typeof deployRules>;
type RestExample = z.infer<typeof restExampleRule>;

export function examplesOf({ few_shot_examples, examples }: z.infer<typeof restDeployRules>) {
  return (few_shot_examples ?? examples)?.map(({ inputs, passed, expected, reasoning }: RestExample) => ({
    inputs,
    passed: passed ?? expected ?? false,
    reasoning,
  }));
}

/** What the parts of a deploy must be to each other. */
export function configOf(request: DeployVerifierRequest): VerifierConfig {
  const inputContract = request.input_contract ?? 'text';
  const inputFields = request.input_fields ?? [];
  const examples = request.few_shot_examples ?? [];
  if (inputContract === 'image' && inputFields.length > 0) {
    throw Problem.invalid('input_fields', 'must be empty: the contract image takes a picture alone');
  }
  if (inputContract !== 'image' && inputFields.length === 0) {
    throw Problem.invalid('input_fields', `must have at least one name: the contract ${inputContract} takes texts`);
  }
  if (inputContract === 'image' && examples.length > 0) {
    throw Problem.invalid('few_shot_examples', 'must be empty: an example cannot hold a picture');
  }
  const issues = examples.flatMap(({ inputs }, i) => inputIssues(inputs, inputFields, `few_shot_examples.${i}.inputs`));
  if (issues.length > 0) throw invalidFields(issues);
  const length = examples.reduce((sum, { inputs }) => sum + Object.values(inputs).join('').length, 0);
  if (length > EXAMPLES_LENGTH) {
    throw Problem.invalid('few_shot_examples', `must have at most ${EXAMPLES_LENGTH} characters in all`);
  }
  return {
    criterion: request.criterion,
    inputContract,
    inputFields,
    examples: examples.map(({ inputs, passed, reasoning }) => ({ inputs, passed, reasoning: reasoning ?? null })),
    model: request.model_settings?.model ?? null,
    reasoningEffort: request.model_settings?.reasoning_effort ?? null,
  };
}

/** Inputs have exactly the declared fields. */
export function inputIssues(
  inputs: Readonly<Record<string, string>>,
  fields: readonly string[],
  path: string,
): FieldIssue[] {
  const missing = fields
    .filter((field) => !Object.hasOwn(inputs, field))
    .map((field) => ({ field: `${path}.${field}`, message: 'is required' }));
  const expected = fields.length > 0 ? `the fields are ${fields.join(', ')}` : 'it has none';
  const unknown = Object.keys(inputs)
    .filter((field) => !fields.includes(field))
    .slice(0, 10)
    .map((field) => ({
      field: `${path}.${field.slice(0, 64)}`,
      message: `is not a field of this verifier: ${expected}`,
    }));
  return [...missing, ...unknown];
}
