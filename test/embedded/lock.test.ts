import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it, vi } from 'vitest';
import { lockDataDir } from '../../platform/embedded/lock.js';
import { compileEmbedded, startChild, temporaryDirectory } from './support.js';

let compiled: string;
beforeAll(async () => {
  compiled = await compileEmbedded();
});

async function newDataDir(): Promise<string> {
  return join(await temporaryDirectory(), 'deep', 'data');
}

async function startHolder(dataDir: string) {
  const holder = startChild('lock', compiled, dataDir);
  await holder.received(1);
  expect(holder.lines).toEqual(['locked']);
  return holder;
}

it('makes the data directory, private, and locks it', async () => {
  const dataDir = await newDataDir();
  const lock = await lockDataDir(dataDir);
  expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  expect((await stat(join(dataDir, 'lock'))).mode & 0o777).toBe(0o600);
  await lock.release();
});

it('tells a second process whose the directory is and what to do', async () => {
  const dataDir = await newDataDir();
  const holder = await startHolder(dataDir);
  await expect(lockDataDir(dataDir)).rejects.toThrow(
    `DATA_DIR ${dataDir} is in use by the process with pid ${holder.pid}. Stop it, set another DATA_DIR`,
  );
});

it('refuses a second lock in the same process, and gives it after the release', async () => {
  const dataDir = await newDataDir();
  const first = await lockDataDir(dataDir);
  await expect(lockDataDir(dataDir)).rejects.toThrow(`in use by the process with pid ${process.pid}`);
  await first.release();
  await first.release();
  const second = await lockDataDir(dataDir);
  await second.release();
});

it('lets another directory be locked meanwhile', async () => {
  const locks = await Promise.all([lockDataDir(await newDataDir()), lockDataDir(await newDataDir())]);
  await Promise.all(locks.map((lock) => lock.release()));
});

it.runIf(process.platform === 'linux')('says what is missing where it cannot lock', async () => {
  const dataDir = await newDataDir();
  vi.stubEnv('PATH', '/nonexistent');
  await expect(lockDataDir(dataDir)).rejects.toThrow(
    `DATA_DIR ${dataDir} cannot be locked: flock (util-linux) does not start`,
  );
});

it('is free at once after the holder was killed', async () => {
  const dataDir = await newDataDir();
  const holder = await startHolder(dataDir);
  await holder.kill();
  const lock = await lockDataDir(dataDir);
  expect(JSON.parse(await readFile(join(dataDir, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
  await lock.release();
});

it('is not deceived by what a dead holder wrote, even if its pid runs again', async () => {
  const dataDir = await newDataDir();
  await (await lockDataDir(dataDir)).release();
  for (const left of [JSON.stringify({ pid: process.ppid, host: 'elsewhere' }), '{"pid":', '']) {
    await writeFile(join(dataDir, 'lock'), left);
    await (await lockDataDir(dataDir)).release();
  }
});

it('goes to exactly one of many that race for what a killed holder left', async () => {
  const dataDir = await newDataDir();
  let holder = await startHolder(dataDir);
  for (let round = 0; round < 3; round++) {
    await holder.kill();
    const racers = Array.from({ length: 5 }, () => startChild('lock', compiled, dataDir));
    await Promise.all(racers.map((racer) => racer.received(1)));
    const [winner, ...others] = racers.filter(({ lines }) => lines[0] === 'locked');
    expect(others).toEqual([]);
    if (!winner) throw new Error('nobody got the lock');
    for (const { lines } of racers.filter((racer) => racer !== winner)) {
      expect(lines).toEqual([expect.stringContaining(`in use by the process with pid ${winner.pid}`)]);
    }
    await Promise.all(racers.filter((racer) => racer !== winner).map((racer) => racer.kill()));
    holder = winner;
  }
});
