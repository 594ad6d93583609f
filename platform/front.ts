/**
 * Answers the plainest of GET requests from the bytes of their connection, before Node's HTTP server sees them: for routes
 * that send what is in memory, that server costs twice what sending costs.
 *
 * Only a request that arrives whole, alone and in a form about which no two parsers can differ is looked at. At the
 * first one that is not, or that is not answered here, the connection is handed to the HTTP server with everything that
 * came and stays there. So there is nothing here to smuggle a request past.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface FrontRequest {
  target: string;
  ifNoneMatch: string | undefined;
  ifModifiedSince: string | undefined;
  requestId: string | undefined;
}

export interface FrontAnswer {
  status: number;
  /** Status line and headers, each line ended; those of the connection are added here. */
  head: string;
  body: Buffer | ComingBody | null;
}

/** Of a length that its head tells, and still on its way. */
export interface ComingBody {
  /** Resolves when all was handed over. What is not in memory anyway waits for room where `take` says that there is none. */
  sendTo(take: (chunk: Buffer) => boolean, room: () => Promise<void>): Promise<void>;
  /** In its stead, where nobody is left who wants it. */
  drop?(): void;
}

export interface FrontOptions {
  /** What request targets begin with that are looked at. */
  prefix: string;
  /** Null, or a promise that fails: the HTTP server is to answer. */
  answer(request: FrontRequest): FrontAnswer | null | Promise<FrontAnswer | null>;
  /** How long a connection may take to say its first word. */
  firstMs: number;
  /** How long it may be silent, or take nothing of an answer, after that. */
  idleMs: number;
}

/** How long an answer may go on being sent while the process ends. */
const LAST_ANSWERS_MS = 10_000;

type Listener = (socket: Socket) => void;

/** Returns the way to end it: connections that are idle go at once, others with their answer. */
export function openFront(server: Server, options: FrontOptions): () => void {
  const [accept, ...others] = server.listeners('connection') as Listener[];
  if (!accept || others.length > 0) throw new Error('the HTTP server is not as Node makes it');
  const sockets = new Set<Socket>();
  const sending = new Set<Socket>();
  let closing = false;
  const handOver = (socket: Socket) => accept.call(server, socket);
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (closing) handOver(socket);
    else watch(socket, { sockets, sending, isClosing: () => closing }, options, handOver);
  });
  return () => {
    closing = true;
    for (const socket of sockets) {
      if (sending.has(socket)) {
        // One that was handed over meanwhile is the HTTP server's to end.
        setTimeout(() => sending.has(socket) && socket.destroy(), LAST_ANSWERS_MS).unref();
        continue;
      }
      if (socket.writableLength === 0) socket.destroy();
      else socket.end();
    }
  };
}

interface Watched {
  sockets: Set<Socket>;
  /** Those of an answer that is not all there yet. */
  sending: Set<Socket>;
  isClosing(): boolean;
}

