/** Requests to change the protocol of a connection. Node hands all of them to whoever listens, not only those for WebSocket. */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Problem } from '../../../platform/errors.js';

/** Some clients offer HTTP/2 with every first request. They are to be answered as if they had not. */
export function withoutUpgrade(server: Server, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!OF_THE_OFFER.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[i + 1]}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

const OF_THE_OFFER = new Set(['upgrade', 'connection', 'http2-settings']);

/** There is no reply object for a request that asked for another protocol. */
export function refuseUpgrade(socket: Socket, problem: Problem, requestId: string): void {
  const body = JSON.stringify({ ...problem.toBody(), request_id: requestId });
  socket.on('error', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${problem.status} Error\r\nContent-Type: application/json; charset=utf-8\r\nX-Request-Id: ${requestId}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
