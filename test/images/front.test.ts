/** The shortcut for images in memory says what the HTTP server would say, and leaves to it whatever is not plain. */
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../platform/ids.js';
import { type LiveImage, objectKey } from '../../subgraphs/images/image/image.model.js';
import { openWorld, pathOf, type Running, someBytes, type World } from './support/world.js';

let world: World;
let running: Running;
let image: LiveImage;
let bytes: Buffer;
let path: string;
/** How many requests came as far as Node's HTTP server. */
let passedOn = 0;

beforeAll(async () => {
  world = await openWorld();
  running = await world.start({ kind: 'start' });
  bytes = someBytes(50_000);
  image = await world.put(bytes);
  path = pathOf(image);
  running.darkroom.app.server.on('request', () => {
    passedOn += 1;
  });
});
afterAll(() => world?.close());
beforeEach(async () => {
  // Into memory, and not too long ago.
  await (await fetch(running.url + path)).arrayBuffer();
  passedOn = 0;
});

interface Message {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

class Connection {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  closed = false;

  constructor() {
    this.socket = connect(Number(new URL(running.url).port), '127.0.0.1');
    this.socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** The next answer; null when the connection ends first. `bodiless` as the request was a HEAD. */
  async answer(bodiless = false): Promise<Message | null> {
    for (;;) {
      const message = this.#take(bodiless);
      if (message || this.closed) return message;
      await pause(5);
    }
  }

  #take(bodiless: boolean): Message | null {
    const end = this.received.indexOf('\r\n\r\n');
    if (end < 0) return null;
    const [first = '', ...lines] = this.received.toString('latin1', 0, end).split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
    );
    const length = bodiless ? 0 : Number(headers['content-length'] ?? 0);
    if (this.received.length < end + 4 + length) return null;
    const body = this.received.subarray(end + 4, end + 4 + length);
    this.received = this.received.subarray(end + 4 + length);
    return { status: Number(first.split(' ')[1]), headers, body };
  }
}

const plain = (target = path, extra = '') => `GET ${target} HTTP/1.1\r\nHost: here\r\n${extra}\r\n`;

async function once(text: string): Promise<Message | null> {
  const connection = new Connection();
  connection.send(text);
  const message = await connection.answer();
  connection.socket.destroy();
  return message;
}

const withoutTime = ({ date: _date, ...headers }: Record<string, string>) => headers;

it('a plain request is answered early, with the headers that the HTTP server sends', async () => {
  const early = await once(plain(path, 'X-Request-Id: same\r\n'));
  expect(passedOn).toBe(0);
  // An odd header sends the same request the long way.
  const late = await once(plain(path, 'X-Request-Id: same\r\nX-Odd: 1\r\n'));
  expect(passedOn).toBe(1);
  expect(early?.body.equals(bytes)).toBe(true);
  expect(late?.body.equals(bytes)).toBe(true);
  expect(withoutTime(early?.headers ?? {})).toEqual(withoutTime(late?.headers ?? {}));
  expect(Math.abs(Date.parse(early?.headers['date'] ?? '') - Date.now())).toBeLessThan(5_000);
});

it('a 304 is answered early, with the headers that the HTTP server sends', async () => {
  const known = `X-Request-Id: same\r\nIf-None-Match: "${image.sha256}"\r\n`;
  const early = await once(plain(path, known));
  expect(passedOn).toBe(0);
  const late = await once(plain(path, `${known}X-Odd: 1\r\n`));
  expect([early?.status, late?.status, passedOn]).toEqual([304, 304, 1]);
  expect(withoutTime(early?.headers ?? {})).toEqual(withoutTime(late?.headers ?? {}));
});

it('what browsers and proxies send is plain', async () => {
  const message = await once(
    plain(
      path,
      [
        'Connection: keep-alive',
        'sec-ch-ua: "Chromium";v="140"',
        'User-Agent: Mozilla/5.0 (X11; Linux x86_64)',
        'Accept: image/avif,image/webp,*/*;q=0.8',
        'Sec-Fetch-Site: cross-site',
        'Referer: https://example.com/',
        'Accept-Encoding: gzip, deflate, br',
        'Accept-Language: de,en;q=0.5',
        'Cookie: a=b',
        'X-Forwarded-For: 203.0.113.9',
        '',
      ].join('\r\n'),
    ),
  );
  expect([message?.status, passedOn]).toEqual([200, 0]);
});

