/** kill -9 while outputs are stored and deleted, again and again: what was confirmed holds, and nothing else is left. */
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ImagesSubgraph } from '../../subgraphs/images/subgraph.js';
import { smallPng } from '../images/support/pictures.js';
import { launch } from '../support/process.js';
import { flaws, openWorld, sweep, type World } from './support/world.js';

const KILLS = process.env['LONG'] ? 60 : 4;
const WORKERS = 2;
const CHILD = join(import.meta.dirname, 'child.mjs');
const COMPILED = resolve(import.meta.dirname, '../../dist');

let world: World;
let images: ImagesSubgraph;
let pictures: Buffer[];

beforeAll(async () => {
  world = await openWorld();
  images = await world.open();
  // Few, so that most of them are kept and dropped by many at once.
  pictures = await Promise.all([11, 12, 13].map((width) => smallPng(width)));
});
afterAll(() => world?.close());

function start() {
  const encoded = JSON.stringify(pictures.map((bytes) => bytes.toString('base64')));
  return launch([COMPILED, world.url, JSON.stringify(world.bucket), encoded], {}, CHILD);
}

/** What they said, in their order; half a line is none. */
function linesOf(workers: readonly ReturnType<typeof start>[]): string[][] {
  return workers.flatMap(({ output }) => {
    const text = output();
    return text
      .slice(0, text.lastIndexOf('\n'))
      .split('\n')
      .map((line) => line.split(' '));
  });
}

it(`${KILLS} kills of ${WORKERS} workers leave nothing behind and lose nothing`, {
  timeout: KILLS * 60_000,
}, async () => {
  const { assets, references } = world.collections;
  const kept = new Map<string, string>();
  const dropped = new Set<string>();
  let interrupted = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const workers = Array.from({ length: WORKERS }, start);
    const confirmed = () => linesOf(workers).filter(([word]) => word === 'dropped').length;
    const end = async () => {
      for (const { child } of workers) child.kill('SIGKILL');
      await Promise.all(workers.map(({ exited }) => exited));
    };
    try {
      await expect.poll(confirmed, { timeout: 60_000, interval: 20 }).toBeGreaterThan(10);
      await pause(Math.random() * 300);
    } finally {
      await end();
    }
    for (const [word, jobId = '', id = ''] of linesOf(workers)) {
      if (word === 'kept') kept.set(jobId, id);
      // Until that is confirmed it may be there or not.
      else if (word === 'dropping') kept.delete(jobId);
      else if (word === 'dropped') dropped.add(jobId);
    }
    interrupted += await references.countDocuments({ state: { $ne: 'live' } });
    interrupted += await assets.countDocuments({ state: { $ne: 'live' } });
    // What happens in a minute happens now: nobody renews the leases of the dead.
    const ended = { $set: { leaseUntil: new Date(0) } };
    await Promise.all([
      assets.updateMany({ state: 'storing' }, ended),
      references.updateMany({ state: 'pending' }, ended),
    ]);
    await sweep(images);
    expect(await flaws(world.db, world.store)).toEqual([]);
    const holders = new Set(await references.distinct('holder'));
    expect([...dropped].filter((jobId) => holders.has(`job:${jobId}`))).toEqual([]);
    expect([...kept.keys()].filter((jobId) => !holders.has(`job:${jobId}`))).toEqual([]);
  }
  for (const id of new Set(kept.values())) expect((await images.assets.read(id, 'r'))?.bytes.length).toBeGreaterThan(0);
  for (const holder of await references.distinct('holder')) {
    if (holder.startsWith('job:')) await images.assets.drop(holder.slice('job:'.length), 'r');
  }
  await sweep(images);
  expect([await assets.countDocuments(), await references.countDocuments()]).toEqual([0, 0]);
  expect(await flaws(world.db, world.store)).toEqual([]);
  expect(interrupted).toBeGreaterThan(0);
  console.info(
    `${KILLS} kills of ${WORKERS} workers: ${interrupted} steps interrupted, ${kept.size} outputs kept and ${dropped.size} dropped as confirmed`,
  );
});
