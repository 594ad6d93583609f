/** Starts the processes that are measured, and ends them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface ServerOptions {
  /** Prefix of the command line, see cores.ts. */
  core: readonly string[];
  /** Node, unless said otherwise. */
  program?: string;
  /** What follows the program; for programs that do not read PORT, made with the port. */
  args: readonly string[] | ((port: number) => Promise<readonly string[]>);
  env: Readonly<Record<string, string>>;
  /** For a server whose address others must know before it listens. */
  port?: number;
  /** Answers 200 once the server can be measured; null: it speaks no HTTP, and listening is enough. */
  readyPath: string | null;
  cwd?: string;
  /** Keeps a CPU profile in this directory, under this name. */
  profile?: { directory: string; name: string } | undefined;
}

export interface Server {
  url: string;
  /** Seconds of processor time so far; NaN where the system does not tell. */
  cpuSeconds(): Promise<number>;
  /** The last of what it has written. */
  output(): string;
  stop(): Promise<void>;
}

const START_MS = 60_000;
const STOP_MS = 30_000;

/** None of these programs says its address at the log level of the benchmark, so the port is chosen here. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { core, program = process.execPath, env, cwd, profile } = options;
  const port = options.port ?? (await freePort());
  const args = typeof options.args === 'function' ? await options.args(port) : options.args;
  const url = `http://127.0.0.1:${port}`;
  const profiling = profile
    ? ['--cpu-prof', `--cpu-prof-dir=${profile.directory}`, `--cpu-prof-name=${profile.name}.cpuprofile`]
    : [];
  const [command = '', ...rest] = [...core, program, ...profiling, ...args];
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  const child = spawn(command, rest, {
    env: {
      PATH,
      HOME,
      ...(TMPDIR && { TMPDIR }),
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
  });
  // An error here must not leave it behind.
  const orphaned = () => child.kill('SIGKILL');
  process.once('exit', orphaned);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-5_000);
    });
  }
  const exited = once(child, 'exit');
  const deadline = Date.now() + START_MS;
  const { readyPath } = options;
  while (!(await (readyPath === null ? listens(port) : answers(url + readyPath)))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${args.join(' ')} did not become ready:\n${output}`);
    }
    await pause(100);
  }
  return {
    url,
    cpuSeconds: () => cpuSeconds(child.pid),
    output: () => output,
    async stop() {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await exited;
      clearTimeout(late);
      process.off('exit', orphaned);
    },
  };
}

/** Notes a server as soon as it runs, so that it is stopped whatever comes next. */
export async function kept(servers: Server[], starting: Promise<Server>): Promise<Server> {
  const server = await starting;
  servers.push(server);
  return server;
}

export async function stop(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const listening = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return listening;
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const TICKS_PER_SECOND = 100;

async function cpuSeconds(pid: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The fields after the command's name, which may itself hold spaces: user and system time are the 12th and 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
