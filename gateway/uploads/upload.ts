/** POST /v1/images: a picture as a form or in JSON, handed on to the byte door as it comes in. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { arriving, LONGEST_UPLOAD_MS, watchBodyTime } from '../../platform/body-time.js';
import { Problem } from '../../platform/errors.js';
import type { RateLimiter } from '../../platform/limits.js';
import { type Caller, requireOwnKey, type Scope } from '../../platform/scope.js';
import { imageBody, uploadBody, uploadForm } from '../../rest-shim/routes/v1/images.js';
import { checkInput } from '../../rest-shim/rows.js';
import type { HostedImage, Images, UploadSettings } from '../../subgraphs/images/client.js';
import { type Admit, count } from '../admission.js';
import { UploadForm } from './form.js';

export interface UploadDeps {
  images: Images;
  admit: Admit;
  /** Uploads a minute of one account. */
  limiter: RateLimiter | null;
  /** How long a client may send nothing. */
  idleMs: number;
}

/** In JSON a picture is buffered, so it may be less large. */
const MAX_JSON_PICTURE = 8 * 1024 * 1024;
const BASE64_FACTOR = 4 / 3;
const JSON_OVERHEAD = 4_096;
const FORM = 'multipart/form-data';
/** The reason for ending a body, which nobody waits for by then. Making one for each would cost more than its end. */
const ANSWERED = new Error('the request was answered');

export async function mountUpload(app: FastifyInstance, deps: UploadDeps): Promise<void> {
  // Within a scope of its own, so that other routes go on refusing forms.
  await app.register(async (uploads) => {
    uploads.addContentTypeParser(FORM, (_request, payload, done) => done(null, payload));
    const scopes = new WeakMap<FastifyRequest, Scope>();
    uploads.route({
      method: 'POST',
      url: '/v1/images',
      bodyLimit: Math.ceil(BASE64_FACTOR * MAX_JSON_PICTURE) + JSON_OVERHEAD,
      // Whoever may not upload is told before the bytes are read.
      onRequest: async (request, reply) => {
        const scope = await deps.admit(request, reply);
        const caller = requireOwnKey(scope);
        await countUpload(deps.limiter, caller, reply);
        scopes.set(request, scope);
      },
      handler: async (request, reply) => {
        const scope = scopes.get(request);
        if (!scope) throw new Problem('auth_required');
        const image = isForm(request)
          ? await uploadFormOf(request, scope, deps)
          : await uploadJson(request, scope, deps);
        return reply.code(201).send(imageBody(image));
      },
      errorHandler: (error, _request, reply) => {
        // The framework would close the connection on a client that is still sending, and the answer would be lost.
        reply.removeHeader('connection');
        throw isTooLarge(error) ? jsonTooLarge() : error;
      },
    });
  });
}

export async function countUpload(limiter: RateLimiter | null, { userId }: Caller, reply: FastifyReply): Promise<void> {
  if (limiter) await count(limiter, `user:${userId}`, reply);
}

function isForm({ headers }: FastifyRequest): boolean {
  return headers['content-type']?.toLowerCase().startsWith(FORM) ?? false;
}

function isTooLarge(error: unknown): boolean {
  return (error as Partial<FastifyError>).code === 'FST_ERR_CTP_BODY_TOO_LARGE';
}

function jsonTooLarge(): Problem {
  return new Problem('file_too_large', 'In a JSON body a picture may have at most 8 MiB.', {
    hint: 'Send larger pictures as multipart/form-data.',
  });
}

async function uploadFormOf(
  request: FastifyRequest,
  scope: Scope,
  { images, idleMs }: UploadDeps,
): Promise<HostedImage> {
  const answered = new AbortController();
  // Before the first byte is asked for, which others may have to be asked before.
  watchBodyTime(request.raw);
  const body = arriving(request.raw, idleMs, answered.signal);
  const form = new UploadForm(request.headers, body);
  const late = setTimeout(() => answered.abort(new Problem('request_timeout')), LONGEST_UPLOAD_MS).unref();
  const settings = async () => settingsOf(checkInput(uploadForm, await form.fields()));
  try {
    return await images.upload({ bytes: form.bytes(), settings, idempotencyKey: keyOf(request) }, scope);
  } finally {
    clearTimeout(late);
    // Refused after its last byte, a picture leaves the rest of the form unread, which is not for this reader any more.
    answered.abort(ANSWERED);
    await body.return(undefined);
  }
}

function uploadJson(request: FastifyRequest, scope: Scope, { images }: UploadDeps): Promise<HostedImage> {
  return uploadBase64(checkInput(uploadBody, request.body ?? {}), keyOf(request), scope, images);
}

export async function uploadBase64(
  body: z.infer<typeof uploadBody>,
  idempotencyKey: string | null,
  scope: Scope,
  images: Pick<Images, 'upload'>,
): Promise<HostedImage> {
  const bytes = decode(body.data);
  if (bytes.length > MAX_JSON_PICTURE) throw jsonTooLarge();
  return images.upload({ bytes: once(bytes), settings: async () => settingsOf(body), idempotencyKey }, scope);
}

/** Node passes over what is not base64; a caller who sent something else should hear of it. */
function decode(data: string): Buffer {
  const text = data.replaceAll(/[\r\n]/g, '');
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw Problem.invalid('data', 'must be the bytes in base64');
  return Buffer.from(text, 'base64');
}

function settingsOf({
  visibility,
  ttl_seconds,
}: {
  visibility: UploadSettings['visibility'];
  ttl_seconds?: number | null | undefined;
}): UploadSettings {
  return { visibility, ttlSeconds: ttl_seconds ?? null };
}

function keyOf({ headers }: FastifyRequest): string | null {
  return headers['idempotency-key']?.toString() ?? null;
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
