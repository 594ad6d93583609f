import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { ByteTransport } from '../../platform/bytes.js';
import { Problem } from '../../platform/errors.js';
import { systemScope } from '../../platform/scope.js';
import { Secrets } from '../../platform/secrets.js';

const PATIENCE_MS = 300;
const scope = systemScope('r');
let server: Server;
let transport: ByteTransport;

async function open(handler: RequestListener): Promise<void> {
  server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/base/`;
  transport = new ByteTransport('images', url, new Secrets('a secret for tests'), PATIENCE_MS);
}

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await transport.close();
});

const post = (body: AsyncIterable<Uint8Array>) => transport.send({ method: 'POST', path: '/x', body }, scope);

async function* slowly(pieces: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < pieces; i++) {
    await pause(100);
    yield Buffer.from('piece');
  }
}

it('a body may take longer than an answer', async () => {
  await open(async (request, response) => response.end(`${request.url} ${(await text(request)).length}`));
  const { status, body } = await post(slowly(8));
  expect([status, await text(body)]).toEqual([200, '/base/x 40']);
});

it('an answer that does not come is not waited for', async () => {
  await open((request) => request.resume());
  await expect(post(slowly(1))).rejects.toMatchObject({ slug: 'unavailable' });
});

it('a refusal that comes early ends the body', async () => {
  await open((_request, response) => {
    const { message } = new Problem('file_too_large');
    response.writeHead(413).end(JSON.stringify({ error: 'file_too_large', message, request_id: 'r' }));
  });
  let ended = false;
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        yield Buffer.alloc(65_536);
        await pause(1);
      }
    } finally {
      ended = true;
    }
  }
  await expect(post(endless())).rejects.toMatchObject({ slug: 'file_too_large' });
  await expect.poll(() => ended).toBe(true);
});

it('a body that fails is told as what failed it, and the other side hears of an end', async () => {
  let aborted = false;
  await open((request) => {
    request.resume();
    request.once('aborted', () => {
      aborted = true;
    });
  });
  async function* failing(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(100_000);
    throw new Problem('request_timeout');
  }
  await expect(post(failing())).rejects.toMatchObject({ slug: 'request_timeout' });
  await expect.poll(() => aborted).toBe(true);
});
