/** Makes a program of a command table: its help, its flags, its completion. */
import { CommanderError, Argument as WordArgument, Option as WordOption, Command as Words } from 'commander';
import { VERSION } from '../platform/version.js';
import type { Argument, Command, Option } from './command.js';
import { candidates, completionScript, isShell, SHELLS } from './completion.js';
import { EXIT, Failure } from './failure.js';
import { flagOf, givenOf, isPaged, optionsOf } from './inputs.js';
import { perform, type Signing, type Surroundings } from './perform.js';
import { clean, type Terminal, write } from './terminal/terminal.js';

export interface ProgramOptions extends Signing {
  name: string;
  description: string;
  /** Said below the help of the program. */
  epilogue: string;
  commands: readonly Command[];
  /** What the nouns are about. */
  nouns: Readonly<Record<string, string>>;
}

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
    const given = givenOf(command, words.args, flags);
    await perform(command, given, flags, options, surroundings);
  });
}

function wordArgument({ name, help, optional, choices }: Argument): WordArgument {
  const argument = new WordArgument(optional ? `[${name}]` : `<${name}>`, help);
  return choices ? argument.choices([...choices]) : argument;
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
