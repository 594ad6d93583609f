/** `npm run bench`: throughput of the platform beside what it is measured against, from one run on one machine. */
import 'reflect-metadata';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Row } from './section.js';
import { billing } from './sections/billing.js';
import { firstRun } from './sections/first-run.js';
import { graph } from './sections/graph.js';
import { images } from './sections/images.js';
import { jobs } from './sections/jobs.js';
import { renderer } from './sections/renderer.js';
import { rest } from './sections/rest.js';
import { runs } from './sections/runs.js';
import { search } from './sections/search.js';
import { subscriptions } from './sections/subscriptions.js';
import { uploads } from './sections/uploads.js';
import { shareCores } from './support/cores.js';
import { BenchError } from './support/error.js';
import { profileSummary } from './support/profile.js';
import { table } from './support/table.js';
import { openWorld } from './support/world.js';
import { requireWrk } from './support/wrk.js';

const SECTIONS = [graph, rest, billing, renderer, firstRun, runs, images, uploads, jobs, subscriptions, search];

const HELP = `npm run bench -- [SECTION…] [options]

Sections (all of them when none is named)
${SECTIONS.map(({ name, summary }) => `  ${name.padEnd(14)}${summary}`).join('\n')}

Options
  --rounds N    how often each candidate is measured (default 7)
  --seconds N   how long each measurement takes (default 3)
  --profile DIR write CPU profiles of our own processes to DIR and show where their time went
  --json        print the result as JSON
`;

const OPTIONS = {
  rounds: { type: 'string', default: '7' },
  seconds: { type: 'string', default: '3' },
  profile: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: OPTIONS });
  if (values.help) return void process.stdout.write(HELP);
  const unknown = positionals.find((name) => !SECTIONS.some((section) => section.name === name));
  if (unknown !== undefined) throw new BenchError(`there is no section "${unknown}"\n\n${HELP}`);
  const chosen = SECTIONS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const settings = { rounds: count('rounds', values.rounds), seconds: count('seconds', values.seconds) };
  await requireWrk();
  const cores = await shareCores();
  const before = loadavg();
  const rows: Row[] = [];
  const world = await openWorld();
  try {
    say(cores.note);
    for (const section of chosen) {
      say(`\n${section.name}: ${section.summary}`);
      rows.push(...(await section.run({ world, cores, settings, profileDir: values.profile, say })));
    }
  } finally {
    await world.close();
  }
  const load = { before, after: loadavg() };
  if (values.json) return void process.stdout.write(`${JSON.stringify({ settings, load, rows }, null, 2)}\n`);
  process.stdout.write(`\n${table(rows)}\nLoad average ${shown(before)} before, ${shown(load.after)} after.\n`);
  if (values.profile !== undefined) process.stdout.write(await profileSummary(values.profile));
}

/** Progress stays out of what is piped on. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new BenchError(`--${name} takes a whole number from 1`);
  return value;
}

function shown(averages: readonly number[]): string {
  return averages.map((average) => average.toFixed(1)).join(' ');
}

// Ending by way of exit() ends the processes that are being measured as well.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

main().catch((error: unknown) => {
  const wrongUse = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  const expected = error instanceof BenchError || wrongUse;
  process.stderr.write(`bench: ${error instanceof Error ? (expected ? error.message : error.stack) : error}\n`);
  process.exitCode = expected ? 2 : 1;
});
