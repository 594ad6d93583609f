/** The words of the operator's command, for shells to complete. */
import { Argument, Command as Words } from 'commander';
import { SUBGRAPH_NAMES } from '../platform/subgraph.js';
import { ADMIN_WORDS } from './admin.js';
import { candidates, completionScript, isShell, SHELLS } from './completion.js';

function darkroomWords(): Words {
  const program = new Words('darkroom');
  for (const role of ['start', 'gateway', 'worker', 'config']) program.command(role);
  program.command('subgraph').addArgument(new Argument('<name>').choices([...SUBGRAPH_NAMES]));
  program.command('completion').addArgument(new Argument('<shell>').choices([...SHELLS]));
  const admin = program.command('admin');
  for (const { verb, options, flags } of ADMIN_WORDS) {
    const words = admin.command(verb);
    for (const option of options) words.option(`--${option} <text>`);
    for (const flag of flags) words.option(`--${flag}`);
  }
  return program;
}

/** What a shell asks for; null where the words are no shell's. */
export function completionAnswer([first, ...words]: readonly string[]): string | null {
  if (first === 'completion' && words.length === 1 && isShell(words[0] ?? '')) {
    return completionScript(words[0] as (typeof SHELLS)[number], 'darkroom');
  }
  if (first !== '__complete') return null;
  const asked = words[0] === '--' ? words.slice(1) : words;
  return candidates(darkroomWords(), asked)
    .map((word) => `${word}\n`)
    .join('');
}
