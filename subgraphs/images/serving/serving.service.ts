/** What the serving URL needs: whose an image is, until when, and its bytes. */
import type { Readable } from 'node:stream';
import type { Collection } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { findBatch } from '../../../platform/mongo/batch.js';
import type { ByteRange, ObjectStore } from '../../../platform/s3.js';
import type { ServedImage } from '../client.js';
import { type ImageDocument, objectKey } from '../image/image.model.js';
import { isLive } from '../image/image.service.js';

export interface ServingServiceDeps {
  images: Collection<ImageDocument>;
  store: ObjectStore;
  now: () => Date;
}

export class ServingService {
  readonly #deps: ServingServiceDeps;

  constructor(deps: ServingServiceDeps) {
    this.#deps = deps;
  }

  /** Null for what does not exist, has expired or was deleted. */
  async find(token: string): Promise<ServedImage | null> {
    const [image] = await findBatch<ImageDocument>(this.#deps.images, { token }, { limit: 1 });
    if (!image || !isLive(image, this.#deps.now())) return null;
    const { _id: id, ownerId, visibility, contentType, sizeBytes, sha256, createdAt, expiresAt } = image;
    return { id, ownerId, visibility, contentType, sizeBytes, sha256, createdAt, expiresAt };
  }

  /** All bytes of a small image that find() gave. */
  async read(id: string, sizeBytes: number): Promise<Buffer> {
    const bytes = await this.#deps.store.readWhole(objectKey(id), sizeBytes);
    if (!bytes) throw new Problem('image_not_found');
    return bytes;
  }

  /** The bytes of an image that find() gave, at the pace of their reader. */
  async open(id: string, range: ByteRange | null, signal?: AbortSignal): Promise<Readable> {
    const bytes = await this.#deps.store.read(objectKey(id), range, signal);
    // Deleted since it was found.
    if (!bytes) throw new Problem('image_not_found');
    return bytes;
  }
}
