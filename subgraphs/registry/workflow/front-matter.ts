/** The YAML block that a body may begin with, between two lines of three hyphens. */
import { parseDocument } from 'yaml';
import { Problem } from '../../../platform/errors.js';

export interface FrontMatter {
  name?: string;
  description?: string;
  outcome?: string;
  slug?: string;
  tags?: string[];
}

const BLOCK = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n?---[ \t]*(?:\r?\n|$)/;
const MAX_BLOCK = 16_384;
const TEXTS = ['name', 'description', 'outcome', 'slug'] as const;

/** Members that we do not know are left alone: they are the author's. */
export function readFrontMatter(body: string): FrontMatter {
  const block = BLOCK.exec(body)?.[1];
  if (block === undefined) return {};
  if (block.length > MAX_BLOCK) throw wrong(`must have at most ${MAX_BLOCK} characters`);
  const fields = parse(block);
  const found: FrontMatter = {};
  for (const name of TEXTS) {
    const value = fields[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'string' && typeof value !== 'number') throw wrong(`${name} must be a text`);
    found[name] = String(value).trim();
  }
  const { tags } = fields;
  if (tags !== undefined && tags !== null) {
    const list = typeof tags === 'string' ? tags.split(',') : tags;
    if (!Array.isArray(list) || !list.every((tag) => typeof tag === 'string' || typeof tag === 'number')) {
      throw wrong('tags must be a list of texts');
    }
    found.tags = list.map((tag) => String(tag).trim()).filter((tag) => tag !== '');
  }
  return found;
}

function parse(block: string): Record<string, unknown> {
  // Without aliases and custom tags YAML cannot unfold into more than was sent.
  const document = parseDocument(block, { schema: 'core', uniqueKeys: true, logLevel: 'silent' });
  const [error] = document.errors;
  if (error) throw wrong(`is not YAML: ${error.message.split('\n', 1)[0]}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch {
    throw wrong('must not use aliases');
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw wrong('must hold names and values');
  return value as Record<string, unknown>;
}

function wrong(message: string): Problem {
  return Problem.invalid('body', `front matter ${message}`);
}
