/** Bodies of workflows and templates: between markers for the agent that reads them, plain in a file. */
import { writeFile } from 'node:fs/promises';
import type { Command, Context, Given } from '../command.js';
import { request } from '../perform.js';
import { table } from '../terminal/show.js';
import { clean, write } from '../terminal/terminal.js';
import { writeBelow } from './pack.js';

/**
 * The markers say where a text begins and ends that somebody wrote, and who. What is between them is to be followed or
 * not by whoever asked for it; it is never the program that speaks there.
 */
export async function printRunbook(command: Command, given: Given, context: Context): Promise<void> {
  const { output, ...rest } = given;
  const body = await request(command, rest, context.api);
  const { terminal, format } = context;
  if (typeof output === 'string') {
    await writeFile(output, String(body['body']));
    return write(terminal.stderr, `wrote ${output}\n`);
  }
  if (format === 'json') return write(terminal.stdout, `${JSON.stringify(body)}\n`);
  await write(terminal.stdout, marked(body));
}

export function marked(body: Record<string, unknown>): string {
  const { handle, slug, id, version, name } = body;
  const what = handle && slug ? `@${handle}/${slug}` : String(id ?? name);
  const label = oneLine(`${what} version ${version}: ${name}`);
  const text = clean(String(body['body']));
  return `<<< RUNBOOK ${label}\n${text}${text.endsWith('\n') ? '' : '\n'}>>> END OF RUNBOOK\n`;
}

function oneLine(text: string): string {
  return clean(text).replaceAll(/\s+/g, ' ');
}

/** The list of files, one of them on stdout, or all of them in a folder. */
export async function files(command: Command, given: Given, context: Context): Promise<void> {
  const { output, path, ...rest } = given;
  const { api, terminal, format } = context;
  const list = await request(command, rest, api);
  const found = (list['files'] ?? []) as { path: string; size_bytes: number; content_type: string }[];
  if (typeof output === 'string') {
    const wanted = path === undefined ? found : found.filter((file) => file.path === path);
    for (const file of wanted) await writeBelow(output, file.path, await bytesOf(command, rest, file.path, context));
    return write(terminal.stderr, `wrote ${wanted.length} files to ${output}\n`);
  }
  if (path !== undefined) {
    terminal.stdout.write(await bytesOf(command, rest, String(path), context));
    return;
  }
  if (format === 'json') return write(terminal.stdout, `${JSON.stringify(list)}\n`);
  await write(terminal.stdout, table(found, ['path', 'size_bytes', 'content_type'], terminal.stdout.columns ?? 120));
}

async function bytesOf(command: Command, given: Given, path: string, { api }: Context): Promise<Uint8Array> {
  const [, template = ''] = command.call?.split(' ') ?? [];
  const url = template.replaceAll(/\{(\w+)\}/g, (_match, name: string) => encodeURIComponent(String(given[name])));
  const { version } = given;
  const answer = await api.fetch('GET', url, { query: { path, format: 'raw', version } });
  return new Uint8Array(await answer.arrayBuffer());
}
