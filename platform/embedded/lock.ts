/**
 * One process per data directory.
 *
 * The lock is flock(2) on a file in the directory: the kernel keeps it with the open file and drops it when the process
 * ends, however it ends. So there is nothing stale to recognise, no recycled pid to compare, and no moment at which two
 * starters could both take over. It holds between containers that share a volume, where pids mean nothing and abstract
 * sockets do not reach. Node has no call for it, but the lock belongs to the open file and not to the process that asked
 * for it, so flock(1) can take it on a descriptor that it inherits from us. Node opens files close-on-exec, so no other
 * child keeps the lock alive.
 *
 * The engine locks its own directory too (fcntl), which catches what file systems without flock let through.
 */
import { spawn } from 'node:child_process';
import { close, constants, ftruncate, open, write } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findAddress } from './address.js';
import { EmbeddedError } from './error.js';
import { privateDirectory } from './files.js';

// Bare descriptors: a FileHandle is closed, and the lock with it, when it is garbage-collected.
const openFile = promisify(open);
const closeFile = promisify(close);
const truncateFile = promisify(ftruncate);
const writeFile = promisify(write);

export interface DataDirLock {
  release(): Promise<void>;
}

/** Holders that are just ending get this long: a killed process closes its files a moment after the kill. */
const ATTEMPTS = 6;
const BETWEEN_ATTEMPTS_MS = 100;

export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  const root = resolve(dataDir);
  await privateDirectory(root);
  // The file is never removed: whoever waits for the lock of a removed file would get one that excludes nobody.
  const path = join(root, 'lock');
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const file = await tryLock(path, root);
    if (file !== undefined) return hold(file);
    if (attempt < ATTEMPTS) await pause(BETWEEN_ATTEMPTS_MS);
  }
  throw new EmbeddedError(await refusal(path, root));
}

async function hold(file: number): Promise<DataDirLock> {
  // For the message that others get. Whether the lock is held does not depend on it.
  await truncateFile(file, 0);
  await writeFile(file, JSON.stringify({ pid: process.pid, host: hostname() }), 0);
  let released: Promise<void> | undefined;
  return {
    release() {
      released ??= truncateFile(file, 0).finally(() => closeFile(file));
      return released;
    },
  };
}

/** The locked file's descriptor, or undefined if another holds the lock. */
async function tryLock(path: string, root: string): Promise<number | undefined> {
  const flags = constants.O_RDWR | constants.O_CREAT;
  if (process.platform === 'darwin') return openExclusively(path, flags);
  if (process.platform !== 'linux') {
    throw new EmbeddedError(`DATA_DIR cannot be locked on ${process.platform}. ${OWN_SERVICES}`);
  }
  const file = await openFile(path, flags, 0o600);
  try {
    if (await flock(file, root)) return file;
  } catch (error) {
    await closeFile(file);
    throw error;
  }
  await closeFile(file);
}

/** macOS takes the same lock in open(2). Node passes the flag on but has no name for it. */
const O_EXLOCK = 0x20;

async function openExclusively(path: string, flags: number): Promise<number | undefined> {
  return openFile(path, flags | O_EXLOCK | constants.O_NONBLOCK, 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EAGAIN') throw error;
    return undefined;
  });
}

/** What flock(1) exits with when -n finds the lock held; a failure has another status. */
const HELD = 1;

function flock(file: number, root: string): Promise<boolean> {
  return new Promise((done, fail) => {
    const child = spawn('flock', ['-n', '3'], { stdio: ['ignore', 'ignore', 'pipe', file] });
    let complaint = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    child.on('error', (error) => {
      fail(new EmbeddedError(`DATA_DIR ${root} cannot be locked: flock (util-linux) does not start: ${error.message}`));
    });
    child.on('close', (status) => {
      if (status === 0 || status === HELD) done(status === 0);
      else
        fail(new EmbeddedError(`DATA_DIR ${root} cannot be locked: ${complaint.trim() || `flock status ${status}`}`));
    });
  });
}

const OWN_SERVICES = 'Set MONGODB_URL and S3_ENDPOINT to services of your own';

async function refusal(path: string, root: string): Promise<string> {
  const holder = parseHolder(await readFile(path, 'utf8').catch(() => ''));
  const elsewhere = holder !== undefined && holder.host !== hostname() ? ` on host ${holder.host}` : '';
  const who = holder ? `the process with pid ${holder.pid}${elsewhere}` : 'another process';
  const address = await findAddress(root);
  const share = address === undefined ? '' : `, or, to share its database, set MONGODB_URL=${address}`;
  return `DATA_DIR ${root} is in use by ${who}. Stop it, set another DATA_DIR${share}`;
}

function parseHolder(text: string): { pid: number; host: string } | undefined {
  try {
    const { pid, host } = JSON.parse(text) as { pid?: unknown; host?: unknown };
    return typeof pid === 'number' && typeof host === 'string' ? { pid, host } : undefined;
  } catch {
    return undefined;
  }
}
