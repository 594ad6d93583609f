/** The commands as processes, with surroundings of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  /** Resolves when the process has ended. */
  ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
  stderr(): string;
}

export function start(program: 'goodeye' | 'imgforge', words: readonly string[], env: Record<string, string>): Running {
  const path = fileURLToPath(new URL(`../../dist/cli/${program}.js`, import.meta.url));
  const child = spawn(process.execPath, [path, ...words], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return {
    ended: once(child, 'close').then(() => ({ status: child.exitCode, stdout, stderr })),
    kill: (signal) => void child.kill(signal),
    stderr: () => stderr,
  };
}
