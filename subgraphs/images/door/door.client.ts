/** The byte door, asked over HTTP or in this process. */
import type { Readable } from 'node:stream';
import { buffer, json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { ByteAnswer, ByteRequest, ByteTransport } from '../../../platform/bytes.js';
import { Problem } from '../../../platform/errors.js';
import { writeFrames } from '../../../platform/frames.js';
import type { ByteRange } from '../../../platform/s3.js';
import { type Scope, systemScope } from '../../../platform/scope.js';
import type {
  FoundAhead,
  HostedImage,
  HostedOutput,
  Images,
  ImageUpload,
  OutputToStore,
  ReferenceImage,
  ReferenceToRead,
  ServedImage,
  StoredOutput,
} from '../client.js';
import { Ahead, SMALL } from '../serving/ahead.js';
import {
  AHEAD_PATH,
  BYTES,
  BYTES_PATH,
  FRAMED,
  HEIGHT_HEADER,
  IDEMPOTENCY_HEADER,
  OUTPUTS_PATH,
  REFERENCES_PATH,
  SERVED_HEADER,
  SERVED_PATH,
  UPLOAD_PATH,
  WIDTH_HEADER,
} from './door.routes.js';

const JSON_TYPE = 'application/json';
const STORE_ATTEMPTS = 3;
const RETRY_AFTER_MS = 500;

const visibility = z.enum(['public', 'private']);
const contentType = z.enum(['image/png', 'image/jpeg', 'image/webp', 'image/gif']);

const hostedImageSchema = z.object({
  id: z.string(),
  token: z.string(),
  url: z.string(),
  visibility,
  source: z.enum(['upload', 'generated']),
  contentType,
  sizeBytes: z.number(),
  width: z.number(),
  height: z.number(),
  createdAt: z.coerce.date(),
  expiresAt: z.coerce.date().nullable(),
});

const storedOutput = z.object({
  id: z.string(),
  url: z.string(),
  visibility,
  expiresAt: z.coerce.date().nullable(),
  contentType,
  sizeBytes: z.number(),
  width: z.number(),
  height: z.number(),
});
const storedOutputSchema = z.object({ output: storedOutput.nullable() });
const hostedOutputsSchema = z.object({ outputs: z.array(storedOutput.extend({ index: z.number() })) });

const servedImageSchema = z.object({
  image: z
    .object({
      id: z.string(),
      ownerId: z.string().nullable(),
      visibility,
      contentType,
      sizeBytes: z.number(),
      sha256: z.string(),
      createdAt: z.coerce.date(),
      expiresAt: z.coerce.date().nullable(),
    })
    .nullable(),
});

export class RemoteImages implements Images {
  readonly #transport: ByteTransport;
  readonly #log: Logger;

  constructor(transport: ByteTransport, log: Logger) {
    this.#transport = transport;
    this.#log = log;
  }

  async upload({ bytes, settings, idempotencyKey }: ImageUpload, scope: Scope): Promise<HostedImage> {
    const { body } = await this.#transport.send(
      {
        method: 'POST',
        path: UPLOAD_PATH,
        headers: {
          'content-type': FRAMED,
          ...(idempotencyKey !== null && { [IDEMPOTENCY_HEADER]: encodeURIComponent(idempotencyKey) }),
        },
        body: writeFrames(bytes, settings),
      },
      scope,
    );
    return read(hostedImageSchema, body);
  }

  async storeOutput(output: OutputToStore, requestId: string): Promise<StoredOutput | null> {
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#sendOutput(output, requestId)).output;
      } catch (error) {
        // Storing twice hosts once, so it may be sent again whatever became of it.
        if (attempt === STORE_ATTEMPTS) {
          const { runId, index } = output;
          this.#log.warn({ err: error, runId, index, requestId }, 'an output cannot be hosted');
          return null;
        }
        await pause(RETRY_AFTER_MS * attempt);
      }
    }
  }

  async #sendOutput({ runId, index, ownerId, source }: OutputToStore, requestId: string) {
    const query = new URLSearchParams({
      run: runId,
      index: String(index),
      ...(ownerId !== null && { owner: ownerId }),
    });
    const path = `${OUTPUTS_PATH}?${query}`;
    const { body } =
      'bytes' in source
        ? await this.#post(path, BYTES, source.bytes, requestId)
        : await this.#post(path, JSON_TYPE, Buffer.from(JSON.stringify(source)), requestId);
    return read(storedOutputSchema, body);
  }

  async outputsOf(runId: string, requestId: string): Promise<HostedOutput[]> {
    const { body } = await this.#get(`${OUTPUTS_PATH}/${encodeURIComponent(runId)}`, requestId);
    return (await read(hostedOutputsSchema, body)).outputs;
  }

  async readReference(reference: ReferenceToRead, requestId: string): Promise<ReferenceImage> {
    const request = Buffer.from(JSON.stringify(reference));
    const { headers, body } = await this.#post(REFERENCES_PATH, JSON_TYPE, request, requestId);
    return {
      bytes: await buffer(body),
      contentType: String(headers['content-type']),
      width: Number(headers[WIDTH_HEADER]),
      height: Number(headers[HEIGHT_HEADER]),
    };
  }

  async find(token: string, requestId: string): Promise<ServedImage | null> {
    const { body } = await this.#get(`${SERVED_PATH}/${encodeURIComponent(token)}`, requestId);
    return (await read(servedImageSchema, body)).image;
  }

  async findAhead(token: string, requestId: string): Promise<FoundAhead | null> {
    const { status, headers, body } = await this.#get(`${AHEAD_PATH}/${encodeURIComponent(token)}`, requestId);
    let ahead: Ahead | null = null;
    try {
      const { image } = understood(servedImageSchema, parsed(headers[SERVED_HEADER]));
      if (image && status === 200) {
        const bytes = image.sizeBytes <= SMALL ? buffer(body) : Promise.resolve(body);
        ahead = new Ahead(bytes, () => body.destroy());
      }
      return image && { image, ahead };
    } finally {
      // Else nobody does, and the connection waits for that.
      if (!ahead) body.on('error', () => undefined).resume();
    }
  }

  async open(id: string, range: ByteRange | null, requestId: string, signal?: AbortSignal): Promise<Readable> {
    const headers = range ? { range: `bytes=${range.start}-${range.end}` } : undefined;
    return (await this.#get(`${BYTES_PATH}/${id}`, requestId, headers, signal)).body;
  }

  async read({ id }: Pick<ServedImage, 'id'>, requestId: string): Promise<Buffer> {
    return buffer(await this.open(id, null, requestId));
  }

  #get(path: string, requestId: string, headers?: Record<string, string>, signal?: AbortSignal): Promise<ByteAnswer> {
    const request: ByteRequest = { method: 'GET', path, ...(headers && { headers }), ...(signal && { signal }) };
    return this.#transport.send(request, systemScope(requestId));
  }

  #post(path: string, type: string, bytes: Uint8Array, requestId: string): Promise<ByteAnswer> {
    const headers = { 'content-type': type, 'content-length': String(bytes.length) };
    return this.#transport.send({ method: 'POST', path, headers, body: whole(bytes) }, systemScope(requestId));
  }
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function read<T>(schema: z.ZodType<T>, body: Readable): Promise<T> {
  return understood(schema, await json(body));
}

function parsed(header: unknown): unknown {
  try {
    return JSON.parse(String(header));
  } catch {
    return undefined;
  }
}

function understood<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new Problem('unavailable', 'The images service gave an answer that is not understood here.', {
    cause: parsed.error,
  });
}

/** Of this process, where they are built after those that ask them. */
export function lateImages(find: () => Images): Images {
  return {
    upload: (upload, scope) => find().upload(upload, scope),
    storeOutput: (output, requestId) => find().storeOutput(output, requestId),
    outputsOf: (runId, requestId) => find().outputsOf(runId, requestId),
    readReference: (reference, requestId) => find().readReference(reference, requestId),
    find: (token, requestId) => find().find(token, requestId),
    findAhead: (token, requestId) => find().findAhead(token, requestId),
    open: (id, range, requestId, signal) => find().open(id, range, requestId, signal),
    read: (image, requestId) => find().read(image, requestId),
  };
}
