/** The server as the commands reach it: REST, with its problems as failures of the command. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Failure } from './failure.js';

export interface ApiOptions {
  server: string;
  key: string | null;
  signal: AbortSignal;
  /** Named in the advice of a 401. */
  signIn: string;
}

export interface Ask {
  query?: Readonly<Record<string, unknown>>;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  timeoutMs?: number;
}

type Body = Record<string, unknown>;

const TIMEOUT_MS = 30_000;
const UPLOAD_TIMEOUT_MS = 15 * 60_000;

export class Api {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  get server(): string {
    return this.#options.server;
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  /** The body of the answer; null where there is none. */
  async call(method: string, path: string, ask: Ask = {}): Promise<Body | null> {
    const answer = await this.fetch(method, path, ask);
    const text = await this.#reading(() => answer.text());
    return text === '' ? null : (parse(text, answer) as Body);
  }

  /** An answer that is good; what is not is thrown. */
  async fetch(
    method: string,
    path: string,
    { query = {}, body, headers, timeoutMs = TIMEOUT_MS }: Ask,
  ): Promise<Response> {
    const { server, key, signal } = this.#options;
    const url = new URL(path, server);
    for (const [name, value] of Object.entries(query)) {
      for (const one of [value].flat())
        if (one !== undefined && one !== null) url.searchParams.append(name, String(one));
    }
    const answer = await this.#reading(() =>
      fetch(url, {
        method,
        headers: {
          accept: 'application/json',
          ...(key !== null && url.origin === new URL(server).origin && { authorization: `Bearer ${key}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
    if (!answer.ok) throw this.#refusal(answer, await this.#reading(() => answer.text()));
    return answer;
  }

  /** A form with one file, sent as it is read. `told` hears how much of it has gone, from 0 to 1. */
  async upload(
    path: string,
    file: string,
    fields: Readonly<Record<string, string>>,
    told: (done: number) => void,
  ): Promise<Body> {
    const { server, key, signal } = this.#options;
    const { size } = await stat(file).catch((error: NodeJS.ErrnoException) => {
      throw new Failure(error.code === 'ENOENT' ? `there is no file ${file}` : `cannot read ${file}: ${error.message}`);
    });
    const boundary = `form-${crypto.randomUUID()}`;
    const { head, tail } = formAround(boundary, basename(file), fields);
    const answer = await this.#reading(() =>
      fetch(new URL(path, server), {
        method: 'POST',
        headers: {
          'content-type': `multipart/form-data; boundary=${boundary}`,
          ...(key !== null && { authorization: `Bearer ${key}` }),
        },
        body: toStream(formBytes(head, file, size, tail, told)),
        duplex: 'half',
        signal: AbortSignal.any([signal, AbortSignal.timeout(UPLOAD_TIMEOUT_MS)]),
      } as RequestInit),
    );
    const text = await this.#reading(() => answer.text());
    if (!answer.ok) throw this.#refusal(answer, text);
    return parse(text, answer) as Body;
  }

  async #reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (this.#options.signal.aborted || error instanceof Failure) throw error;
      throw this.#unreachable(error as Error);
    }
  }

  #unreachable(error: Error): Failure {
    const { server } = this.#options;
    if (error.name === 'TimeoutError') return new Failure(`${server} did not answer in time`, { cause: error });
    const { code } = (error.cause ?? {}) as { code?: string };
    return new Failure(`cannot reach ${server}${code ? ` (${code})` : ''}`, {
      hint: 'Is it running? GOODEYE_SERVER or --server names another one.',
      cause: error,
    });
  }

  #refusal(answer: Response, text: string): Failure {
    const body = problemOf(text);
    if (!body)
      return new Failure(`${this.#options.server} answered ${answer.status}, and not as a server of ours does`);
    const { error, message, hint, request_id: id } = body;
    const advice = error === 'auth_required' ? this.#options.signIn : hint;
    const fields = (Array.isArray(body.details) ? body.details : []).map(
      (detail) => `${detail.field}: ${detail.message}`,
    );
    const said = fields.length > 1 ? fields.join('\n') : message;
    const quoting = error === 'internal_error' && id ? ` Quote ${id} when you report it.` : '';
    return new Failure(`${said} (${error})${quoting}`, { hint: advice, body });
  }
}

interface ProblemBody {
  error: string;
  message: string;
  hint?: string;
  request_id?: string;
  details?: { field: string; message: string }[];
}

function problemOf(text: string): ProblemBody | null {
  try {
    const body = JSON.parse(text) as Partial<ProblemBody> & { detail?: unknown };
    if (typeof body.detail === 'string') return { error: 'validation_error', message: body.detail };
    if (typeof body.error !== 'string' || typeof body.message !== 'string') return null;
    return body as ProblemBody;
  } catch {
    return null;
  }
}

function parse(text: string, { url }: Response): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure(`${new URL(url).origin} answered something that is not JSON`, { cause: error });
  }
}

function formAround(boundary: string, name: string, fields: Readonly<Record<string, string>>) {
  const parts = Object.entries(fields).map(
    ([field, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`,
  );
  const safe = name.replaceAll(/["\r\n]/g, '_');
  const file = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${safe}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
  return { head: Buffer.from(parts.join('') + file), tail: Buffer.from(`\r\n--${boundary}--\r\n`) };
}

async function* formBytes(head: Buffer, file: string, size: number, tail: Buffer, told: (done: number) => void) {
  yield head;
  let sent = 0;
  for await (const chunk of createReadStream(file)) {
    yield chunk as Buffer;
    sent += (chunk as Buffer).length;
    told(size === 0 ? 1 : sent / size);
  }
  yield tail;
}

function toStream(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}
