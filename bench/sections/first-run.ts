/** How long somebody who has just typed `npm start` waits for a picture: the first run of a fresh process, and the next. */

import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Bench, Row, Section } from '../section.js';
import { BenchError } from '../support/error.js';
import { type Server, startServer } from '../support/server.js';
import { median, spread } from '../support/statistics.js';

const WITHIN_MS = 400;
const SIDE = 1024;
const PATH = '/v1/image-generators/system:image-standard/runs';
const NEXT = 5;
const EMAIL = 'you@example.com';
const CODE_MS = 10_000;
const PROGRAM = fileURLToPath(new URL('../../main.js', import.meta.url));

interface Timed {
  ms: number;
  cpuMicros: number;
}

export const firstRun: Section = {
  name: 'first-run',
  summary: `the first run of a fresh \`npm start\` and the next ${NEXT}, beside ${WITHIN_MS} ms a hosted picture of ${SIDE}²`,
  async run(bench: Bench): Promise<Row[]> {
    const rounds: { first: Timed; next: Timed[] }[] = [];
    // No round warms up for the others: what is measured is a process that nobody has used.
    for (let round = 0; round < bench.settings.rounds; round++) {
      const [first, ...next] = await measure(bench, round);
      if (!first) throw new BenchError('nothing was drawn');
      bench.say(`  first ${first.ms.toFixed(0)} ms, next ${next.map(({ ms }) => ms.toFixed(0)).join(' ')} ms`);
      rounds.push({ first, next });
    }
    return [
      row(
        'the first',
        rounds.map(({ first }) => [first]),
      ),
      row(
        `the next ${NEXT}`,
        rounds.map(({ next }) => next),
      ),
    ];
  },
};

/** A process with its own engines on a directory of its own. Both cores are its: the caller only waits for it. */
async function measure({ world, cores }: Bench, round: number): Promise<Timed[]> {
  const server = await startServer({
    core: cores.all,
    args: [PROGRAM, 'start'],
    env: { DATA_DIR: await world.directory(`first-run-${round}`), LOG_LEVEL: 'warn' },
    readyPath: '/readyz',
  });
  try {
    const key = await signUp(server);
    const timed: Timed[] = [];
    for (let i = 0; i <= NEXT; i++) timed.push(await draw(server, key, `A calm mountain lake at dawn, number ${i}`));
    return timed;
  } finally {
    await server.stop();
  }
}

async function signUp(server: Server): Promise<string> {
  await post(server, '/v1/register', { email: EMAIL });
  const deadline = Date.now() + CODE_MS;
  while (printedCode(server) === undefined) {
    if (Date.now() > deadline) throw new BenchError(`no sign-up code was printed:\n${server.output()}`);
    await pause(20);
  }
  const code = printedCode(server);
  const { api_key } = await post(server, '/v1/register/verify', { email: EMAIL, code });
  return String(api_key);
}

/** Without SMTP the process shows codes to whoever started it. */
function printedCode(server: Server): string | undefined {
  return /│ +(\d{6})\s/.exec(server.output())?.[1];
}

async function draw(server: Server, key: string, prompt: string): Promise<Timed> {
  const cpuBefore = await server.cpuSeconds();
  const start = performance.now();
  const answer = await post(server, PATH, { prompt }, key);
  const ms = performance.now() - start;
  const cpuMicros = ((await server.cpuSeconds()) - cpuBefore) * 1_000_000;
  if (answer.status !== 'complete' || answer.width !== SIDE || answer.height !== SIDE) {
    throw new BenchError(`a run answered ${JSON.stringify(answer)}`);
  }
  // Hosted means that it can be fetched as soon as the answer is there.
  const { pathname } = new URL(String(answer.image_url));
  const picture = await fetch(server.url + pathname, { headers: { authorization: `Bearer ${key}` } });
  const bytes = Buffer.from(await picture.arrayBuffer());
  if (picture.status !== 200 || bytes.readUInt32BE(16) !== SIDE) throw new BenchError(`${pathname} is no such picture`);
  return { ms, cpuMicros };
}

async function post(server: Server, path: string, body: object, key?: string): Promise<Record<string, unknown>> {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new BenchError(`${path} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

function row(name: string, rounds: readonly (readonly Timed[])[]): Row {
  const medians = rounds.map((timed) => median(timed.map(({ ms }) => ms)));
  const all = rounds.flat();
  return {
    group: 'run of a fresh start',
    name,
    requestsPerSecond: spread(medians.map((ms) => 1000 / ms)),
    p99Ms: Math.max(...all.map(({ ms }) => ms)),
    cpu: { front: median(all.map(({ cpuMicros }) => cpuMicros)), behind: 0, database: Number.NaN },
    ratio: { ...spread(medians.map((ms) => WITHIN_MS / ms)), to: `${WITHIN_MS} ms`, target: 1 },
  };
}