function watch(socket: Socket, watched: Watched, options: FrontOptions, handOver: Listener): void {
  const { sockets, sending, isClosing } = watched;
  const { answer, prefix, firstMs, idleMs } = options;
  const begin = `GET ${prefix}`;
  const connection = `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(idleMs / 1000)}\r\n\r\n`;
  let first = true;
  const drop = () => socket.destroy();
  const forget = () => sockets.delete(socket);
  const resume = () => socket.resume();

  function read(chunk: Buffer): void {
    const request = parse(chunk, begin);
    const found = request && answer(request);
    if (!(found instanceof Promise)) {
      respond(found, chunk);
      return;
    }
    // One request at a time: the next one waits where it is.
    socket.pause();
    sending.add(socket);
    const late = (result: FrontAnswer | null) => {
      sending.delete(socket);
      if (socket.destroyed) return dropBody(result);
      respond(result, chunk);
      if (sending.has(socket)) return;
      if (result && isClosing()) socket.end();
      else if (!socket.writableNeedDrain) socket.resume();
    };
    found.then(late, () => late(null));
  }

  function respond(found: FrontAnswer | null, chunk: Buffer): void {
    if (!found) {
      leave(chunk);
      return;
    }
    if (first) {
      first = false;
      socket.setTimeout(idleMs);
    }
    const { head, body } = found;
    if (body !== null && !Buffer.isBuffer(body)) {
      void send(head, body);
      return;
    }
    if (body) socket.cork();
    socket.write(head + connection, 'latin1');
    if (body) {
      socket.write(body);
      socket.uncork();
    }
    listen();
  }

  /** Who does not take what was asked for is not listened to until it is taken. */
  function listen(): void {
    // Only of so much does the socket tell when it is taken.
    if (!socket.writableNeedDrain) return;
    socket.pause();
    socket.once('drain', resume);
  }

  /** What breaks off after its head was sent can only be told by the end of the connection. */
  async function send(head: string, body: ComingBody): Promise<void> {
    sending.add(socket);
    socket.pause();
    socket.cork();
    socket.write(head + connection, 'latin1');
    process.nextTick(() => socket.uncork());
    try {
      await body.sendTo(
        (chunk) => socket.destroyed || socket.write(chunk),
        async () => {
          await room(socket);
          if (socket.destroyed) throw new Error('nobody is left who wants it');
        },
      );
    } catch {
      socket.destroy();
    }
    sending.delete(socket);
    if (isClosing()) socket.end();
    else if (socket.writableNeedDrain) socket.once('drain', resume);
    else socket.resume();
  }

  function leave(chunk: Buffer): void {
    socket.off('data', read).off('timeout', drop).off('error', drop).off('close', forget);
    socket.setTimeout(0);
    forget();
    // What the stream would read of its own accord after this chunk it reads now: later, it would undo the stop by which
    // the HTTP server holds back a body that nobody takes, and all of that body would come to lie in memory.
    socket.read(0);
    handOver(socket);
    socket.emit('data', chunk);
  }

  sockets.add(socket);
  socket.setTimeout(firstMs);
  socket.on('data', read).on('timeout', drop).on('error', drop).on('close', forget);
}

function dropBody(answer: FrontAnswer | null): void {
  if (answer?.body && !Buffer.isBuffer(answer.body)) answer.body.drop?.();
}

/** Resolves when there is room again, or nobody left to make any. */
function room(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    if (socket.destroyed || !socket.writableNeedDrain) done();
    else socket.on('drain', done).on('close', done);
  });
}

const MAX_REQUEST = 8_192;
/** A request line, header lines whose names end in their colon, and nothing but printable ASCII. No body, no second request. */
const SHAPE = /^GET [\x21-\x7e]+ HTTP\/1\.1\r\n(?:[\w!#$%&'*+.^`|~-]+:[\x20-\x7e]*\r\n)+\r\n$/;
/** Headers that change nothing about an answer that is for everybody. Any other is for the HTTP server to judge. */
const PLAIN = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'authorization',
  'cache-control',
  'cookie',
  'dnt',
  'forwarded',
  'origin',
  'pragma',
  'priority',
  'referer',
  'sec-ch-ua',
  'sec-ch-ua-mobile',
  'sec-ch-ua-platform',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-fetch-user',
  'sec-gpc',
  'user-agent',
  'via',
  'x-api-key',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
]);

function parse(chunk: Buffer, begin: string): FrontRequest | null {
  if (chunk.length > MAX_REQUEST || chunk.toString('latin1', 0, begin.length) !== begin) return null;
  const text = chunk.toString('latin1');
  if (!SHAPE.test(text)) return null;
  let at = text.indexOf('\r\n');
  const target = text.slice('GET '.length, at - ' HTTP/1.1'.length);
  const seen: Record<string, string> = {};
  for (at += 2; at < text.length - 2; ) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r\n', colon);
    const name = text.slice(at, colon).toLowerCase();
    if (!PLAIN.has(name)) {
      // Said twice it means something else than once.
      if (!READ.has(name) || seen[name] !== undefined) return null;
      seen[name] = text.slice(colon + 1, end).trim();
    }
    at = end + 2;
  }
  const { host, connection = 'keep-alive' } = seen;
  if (!host || connection.toLowerCase() !== 'keep-alive') return null;
  return {
    target,
    ifNoneMatch: seen['if-none-match'],
    ifModifiedSince: seen['if-modified-since'],
    requestId: seen['x-request-id'],
  };
}

const READ = new Set(['host', 'connection', 'if-none-match', 'if-modified-since', 'x-request-id']);