it('a connection is kept, and mixes early answers with late ones', async () => {
  const connection = new Connection();
  for (const [text, status, late] of [
    [plain(), 200, 0],
    [plain(path, `If-None-Match: *\r\n`), 304, 0],
    [plain(), 200, 0],
    ['GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n', 200, 1],
    [plain(), 200, 2],
    [plain(path, 'Range: bytes=0-9\r\n'), 206, 3],
    [plain('/v1/i/unknown.png'), 404, 4],
  ] as const) {
    connection.send(text);
    expect([(await connection.answer())?.status, passedOn]).toEqual([status, late]);
  }
  connection.socket.destroy();
});

it('a connection waits while what is missing is brought into memory', async () => {
  const fresh = await Promise.all(Array.from({ length: 3 }, (_, i) => world.put(someBytes(1_000 + i))));
  const connection = new Connection();
  for (const [i, next] of fresh.entries()) {
    connection.send(plain(pathOf(next)));
    expect((await connection.answer())?.body.length).toBe(1_000 + i);
  }
  await pause(2_000);
  // Only the record is too old by now.
  connection.send(plain(path, 'If-None-Match: *\r\n'));
  expect((await connection.answer())?.status).toBe(304);
  expect(passedOn).toBe(0);
  connection.socket.destroy();
});

it.each<[string, number, () => Promise<LiveImage>]>([
  ['unknown', 404, async () => ({ ...image, token: '0'.repeat(43) })],
  ['private', 401, () => world.put(someBytes(10), { visibility: 'private', ownerId: newId() })],
  ['expired', 404, () => world.put(someBytes(10), { expiresAt: new Date(Date.now() - 1) })],
  ['too large to keep', 200, () => world.put(someBytes(5_000_000))],
  ['not in the bucket', 404, async () => ({ ...image, token: await orphan() })],
])('an image that is %s is left to the HTTP server, with whatever follows', async (_name, status, make) => {
  const connection = new Connection();
  connection.send(plain(pathOf(await make())));
  expect((await connection.answer())?.status).toBe(status);
  expect(passedOn).toBe(1);
  connection.send(plain());
  expect((await connection.answer())?.body.equals(bytes)).toBe(true);
  expect(passedOn).toBe(2);
  connection.socket.destroy();
});

async function orphan(): Promise<string> {
  const { _id, token } = await world.put(someBytes(10));
  await world.store.client.send(new DeleteObjectCommand({ Bucket: world.store.bucket, Key: objectKey(_id) }));
  return token;
}

it('requests that come while an earlier one waits are answered in their order', async () => {
  const cold = await world.put(someBytes(1_234));
  const connection = new Connection();
  connection.send(plain(pathOf(cold)));
  await pause(1);
  connection.send(plain());
  await pause(1);
  connection.send('GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n');
  const sizes = [];
  for (let i = 0; i < 3; i++) sizes.push((await connection.answer())?.body.length);
  expect(sizes).toEqual([1_234, 50_000, 15]);
  connection.socket.destroy();
});

it('an offer of another protocol is answered as if it had not been made', async () => {
  expect((await once(plain(path, 'Connection: upgrade\r\nUpgrade: nothing\r\n')))?.status).toBe(200);
});

