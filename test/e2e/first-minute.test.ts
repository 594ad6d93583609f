/** What `npm start` prints is a script: it works as it stands, for somebody who types the code that it prints. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cleanEnvironment, launch, type Program, startProgram } from '../support/process.js';

let dataDir: string;
let program: Program;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'darkroom-first-'));
  program = await startProgram(['start'], { DATA_DIR: dataDir, LOG_LEVEL: 'info' });
});
afterAll(async () => {
  await program?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

it('the commands printed at start sign somebody up, ask four subgraphs one question, and draw a picture', async () => {
  const lines = program.output().split('\n');
  const commands = lines.filter((line) => /^ {4}(curl|read|KEY=)/.test(line)).map((line) => line.trim());
  expect(commands).toHaveLength(5);
  const shell = spawn('bash', ['--norc', '-euo', 'pipefail', '-c', commands.join('\necho\n')], {
    env: cleanEnvironment({}),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  shell.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  const ended = new Promise((resolve) => shell.on('exit', resolve));
  const printedCode = () => /│ +(\d{6})\s/.exec(program.output())?.[1];
  await expect.poll(printedCode).toBeDefined();
  shell.stdin.end(`${printedCode()}\n`);
  expect(await ended).toBe(0);
  const answers = output.split('\n').filter((line) => line.startsWith('{'));
  const [registered, asked, drawn] = answers.map((line) => JSON.parse(line));
  expect(registered).toHaveProperty('status');
  expect(asked.errors).toBeUndefined();
  expect(asked.data.me).toMatchObject({ email: 'you@example.com', tier: { slug: 'hobby' }, images: { nodes: [] } });
  expect(drawn).toMatchObject({ status: 'complete', image_url: expect.stringContaining('http') });
});

it.each([
  ['a port that is taken', () => ({ PORT: new URL(program.url).port }), /^darkroom: PORT \d+ is in use/m],
  ['an address of another machine', () => ({ HOST: '192.0.2.1' }), /^darkroom: HOST 192\.0\.2\.1 is no address/m],
])('%s is named in one line', async (_name, env, message) => {
  const other = await mkdtemp(join(tmpdir(), 'darkroom-first-'));
  const { output, exited } = launch(['start'], { DATA_DIR: other, LOG_LEVEL: 'error', ...env() });
  expect(await exited).toBe(2);
  expect(output()).toMatch(message);
  expect(output()).not.toMatch(/^ +at /m);
  await rm(other, { recursive: true, force: true });
});
