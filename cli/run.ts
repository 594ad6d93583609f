/** A program as a process: its streams, its Ctrl-C, its exit status. */
import { EXIT } from './failure.js';
import { type ProgramOptions, runProgram } from './program.js';

export async function run(options: ProgramOptions): Promise<void> {
  const stopping = new AbortController();
  process.on('SIGINT', () => {
    // A second one does not wait for the first.
    if (stopping.signal.aborted) process.exit(EXIT.interrupted);
    stopping.abort();
    process.stderr.write('\r\u001b[K'.repeat(Number(process.stderr.isTTY ?? false)));
    process.stderr.write(`${options.name}: interrupted\n`);
  });
  // Whoever reads has read enough: head, less, a closed pipe.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : EXIT.failure);
  });
  process.exitCode = await runProgram(options, {
    argv: process.argv.slice(2),
    environment: process.env,
    terminal: { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr },
    signal: stopping.signal,
  });
}
