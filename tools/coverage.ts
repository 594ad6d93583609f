/** The page of doors: each REST operation beside its tool and its command. `npm run schema` writes it. */
import { GOODEYE } from '../cli/goodeye/commands.js';
import { IMGFORGE } from '../cli/imgforge/commands.js';
import { TOOLS } from '../mcp/tools.js';
import { V2_TOOLS } from '../mcp/v2-tools.js';
import { ROUTES } from '../rest-shim/routes/index.js';

const HEAD = `# Doors

The same operation behind every door: a path of the REST API, a tool of \`/mcp\` (for \`/v2\`: of \`/v2/mcp\`), and a command.
The graph has all of them. Signing up and in is for people, so it has no tools; payment pages are for a browser.

| REST | tool | command |
|---|---|---|
`;

export interface Coverage {
  operation: string;
  id: string;
  tools: string[];
  commands: string[];
}

export function coverage(): Coverage[] {
  return ROUTES.map(({ method, path, id }) => {
    const operation = `${method} ${path}`;
    const tools = path.startsWith('/v2/') ? V2_TOOLS : TOOLS;
    const called = (name: string, commands: typeof GOODEYE) =>
      commands.filter(({ call }) => call === operation).map(({ words }) => `${name} ${words}`);
    return {
      operation,
      id,
      tools: tools.filter(({ row, also }) => row === id || also?.includes(id)).map(({ name }) => name),
      commands: [...called('goodeye', GOODEYE), ...called('imgforge', IMGFORGE)],
    };
  });
}

export function coveragePage(): string {
  const cell = (words: readonly string[]) => words.map((word) => `\`${word}\``).join(', ');
  const rows = coverage().map(
    ({ operation, tools, commands }) => `| \`${operation}\` | ${cell(tools)} | ${cell(commands)} |\n`,
  );
  return HEAD + rows.join('');
}
