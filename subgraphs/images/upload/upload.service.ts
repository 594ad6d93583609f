/** Pictures that people upload. */
import { createHash } from 'node:crypto';
import { Problem } from '../../../platform/errors.js';
import { EarlierAnswer, fingerprintOf, type Idempotency, namedRequests } from '../../../platform/idempotency.js';
import { type Caller, requireCaller, type Scope } from '../../../platform/scope.js';
import type { HostedImage, ImageUpload, UploadSettings } from '../client.js';
import { hostedImage } from '../image/hosted-image.js';
import { type Ingester, tooLarge } from '../image/image.ingest.js';
import { expiryAfter } from '../image/ttl.js';
import { UnderWay } from './under-way.js';

export const UPLOAD_REQUESTS = namedRequests('images_upload_requests');

export interface UploadServiceDeps {
  ingester: Ingester;
  requests: Idempotency<HostedImage>;
  publicUrl: string;
  maxBytes: number;
  now: () => Date;
}

export class UploadService {
  readonly #deps: UploadServiceDeps;
  readonly #underWay = new UnderWay();

  constructor(deps: UploadServiceDeps) {
    this.#deps = deps;
  }

  async upload(upload: ImageUpload, scope: Scope): Promise<HostedImage> {
    const caller = requireCaller(scope);
    const leave = this.#underWay.enter(caller.userId);
    try {
      return await this.#upload(upload, caller);
    } finally {
      leave();
    }
  }

  async #upload(upload: ImageUpload, caller: Caller): Promise<HostedImage> {
    const { idempotencyKey: key } = upload;
    if (key === null) return this.#host(upload, caller);
    const begun = await this.#deps.requests.begin({ operation: 'uploadImage', caller: caller.userId, key });
    const request = this.#watched(upload);
    if (begun instanceof EarlierAnswer) return begun.to(await request.drain());
    return begun.through(
      (workId) => this.#host(request, caller, `upload:${workId}`),
      ({ sha256 }) => {
        // An attempt whose process died may have got as far as hosting its bytes.
        if (sha256 !== request.sha256()) throw new Problem('conflict');
        return request.fingerprint();
      },
    );
  }

  async #host(upload: ImageUpload, { userId, suspended }: Caller, origin?: string): Promise<HostedImage & Hashed> {
    const image = await this.#deps.ingester.ingest({
      ownerId: userId,
      source: 'upload',
      bytes: upload.bytes,
      ...(origin !== undefined && { origin }),
      settings: async () => {
        const { visibility, ttlSeconds } = await upload.settings();
        if (suspended && visibility === 'public') throw new Problem('account_suspended');
        return { visibility, expiresAt: expiryAfter(ttlSeconds, this.#deps.now()) };
      },
    });
    return { ...hostedImage(this.#deps.publicUrl, image), sha256: image.sha256 };
  }

  /** The same upload, with what it asks for on record. */
  #watched(upload: ImageUpload) {
    const { maxBytes } = this.#deps;
    const hash = createHash('sha256');
    let digest = '';
    let settings: UploadSettings | null = null;
    const watched = {
      idempotencyKey: upload.idempotencyKey,
      bytes: (async function* () {
        let size = 0;
        for await (const chunk of upload.bytes) {
          size += chunk.length;
          if (size > maxBytes) throw tooLarge(maxBytes);
          hash.update(chunk);
          yield chunk;
        }
        digest = hash.digest('base64url');
      })(),
      settings: async () => {
        settings = await upload.settings();
        return settings;
      },
      sha256: () => digest,
      fingerprint: () => fingerprintOf({ digest, settings }),
      /** For a request that is answered already: it is only read. */
      async drain() {
        for await (const _ of watched.bytes);
        await watched.settings();
        return watched.fingerprint();
      },
    };
    return watched;
  }
}

interface Hashed {
  sha256: string;
}
