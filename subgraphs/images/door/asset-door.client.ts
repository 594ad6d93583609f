/** The door to assets, asked over HTTP. */
import type { Readable } from 'node:stream';
import { buffer, json } from 'node:stream/consumers';
import { z } from 'zod';
import type { ByteAnswer, ByteRequest, ByteTransport } from '../../../platform/bytes.js';
import { Problem } from '../../../platform/errors.js';
import type { ByteRange } from '../../../platform/s3.js';
import { systemScope } from '../../../platform/scope.js';
import type {
  AssetPreset,
  Assets,
  InputFacts,
  InputRole,
  InputToKeep,
  OutputResult,
  OutputToKeep,
  ServedAsset,
} from '../asset-client.js';
import type { ReferenceImage } from '../client.js';
import {
  DROP_PATH,
  FIND_PATH,
  INPUTS_PATH,
  INPUTS_UNTIL_PATH,
  OBJECTS_PATH,
  OUTPUTS_OF_JOBS_PATH,
  READ_PATH,
} from './asset-door.routes.js';
import { BYTES, HEIGHT_HEADER, WIDTH_HEADER } from './door.routes.js';

const JSON_TYPE = 'application/json';

const factsSchema = z.object({
  id: z.string(),
  url: z.string(),
  contentType: z.enum(['image/png', 'image/webp', 'image/avif']),
  sizeBytes: z.number(),
  width: z.number(),
  height: z.number(),
});
const outputResultSchema = z.union([
  z.object({
    kept: z.object({
      image: factsSchema,
      presetUrl: z.string().nullable(),
      backgroundRemoved: factsSchema.nullable(),
      encodeMs: z.number(),
      storeMs: z.number(),
    }),
  }),
  z.object({
    failed: z.object({ step: z.enum(['fetching', 'encoding', 'background_removal']), message: z.string() }),
  }),
]);
const inputFactsSchema = z.object({
  contentType: z.string(),
  sizeBytes: z.number(),
  width: z.number(),
  height: z.number(),
});
const servedSchema = z.object({
  asset: factsSchema.extend({ objectId: z.string(), createdAt: z.coerce.date() }).nullable(),
});
const nothingSchema = z.object({});

export class RemoteAssets implements Assets {
  readonly #transport: ByteTransport;

  constructor(transport: ByteTransport) {
    this.#transport = transport;
  }

  async keepOutput({ source, ...output }: OutputToKeep, requestId: string): Promise<OutputResult> {
    const url = 'url' in source ? source.url : null;
    const bytes = 'bytes' in source ? source.bytes : Buffer.alloc(0);
    const path = withQuery(OUTPUTS_OF_JOBS_PATH, { ...output, url });
    return read(outputResultSchema, await this.#post(path, BYTES, bytes, requestId));
  }

  async keepInput({ bytes, ...input }: InputToKeep, requestId: string): Promise<InputFacts> {
    return read(inputFactsSchema, await this.#post(withQuery(INPUTS_PATH, input), BYTES, bytes, requestId));
  }

  async readInput(jobId: string, role: InputRole, requestId: string): Promise<ReferenceImage | null> {
    return picture(await this.#get(`${INPUTS_PATH}/${encodeURIComponent(jobId)}/${role}`, requestId));
  }

  async keepInputsUntil(jobId: string, expiresAt: Date, requestId: string): Promise<void> {
    await read(nothingSchema, await this.#postJson(INPUTS_UNTIL_PATH, { jobId, expiresAt }, requestId));
  }

  async drop(jobId: string, requestId: string): Promise<void> {
    await read(nothingSchema, await this.#postJson(DROP_PATH, { jobId }, requestId));
  }

  async read(id: string, requestId: string): Promise<ReferenceImage | null> {
    return picture(await this.#get(`${READ_PATH}/${encodeURIComponent(id)}`, requestId));
  }

  async find(id: string, preset: AssetPreset | null, requestId: string): Promise<ServedAsset | null> {
    const query = preset === null ? '' : `?preset=${preset}`;
    return (await read(servedSchema, await this.#get(`${FIND_PATH}/${encodeURIComponent(id)}${query}`, requestId)))
      .asset;
  }

  async open(objectId: string, range: ByteRange | null, requestId: string, signal?: AbortSignal): Promise<Readable> {
    const headers = range ? { range: `bytes=${range.start}-${range.end}` } : undefined;
    return (await this.#get(`${OBJECTS_PATH}/${objectId}`, requestId, headers, signal)).body;
  }

  #get(path: string, requestId: string, headers?: Record<string, string>, signal?: AbortSignal): Promise<ByteAnswer> {
    const request: ByteRequest = { method: 'GET', path, ...(headers && { headers }), ...(signal && { signal }) };
    return this.#transport.send(request, systemScope(requestId));
  }

  #post(path: string, type: string, bytes: Uint8Array, requestId: string): Promise<ByteAnswer> {
    const headers = { 'content-type': type, 'content-length': String(bytes.length) };
    return this.#transport.send({ method: 'POST', path, headers, body: whole(bytes) }, systemScope(requestId));
  }

  #postJson(path: string, body: object, requestId: string): Promise<ByteAnswer> {
    return this.#post(path, JSON_TYPE, Buffer.from(JSON.stringify(body)), requestId);
  }
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function withQuery(path: string, said: object): string {
  return `${path}?${new URLSearchParams({ said: JSON.stringify(said) })}`;
}

async function picture({ status, headers, body }: ByteAnswer): Promise<ReferenceImage | null> {
  const bytes = await buffer(body);
  if (status === 204) return null;
  const contentType = String(headers['content-type']);
  return { bytes, contentType, width: Number(headers[WIDTH_HEADER]), height: Number(headers[HEIGHT_HEADER]) };
}

async function read<T>(schema: z.ZodType<T>, { body }: ByteAnswer): Promise<T> {
  const parsed = schema.safeParse(await json(body));
  if (parsed.success) return parsed.data;
  throw new Problem('unavailable', 'The images service gave an answer that is not understood here.', {
    cause: parsed.error,
  });
}
