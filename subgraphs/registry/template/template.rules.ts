/** What callers may say of templates, and how they name one. Pure, so that every door checks with the same words. */
import { z } from 'zod';
import { PlainId } from '../../../platform/ids.js';
import { versionRule } from '../versioned/rules.js';
import { nameRule, textRule } from '../workflow/workflow.rules.js';

export const MESSAGE_LENGTH = 1_000;
export const IDENTIFIER_LENGTH = 300;

export const publishRules = z.object({
  workflow_id: textRule(200).describe('Id of one of your workflows, or its slug.'),
  release_notes: textRule(10_000).nullish().describe('What is new in this version.'),
});

export const forkRules = z.object({
  identifier: textRule(IDENTIFIER_LENGTH)
    .describe('Id, `@handle/slug` or `@handle/slug@vN`.')
    .meta({ examples: ['@ada/weekly-report'] }),
  version: versionRule.nullish().describe('A version; the newest that is published when left out.'),
  name: nameRule.nullish().describe('What the workflow is to be called; as the template when left out.'),
});

export const deprecateRules = z.object({
  message: textRule(MESSAGE_LENGTH)
    .refine((message) => message.trim() !== '', 'must not be empty')
    .describe('Why, and what to use instead. It is shown to whoever reads or forks the version.'),
});

export const archiveRules = z.object({
  archive_reason: textRule(MESSAGE_LENGTH).nullish().describe('Why, for yourself.'),
});

export type TemplateReference =
  | { kind: 'id'; id: string; version: number | null }
  | { kind: 'path'; handle: string; slug: string; version: number | null }
  | { kind: 'slug'; slug: string; version: number | null };

const PINNED = /^(.+)@v?([1-9]\d{0,8})$/;
const HANDLE = /^[A-Za-z0-9-]{1,64}$/;
const SLUG = /^[a-z0-9-]{1,100}$/;

/** Null for what can name nothing, which is to answer like a missing template. */
export function readTemplateReference(text: string): TemplateReference | null {
  const [, bare = text, pin] = PINNED.exec(text) ?? [];
  const version = pin === undefined ? null : Number(pin);
  const id = PlainId.parse(bare);
  if (id !== null) return { kind: 'id', id, version };
  const slash = bare.indexOf('/');
  if (slash < 0) return SLUG.test(bare) ? { kind: 'slug', slug: bare, version } : null;
  const handle = bare.slice(bare.startsWith('@') ? 1 : 0, slash);
  const slug = bare.slice(slash + 1);
  return HANDLE.test(handle) && SLUG.test(slug) ? { kind: 'path', handle: handle.toLowerCase(), slug, version } : null;
}
