/** Several requests sent at once on one connection: what is held for those whose turn never comes is let go. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHttp } from '../../platform/http.js';
import { Metrics } from '../../platform/metrics.js';

let app: FastifyInstance;
let client: Socket;
/** Answers and how often each was told of its end, in the order of the requests. */
let seen: { response: ServerResponse; ends: number }[];
let release: () => void;

beforeEach(async () => {
  seen = [];
  app = createHttp({
    log: pino({ level: 'silent' }),
    metrics: new Metrics(),
    bodyLimit: 1_000,
    requestTimeoutMs: 60_000,
    trustProxy: 0,
  });
  const slow = new Promise<void>((resolve) => {
    release = resolve;
  });
  app.get('/:name', async (_request, reply) => {
    const one = { response: reply.raw, ends: 0 };
    seen.push(one);
    reply.raw.on('close', () => {
      one.ends += 1;
    });
    await slow;
    return 'done';
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  client = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
  await once(client, 'connect');
  client.write(['/first', '/second', '/third'].map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).join(''));
  await expect.poll(() => seen.length).toBe(3);
});
afterEach(async () => {
  client.destroy();
  release();
  await app.close();
});

const ends = () => seen.map((one) => one.ends);

it('all of them are told when their connection breaks off, and can be answered to nobody', async () => {
  client.resetAndDestroy();
  await expect.poll(ends).toEqual([1, 1, 1]);
  expect(seen.map(({ response }) => response.destroyed)).toEqual([true, true, true]);
  release();
  await expect.poll(ends).toEqual([1, 1, 1]);
});

it('however many there are, their connection has one listener for them', async () => {
  const listeners = () => seen[0]?.response.socket?.listenerCount('close');
  const before = listeners();
  client.write('GET /next HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(20));
  await expect.poll(() => seen.length).toBe(23);
  expect(before).toBeGreaterThan(0);
  expect(listeners()).toBe(before);
  client.resetAndDestroy();
  await expect.poll(ends).toEqual(Array(23).fill(1));
});

it('each is told once when all are answered', async () => {
  let text = '';
  client.on('data', (chunk) => {
    text += chunk;
  });
  release();
  await expect.poll(() => text.match(/done/g)?.length).toBe(3);
  client.end();
  await once(client, 'close');
  expect(ends()).toEqual([1, 1, 1]);
});
