/** Uploads written to the socket by hand, for clients that break off, stop, or never end. */
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Account } from '../../support/client.js';

/** A form whose last part is the file. */
export interface Way {
  path: string;
  headers: Record<string, string>;
  /** All that comes before the bytes of the file. */
  start: Buffer;
}

const QUERY = 'mutation ($f: Upload!) { uploadImage(input: { file: $f }) { image { id } } }';

export const OVER_REST: Way = { path: '/v1/images', headers: {}, start: form([part('file', '', 'a')]) };

export const THROUGH_THE_GRAPH: Way = {
  path: '/graphql',
  headers: { 'apollo-require-preflight': '1' },
  start: form([
    part('operations', JSON.stringify({ query: QUERY, variables: { f: null } })),
    part('map', '{"0":["variables.f"]}'),
    part('0', '', 'a'),
  ]),
};

function form(parts: string[]): Buffer {
  return Buffer.from(parts.join('\r\n'));
}

function part(name: string, text: string, filename?: string): string {
  const file = filename === undefined ? '' : `; filename="${filename}"`;
  return `--x\r\ncontent-disposition: form-data; name="${name}"${file}\r\n\r\n${text}`;
}

/** The head of a request whose body has so many bytes, or does not say how many: then it is chunked. */
export function open(url: string, { key }: Account, { path, headers }: Way, length: number | null): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  const all = {
    host: 'x',
    authorization: `Bearer ${key}`,
    'content-type': 'multipart/form-data; boundary=x',
    ...(length === null ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(length) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
  return socket;
}

/** What is answered, whole. */
export async function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
    if (text.includes('"request_id"')) socket.end();
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

/** Sends the bytes before an offset, and is gone some moment later. */
export async function drop(url: string, account: Account, way: Way, picture: Buffer, offset: number): Promise<void> {
  const socket = open(url, account, way, way.start.length + picture.length + 10);
  await new Promise<void>((resolve) =>
    socket.write(Buffer.concat([way.start, picture.subarray(0, offset)]), () => resolve()),
  );
  await pause(Math.random() * 40);
  socket.resetAndDestroy();
}

/** Sends these bytes, and nothing after them. */
export function stall(url: string, account: Account, way: Way, bytes: Buffer): Promise<string> {
  const socket = open(url, account, way, way.start.length + 2 * bytes.length);
  const answer = textOf(socket);
  socket.write(Buffer.concat([way.start, bytes]));
  return answer;
}

/** Sends chunks after these bytes for as long as they are taken. */
export async function neverEnd(url: string, account: Account, way: Way, bytes: Buffer) {
  const socket = open(url, account, way, null);
  const answer = textOf(socket);
  let sent = 0;
  const write = (chunk: Buffer) => {
    sent += chunk.length;
    return socket.write(Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]));
  };
  write(way.start);
  write(bytes);
  const more = Buffer.alloc(256 * 1024);
  while (!socket.destroyed && socket.writable) {
    if (!write(more)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), answer]);
  }
  return { answer: await answer, sent };
}
