/** What uploads put into the temporary directory: no more than may be, and nothing that stays. */
import { randomBytes } from 'node:crypto';
import { watch } from 'node:fs';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, clientOf } from '../support/client.js';
import { sendForm, sendGraph } from '../support/uploads.js';
import { pngOfSize, smallPng } from './support/pictures.js';
import { openWorld, type Running, type World } from './support/world.js';

const MIB = 1024 * 1024;
const SPOOL = 4 * MIB;
const QUERY = 'mutation ($f: Upload!) { uploadImage(input: { file: $f }) { image { id } } }';
const UNLIMITED = { RATE_LIMIT_UPLOADS_PER_MINUTE: '0' };
const SETTINGS = { ...UNLIMITED, UPLOAD_SPOOL_BYTES: String(SPOOL), MAX_UPLOAD_BYTES: String(3 * MIB) };

let world: World;
let server: Running;
let directory: string;
let ada: Account;
let png: Buffer;
const before = process.env['TMPDIR'];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'darkroom-spool-'));
  world = await openWorld();
  process.env['TMPDIR'] = directory;
  server = await world.start({ kind: 'start' }, SETTINGS);
  ada = await world.account(server.url, 'ada@example.com');
  png = await smallPng();
});
afterAll(async () => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  await world?.close();
  await rm(directory, { recursive: true, force: true });
});

const spooled = () => readdir(directory);
const send = async (bytes: Buffer, url = server.url, key = ada.key) => {
  const { body } = await sendGraph(url, key, QUERY, { f: null }, { 'variables.f': bytes });
  return body.errors ? body.errors[0].extensions.code : 'hosted';
};

/** As a stream, whose length nobody knows before its end. */
const sendUnstated = async (bytes: Buffer) => {
  const { body } = await sendGraph(
    server.url,
    ada.key,
    QUERY,
    { f: null },
    { 'variables.f': bytes },
    { 'apollo-require-preflight': '1' },
    'unstated',
  );
  return body.errors ? body.errors[0].extensions.code : 'hosted';
};

