/** What a shell may offer next: the words below the noun, the flags of the command, or the choices of a flag. */
import type { Option, Command as Words } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function isShell(name: string): name is Shell {
  return (SHELLS as readonly string[]).includes(name);
}

/** `words` are those behind the program's name; the last one is being written. */
export function candidates(program: Words, words: readonly string[]): string[] {
  const before = words.slice(0, -1);
  const written = words.at(-1) ?? '';
  let at = program;
  for (const word of before) at = at.commands.find((command) => command.name() === word) ?? at;
  const previous = before.at(-1);
  const flag = previous?.startsWith('-')
    ? at.options.find(({ long, short }) => long === previous || short === previous)
    : undefined;
  const offered = flag && takesValue(flag) ? (flag.argChoices ?? []) : [...nouns(at), ...flags(at), ...choices(at)];
  return offered.filter((word) => word.startsWith(written)).sort();
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function nouns(at: Words): string[] {
  return at.commands.map((command) => command.name()).filter((name) => !name.startsWith('__'));
}

function flags(at: Words): string[] {
  return [...at.options.flatMap(({ long }) => long ?? []), '--help'];
}

function choices(at: Words): string[] {
  return at.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
}

export function completionScript(shell: Shell, name: string): string {
  return { bash, zsh, fish }[shell](name);
}

const bash = (name: string) => `_${name}_words() {
  local IFS=$'\\n'
  COMPREPLY=($(${name} __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _${name}_words ${name}
`;

const zsh = (name: string) => `#compdef ${name}
_${name}() {
  local -a found
  found=(\${(f)"$(${name} __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -- $found; else _files; fi
}
compdef _${name} ${name}
`;

const fish = (
  name: string,
) => `complete -c ${name} -a '(${name} __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`;
