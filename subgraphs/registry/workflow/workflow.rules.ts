/** What a save may say. Pure, so that every door checks with the same words. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Problem } from '../../../platform/errors.js';
import { wants } from '../../../platform/rules.js';
import { fileRule } from './bundle.rules.js';

export const MAX_BODY = 262_144;
const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?$/;
const MAX_PINS = 50;

/** Half a surrogate pair would come out of the store as another character than went in. */
export const textRule = (max: number) =>
  z
    .string(wants('must be a text'))
    .max(max, `must have at most ${max} characters`)
    .refine((text) => !/\p{Cs}/u.test(text), 'must be well-formed Unicode');

const pinName = z
  .string(wants('must be a text'))
  .regex(/^[\w][\w .-]{0,127}$/, 'must be 1 to 128 letters, digits, blanks, dots, hyphens and underscores');

// It stands in one line wherever it is shown, in lists, banners and prompts.
export const nameRule = textRule(200)
  .refine((name) => name.trim() !== '', 'must not be empty')
  .refine((name) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name), 'must not hold line breaks or control characters');
export const slugRule = z
  .string(wants('must be a text'))
  .regex(SLUG, 'must be 1 to 100 lowercase letters, digits and hyphens, and start and end with a letter or digit');
export const tagsRule = z
  .array(
    z
      .string(wants('must be a text'))
      .regex(
        /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,49}$/u,
        'must be 1 to 50 letters, digits, blanks, dots, hyphens and underscores',
      ),
    wants('must be a list of texts'),
  )
  .max(20, 'must have at most 20 tags');

export const saveRules = z.object({
  workflow_id: textRule(200).nullish().describe('Which workflow this is a version of, when the slug does not say it.'),
  name: nameRule
    .nullish()
    .describe('Its name.')
    .meta({ examples: ['Weekly report'] }),
  body: textRule(MAX_BODY)
    .refine((body) => body.trim() !== '', 'must not be empty')
    .describe('The runbook in Markdown. A YAML block at its top fills in what the request leaves out.')
    .meta({ examples: ['# Weekly report\n\n1. Collect the numbers.'] }),
  description: textRule(2_000).nullish().describe('What it is for.'),
  outcome: textRule(2_000).nullish().describe('What is true when it has been followed. Needed to publish.'),
  tags: tagsRule.nullish().describe('Words to find it by.'),
  slug: slugRule.nullish().describe('Its name in addresses; made from the name when left out.'),
  files: z
    .array(fileRule, wants('must be a list'))
    .nullish()
    .describe('Files beside the body. Left out: as before; empty: none.'),
  verifiers: z
    .array(
      z.object({
        name: pinName.describe('How the body speaks of it.'),
        verifier_id: textRule(200).describe('Its id, which may end in `@version`, or `system:name`.'),
        version: z.number().int().min(1).max(999_999_999).nullish().describe('A version; the newest when left out.'),
      }),
      wants('must be a list'),
    )
    .max(MAX_PINS, `must have at most ${MAX_PINS} verifiers`)
    .nullish()
    .describe('Verifiers that the body uses. Left out: as before; empty: none.'),
  image_generators: z
    .array(
      z.object({
        name: pinName.describe('How the body speaks of it.'),
        generator_ref: textRule(200).describe('`uuid`, `uuid@version` or `system:tier`.'),
      }),
      wants('must be a list'),
    )
    .max(MAX_PINS, `must have at most ${MAX_PINS} image generators`)
    .nullish()
    .describe('Image generators that the body uses. Left out: as before; empty: none.'),
  expected_version_token: textRule(200).nullish().describe('The latest token; left out, or null, for a new workflow.'),
  source: textRule(200).nullish().describe('Where the save comes from, for the record.'),
});

export type SaveRequest = z.infer<typeof saveRules>;

const MAX_SLUG = 80;
const TOLD = 8;

const FOREIGN = /(?!\p{Script=Latin})[\p{L}\p{N}]/gu;

/**
 * A slug from a name: its letters without their accents. Names that differ in what no slug can hold, as those in other
 * scripts do, must not come to the same: what is saved under the second would be a version of the first.
 */
export function slugOf(name: string): string {
  const plain = latinOf(name);
  const lost = (name.normalize('NFKC').match(FOREIGN) ?? []).some((letter) => !/\d/.test(letter));
  if (plain !== '' && !lost) return plain;
  const told = createHash('sha256').update(name.normalize('NFKC').trim()).digest('hex').slice(0, TOLD);
  return `${(plain || 'workflow').slice(0, MAX_SLUG - TOLD - 1).replace(/-+$/, '')}-${told}`;
}

function latinOf(name: string): string {
  return name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, MAX_SLUG)
    .replace(/-+$/, '');
}

const MAX_WORDS = 800;
const MAX_WORD = 40;

/** The words that a search on a list compares: whole ones, and how the longer ones begin. */
export function searchWords(...texts: readonly string[]): string[] {
  // Whole words first: how they begin is worth less than that they are there.
  const whole = new Set(plainWords(texts.join(' ')));
  const words = new Set([...whole].slice(0, MAX_WORDS));
  for (const word of whole) {
    for (let length = 3; length < word.length && words.size < MAX_WORDS; length++) words.add(word.slice(0, length));
  }
  return [...words];
}

const MAX_SEARCH = 500;

/** What a search on a list asks for, whichever door it came through. */
export function searchedWords(search: string | null | undefined): string[] {
  if (!search) return [];
  if (search.length > MAX_SEARCH) throw Problem.invalid('search', `must have at most ${MAX_SEARCH} characters`);
  return [...new Set(plainWords(search))];
}

export function plainWords(text: string): string[] {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return (plain.match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => word.slice(0, MAX_WORD));
}
