/** What a run may say. Pure, so that every door checks with the same words. */
import { z } from 'zod';
import { wants } from '../../../platform/rules.js';
import { modelRule, paramsRule } from '../generator/generator.rules.js';
import { MAX_SEED } from '../model/parameters.js';
import { versionRule } from '../versioned/rules.js';

export const PROMPT_LENGTH = 4_000;
export const MAX_IMAGES = 4;

function whole(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.number(wants(message)).int(message).min(min, message).max(max, message);
}

const short = z.string(wants('must be a text')).max(200, 'must have at most 200 characters');

// Characters are what a reader counts, not UTF-16 units.
const promptRule = z
  .string(wants('must be a text'))
  .refine((text) => text.trim() !== '', 'must not be empty')
  .refine((text) => text.length <= PROMPT_LENGTH || [...text].length <= PROMPT_LENGTH, {
    error: `must have at most ${PROMPT_LENGTH} characters`,
  });

const webAddress = z
  .string(wants('must be a URL'))
  .max(2_048, 'must have at most 2048 characters')
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
    error: 'must be a public http or https URL',
  });

export const runRules = z.object({
  prompt: promptRule
    .describe('What to draw, 1 to 4,000 characters. It is not stored.')
    .meta({ examples: ['A calm mountain lake at dawn, photorealistic'], minLength: 1, maxLength: PROMPT_LENGTH }),
  reference_image_url: webAddress
    .nullish()
    .describe('A picture to go by: needed for `image_to_image`, refused for `text_to_image`.'),
  num_images: whole(1, MAX_IMAGES).nullish().describe('How many pictures, 1 to 4; each is charged.'),
  seed: whole(0, MAX_SEED).nullish().describe('The same seed gives the same picture, where the model can.'),
  params: paramsRule.nullish().describe('Merged over the default parameters.'),
  model: modelRule.nullish().describe('A model for this run alone; the generator in the path is then ignored.'),
  version: versionRule.nullish().describe('Version of the generator; the current one when left out.'),
  workflow_id: short.nullish().describe('What the run is part of; kept with it.'),
  workflow_version: whole(1, 999_999_999).nullish().describe('Kept with the run.'),
  workflow_ref: short.nullish().describe('Kept with the run.'),
  run_id: short.nullish().describe('Your own id of what the run is part of; kept with it.'),
});

export type RunRequest = z.infer<typeof runRules>;
