/** What a command takes, and how the words at the terminal become it. */
import type { Command, Given, Input, Option } from './command.js';
import { usage } from './failure.js';

const LIST: readonly Option[] = [
  { name: 'limit', in: 'query', kind: 'number', help: 'how many items, 1 to 100' },
  { name: 'cursor', in: 'query', help: 'where to go on: next_cursor of the page before' },
];

/** Only what is read comes in pages. */
export function isPaged({ list, call }: Command): boolean {
  return list !== undefined && call?.startsWith('GET ') === true;
}

export function optionsOf(command: Command): readonly Option[] {
  const { options = [] } = command;
  return isPaged(command)
    ? [...options, ...LIST.filter(({ name }) => !options.some((option) => option.name === name))]
    : options;
}

export function flagOf({ flag, name }: Option): string {
  return flag ?? name.replaceAll('_', '-');
}

export function givenOf(command: Command, words: readonly string[], flags: Readonly<Record<string, unknown>>): Given {
  const given: Record<string, unknown> = {};
  for (const [i, argument] of (command.arguments ?? []).entries()) {
    const word = words[i];
    if (word !== undefined) given[argument.name] = readInput(argument, word, `<${argument.name}>`);
  }
  for (const option of optionsOf(command)) {
    const flag = flagOf(option);
    const value = flags[camel(flag)];
    if (value !== undefined) given[option.name] = readInput(option, value, `--${flag}`);
  }
  return given;
}

function camel(flag: string): string {
  return flag.replaceAll(/-(\w)/g, (_match, letter: string) => letter.toUpperCase());
}

function readInput({ kind = 'text' }: Input, value: unknown, where: string): unknown {
  if (kind === 'number') {
    const number = Number(value);
    if (value === '' || Number.isNaN(number)) throw usage(`${where} must be a number`);
    return number;
  }
  if (kind === 'json') return parseJson(String(value), where);
  return value;
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usage(`${where} must be JSON`, `As in --params-json '{"image_size": "square_hd"}'.`);
  }
}
