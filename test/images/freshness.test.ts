/** A change stops an image at the very next request where it was made, and within two seconds everywhere else. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Account } from '../support/client.js';
import { deadPort } from '../support/mailbox.js';
import { openWorld, ownerOf, pathOf, someBytes, type World } from './support/world.js';

const SECONDS = 1_000;

let world: World;
let ada: Account;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

async function statusAt(url: string): Promise<number> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.status;
}

async function warmPicture(...urls: string[]) {
  const image = await world.put(someBytes(1_000), { ownerId: ownerOf(ada) });
  for (const url of urls) for (let i = 0; i < 2; i++) expect(await statusAt(url + pathOf(image))).toBe(200);
  return { image, path: pathOf(image) };
}

async function change(url: string, id: string, method: 'PATCH' | 'DELETE', body?: object): Promise<void> {
  const response = await fetch(`${url}/v1/images/${id}`, {
    method,
    headers: { authorization: `Bearer ${ada.key}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  expect([200, 204]).toContain(response.status);
}

async function changeByGraph(url: string, id: string): Promise<void> {
  const query = `mutation ($input: UpdateImageInput!) { updateImage(input: $input) { image { visibility } } }`;
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ada.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables: { input: { id, visibility: 'PRIVATE' } } }),
  });
  expect(await response.json()).toEqual({ data: { updateImage: { image: { visibility: 'PRIVATE' } } } });
}

const CHANGES: [string, number, (url: string, id: string) => Promise<void>][] = [
  ['made private', 401, (url, id) => change(url, id, 'PATCH', { visibility: 'private' })],
  ['made private through the graph', 401, changeByGraph],
  ['deleted', 404, (url, id) => change(url, id, 'DELETE')],
];

/** From the end of the change on, requests one after the other; the start of the last that was still served. */
async function servedFor(url: string, stopped: number): Promise<number> {
  const begin = performance.now();
  let last = begin;
  for (;;) {
    const asked = performance.now();
    const status = await statusAt(url);
    if (status === stopped) return last - begin;
    expect(status).toBe(200);
    last = asked;
    await pause(20);
  }
}

/** Asks without pause while the change is made: answers that were under way must not be remembered after it. */
async function underLoad(url: string, action: () => Promise<void>): Promise<void> {
  let running = true;
  const lanes = Array.from({ length: 4 }, async () => {
    while (running) await statusAt(url);
  });
  await pause(30);
  await action();
  running = false;
  await Promise.all(lanes);
}

function stopsAtOnce(url: () => string): void {
  it.each(CHANGES)('an image that is %s stops at the very next request', async (_name, stopped, make) => {
    for (let i = 0; i < 5; i++) {
      const { image, path } = await warmPicture(url());
      if (i % 2 === 0) await make(url(), image._id);
      else await underLoad(url() + path, () => make(url(), image._id));
      expect(await statusAt(url() + path)).toBe(stopped);
    }
  });

  it('an image whose end was brought forward stops at it, and one that was made public is served', async () => {
    const { image, path } = await warmPicture(url());
    await change(url(), image._id, 'PATCH', { ttl_seconds: 1 });
    await pause(1_100);
    expect(await statusAt(url() + path)).toBe(404);
    const other = await world.put(someBytes(100), { ownerId: ownerOf(ada), visibility: 'private' });
    expect(await statusAt(url() + pathOf(other))).toBe(401);
    await change(url(), other._id, 'PATCH', { visibility: 'public' });
    expect(await statusAt(url() + pathOf(other))).toBe(200);
  });
}

describe('in one process', () => {
  let url: string;
  beforeAll(async () => {
    url = (await world.start({ kind: 'start' })).url;
    ada = await world.account(url, 'ada@one.test');
  });
  stopsAtOnce(() => url);
});

function twoGateways(env: () => Record<string, string>): () => readonly [string, string] {
  let near: string;
  let far: string;
  beforeAll(async () => {
    const shared = env();
    const addresses = await world.subgraphs(shared);
    near = (await world.start({ kind: 'gateway' }, { ...addresses, ...shared })).url;
    far = (await world.start({ kind: 'gateway' }, { ...addresses, ...shared })).url;
    ada = await world.account(near, `ada@${new URL(near).port}.test`);
  });

  stopsAtOnce(() => near);

  it.each(CHANGES)(
    'an image that is %s stops at the other gateway within two seconds',
    async (_name, stopped, make) => {
      const { image, path } = await warmPicture(near, far);
      await make(near, image._id);
      expect(await servedFor(far + path, stopped)).toBeLessThan(2 * SECONDS);
    },
  );
  return () => [near, far];
}

describe('with two gateways that nothing connects', () => {
  twoGateways(() => ({}));
});

const redis = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) => existsSync(path));

describe.skipIf(!redis)('with two gateways and Redis (skipped where redis-server is missing)', () => {
  let server: ChildProcess;
  let address: string;
  beforeAll(async () => {
    const port = await deadPort();
    server = spawn(redis as string, ['--port', String(port), '--save', '', '--appendonly', 'no'], { stdio: 'ignore' });
    address = `redis://127.0.0.1:${port}`;
  });
  afterAll(() => server?.kill());
  const gateways = twoGateways(() => ({ REDIS_URL: address }));

  it('a notice arrives long before a record is too old', async () => {
    // Old age alone would end it after 0.9 to 1.8 seconds. Of several, one may be early by chance or late by load.
    const [near, far] = gateways();
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const { image, path } = await warmPicture(near, far);
      await change(near, image._id, 'DELETE');
      times.push(await servedFor(far + path, 404));
    }
    expect(times.toSorted((a, b) => a - b)[2]).toBeLessThan(0.8 * SECONDS);
  });
});
