/** What a deploy may say. Pure, so that every door checks with the same words. */
import { z } from 'zod';
import { wants } from '../../../platform/rules.js';
import { descriptionRule, nameRule } from '../versioned/rules.js';

export const CONTRACTS = ['text_to_image', 'image_to_image'] as const;

export const modelRule = z
  .string(wants('must be the name of a model'))
  .min(1, 'must be the name of a model')
  .max(200, 'must have at most 200 characters');

/** What is in it is for the model to judge. */
export const paramsRule = z.record(z.string(), z.unknown(), wants('must be an object'));

export const tokenRule = z.string(wants('must be a text')).max(200, 'must have at most 200 characters');

export const deployRules = z.object({
  name: nameRule.describe('Unique among your generators, revoked ones included.').meta({ examples: ['product-hero'] }),
  description: descriptionRule.nullish().describe('What it is for.'),
  model: modelRule.describe('A model of `GET /v1/models`.').meta({ examples: ['local/atelier'] }),
  generation_contract: z
    .enum(CONTRACTS, wants(`must be ${CONTRACTS.join(' or ')}`))
    .describe('`image_to_image` takes a reference image beside the prompt.'),
  default_params: paramsRule
    .nullish()
    .describe('Parameters of every run that does not say otherwise.')
    .meta({ examples: [{ image_size: 'square_hd' }] }),
  expected_version_token: tokenRule
    .nullish()
    .describe('The token of the latest deploy; left out, or null, for a new name.'),
});

export type DeployRequest = z.infer<typeof deployRules>;
