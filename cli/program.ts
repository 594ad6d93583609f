/** Makes a program of a command table: its help, its flags, its completion, and what every command has in common. */
import { readFile } from 'node:fs/promises';
import { CommanderError, Argument as WordArgument, Option as WordOption, Command as Words } from 'commander';
import { VERSION } from '../platform/version.js';
import { Api } from './api.js';
import type { Argument, Command, Context, Given, Input, Option } from './command.js';
import { candidates, completionScript, isShell, SHELLS } from './completion.js';
import { type Credentials, credentialsPath, DEFAULT_SERVER, type Environment, readCredentials } from './credentials.js';
import { EXIT, Failure, usage } from './failure.js';
import { Activity } from './terminal/activity.js';
import { lines, table } from './terminal/show.js';
import { ask, clean, type Format, type Terminal, write } from './terminal/terminal.js';

export interface ProgramOptions {
  name: string;
  description: string;
  /** Said below the help of the program. */
  epilogue: string;
  commands: readonly Command[];
  /** What the nouns are about. */
  nouns: Readonly<Record<string, string>>;
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

const LIST: readonly Option[] = [
  { name: 'limit', in: 'query', kind: 'number', help: 'how many items, 1 to 100' },
  { name: 'cursor', in: 'query', help: 'where to go on: next_cursor of the page before' },
];
const MAX_PAGES = 1_000;

/** The status to exit with. */
export async function runProgram(options: ProgramOptions, surroundings: Surroundings): Promise<number> {
  const { terminal, argv, signal } = surroundings;
  const program = build(options, surroundings);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
    if (signal.aborted) return EXIT.interrupted;
    if (error instanceof Failure) return tell(error, options.name, argv.includes('--json'), terminal);
    throw error;
  }
}

async function tell({ message, hint, status, body }: Failure, name: string, asJson: boolean, { stderr }: Terminal) {
  if (asJson && body) await write(stderr, `${JSON.stringify(body)}\n`);
  else await write(stderr, `${name}: ${clean(message)}\n${hint ? `${clean(hint)}\n` : ''}`);
  return status;
}

function build(options: ProgramOptions, surroundings: Surroundings): Words {
  const { terminal } = surroundings;
  const program = new Words(options.name)
    .description(options.description)
    .version(VERSION, '-V, --version', 'the version of this program')
    .helpOption('-h, --help', 'what there is to say about a command')
    // Behind a command, --version is the command's own.
    .enablePositionalOptions()
    .addHelpText('after', `\n${options.epilogue}`)
    .configureHelp({ sortSubcommands: true, showGlobalOptions: true });
  for (const command of options.commands) addCommand(program, command, options, surroundings);
  addCompletion(program, options.name, terminal);
  settle(program, terminal);
  return program;
}

/** Of a program and all below it: nothing ends the process, and usage errors go where errors go. */
function settle(words: Words, terminal: Terminal): void {
  words
    .exitOverride()
    .showSuggestionAfterError(true)
    .showHelpAfterError(`(${pathOf(words)} --help says more)`);
  words.configureOutput({
    writeOut: (text) => void terminal.stdout.write(text),
    writeErr: (text) => void terminal.stderr.write(text),
  });
  for (const below of words.commands) settle(below, terminal);
}

function pathOf(words: Words): string {
  return words.parent ? `${pathOf(words.parent)} ${words.name()}` : words.name();
}

function addCommand(program: Words, command: Command, options: ProgramOptions, surroundings: Surroundings): void {
  const names = command.words.split(' ');
  let words = program;
  for (const [i, name] of names.entries()) {
    const known = words.commands.find((below) => below.name() === name);
    const next = known ?? words.command(name);
    if (!known && i < names.length - 1) next.description(options.nouns[names.slice(0, i + 1).join(' ')] ?? '');
    words = next;
  }
  words.description(command.help);
  for (const argument of command.arguments ?? []) words.addArgument(wordArgument(argument));
  for (const option of optionsOf(command)) words.addOption(wordOption(option));
  if (isPaged(command)) words.option('--all', 'every page, not just one');
  if (command.confirm) words.option('-y, --yes', 'do not ask');
  if (command.anonymous) words.option('--anonymous', 'send no credentials');
  if (options.keyFlag) words.option('--key <key>', `the key to use instead of ${options.keyVariable}`);
  words.option('--server <url>', 'the address of the server').option('--json', 'the answer as one line of JSON');
  words.addOption(new WordOption('--table', 'the answer for people').conflicts('json'));
  if (command.examples)
    words.addHelpText('after', `\nExamples:\n${command.examples.map((line) => `  ${line}\n`).join('')}`);
  words.action(async () => {
    const flags = words.opts<Record<string, unknown>>();
    const given = await givenOf(command, words.args, flags);
    await perform(command, given, flags, options, surroundings);
  });
}

