/** A workflow on this machine: one file, or a folder with a body and the files beside it. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import type { Api } from '../api.js';
import { Failure } from '../failure.js';

const BODIES = ['WORKFLOW.md', 'SKILL.md', 'README.md'];
const MAX_FILES = 200;
const MAX_BYTES = 10 * 1024 * 1024;

export interface LocalWorkflow {
  body: string;
  files?: { path: string; content?: string; content_base64?: string }[];
}

export async function readWorkflow(path: string, api: Api): Promise<LocalWorkflow> {
  const facts = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(error.code === 'ENOENT' ? `there is no ${path}` : `cannot read ${path}: ${error.message}`);
  });
  if (!facts.isDirectory()) return { body: await readFile(path, 'utf8') };
  const ignored = await ignoreRules(api);
  const paths = await below(path, path, ignored);
  const body = BODIES.find((name) => paths.includes(name));
  if (!body) throw new Failure(`${path} has none of ${BODIES.join(', ')}`, { hint: 'One of them is the body.' });
  const beside = paths.filter((name) => name !== body);
  if (beside.length > MAX_FILES)
    throw new Failure(`${path} has ${beside.length} files; ${MAX_FILES} may stand beside a body`);
  let total = 0;
  const files = [];
  for (const name of beside) {
    const bytes = await readFile(join(path, name));
    total += bytes.length;
    if (total > MAX_BYTES) throw new Failure(`the files of ${path} have more than 10 MiB`);
    files.push({ path: name, ...contentOf(bytes) });
  }
  return { body: await readFile(join(path, body), 'utf8'), files };
}

function contentOf(bytes: Buffer): { content: string } | { content_base64: string } {
  try {
    return { content: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { content_base64: bytes.toString('base64') };
  }
}

async function ignoreRules(api: Api): Promise<RegExp[]> {
  const config = await api.call('GET', '/.well-known/goodeye-client-config');
  const names = (config?.['ignore_defaults'] ?? []) as string[];
  return names.map(pattern);
}

/** As in a .gitignore without slashes: a name, or one with stars in it. */
function pattern(rule: string): RegExp {
  const name = rule.replace(/\/$/, '').replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${name.replaceAll('*', '.*')}$`);
}

/** Links are passed over: they may lead out of the folder. */
async function below(root: string, folder: string, ignored: readonly RegExp[]): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (ignored.some((rule) => rule.test(basename(entry.name)))) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await below(root, path, ignored)));
    else if (entry.isFile()) found.push(relative(root, path).split(sep).join('/'));
  }
  return found.sort();
}
