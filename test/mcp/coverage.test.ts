/** Every documented operation is behind every door, and the commands say what the routes take. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { Command } from '../../cli/command.js';
import { GOODEYE } from '../../cli/goodeye/commands.js';
import { IMGFORGE } from '../../cli/imgforge/commands.js';
import { optionsOf } from '../../cli/inputs.js';
import { ROUTES } from '../../rest-shim/routes/index.js';
import { coverage, coveragePage } from '../../tools/coverage.js';

/** The sections of the API whose operations agents and terminals have; signing up and in is for people alone. */
const DOCUMENTED =
  /^\w+ \/v1\/(me|api-keys|workflows|templates|verifiers|image-generators|images|teams|invitations|design|audit)\b/;
/** Not in the documents: one thing of a list, and lists of what was run, which REST and the graph have besides. */
const BESIDES = ['getApiKey', 'getTeam', 'getInvitation', 'listGenerationRuns', 'listVerifierRuns'];

it('docs/coverage.md says what there is', async () => {
  expect(await readFile('docs/coverage.md', 'utf8')).toBe(coveragePage());
});

describe('each documented operation', () => {
  const rows = coverage().filter(({ operation, id }) => DOCUMENTED.test(operation) && !BESIDES.includes(id));

  it.each(rows)('$operation has a tool', ({ tools }) => {
    expect(tools.length).toBeGreaterThan(0);
  });

  it.each(rows)('$operation has a command', ({ commands }) => {
    expect(commands.length).toBeGreaterThan(0);
  });
});

const COMMANDS = [
  ...GOODEYE.map((command) => ['goodeye', command] as const),
  ...IMGFORGE.map((command) => ['imgforge', command] as const),
];

describe.each(
  COMMANDS.filter(([, { call }]) => call !== undefined).map(
    ([program, command]) => [`${program} ${command.words}`, command] as const,
  ),
)('%s', (_name, command) => {
  const row = ROUTES.find(({ method, path }) => `${method} ${path}` === command.call);

  it('stands for a path of the API', () => {
    expect(row?.id).toBeDefined();
  });

  it('gives the API what it takes', () => {
    const taken = (part: z.ZodObject | undefined) => Object.keys(part?.shape ?? {});
    const known = { path: taken(row?.params), query: taken(row?.query), body: taken(row?.body) };
    for (const input of [...(command.arguments ?? []), ...optionsOf(command)]) {
      if (ownInput(command, input.name)) continue;
      expect(known[input.in], `${input.in} ${input.name}`).toContain(input.name);
    }
    for (const name of known.path) {
      const given = [...(command.arguments ?? []), ...optionsOf(command)].map((input) => input.name);
      expect(ownInput(command, name) || given.includes(name), name).toBe(true);
    }
  });
});

/** What a command makes of its own: files it reads and writes, and words it says in another way. */
function ownInput({ run }: Command, name: string): boolean {
  return (
    run !== undefined && ['output', 'open', 'file', 'path', 'ttl', 'generator', 'generator_id', 'detach'].includes(name)
  );
}
