/** Ending a server while clients are still sending. */
import { connect } from 'node:net';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterEach, expect, it } from 'vitest';
import { watchBodyTime } from '../../platform/body-time.js';
import { createHttp } from '../../platform/http.js';
import { Metrics } from '../../platform/metrics.js';

let app: FastifyInstance;
let arrived: Promise<void>;
afterEach(() => app.close());

async function open(): Promise<number> {
  app = createHttp({
    log: pino({ level: 'silent' }),
    metrics: new Metrics(),
    bodyLimit: 1_000,
    requestTimeoutMs: 1_000,
    trustProxy: 0,
  });
  // As uploads do: their reader allows a client more time than other requests have.
  app.addContentTypeParser('text/slow', (request, payload, done) => {
    watchBodyTime(request.raw);
    payload.on('end', () => done(null)).on('error', done);
    payload.resume();
  });
  app.post('/', async () => 'done');
  arrived = new Promise((resolve) => {
    app.addHook('onRequest', (_request, _reply, next) => {
      resolve();
      next();
    });
  });
  return Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port);
}

it.each([
  ['goes when it is told', false],
  ['keeps its connection open', true],
])('a client that has stopped sending and %s does not hold up the end', async (_name, allowHalfOpen) => {
  const port = await open();
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen });
  socket.on('error', () => undefined);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.write('POST / HTTP/1.1\r\nHost: here\r\nContent-Type: text/slow\r\nContent-Length: 10\r\n\r\nhalf');
  await arrived;
  const started = performance.now();
  await app.close();
  expect(performance.now() - started).toBeLessThan(20_000);
  expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*"request_timeout"/);
  socket.destroy();
});
