/** Starts the built program as its users do, and ends what it started. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** For a program whose address others must know before it listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  scripts: { start: string };
};
/** As `npm start` has them. */
const NODE_FLAGS = scripts.start.split(' ').filter((word) => word.startsWith('--'));
const START_MS = 60_000;

export interface Program {
  url: string;
  process: ChildProcess;
  /** Everything that it has written so far. */
  output(): string;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

/** Only what a program needs of this process's environment, so that a developer's own settings stay out of the tests. */
export function cleanEnvironment(env: Record<string, string>): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR && { TMPDIR }), ...env };
}

export function launch(args: readonly string[], env: Record<string, string>, program = PROGRAM) {
  const child = spawn(process.execPath, [...NODE_FLAGS, program, ...args], {
    env: cleanEnvironment({ HOST: '127.0.0.1', PORT: '0', LOG_FORMAT: 'json', ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk.toString('utf8');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const exited = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
  return { child, output: () => output, exited };
}

export async function startProgram(args: readonly string[], env: Record<string, string>): Promise<Program> {
  const { child, output, exited } = launch(args, env);
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not listening after ${START_MS} ms:\n${output()}`)), START_MS);
    const look = () => {
      const address = /"address":"(http:[^"]+)".*"msg":"listening"/.exec(output())?.[1];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve(address);
    };
    child.stdout?.on('data', look);
    exited.then((code) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${code} before it listened:\n${output()}`));
    });
  });
  return {
    url,
    process: child,
    output,
    async stop() {
      child.kill('SIGTERM');
      return exited;
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
