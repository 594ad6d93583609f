/** A command at work: which server and key, the call, and what is told of its answer. */
import { Api } from './api.js';
import type { Command, Context, Given } from './command.js';
import { type Credentials, credentialsPath, DEFAULT_SERVER, type Environment, readCredentials } from './credentials.js';
import { Failure, usage } from './failure.js';
import { optionsOf } from './inputs.js';
import { Activity } from './terminal/activity.js';
import { lines, table } from './terminal/show.js';
import { ask, clean, type Format, type Terminal, write } from './terminal/terminal.js';

/** What all commands of a program have in common. */
export interface Signing {
  /** The variable that holds a key. */
  keyVariable: string;
  /** Whether --key may name one. */
  keyFlag?: boolean;
  /** What to do without a good key. */
  signIn: string;
}

export interface Surroundings {
  argv: readonly string[];
  environment: Environment;
  terminal: Terminal;
  signal: AbortSignal;
}

const MAX_PAGES = 1_000;

export async function perform(
  command: Command,
  given: Given,
  flags: Readonly<Record<string, unknown>>,
  options: Signing,
  { environment, terminal, signal }: Surroundings,
): Promise<void> {
  const kept = await readCredentials(credentialsPath(environment));
  const anonymous = flags['anonymous'] === true;
  const server = serverOf(flags['server'], environment, kept);
  const key = anonymous ? null : keyOf(flags['key'], environment[options.keyVariable], kept, server);
  const context: Context = {
    api: new Api({ server, key, signal, signIn: options.signIn }),
    terminal,
    environment,
    format: formatOf(command, flags, terminal),
    activity: (text) => new Activity(terminal.stderr, text),
  };
  if (command.confirm) await confirmed(command.confirm(given), flags['yes'] === true, terminal);
  if (command.run) return command.run(given, context);
  await plainCall(command, given, flags['all'] === true, context);
}

function formatOf({ plain }: Command, flags: Readonly<Record<string, unknown>>, { stdout }: Terminal): Format {
  if (flags['json']) return 'json';
  return flags['table'] || plain || stdout.isTTY ? 'table' : 'json';
}

function serverOf(flag: unknown, environment: Environment, kept: Credentials | null): string {
  const server = typeof flag === 'string' ? flag : environment['GOODEYE_SERVER'] || kept?.server || DEFAULT_SERVER;
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) {
    throw usage(`${server} is no address of a server`, `It looks like ${DEFAULT_SERVER}.`);
  }
  return server;
}

/** A key that was kept for one server is not shown to another. */
function keyOf(flag: unknown, variable: string | undefined, kept: Credentials | null, server: string): string | null {
  if (typeof flag === 'string') return flag;
  if (variable) return variable;
  return kept && new URL(kept.server).origin === new URL(server).origin ? kept.api_key : null;
}

async function confirmed(question: string, yes: boolean, terminal: Terminal): Promise<void> {
  if (yes) return;
  const answer = await ask(terminal, `${clean(question)} [y/N] `);
  if (answer === null)
    throw usage('this cannot be undone, and there is nobody to ask', 'Give --yes to do it all the same.');
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('nothing was done');
}

async function plainCall(command: Command, given: Given, all: boolean, context: Context): Promise<void> {
  const activity = context.activity(`${command.words} …`);
  let body: Record<string, unknown>;
  try {
    body = await request(command, given, context.api);
    if (command.list && all) body = await everyPage(command, command.list.items ?? 'items', given, body, context.api);
  } finally {
    activity.end();
  }
  await print(command, given, body, context);
  const failure = command.failed?.(body);
  if (failure) throw new Failure(failure);
}

/** One call of the API, from what was given for it. */
export async function request(command: Command, given: Given, api: Api): Promise<Record<string, unknown>> {
  if (!command.call) throw new Error(`${command.words} has no call`);
  const [method = '', template = ''] = command.call.split(' ');
  const all = { ...given, ...command.fixed };
  const taken = new Set<string>();
  const path = template.replaceAll(/\{(\w+)\}/g, (_match, name: string) => {
    taken.add(name);
    return encodeURIComponent(String(all[name]));
  });
  const inputs = [...(command.arguments ?? []), ...optionsOf(command)];
  const query: Record<string, unknown> = {};
  const body: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(all)) {
    if (taken.has(name)) continue;
    const part = inputs.find((input) => input.name === name)?.in ?? 'body';
    if (part === 'query') query[name] = value;
    else if (part === 'body') body[name] = value;
  }
  const sendsBody = method !== 'GET' && Object.keys(body).length > 0;
  const timeout = command.timeoutMs === undefined ? {} : { timeoutMs: command.timeoutMs };
  return (await api.call(method, path, { query, ...(sendsBody && { body }), ...timeout })) ?? {};
}

async function everyPage(command: Command, member: string, given: Given, first: Record<string, unknown>, api: Api) {
  const items = [...(first[member] as unknown[])];
  let cursor = first['next_cursor'];
  for (let page = 1; cursor && page < MAX_PAGES; page += 1) {
    const next = await request(command, { ...given, cursor }, api);
    items.push(...(next[member] as unknown[]));
    cursor = next['next_cursor'];
  }
  return { ...first, [member]: items, next_cursor: cursor ?? null };
}

export async function print(
  command: Command,
  given: Given,
  body: Record<string, unknown>,
  context: Context,
): Promise<void> {
  const { terminal, format } = context;
  const { list, show } = command;
  if (format === 'json') return write(terminal.stdout, `${JSON.stringify(body)}\n`);
  if (show) return write(terminal.stdout, show(body, given));
  if (!list) return write(terminal.stdout, Object.keys(body).length === 0 ? 'done\n' : lines(body));
  const rows = body[list.items ?? 'items'] as Record<string, unknown>[];
  await write(terminal.stdout, table(rows, list.columns, terminal.stdout.columns ?? 120));
  const { next_cursor: more } = body;
  if (more) await write(terminal.stderr, `There is more: --all, or --cursor ${clean(String(more))}\n`);
}
