/** An HTTP server that stands in for a paid service: it speaks that service's wire format, and misbehaves on demand. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Recorded {
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  /** The body, where it is JSON. */
  json: Record<string, unknown>;
  /** The body, where it is multipart. */
  form: FormData | null;
}

/** What happens to a request; how it looks on the wire is the service's own. */
export type Behaviour =
  /** As documented. */
  | 'answer'
  /** Its safety system says no. */
  | 'refuse'
  | 'bad_key'
  | 'invalid'
  | 'rate_limited'
  /** With a Retry-After of nought. */
  | 'rate_limited_briefly'
  | 'server_error'
  | 'overloaded_briefly'
  /** Reads the request, and then nothing. */
  | 'hang'
  /** A byte every now and then, without end. */
  | 'drip'
  /** Closes the connection before a word. */
  | 'cut'
  /** Closes it in the middle of the answer. */
  | 'cut_midway'
  | 'endless'
  | 'announces_too_much'
  | 'html'
  | 'garbage'
  | 'deep_json'
  | 'wide_json'
  | 'no_picture'
  | 'not_a_picture'
  | 'empty'
  | 'redirect';

export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  body: object | Buffer | string;
}

/** How one service words its answers. */
export interface Dialect {
  answer(request: Recorded, url: string): Reply | Promise<Reply>;
  refuse: Reply;
  badKey: Reply;
  invalid: Reply;
  rateLimited: Reply;
  serverError: Reply;
  /** A well-formed answer without any picture in it. */
  noPicture: Reply;
  /** A well-formed answer whose picture is none. */
  notAPicture: Reply;
}

export interface StandIn {
  url: string;
  readonly requests: Recorded[];
  last(): Recorded;
  /** The next requests behave so, one after the other; the last one goes on until told otherwise. */
  behave(...behaviours: Behaviour[]): void;
  /** Behaviours and requests as at the start. */
  reset(): void;
  close(): Promise<void>;
}

/** Somewhere that no service of ours may be sent to. */
export const PRIVATE_TARGET = 'http://169.254.169.254/latest/meta-data/';

export async function openStandIn(dialect: Dialect): Promise<StandIn> {
  const requests: Recorded[] = [];
  let queue: Behaviour[] = ['answer'];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const behaviour = (queue.length > 1 ? queue.shift() : queue[0]) ?? 'answer';
    serve(request, response, behaviour).catch((error) => response.destroy(error));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function serve(request: IncomingMessage, response: ServerResponse, behaviour: Behaviour): Promise<void> {
    const recorded = await record(request);
    requests.push(recorded);
    const reply = await replyOf(dialect, behaviour, recorded, url);
    if (reply) send(response, reply);
    else misbehave(behaviour, response);
  }

  return {
    url,
    requests,
    last() {
      const last = requests.at(-1);
      if (!last) throw new Error('the stand-in was not asked');
      return last;
    },
    behave(...behaviours) {
      queue = behaviours;
    },
    reset() {
      queue = ['answer'];
      requests.length = 0;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function record(request: IncomingMessage): Promise<Recorded> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const type = request.headers['content-type'] ?? '';
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    body,
    json: type.includes('json') ? JSON.parse(body.toString('utf8')) : {},
    form: type.startsWith('multipart/')
      ? await new Response(body, { headers: { 'content-type': type } }).formData()
      : null,
  };
}

function replyOf(
  dialect: Dialect,
  behaviour: Behaviour,
  recorded: Recorded,
  url: string,
): Reply | Promise<Reply> | null {
  switch (behaviour) {
    case 'answer':
      return dialect.answer(recorded, url);
    case 'refuse':
      return dialect.refuse;
    case 'bad_key':
      return dialect.badKey;
    case 'invalid':
      return dialect.invalid;
    case 'rate_limited':
      return dialect.rateLimited;
    case 'rate_limited_briefly':
      return { ...dialect.rateLimited, headers: { ...dialect.rateLimited.headers, 'retry-after': '0' } };
    case 'server_error':
      return dialect.serverError;
    case 'overloaded_briefly':
      return { ...dialect.serverError, status: 503, headers: { 'retry-after': '0' } };
    case 'no_picture':
      return dialect.noPicture;
    case 'not_a_picture':
      return dialect.notAPicture;
    case 'html':
      return { headers: { 'content-type': 'text/html' }, body: '<html><body>Welcome to the proxy</body></html>' };
    case 'garbage':
      return { headers: { 'content-type': 'application/json' }, body: Buffer.from('{"data": [\u0000\u0001 nonsense') };
    case 'deep_json':
      return { headers: { 'content-type': 'application/json' }, body: Buffer.alloc(2_000_000, '[') };
    case 'wide_json':
      return { headers: { 'content-type': 'application/json' }, body: `[${'[],'.repeat(500_000)}[]]` };
    case 'empty':
      return { headers: { 'content-type': 'application/json' }, body: '' };
    case 'redirect':
      return { status: 302, headers: { location: PRIVATE_TARGET }, body: '' };
    default:
      return null;
  }
}

function send(response: ServerResponse, { status = 200, headers = {}, body }: Reply): void {
  const isJson = typeof body === 'object' && !Buffer.isBuffer(body);
  const bytes = isJson ? Buffer.from(JSON.stringify(body)) : Buffer.from(body as Buffer | string);
  const type = isJson ? { 'content-type': 'application/json' } : {};
  response.writeHead(status, { ...type, ...headers, 'content-length': String(bytes.length) }).end(bytes);
}

const CHUNK = Buffer.alloc(1024 * 1024, 'A');

function misbehave(behaviour: Behaviour, response: ServerResponse): void {
  if (behaviour === 'hang') return;
  if (behaviour === 'cut') {
    response.destroy();
    return;
  }
  response.on('error', () => undefined);
  if (behaviour === 'cut_midway') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000000' });
    response.write('{"data":[{"b64_json":"');
    setTimeout(() => response.destroy(), 50);
    return;
  }
  if (behaviour === 'announces_too_much') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(10 * 1024 ** 3) });
    response.write('{"data":[{"b64_json":"');
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"data":[{"b64_json":"');
  if (behaviour === 'drip') {
    const timer = setInterval(() => response.write('A'), 50);
    response.on('close', () => clearInterval(timer));
    return;
  }
  const pour = () => {
    while (!response.destroyed && response.write(CHUNK));
    if (!response.destroyed) response.once('drain', pour);
  };
  pour();
}
