/** The byte door, asked over HTTP or in this process. */
import type { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import type { ByteTransport } from '../../../platform/bytes.js';
import { Problem } from '../../../platform/errors.js';
import { writeFrames } from '../../../platform/frames.js';
import type { Scope } from '../../../platform/scope.js';
import type { HostedImage, Images, ImageUpload } from '../client.js';
import { FRAMED, IDEMPOTENCY_HEADER, UPLOAD_PATH } from './door.routes.js';

const hostedImageSchema = z.object({
  id: z.string(),
  token: z.string(),
  url: z.string(),
  visibility: z.enum(['public', 'private']),
  source: z.enum(['upload', 'generated']),
  contentType: z.enum(['image/png', 'image/jpeg', 'image/webp', 'image/gif']),
  sizeBytes: z.number(),
  width: z.number(),
  height: z.number(),
  createdAt: z.coerce.date(),
  expiresAt: z.coerce.date().nullable(),
});

export class RemoteImages implements Images {
  readonly #transport: ByteTransport;

  constructor(transport: ByteTransport) {
    this.#transport = transport;
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

  storeOutput(): Promise<null> {
    return Promise.reject(new Problem('unavailable'));
  }

  outputsOf(): Promise<never> {
    return Promise.reject(new Problem('unavailable'));
  }

  readReference(): Promise<never> {
    return Promise.reject(new Problem('unavailable'));
  }
}

async function read<T>(schema: z.ZodType<T>, body: Readable): Promise<T> {
  const parsed = schema.safeParse(await json(body));
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
  };
}
