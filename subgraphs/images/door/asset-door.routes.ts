/** The door to assets on a port of its own. */
import { buffer } from 'node:stream/consumers';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { requireInternal } from '../../../platform/scope.js';
import type { Authorize } from '../../../platform/subgraph.js';
import type { Assets } from '../asset-client.js';
import type { ReferenceImage } from '../client.js';
import { BYTES, HEIGHT_HEADER, rangeOf, WIDTH_HEADER } from './door.routes.js';

export const OUTPUTS_OF_JOBS_PATH = '/assets/outputs';
export const INPUTS_PATH = '/assets/inputs';
export const INPUTS_UNTIL_PATH = '/assets/inputs-until';
export const DROP_PATH = '/assets/drop';
export const READ_PATH = '/assets/read';
export const FIND_PATH = '/assets/find';
export const OBJECTS_PATH = '/assets/objects';

const format = z.enum(['png', 'webp', 'avif']);
const preset = z.enum(['thumbnail', 'standard', 'hero', 'portrait']);
const role = z.enum(['image', 'mask']);

/** What is said of an output beside its bytes, in the query. */
export const outputSchema = z.object({
  jobId: z.string(),
  ownerId: z.string().nullable(),
  expiresAt: z.coerce.date(),
  url: z.string().nullable(),
  format,
  quality: z.number(),
  size: z.object({ width: z.number(), height: z.number() }).nullable(),
  preset: preset.nullable(),
  removeBackground: z.boolean(),
});

export const inputSchema = z.object({
  jobId: z.string(),
  role,
  ownerId: z.string().nullable(),
  expiresAt: z.coerce.date(),
});

const untilSchema = z.object({ jobId: z.string(), expiresAt: z.coerce.date() });
const jobSchema = z.object({ jobId: z.string() });
const inputNameSchema = z.object({ job: z.string(), role });
const findSchema = z.object({ preset: preset.optional() });

export function mountAssetDoor(app: FastifyInstance, assets: Assets, authorize: Authorize): void {
  const internally = (request: FastifyRequest): string => {
    const scope = authorize(request);
    requireInternal(scope);
    return scope.requestId;
  };
  const large = { bodyLimit: Number.MAX_SAFE_INTEGER };

  app.post(OUTPUTS_OF_JOBS_PATH, large, async (request) => {
    const requestId = internally(request);
    const { url, ...output } = outputSchema.parse(said(request));
    const source = url === null ? { bytes: await bytesOf(request) } : { url };
    return assets.keepOutput({ ...output, source }, requestId);
  });

  app.post(INPUTS_PATH, large, async (request) => {
    const requestId = internally(request);
    return assets.keepInput({ ...inputSchema.parse(said(request)), bytes: await bytesOf(request) }, requestId);
  });

  app.get(`${INPUTS_PATH}/:job/:role`, async (request, reply) => {
    const requestId = internally(request);
    const { job, role: wanted } = inputNameSchema.parse(request.params);
    return sendPicture(reply, await assets.readInput(job, wanted, requestId));
  });

  app.post(INPUTS_UNTIL_PATH, async (request) => {
    const requestId = internally(request);
    const { jobId, expiresAt } = untilSchema.parse(request.body);
    await assets.keepInputsUntil(jobId, expiresAt, requestId);
    return {};
  });

  app.post(DROP_PATH, async (request) => {
    const requestId = internally(request);
    await assets.drop(jobSchema.parse(request.body).jobId, requestId);
    return {};
  });

  app.get<{ Params: { id: string } }>(`${READ_PATH}/:id`, async (request, reply) => {
    const requestId = internally(request);
    return sendPicture(reply, await assets.read(request.params.id, requestId));
  });

  app.get<{ Params: { id: string } }>(`${FIND_PATH}/:id`, async (request) => {
    const requestId = internally(request);
    const { preset: wanted = null } = findSchema.parse(request.query);
    return { asset: await assets.find(request.params.id, wanted, requestId) };
  });

  app.get<{ Params: { id: string } }>(`${OBJECTS_PATH}/:id`, async (request, reply) => {
    const requestId = internally(request);
    const bytes = await assets.open(request.params.id, rangeOf(request), requestId);
    reply.raw.once('close', () => bytes.destroy());
    return reply.type(BYTES).send(bytes);
  });
}

/** JSON in the query: the body is all bytes. */
function said({ query }: FastifyRequest): unknown {
  return JSON.parse(z.object({ said: z.string() }).parse(query).said);
}

function bytesOf({ body }: FastifyRequest): Promise<Buffer> {
  return buffer(body as AsyncIterable<Uint8Array>);
}

function sendPicture(reply: FastifyReply, picture: ReferenceImage | null) {
  if (!picture) return reply.code(204).send();
  reply.headers({ [WIDTH_HEADER]: picture.width, [HEIGHT_HEADER]: picture.height });
  return reply.type(picture.contentType).send(picture.bytes);
}
