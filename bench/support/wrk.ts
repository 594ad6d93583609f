/** The load: wrk, with a script that cycles through prepared requests and looks at every answer. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BenchError } from './error.js';

const run = promisify(execFile);
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
  const found = await run('wrk', ['--version']).catch((error: { code?: unknown }) => error.code !== 'ENOENT');
  if (!found) throw new BenchError('wrk is missing. Install it, for example: apt-get install wrk');
}

/** `shortest` is the length of the shortest right body: GraphQL answers errors with 200 as well. */
export async function load(
  origin: string,
  requests: readonly LoadRequest[],
  shortest: number,
  seconds: number,
): Promise<LoadResult> {
  const directory = await mkdtemp(join(tmpdir(), 'darkroom-wrk-'));
  try {
    const file = join(directory, 'load.lua');
    await writeFile(file, script(requests, shortest));
    const { stdout } = await run('wrk', [
      '-t1',
      `-c${CONNECTIONS}`,
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

function script(requests: readonly LoadRequest[], shortest: number): string {
  const formats = requests.map(({ method, path, headers, body }) => {
    const table = Object.entries(headers).map(([name, value]) => `[${quote(name)}]=${quote(value)}`);
    const words = [quote(method), quote(path), `{${table.join(',')}}`, body === undefined ? 'nil' : quote(body)];
    return `  pool[#pool + 1] = wrk.format(${words.join(', ')})`;
  });
  return `
local pool, at, thread = {}, 0, nil
wrong = 0
function setup(given) thread = given end
function init()
${formats.join('\n')}
end
function request()
  at = at % #pool + 1
  return pool[at]
end
function response(status, headers, body)
  if status ~= 200 or #body < ${shortest} then wrong = wrong + 1 end
end
function done(summary, latency)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("result %d %d %d %d %d\\n",
    summary.requests, summary.duration, latency:percentile(99), thread:get("wrong"), broken))
end
`;
}

/** JSON's escapes of ASCII are Lua's too. */
function quote(text: string): string {
  const quoted = JSON.stringify(text);
  if (!/^[\x20-\x7e]*$/.test(quoted)) throw new Error(`not ASCII: ${text}`);
  return quoted;
}
