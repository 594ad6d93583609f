/** The byte door on a port of its own. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { readFrames } from '../../../platform/frames.js';
import type { Authorize } from '../../../platform/subgraph.js';
import type { Images } from '../client.js';

export const UPLOAD_PATH = '/images/upload';
export const FRAMED = 'application/vnd.darkroom.framed';
export const IDEMPOTENCY_HEADER = 'idempotency-key';

const settingsSchema = z.object({
  visibility: z.enum(['public', 'private']),
  ttlSeconds: z.number().int().nullable(),
});

export function mountDoor(app: FastifyInstance, images: Images, authorize: Authorize): void {
  // Left to the route: it reads at the pace of the bucket.
  app.addContentTypeParser(FRAMED, (_request, payload, done) => done(null, payload));

  app.post(UPLOAD_PATH, { bodyLimit: Number.MAX_SAFE_INTEGER }, async (request) => {
    const scope = authorize(request);
    const { bytes, tail } = readFrames(request.body as AsyncIterable<Uint8Array>);
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
}
