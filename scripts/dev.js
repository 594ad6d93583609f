/** `npm run dev`: compiles on every change and restarts the server. */
import { spawn, spawnSync } from 'node:child_process';

const built = spawnSync(process.execPath, ['scripts/build.js'], { stdio: 'inherit' });
if (built.status !== 0) process.exit(built.status ?? 1);

const children = [
  spawn('tsc', ['-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'], { stdio: 'inherit' }),
  // Node waits for the watched files to settle, so one save is one restart.
  spawn(process.execPath, ['--watch', '--watch-preserve-output', 'dist/main.js', 'start'], { stdio: 'inherit' }),
];
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => children.forEach((child) => void child.kill(signal)));
for (const child of children) child.on('exit', (code) => process.exit(code ?? 0));
