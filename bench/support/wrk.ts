/** The load: wrk, with a script that cycles through prepared requests and looks at every answer. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BenchError } from './error.js';

const command = promisify(execFile);
/** Unless a section needs more to fill the cores. */
const CONNECTIONS = 16;

export interface LoadRequest {
  method: 'GET' | 'POST';
  path: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
}

export interface LoadResult {
  requests: number;
  requestsPerSecond: number;
  p99Ms: number;
  /** Answers that were not 200, or too short to be right. */
  wrong: number;
}

export async function requireWrk(): Promise<void> {
  // wrk ends with 1 when it only says its version.
  const found = await command('wrk', ['--version']).catch((error: { code?: unknown }) => error.code !== 'ENOENT');
  if (!found) throw new BenchError('wrk is missing. Install it, for example: apt-get install wrk');
}

/** `shortest` is the length of the shortest right body: GraphQL answers errors with 200 as well. */
export function load(
  origin: string,
  requests: readonly LoadRequest[],
  shortest: number,
  seconds: number,
  connections = CONNECTIONS,
): Promise<LoadResult> {
  return run(origin, script(requests, LOOK_AT_EACH.replaceAll('SHORTEST', String(shortest))), seconds, connections);
}

/** For files: looking at each answer would cost the load generator more than the answers cost their server. */
export function loadFiles(
  origin: string,
  requests: readonly LoadRequest[],
  shortest: number,
  seconds: number,
): Promise<LoadResult> {
  return run(origin, script(requests, ADD_UP.replaceAll('SHORTEST', String(shortest))), seconds, CONNECTIONS);
}

async function run(origin: string, lua: string, seconds: number, connections: number): Promise<LoadResult> {
  const directory = await mkdtemp(join(tmpdir(), 'darkroom-wrk-'));
  try {
    const file = join(directory, 'load.lua');
    await writeFile(file, lua);
    const { stdout } = await command('wrk', [
      '-t1',
      `-c${connections}`,
      `-d${seconds}s`,
      '--timeout',
      '30s',
      '-s',
      file,
      origin,
    ]);
    const result = /^result (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(stdout)?.slice(1).map(Number);
    if (!result) throw new Error(`wrk said:\n${stdout}`);
    const [count = 0, microseconds = 0, p99 = 0, wrong = 0, broken = 0] = result;
    return {
      requests: count,
      requestsPerSecond: count / (microseconds / 1e6),
      p99Ms: p99 / 1000,
      wrong: wrong + broken,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const LOOK_AT_EACH = `
wrong = 0
function response(status, headers, body)
  if status ~= 200 or #body < SHORTEST then wrong = wrong + 1 end
end
function wrongOf(summary) return thread:get("wrong") end
`;

const ADD_UP = `
function wrongOf(summary)
  if summary.bytes < summary.requests * SHORTEST then return summary.requests end
  return summary.errors.status
end
`;

function script(requests: readonly LoadRequest[], judge: string): string {
  const formats = requests.map(({ method, path, headers, body }) => {
    const table = Object.entries(headers).map(([name, value]) => `[${quote(name)}]=${quote(value)}`);
    const words = [quote(method), quote(path), `{${table.join(',')}}`, body === undefined ? 'nil' : quote(body)];
    return `  pool[#pool + 1] = wrk.format(${words.join(', ')})`;
  });
  return `
local pool, at = {}, 0
thread = nil
${judge}
function setup(given) thread = given end
function init()
${formats.join('\n')}
end
function request()
  at = at % #pool + 1
  return pool[at]
end
function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("result %d %d %d %d %d\\n",
    summary.requests, summary.duration, latency:percentile(99), wrongOf(summary), broken))
end
`;
}

/** JSON's escapes of ASCII are Lua's too. */
function quote(text: string): string {
  const quoted = JSON.stringify(text);
  if (!/^[\x20-\x7e]*$/.test(quoted)) throw new Error(`not ASCII: ${text}`);
  return quoted;
}
