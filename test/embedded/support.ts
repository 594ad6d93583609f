/** Temporary directories, and child processes that run the compiled embedded engines. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll } from 'vitest';
import type { EmbeddedS3 } from '../../platform/embedded/s3.js';

const ROOT = resolve(import.meta.dirname, '../..');

const directories: string[] = [];
const children: ChildProcess[] = [];

afterAll(async () => {
  await Promise.all(children.map(kill));
  await Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true })));
});

/** The engine of a child that is killed leaves its socket in the child's temporary directory. */
const TMPDIR = mkdtempSync(join(tmpdir(), 'darkroom-test-'));
directories.push(TMPDIR);

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'darkroom-test-'));
  directories.push(directory);
  return directory;
}

/** Plain Node cannot run TypeScript, so what children run is compiled first. */
export async function compileEmbedded(): Promise<string> {
  const directory = await temporaryDirectory();
  const project = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      outDir: directory,
      rootDir: ROOT,
      typeRoots: [join(ROOT, 'node_modules/@types')],
      sourceMap: false,
    },
    include: [],
    files: ['lock.ts', 'mongo.ts'].map((name) => join(ROOT, 'platform/embedded', name)),
  };
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(project));
  await writeFile(join(directory, 'package.json'), JSON.stringify({ type: 'module' }));
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  await promisify(execFile)(join(ROOT, 'node_modules/.bin/tsc'), ['-p', directory]);
  return join(directory, 'platform/embedded');
}

export interface Child {
  pid: number;
  /** Every line that the child has written, as it arrives. */
  lines: string[];
  /** Resolves when there are `count` lines, or rejects when the child ends before. */
  received(count: number): Promise<void>;
  /** Resolves when the child is gone, its files closed. */
  kill(): Promise<void>;
}

export function startChild(mode: string, compiled: string, ...args: string[]): Child {
  const script = join(import.meta.dirname, 'child.mjs');
  const child = spawn(process.execPath, [script, mode, compiled, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR },
  });
  children.push(child);
  const lines: string[] = [];
  let complaint = '';
  let ended = false;
  const waiting = new Set<() => void>();
  const check = () => {
    for (const wake of waiting) wake();
  };
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    check();
  });
  child.on('close', () => {
    ended = true;
    check();
  });
  return {
    pid: child.pid ?? -1,
    lines,
    received: (count) =>
      new Promise((done, fail) => {
        const wake = () => {
          if (lines.length < count && !ended) return;
          waiting.delete(wake);
          if (lines.length >= count) done();
          else fail(new Error(`The child ended after ${lines.length} lines: ${complaint}`));
        };
        waiting.add(wake);
        wake();
      }),
    kill: () => kill(child),
  };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'close');
  child.kill('SIGKILL');
  await exit;
}

/** Tries nothing twice, so that a test sees each answer. */
export function clientOf({ endpoint, region, accessKeyId, secretAccessKey }: EmbeddedS3, keys = {}): S3Client {
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey, ...keys },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}