describe('what is not plain goes to the HTTP server:', () => {
  it.each<[string, () => string, number]>([
    ['a range', () => plain(path, 'Range: bytes=0-9\r\n'), 206],
    ['HTTP/1.0', () => `GET ${path} HTTP/1.0\r\nHost: here\r\n\r\n`, 200],
    ['no host', () => `GET ${path} HTTP/1.1\r\nAccept: */*\r\n\r\n`, 400],
    ['two hosts', () => plain(path, 'Host: there\r\n'), 200],
    ['an empty host', () => `GET ${path} HTTP/1.1\r\nHost:\r\n\r\n`, 200],
    ['a close', () => plain(path, 'Connection: close\r\n'), 200],
    ['an expectation', () => plain(path, 'Expect: 100-continue\r\n'), 100],
    ['a whole URL', () => plain(`http://here${path}`), 404],
    ['a query', () => plain(`${path}?a=b`), 200],
    ['an unknown header', () => plain(path, 'X-Odd: 1\r\n'), 200],
    ['a tag said twice', () => plain(path, 'If-None-Match: "a"\r\nIf-None-Match: *\r\n'), 304],
    ['a blank before the colon', () => plain(path, 'Accept : */*\r\n'), 400],
    ['a folded line', () => plain(path, 'Accept: */*\r\n and more\r\n'), 400],
    ['a line that ends without CR', () => plain(path, 'Accept: */*\n'), 400],
    ['a control character', () => plain(path, 'Accept: \u0001\r\n'), 400],
    ['a letter beyond ASCII', () => plain(path, 'Accept: é\r\n'), 200],
    ['an unknown image', () => plain('/v1/i/unknown.png'), 404],
    ['nonsense', () => 'nonsense\r\n\r\n', 400],
  ])('%s', async (_name, text, status) => {
    const message = await once(text());
    expect(message?.status).toBe(status);
    const refusedUnread = status === 400 && passedOn === 0;
    expect(passedOn === 1 || refusedUnread || status === 100).toBe(true);
  });

  it.each<[string, string]>([
    ['a length', 'Content-Length: 5\r\n'],
    ['chunks', 'Transfer-Encoding: chunked\r\n'],
    ['chunks, oddly written', 'Transfer-Encoding : chunked\r\n'],
    ['both', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
  ])('a body, with %s: what follows is never taken for a request', async (_name, header) => {
    const connection = new Connection();
    connection.send(plain(path, header));
    const first = await connection.answer();
    // Answered or refused by the HTTP server, which knows what the body is.
    expect(passedOn === 1 || first?.status === 400).toBe(true);
    connection.send(plain());
    const second = await connection.answer();
    expect([400, undefined]).toContain(second?.status);
    connection.socket.destroy();
  });

  it('two requests in one piece, answered in their order', async () => {
    const connection = new Connection();
    connection.send(plain() + plain(path, 'If-None-Match: *\r\n'));
    expect((await connection.answer())?.status).toBe(200);
    expect((await connection.answer())?.status).toBe(304);
    expect(passedOn).toBe(2);
    connection.socket.destroy();
  });

  it('a request in many pieces', async () => {
    const connection = new Connection();
    for (const piece of plain().match(/[\s\S]{1,7}/g) ?? []) {
      connection.send(piece);
      await pause(2);
    }
    expect((await connection.answer())?.body.equals(bytes)).toBe(true);
    expect(passedOn).toBe(1);
    connection.socket.destroy();
  });
});

it('a reader that takes nothing is not listened to either', async () => {
  const large = await world.put(someBytes(3_000_000));
  await (await fetch(running.url + pathOf(large))).arrayBuffer();
  const connection = new Connection();
  connection.socket.pause();
  for (let i = 0; i < 50; i++) {
    connection.send(plain(pathOf(large)));
    await pause(1);
  }
  await pause(200);
  const held = await new Promise<number>((resolve) =>
    running.darkroom.app.server.getConnections((_e, n) => resolve(n)),
  );
  expect(held).toBeGreaterThan(0);
  connection.socket.resume();
  const first = await connection.answer();
  expect(first?.body.length).toBe(3_000_000);
  connection.socket.destroy();
});

it('has its metric', async () => {
  await once(plain());
  const metrics = await (await fetch(`${running.url}/metrics`)).text();
  expect(metrics).toMatch(
    /darkroom_http_request_duration_seconds_count\{method="GET",route="\/v1\/i\/:file",status="200"\} \d/,
  );
});

it('idle connections do not hold up the end', async () => {
  const other = await world.start({ kind: 'start' });
  const idle = connect(Number(new URL(other.url).port), '127.0.0.1');
  idle.on('error', () => {});
  await new Promise((resolve) => idle.once('connect', resolve));
  await pause(50);
  const gone = new Promise((resolve) => idle.once('close', resolve));
  await other.darkroom.close();
  await gone;
});
