/** What the other side may do to us when it is fetched from: nothing that lasts, and nothing that grows. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { SafeFetcher } from '../../platform/fetch/fetcher.js';
import type { FetchRules } from '../../platform/fetch/rules.js';

const RULES: FetchRules = { hosts: null, schemes: ['http:'], maxBytes: 100_000, totalMs: 20_000, idleMs: 10_000 };
const fetcher = new SafeFetcher({ allows: () => true });

let server: Server;
let url: string;
let answer: (response: ServerResponse) => void;
/** Resolves when the connection of the request is gone. */
let hungUp: Promise<void>;

beforeAll(async () => {
  server = createServer((request, response) => {
    hungUp = new Promise((done) => request.socket.once('close', () => done()));
    answer(response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => new Promise((done) => server.close(done)));
beforeEach(() => {
  answer = (response) => response.end('ok');
});

const read = (rules: Partial<FetchRules> = {}, signal?: AbortSignal) =>
  fetcher.read(url, { ...RULES, ...rules }, signal);

it('refuses a body that is announced as too large before reading it', async () => {
  answer = (response) => {
    response.writeHead(200, { 'content-length': '100001' });
    response.write('x');
  };
  await expect(read()).rejects.toMatchObject({ failure: 'too_large', transient: false });
  await hungUp;
});

it('cuts off an endless body at the limit', async () => {
  let sent = 0;
  answer = (response) => {
    const more = () => {
      while (!response.destroyed) {
        sent += 16_384;
        if (!response.write(Buffer.alloc(16_384))) return void response.once('drain', more);
      }
    };
    more();
  };
  await expect(read()).rejects.toMatchObject({ failure: 'too_large' });
  await hungUp;
  // What the sockets of both sides buffer comes on top of the limit.
  expect(sent).toBeLessThan(20_000_000);
});

it('takes a body of exactly the limit', async () => {
  answer = (response) => response.end(Buffer.alloc(100_000));
  expect(await read()).toHaveLength(100_000);
});

it('refuses what is compressed, so that nothing can unfold', async () => {
  answer = (response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000)));
  await expect(read()).rejects.toMatchObject({ failure: 'encoding' });
  await hungUp;
});

it.each([
  [404, false],
  [403, false],
  [206, false],
  [304, false],
  [500, true],
  [503, true],
  [429, true],
])('refuses status %i, and says whether trying again makes sense', async (status, transient) => {
  answer = (response) => response.writeHead(status).end();
  await expect(read()).rejects.toMatchObject({ failure: 'status', transient });
});

it('gives up on a server that answers nothing', async () => {
  answer = () => {};
  await expect(read({ idleMs: 200 })).rejects.toMatchObject({ failure: 'timeout', transient: true });
  await hungUp;
});

it('gives up on a body that stalls', async () => {
  answer = (response) => void response.writeHead(200, { 'content-length': '10' }).write('x');
  await expect(read({ idleMs: 200 })).rejects.toMatchObject({ failure: 'timeout' });
  await hungUp;
});

it('gives up on a body that trickles for longer than the whole may take', async () => {
  answer = (response) => {
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
  };
  await expect(read({ totalMs: 400 })).rejects.toMatchObject({ failure: 'timeout' });
  await hungUp;
});

it('gives up on a name that is never resolved', async () => {
  const lost = new SafeFetcher({ allows: () => true, resolve: () => new Promise(() => {}) });
  const waiting = lost.read('http://slow.test/', { ...RULES, totalMs: 200 });
  await expect(waiting).rejects.toMatchObject({ failure: 'timeout' });
});

it('fails when the body breaks off', async () => {
  answer = (response) => {
    response.writeHead(200, { 'content-length': '10' }).write('x');
    setTimeout(() => response.destroy(), 50);
  };
  await expect(read()).rejects.toMatchObject({ failure: 'network', transient: true });
});

it('fails when headers do not end', async () => {
  const flood = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 200 OK\r\n');
    const timer = setInterval(() => socket.write(`x-more: ${'y'.repeat(4_000)}\r\n`), 1);
    socket.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((done) => flood.listen(0, '127.0.0.1', done));
  const target = `http://127.0.0.1:${(flood.address() as AddressInfo).port}/`;
  await expect(fetcher.read(target, RULES)).rejects.toMatchObject({ failure: 'network' });
  await new Promise((done) => flood.close(done));
});

it('fails when nobody listens, and when the name does not exist', async () => {
  await expect(fetcher.read('http://127.0.0.1:1024/', RULES)).rejects.toMatchObject({ failure: 'network' });
  await expect(fetcher.read('http://nowhere.invalid/', RULES)).rejects.toMatchObject({ failure: 'network' });
});

it('stops with the caller’s own reason when the caller stops', async () => {
  const reason = new Error('the run was cancelled');
  const controller = new AbortController();
  answer = (response) => {
    response.writeHead(200).write('x');
    setTimeout(() => controller.abort(reason), 50);
  };
  await expect(read({}, controller.signal)).rejects.toBe(reason);
  await hungUp;
  await expect(read({}, controller.signal)).rejects.toBe(reason);
});

it('hangs up on a body that its reader leaves', async () => {
  answer = (response) => void response.writeHead(200).write('x'.repeat(1_000));
  const { chunks } = await fetcher.open(url, RULES);
  for await (const chunk of chunks) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  await hungUp;
});

it('waits for a slow reader instead of filling the memory', async () => {
  let waited = false;
  answer = (response) => {
    response.writeHead(200);
    const more = () => {
      for (let i = 0; i < 1_000 && !response.destroyed; i++) {
        if (!response.write(Buffer.alloc(65_536))) {
          waited = true;
          return void response.once('drain', more);
        }
      }
    };
    more();
  };
  const { chunks } = await fetcher.open(url, { ...RULES, maxBytes: 1e9 });
  await chunks.next();
  await vi.waitFor(() => expect(waited).toBe(true), { timeout: 20_000 });
  await chunks.return();
  await hungUp;
});
