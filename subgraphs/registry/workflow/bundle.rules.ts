/** What a bundle of files may hold. Pure: every door checks with the same words. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { FieldIssue } from '../../../platform/errors.js';
import { invalidFields, wants } from '../../../platform/rules.js';

export const MAX_FILES = 200;
export const MAX_FILE_BYTES = 1_048_576;
export const MAX_BUNDLE_BYTES = 10 * 1_048_576;
const MAX_PATH = 400;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
// Control characters and what some file system somewhere gives a meaning of its own.
const UNSAFE = /[\\:*?"<>|\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

export const fileRule = z.object({
  path: z
    .string(wants('must be a text'))
    .describe('Relative, with / between the parts.')
    .meta({ examples: ['refs/tone.md'] }),
  content: z
    .string(wants('must be a text'))
    .refine((text) => !/\p{Cs}/u.test(text), 'must be well-formed Unicode')
    .nullish()
    .describe('The file as text.'),
  content_base64: z.string(wants('must be a text')).nullish().describe('The file as base64, for what is not text.'),
});

export type GivenFile = z.infer<typeof fileRule>;

export interface ReadFile {
  path: string;
  bytes: Buffer;
  sha256: string;
}

export function pathIssue(path: string): string | null {
  if (path === '' || path.length > MAX_PATH) return `must have 1 to ${MAX_PATH} characters`;
  if (path.startsWith('/')) return 'must be relative';
  if (UNSAFE.test(path)) return 'holds a character that file names cannot have everywhere';
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return 'must not have empty, . or .. parts';
  if (parts.some((part) => part.endsWith('.') || part !== part.trim()))
    return 'must not have parts that end in a dot or blank';
  return null;
}

/** Throws one validation_error that names every bad file. */
export function readBundle(given: readonly GivenFile[]): ReadFile[] {
  if (given.length > MAX_FILES)
    throw invalidFields([{ field: 'files', message: `must have at most ${MAX_FILES} files` }]);
  const issues: FieldIssue[] = [];
  const seen = new Set<string>();
  let total = 0;
  const files = given.flatMap((file, i): ReadFile[] => {
    const refuse = (member: string, message: string) => {
      issues.push({ field: `files.${i}.${member}`, message });
      return [];
    };
    const path = file.path.normalize('NFC');
    const wrong = pathIssue(path);
    if (wrong !== null) return refuse('path', wrong);
    // Some file systems do not tell cases apart.
    const folded = path.toLowerCase();
    if (seen.has(folded)) return refuse('path', 'is there twice; case makes no difference');
    seen.add(folded);
    const bytes = bytesOf(file);
    if (typeof bytes === 'string') return refuse('content', bytes);
    if (bytes.length > MAX_FILE_BYTES) return refuse('content', `must have at most ${MAX_FILE_BYTES} bytes`);
    total += bytes.length;
    return [{ path, bytes, sha256: createHash('sha256').update(bytes).digest('hex') }];
  });
  if (total > MAX_BUNDLE_BYTES)
    issues.push({ field: 'files', message: `must have at most ${MAX_BUNDLE_BYTES} bytes in all` });
  const folders = new Set(files.flatMap(({ path }) => foldersOf(path.toLowerCase())));
  for (const [i, { path }] of files.entries()) {
    if (folders.has(path.toLowerCase()))
      issues.push({ field: `files.${i}.path`, message: 'is a folder of another file too' });
  }
  if (issues.length > 0) throw invalidFields(issues);
  return files;
}

function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

function bytesOf({ content, content_base64 }: GivenFile): Buffer | string {
  const given = [content, content_base64].filter((value) => value !== undefined && value !== null);
  if (given.length !== 1) return 'give either content or content_base64';
  if (typeof content === 'string') return Buffer.from(content, 'utf8');
  const text = (content_base64 ?? '').replaceAll(/\s/g, '');
  return BASE64.test(text) && text.length % 4 === 0 ? Buffer.from(text, 'base64') : 'is not base64';
}