/** Only what is read comes in pages. */
function isPaged({ list, call }: Command): boolean {
  return list !== undefined && call?.startsWith('GET ') === true;
}

export function optionsOf(command: Command): readonly Option[] {
  const { options = [] } = command;
  return isPaged(command)
    ? [...options, ...LIST.filter(({ name }) => !options.some((option) => option.name === name))]
    : options;
}

function wordArgument({ name, help, optional, choices }: Argument): WordArgument {
  const argument = new WordArgument(optional ? `[${name}]` : `<${name}>`, help);
  return choices ? argument.choices([...choices]) : argument;
}

export function flagOf({ flag, name }: Option): string {
  return flag ?? name.replaceAll('_', '-');
}

function wordOption(option: Option): WordOption {
  const { short, kind = 'text', help, choices, required, default: preset } = option;
  const value = {
    text: ' <text>',
    number: ' <number>',
    flag: '',
    list: ' <text...>',
    json: ' <json>',
    file: ' <path>',
  }[kind];
  const words = new WordOption(`${short ? `-${short}, ` : ''}--${flagOf(option)}${value}`, help);
  if (choices) words.choices([...choices]);
  if (required) words.makeOptionMandatory();
  if (preset !== undefined) words.default(preset);
  return words;
}

async function givenOf(
  command: Command,
  words: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): Promise<Given> {
  const given: Record<string, unknown> = {};
  for (const [i, argument] of (command.arguments ?? []).entries()) {
    const word = words[i];
    if (word !== undefined) given[argument.name] = await readInput(argument, word, `<${argument.name}>`);
  }
  for (const option of optionsOf(command)) {
    const flag = flagOf(option);
    const value = flags[camel(flag)];
    if (value !== undefined) given[option.name] = await readInput(option, value, `--${flag}`);
  }
  return given;
}

function camel(flag: string): string {
  return flag.replaceAll(/-(\w)/g, (_match, letter: string) => letter.toUpperCase());
}

async function readInput({ kind = 'text' }: Input, value: unknown, where: string): Promise<unknown> {
  if (kind === 'number') {
    const number = Number(value);
    if (value === '' || Number.isNaN(number)) throw usage(`${where} must be a number`);
    return number;
  }
  if (kind === 'json') return parseJson(String(value), where);
  if (kind === 'file') return readText(String(value), where);
  return value;
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usage(`${where} must be JSON`, `As in --params-json '{"image_size": "square_hd"}'.`);
  }
}

function readText(path: string, where: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usage(`${where}: ${error.code === 'ENOENT' ? `there is no file ${path}` : error.message}`);
  });
}

async function perform(
  command: Command,
  given: Given,
  flags: Readonly<Record<string, unknown>>,
  options: ProgramOptions,
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

function addCompletion(program: Words, name: string, terminal: Terminal): void {
  program
    .command('completion')
    .description('the script by which a shell completes the words of this program')
    .addArgument(new WordArgument('<shell>', 'which shell').choices([...SHELLS]))
    .addHelpText(
      'after',
      `\nExamples:\n  ${name} completion bash >> ~/.bashrc\n  ${name} completion zsh > ~/.zfunc/_${name}\n  ${name} completion fish > ~/.config/fish/completions/${name}.fish\n`,
    )
    .action(async (shell: string) => {
      if (isShell(shell)) await write(terminal.stdout, completionScript(shell, name));
    });
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const found = candidates(program, words);
      await write(terminal.stdout, found.map((word) => `${word}\n`).join(''));
    });
}
