/** Clients that break off, stop, or never end: in both shapes and through both doors, nothing of theirs is left. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Account } from '../support/client.js';
import { drop, neverEnd, OVER_REST, stall, THROUGH_THE_GRAPH } from './support/by-hand.js';
import { expectNothingOf } from './support/leftovers.js';
import { pngOfSize, smallPng } from './support/pictures.js';
import { openWorld, ownerOf, type Running, type World } from './support/world.js';

const MIB = 1024 * 1024;
const LARGEST = 12 * MIB;
const PART_OF_THE_BUCKET = 5 * MIB;
const SETTINGS = {
  STORAGE_QUOTA_BYTES: String(16 * MIB),
  MAX_UPLOAD_BYTES: String(LARGEST),
  REQUEST_TIMEOUT_SECONDS: '1',
  RATE_LIMIT_UPLOADS_PER_MINUTE: '0',
};

let world: World;
let png: Buffer;
let numbered = 0;

beforeAll(async () => {
  world = await openWorld();
  png = await smallPng();
});
afterAll(() => world?.close());

type Start = () => Promise<Running>;
const asOne: Start = () => world.start({ kind: 'start' }, SETTINGS);
const asMany: Start = async () =>
  world.start({ kind: 'gateway' }, { ...SETTINGS, ...(await world.subgraphs(SETTINGS)) });

const connectionsOf = ({ darkroom }: Running) =>
  new Promise<number>((resolve, reject) =>
    darkroom.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );

/** A way in, how many clients go away on it, and how many of the largest pictures a request may hold there. */
const overRest = (drops: number) => ['over REST', drops, OVER_REST, 1] as const;
const throughTheGraph = (drops: number) => ['through the graph', drops, THROUGH_THE_GRAPH, 10] as const;

const SHAPES = [
  ['one process', asOne, [overRest(100), throughTheGraph(25)]],
  ['many processes', asMany, [overRest(25), throughTheGraph(25)]],
] as const;

describe.each(SHAPES)('with %s, a client', (_shape, start, ways) => {
  let url: string;
  let front: Running;
  let ada: Account;
  let connected: number;

  beforeAll(async () => {
    front = await start();
    ({ url } = front);
    ada = await world.account(url, `ada-${++numbered}@example.com`);
  });
  beforeEach(async () => {
    connected = await connectionsOf(front);
  });
  afterEach(async () => {
    // What the server has not noticed to be gone may still leave something, and so may what it has just noticed.
    await expect.poll(() => connectionsOf(front)).toBeLessThanOrEqual(connected);
    await expectNothingOf(world, ownerOf(ada));
    await pause(500);
    await expectNothingOf(world, ownerOf(ada));
  });
  afterAll(() => world.stop());

  it.each(ways)('that goes away %s, at any of %i random offsets, leaves nothing', async (_how, drops, way) => {
    const picture = pngOfSize(png, 11 * MIB);
    const AT_ONCE = 10;
    for (let i = 0; i < drops; i += AT_ONCE) {
      const lanes = Array.from({ length: Math.min(AT_ONCE, drops - i) }, (_, lane) => {
        // A third of them within what one part of the bucket's takes.
        const reach = (i + lane) % 3 === 0 ? PART_OF_THE_BUCKET : picture.length;
        return drop(url, ada, way, picture, Math.floor(Math.random() * reach));
      });
      await Promise.all(lanes);
    }
  });

  it.each(ways)('that stops sending %s is timed out, and leaves nothing', async (_how, _drops, way) => {
    const answer = await stall(url, ada, way, pngOfSize(png, 11 * MIB).subarray(0, 6 * MIB));
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*"error":"request_timeout"/s);
  });

  it.each(ways)('that never stops sending %s is cut off, and leaves nothing', async (_how, _drops, way, files) => {
    // A chunk of the PNG that claims to be larger than any picture may be.
    const endless = pngOfSize(png, 64 * 1024);
    endless.writeUInt32BE(0x7fffffff, endless.indexOf('ruSt') - 4);
    const { answer, sent } = await neverEnd(url, ada, way, endless.subarray(0, 60 * 1024));
    expect(answer).toContain('file_too_large');
    // The pictures, what is dropped behind it so that the client can read the answer, and what fits into buffers.
    expect(sent).toBeLessThan(files * LARGEST + 32 * MIB + 16 * MIB);
  });
});