/** A GraphQL upload of so many bytes, or of a length that it does not tell, that stops after the first of them. `ahead` goes first. */
function begin(length: number | null, key = ada.key, ahead = Buffer.alloc(0)) {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  let text = '';
  socket
    .on('error', () => undefined)
    .on('data', (chunk) => {
      text += chunk;
    });
  const part = (name: string, value: string) =>
    `--x\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const body = Buffer.concat([
    Buffer.from(
      part('operations', JSON.stringify({ query: QUERY, variables: { f: null } })) +
        part('map', '{"0":["variables.f"]}') +
        '--x\r\ncontent-disposition: form-data; name="0"; filename="a"\r\n\r\n',
    ),
    pngOfSize(png, 2 * MIB).subarray(0, 200_000),
  ]);
  const framing =
    length === null ? `transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}` : `content-length: ${length}\r\n`;
  socket.write(ahead);
  socket.write(
    `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\napollo-require-preflight: 1\r\n` +
      `content-type: multipart/form-data; boundary=x\r\n${framing}\r\n`,
  );
  socket.write(body);
  return { socket, text: () => text };
}

describe('files that GraphQL uploads wait in', () => {
  it('take no more room than there is for all requests together', async () => {
    const one = begin(2 * MIB);
    await expect.poll(spooled).toHaveLength(1);
    expect(await send(pngOfSize(png, 2.5 * MIB))).toBe('unavailable');
    expect(await send(pngOfSize(png, MIB))).toBe('hosted');
    one.socket.resetAndDestroy();
    await expect.poll(spooled).toEqual([]);
    await expect.poll(() => send(pngOfSize(png, 2.5 * MIB))).toBe('hosted');
  });

  it('take their room as they come in where a request does not say how long it is', async () => {
    const stated = begin(2 * MIB);
    const unstated = begin(null);
    await expect.poll(spooled).toHaveLength(2);
    expect(await sendUnstated(pngOfSize(png, 1.5 * MIB))).toBe('hosted');
    expect(await sendUnstated(pngOfSize(png, 2.5 * MIB))).toBe('unavailable');
    // Twice the room there is, none of it kept.
    for (let i = 0; i < 5; i++) expect(await sendUnstated(pngOfSize(png, 1.5 * MIB))).toBe('hosted');
    for (const { socket } of [stated, unstated]) socket.resetAndDestroy();
    await expect.poll(spooled).toEqual([]);
    await expect.poll(() => sendUnstated(pngOfSize(png, 2.5 * MIB))).toBe('hosted');
  });

  it('give their room back where a client goes away before it is known who it is', async () => {
    const { rest } = clientOf({ url: server.url, mailbox: world.mailbox });
    for (let i = 0; i < 20; i++) {
      // A key that nobody asked about before is looked up.
      const { body } = await rest('POST', '/v1/api-keys', ada.key, { name: `key ${i}` });
      const { socket } = begin(3 * MIB, body.key);
      await new Promise((resolve) => socket.once('connect', resolve));
      await pause(i % 4);
      socket.resetAndDestroy();
    }
    await expect.poll(() => send(pngOfSize(png, 2.5 * MIB))).toBe('hosted');
    await expect.poll(spooled).toEqual([]);
  });

  it('give their room back and go where the answer waits behind another one that nobody waits for any more', async () => {
    const tail = '\r\n--y--\r\n';
    const head = '--y\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n';
    const form = Buffer.concat([Buffer.from(head), pngOfSize(png, 2 * MIB), Buffer.from(tail)]);
    const request =
      `POST /v1/images HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ada.key}\r\n` +
      `content-type: multipart/form-data; boundary=y\r\ncontent-length: ${form.length}\r\n\r\n`;
    let answered = 0;
    for (let i = 0; i < 20; i++) {
      const { socket, text } = begin(3 * MIB, ada.key, Buffer.concat([Buffer.from(request), form]));
      await expect.poll(spooled, { interval: 1 }).not.toEqual([]);
      if (text() !== '') answered += 1;
      socket.resetAndDestroy();
      await expect.poll(spooled).toEqual([]);
    }
    expect(answered).toBeLessThan(20);
    await expect.poll(() => send(pngOfSize(png, 2.5 * MIB))).toBe('hosted');
  });

  it('give their room back and go, whether a picture is taken, refused, or never comes', async () => {
    // Twice the room there is, each way.
    for (let i = 0; i < 3; i++) {
      expect(await send(pngOfSize(png, 2.5 * MIB))).toBe('hosted');
      expect(await send(Buffer.alloc(2.5 * MIB))).toBe('unsupported_image_type');
      expect(await send(pngOfSize(png, 3.5 * MIB))).toBe('file_too_large');
      const { socket } = begin(3 * MIB);
      await expect.poll(spooled).not.toEqual([]);
      socket.resetAndDestroy();
      await expect.poll(spooled).toEqual([]);
    }
  });

  it('are cleared away by the next start where a process was killed, and nothing else is', async () => {
    const name = () => `capacitor-${randomBytes(16).toString('hex')}.tmp`;
    const [left, living, foreign] = [name(), name(), 'capacitor-notes.tmp'];
    const long = new Date(Date.now() - 2 * 3_600_000);
    for (const file of [left, living, foreign]) await writeFile(join(directory, file), 'x');
    for (const file of [left, foreign]) await utimes(join(directory, file), long, long);
    await world.start({ kind: 'start' }, SETTINGS);
    expect((await spooled()).sort()).toEqual([living, foreign].sort());
    for (const file of [living, foreign]) await rm(join(directory, file));
  });
});

describe('a process of images behind gateways', () => {
  it('lets twenty small GraphQL uploads in at once, with the room that it has by default', async () => {
    const { url } = await world.start({ kind: 'gateway' }, { ...UNLIMITED, ...(await world.subgraphs(UNLIMITED)) });
    // One account may not have all of them under way.
    const [ben, cyd, dot] = await Promise.all(
      ['ben', 'cyd', 'dot'].map((name) => world.account(url, `${name}@x.test`)),
    );
    const keys = [ada, ben, cyd, dot].flatMap((account) => Array<string>(5).fill(account?.key ?? ''));
    const answers = await Promise.all(keys.map((key) => send(pngOfSize(png, 20_000), url, key)));
    expect(answers).toEqual(keys.map(() => 'hosted'));
  });

  it('refuses a file that its room is too small for, though the gateway has room', async () => {
    const tight = await world.subgraphs({ ...UNLIMITED, UPLOAD_SPOOL_BYTES: String(MIB) });
    const { url } = await world.start({ kind: 'gateway' }, { ...UNLIMITED, ...tight });
    for (let i = 0; i < 3; i++) {
      expect(await send(pngOfSize(png, 2 * MIB), url)).toBe('unavailable');
      expect(await send(pngOfSize(png, MIB / 2), url)).toBe('hosted');
    }
    await expect.poll(spooled).toEqual([]);
  });
});

describe('an upload over REST', () => {
  it('writes no temporary file', async () => {
    const seen = new Set<string>();
    const watcher = watch(directory, (_event, file) => void seen.add(String(file)));
    try {
      const picture = pngOfSize(png, 2.5 * MIB);
      expect((await sendForm(server.url, ada.key, [['file', picture]])).status).toBe(201);
      await pause(100);
      expect([...seen]).toEqual([]);
      // What the watcher would have seen.
      expect(await send(picture)).toBe('hosted');
      await expect.poll(() => seen.size).toBe(1);
    } finally {
      watcher.close();
    }
  });
});
