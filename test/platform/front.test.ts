/** The shortcut before the HTTP server: what it hands over can be held back, and what it sends does not hold up the end. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type ComingBody, openFront } from '../../platform/front.js';

const MIB = 1024 * 1024;

let server: Server;
let client: Socket;
let close: () => void;
/** Comes as slowly as a test has it. */
let body: ComingBody;

beforeEach(async () => {
  server = createServer();
  const answer = () => ({ status: 200, head: 'HTTP/1.1 200 OK\r\ncontent-length: 8\r\n', body });
  close = openFront(server, { prefix: '/i/', answer, firstMs: 60_000, idleMs: 60_000 });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
});
afterEach(() => {
  vi.useRealTimers();
  client.destroy();
  server.closeAllConnections();
  server.close();
});

it('a body that comes together with its head is left where it is for as long as nobody takes it', async () => {
  const requested = once(server, 'request');
  const head = `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${64 * MIB}\r\n\r\n`;
  client.write(Buffer.concat([Buffer.from(head), Buffer.alloc(64 * MIB)]));
  const [request] = (await requested) as [IncomingMessage];
  await pause(500);
  expect(request.readableLength).toBeLessThan(MIB);
  let length = 0;
  for await (const chunk of request) length += chunk.length;
  expect(length).toBe(64 * MIB);
});

it('an answer that is still on its way when the server ends has ten seconds for the rest', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  let sendRest = () => {};
  body = {
    async sendTo(take) {
      take(Buffer.from('half'));
      await new Promise<void>((resolve) => {
        sendRest = resolve;
      });
      take(Buffer.from('rest'));
    },
  };
  let text = '';
  client.setEncoding('latin1').on('data', (chunk) => {
    text += chunk;
  });
  client.write('GET /i/x HTTP/1.1\r\nhost: x\r\n\r\n');
  await vi.waitUntil(() => text.endsWith('half'));
  const closed = once(client, 'close');
  close();
  vi.advanceTimersByTime(9_999);
  sendRest();
  await closed;
  expect(text.endsWith('halfrest')).toBe(true);
});

it('an answer that has not come to its end after that is cut off', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  body = {
    async sendTo(take) {
      take(Buffer.from('half'));
      await new Promise(() => undefined);
    },
  };
  const [sent, closed] = [once(client, 'data'), once(client, 'close')];
  client.write('GET /i/x HTTP/1.1\r\nhost: x\r\n\r\n');
  await sent;
  close();
  vi.advanceTimersByTime(10_000);
  await closed;
});
