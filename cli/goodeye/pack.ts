/** Prompt packs: a text for an agent, and files beside it, which are written below one folder and nowhere else. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Command, Context, Given } from '../command.js';
import { Failure } from '../failure.js';
import { request } from '../perform.js';
import { type Terminal, write } from '../terminal/terminal.js';

const PACK_INPUTS = [
  { name: 'max_iterations', in: 'query', help: '' },
  { name: 'trigger_context', in: 'body', help: '' },
] as const;

/** The text on stdout, or the text and its references as files. */
export async function promptPack(call: string, given: Given, context: Context): Promise<void> {
  const { output, ...rest } = given;
  const command: Command = { words: 'prompt pack', call, help: '', arguments: PACK_INPUTS };
  const body = await request(command, rest, context.api);
  if (typeof output === 'string') return writePack(output, body, context.terminal);
  if (context.format === 'json') return write(context.terminal.stdout, `${JSON.stringify(body)}\n`);
  await write(context.terminal.stdout, String(body['skill_md']));
}

async function writePack(folder: string, body: Record<string, unknown>, terminal: Terminal): Promise<void> {
  const references = (body['references'] ?? {}) as Record<string, string>;
  const files = { 'SKILL.md': String(body['skill_md']), ...references };
  for (const [path, text] of Object.entries(files)) await writeBelow(folder, path, text);
  await write(terminal.stderr, `Wrote ${Object.keys(files).length} files to ${folder}.\n`);
}

/** A path that leads out of the folder is not one that the server should have sent. */
export async function writeBelow(folder: string, path: string, content: string | Uint8Array): Promise<void> {
  const root = resolve(folder);
  const target = resolve(join(root, path));
  const inside = relative(root, target);
  if (inside === '' || inside.startsWith(`..${sep}`) || inside === '..') throw new Failure(`refused to write ${path}`);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, content);
}
