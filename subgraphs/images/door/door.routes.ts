/** The byte door on a port of its own. */
import { buffer } from 'node:stream/consumers';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { watchBodyTime } from '../../../platform/body-time.js';
import { Problem } from '../../../platform/errors.js';
import { readFrames } from '../../../platform/frames.js';
import type { ByteRange } from '../../../platform/s3.js';
import { requireInternal, type Scope } from '../../../platform/scope.js';
import type { Authorize } from '../../../platform/subgraph.js';
import type { Images } from '../client.js';
import { SMALL } from '../serving/ahead.js';

export const UPLOAD_PATH = '/images/upload';
export const FRAMED = 'application/vnd.darkroom.framed';
export const IDEMPOTENCY_HEADER = 'idempotency-key';
export const OUTPUTS_PATH = '/images/outputs';
export const REFERENCES_PATH = '/images/references';
export const SERVED_PATH = '/images/served';
export const AHEAD_PATH = '/images/served-ahead';
export const BYTES_PATH = '/images/bytes';
export const BYTES = 'application/octet-stream';
export const SERVED_HEADER = 'x-served-image';
export const WIDTH_HEADER = 'x-picture-width';
export const HEIGHT_HEADER = 'x-picture-height';

const settingsSchema = z.object({
  visibility: z.enum(['public', 'private']),
  ttlSeconds: z.number().int().nullable(),
});

const outputSchema = z.object({
  run: z.string(),
  index: z.coerce.number().int(),
  owner: z.string().optional(),
});
const outputUrlSchema = z.object({ url: z.string() });
const referenceSchema = z.object({ url: z.string(), userId: z.string().nullable() });

export function mountDoor(app: FastifyInstance, images: Images, authorize: Authorize): void {
  // Left to the route: it reads at the pace of the bucket.
  app.addContentTypeParser(FRAMED, (_request, payload, done) => done(null, payload));

  app.post(UPLOAD_PATH, { bodyLimit: Number.MAX_SAFE_INTEGER }, async (request) => {
    const scope = authorize(request);
    // The gateway watches over its client.
    watchBodyTime(request.raw);
    const { bytes, tail } = readFrames(untilAborted(request.body as AsyncIterable<Uint8Array>));
    const key = request.headers[IDEMPOTENCY_HEADER];
    return images.upload(
      {
        bytes,
        settings: async () => settingsSchema.parse(await tail()),
        idempotencyKey: typeof key === 'string' ? decodeURIComponent(key) : null,
      },
      scope,
    );
  });
  app.addContentTypeParser(BYTES, (_request, payload, done) => done(null, payload));
  const internally = (request: FastifyRequest): Scope => {
    const scope = authorize(request);
    requireInternal(scope);
    return scope;
  };

  app.post(OUTPUTS_PATH, { bodyLimit: Number.MAX_SAFE_INTEGER }, async (request) => {
    const { requestId } = internally(request);
    const { run: runId, index, owner } = outputSchema.parse(request.query);
    const source = isBytes(request)
      ? { bytes: await buffer(request.body as AsyncIterable<Uint8Array>) }
      : outputUrlSchema.parse(request.body);
    return { output: await images.storeOutput({ runId, index, ownerId: owner ?? null, source }, requestId) };
  });

  app.get<{ Params: { run: string } }>(`${OUTPUTS_PATH}/:run`, async (request) => {
    const { requestId } = internally(request);
    return { outputs: await images.outputsOf(request.params.run, requestId) };
  });

  app.post(REFERENCES_PATH, async (request, reply) => {
    const { requestId } = internally(request);
    const { bytes, contentType, width, height } = await images.readReference(
      referenceSchema.parse(request.body),
      requestId,
    );
    reply.headers({ [WIDTH_HEADER]: width, [HEIGHT_HEADER]: height });
    return reply.type(contentType).send(bytes);
  });

  app.get<{ Params: { token: string } }>(`${SERVED_PATH}/:token`, async (request) => {
    const { requestId } = internally(request);
    return { image: await images.find(request.params.token, requestId) };
  });

  app.get<{ Params: { token: string } }>(`${AHEAD_PATH}/:token`, async (request, reply) => {
    const { requestId } = internally(request);
    const { image = null, ahead = null } = (await images.findAhead(request.params.token, requestId)) ?? {};
    reply.header(SERVED_HEADER, JSON.stringify({ image }));
    const isSmall = image !== null && image.sizeBytes <= SMALL;
    const bytes = await (isSmall ? ahead?.whole() : ahead?.stream());
    // What is sent is dropped by the framework where the gateway goes away.
    return bytes ? reply.type(BYTES).send(bytes) : reply.code(204).send();
  });

  app.get<{ Params: { id: string } }>(`${BYTES_PATH}/:id`, async (request, reply) => {
    const { requestId } = internally(request);
    const bytes = await images.open(request.params.id, rangeOf(request), requestId);
    // A gateway that goes away, because its own client did, ends the read of the bucket.
    reply.raw.once('close', () => bytes.destroy());
    return reply.type(BYTES).send(bytes);
  });
}

/** The gateway's client went away, and the gateway with it: nobody's failure, and nobody waits for the answer. */
async function* untilAborted(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw new Problem('validation_error', 'The upload broke off.', { cause });
  }
}

function isBytes(request: FastifyRequest): boolean {
  return request.headers['content-type'] === BYTES;
}

/** Gateways ask for one range, first and last byte named. */
export function rangeOf({ headers }: FastifyRequest): ByteRange | null {
  const match = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
  return match ? { start: Number(match[1]), end: Number(match[2]) } : null;
}
