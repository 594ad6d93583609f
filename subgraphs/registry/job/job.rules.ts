/** What a request for a job may say. Pure, so that every door checks with the same words. */
import { z } from 'zod';
import { wants } from '../../../platform/rules.js';
import { CATALOGUE } from '../model/catalogue.js';
import type { JobsTerms } from '../model/entry.js';
import { MAX_SEED } from '../model/parameters.js';
import { ASPECT_RATIOS } from '../model/sizes.js';

export const PROMPT_LENGTH = 2_000;
export const MAX_VARIATIONS = 4;
/** Of a picture inside of a JSON body, as everywhere. Larger ones are referred to by their address. */
const MAX_PICTURE_BYTES = 8 * 1024 * 1024;
const MAX_BASE64 = Math.ceil(MAX_PICTURE_BYTES / 3) * 4 + 64;

export const QUALITY_TIERS = ['draft', 'standard', 'premium', 'ultra', 'ultra_plus'] as const;
export const IMAGE_SIZES = ['512', '1K', '2K', '4K'] as const;
export const MODES = ['txt2img', 'img2img'] as const;
export const FORMATS = ['png', 'webp', 'avif'] as const;
export const PRESETS = ['thumbnail', 'standard', 'hero', 'portrait'] as const;

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, wants(`must be one of ${values.join(', ')}`));
}

function whole(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.number(wants(message)).int(message).min(min, message).max(max, message);
}

function fraction() {
  const message = 'must be a number from 0 to 1';
  return z.number(wants(message)).min(0, message).max(1, message);
}

function flag() {
  return z.boolean(wants('must be true or false'));
}

// Characters are what a reader counts, not UTF-16 units.
function text(max: number) {
  return z.string(wants('must be a text')).refine((given) => given.length <= max || [...given].length <= max, {
    error: `must have at most ${max} characters`,
  });
}

const prompt = text(PROMPT_LENGTH)
  .refine((given) => given.trim() !== '', 'must not be empty')
  .describe('What to draw, 1 to 2,000 characters.')
  .meta({ examples: ['A mountain landscape at sunset'], minLength: 1, maxLength: PROMPT_LENGTH });

/** The models that a field of the request chooses among. */
function modelsOf(field: Exclude<JobsTerms['field'], null>) {
  const names = CATALOGUE.filter(({ jobs }) => jobs?.field === field).flatMap(({ slug, aliases }) => [
    slug,
    ...(aliases ?? []),
  ]);
  const [first = '', ...others] = names;
  return oneOf([first, ...others]);
}

const DATA_URL = /^data:image\/[a-z+]{1,20};base64,/;
const PADDING = /={0,2}$/;
const NOT_BASE64 = /[^A-Za-z0-9+/]/;

/** With the beginning of a data URL or without. */
export function bytesOfBase64(given: string): Buffer {
  return Buffer.from(given.replace(DATA_URL, ''), 'base64');
}

const picture = z
  .string(wants('must be a picture in base64'))
  .max(MAX_BASE64, 'must hold at most 8 MiB; send the address of a larger one in input_asset_url')
  .refine((given) => isBase64(given.replace(DATA_URL, '')), { error: 'must be a picture in base64' });

function isBase64(text: string): boolean {
  return text !== '' && !NOT_BASE64.test(text.replace(PADDING, ''));
}

const webAddress = z
  .string(wants('must be a URL'))
  .max(2_048, 'must have at most 2048 characters')
  .refine((given) => URL.canParse(given) && /^https?:$/.test(new URL(given).protocol), {
    error: 'must be an http or https URL',
  });

const jobId = z.string(wants('must be the id of a job')).max(100, 'must be the id of a job');

const requestKey = z
  .string(wants('must be a text'))
  .regex(/^[\x20-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters');

const seed = whole(0, MAX_SEED);

export const jobRules = z.object({
  prompt,
  quality_tier: oneOf(QUALITY_TIERS)
    .nullish()
    .describe('The tier to draw in and to be charged by; `standard` when left out.'),
  openai_model: modelsOf('openai_model')
    .nullish()
    .describe('A model of OpenAI in the place of the tier’s. Charged as `ultra`.'),
  cf_model: modelsOf('cf_model')
    .nullish()
    .describe('A model of Cloudflare in the place of that of `draft`, `standard` or `premium`. Charged by the tier.'),
  model: modelsOf('model').nullish().describe('A model of Gemini in the place of the tier’s. Charged by its own tier.'),
  aspect_ratio: oneOf(ASPECT_RATIOS).nullish().describe('The shape of the picture; that of the model when left out.'),
  image_size: oneOf(IMAGE_SIZES).nullish().describe('Resolution, for models of Gemini alone.'),
  negative_prompt: text(PROMPT_LENGTH)
    .nullish()
    .describe(
      'What to keep out of the picture, where the model can; else `enhancement_logic` says that it was left out.',
    ),
  seed: seed.nullish().describe('The same seed gives the same picture, where the model takes one.'),
  mode: oneOf(MODES).nullish().describe('`img2img` when a picture to go by is given, else `txt2img`.'),
  input_job_id: jobId.nullish().describe('A completed job of yours whose picture is gone by.'),
  input_asset_url: webAddress
    .nullish()
    .describe('The address of a picture to go by: an asset of yours, or any public one.'),
  input_image: picture.nullish().describe('A picture to go by, in base64.'),
  mask_image: picture.nullish().describe('In base64: what is white in it is drawn anew. For models that can inpaint.'),
  input_strength: fraction()
    .nullish()
    .describe('How far to leave the picture that is gone by: 0 keeps it, 1 paints over all of it.'),
  output_format: oneOf(FORMATS).nullish().describe('How the picture is encoded; `webp` when left out.'),
  output_quality: whole(1, 100).nullish().describe('For `webp` and `avif`; 85 when left out.'),
  output_preset: oneOf(PRESETS).nullish().describe('A size to have the picture in as well, at `preset_url`.'),
  background_removal: flag().nullish().describe('Also make a transparent PNG, at `bg_removed_url`.'),
  sync: flag()
    .nullish()
    .describe('Wait for the picture, up to 60 seconds. Left out: yes for `draft` and `standard`, no for the others.'),
  idempotency_key: requestKey
    .nullish()
    .describe('Names the request: sent again within 24 hours it is the same job, and costs nothing more.'),
});

export type JobRequest = z.infer<typeof jobRules>;

export const variationRules = z.object({
  count: whole(1, MAX_VARIATIONS).nullish().describe('How many, 1 to 4; 1 when left out. Each takes a credit.'),
  variation_strength: fraction()
    .nullish()
    .describe('0 is close to the source, 1 as far from it as can be; 0.7 when left out.'),
  seed: seed.nullish().describe('Seed of the first; the others are drawn with the seeds after it.'),
});

export type VariationRequest = z.infer<typeof variationRules>;
