/** The one way in which bytes become a hosted image: read once, judged as they come, undone where they fail. */
import { createHash } from 'node:crypto';
import type { Collection, Db } from 'mongodb';
import type { Logger } from 'pino';
import { Problem } from '../../../platform/errors.js';
import { newId } from '../../../platform/ids.js';
import { isDuplicateKey } from '../../../platform/mongo/store.js';
import { WriteBatches } from '../../../platform/mongo/write-batches.js';
import type { ObjectStore } from '../../../platform/s3.js';
import { PART } from '../../../platform/s3-writer.js';
import { PictureReader } from '../picture/picture.js';
import type { ServingTokens } from '../serving/tokens.js';
import type { StorageService } from '../storage/storage.service.js';
import type { ImageEnd } from './image.end.js';
import {
  type ImageDocument,
  type LiveImage,
  objectKey,
  type PictureFacts,
  type Source,
  type UploadingImage,
  type Visibility,
} from './image.model.js';

export interface IngestSettings {
  visibility: Visibility;
  expiresAt: Date | null;
}

export interface Ingest {
  ownerId: string | null;
  source: Source;
  bytes: AsyncIterable<Uint8Array>;
  /** They are in memory already, so that refusing them early spares nothing. */
  isHere?: boolean;
  /** See LiveImage. An image that is there already is handed back, and these bytes are dropped. */
  origin?: string;
  /** Asked for once the bytes have ended. */
  settings(): Promise<IngestSettings>;
}

export interface Ingester {
  /**
   * Throws unsupported_image_type, file_too_large, validation_error or quota_exceeded, each as early as the bytes allow,
   * and what `bytes` or `settings` throw. Nothing is left of what was refused.
   */
  ingest(ingest: Ingest): Promise<LiveImage>;
}

export interface ImageIngesterDeps {
  db: Db;
  images: Collection<ImageDocument>;
  store: ObjectStore;
  storageService: StorageService;
  imageEnd: ImageEnd;
  tokens: ServingTokens;
  maxBytes: number;
  log: Logger;
  now: () => Date;
}

/** How long an upload is believed in after its process was last heard of. */
const LEASE_MS = 60_000;

/** Not worth a look at the quota before all of it is there. */
const SMALL = 1024 * 1024;

type Facts = PictureFacts & { extension: string };

/** One that is under way, and what of it is to be undone if it comes to nothing. */
interface Upload {
  image: Pick<UploadingImage, '_id' | 'ownerId' | 'source' | 'createdAt'>;
  /** Null: nobody but this process knows of it. */
  recorded: Promise<unknown> | null;
  /** Bytes that may have been taken off its owner's storage. */
  held: number;
}

export class ImageIngester implements Ingester {
  readonly #deps: ImageIngesterDeps;
  readonly #writes: WriteBatches;

  constructor(deps: ImageIngesterDeps) {
    this.#deps = deps;
    this.#writes = WriteBatches.of(deps.db);
  }

  async ingest(ingest: Ingest): Promise<LiveImage> {
    const { ownerId, origin } = ingest;
    const upload = this.#newUpload(ingest);
    const renewal = setInterval(() => void this.#renew(upload), LEASE_MS / 3).unref();
    try {
      const { facts, settings } = await this.#write(upload, ingest);
      const image = await this.#goLive(upload, facts, settings, origin);
      if (ownerId !== null) this.#deps.storageService.settle(ownerId, image._id);
      return image;
    } catch (error) {
      if (upload.recorded) await this.#undo(upload);
      const earlier = origin !== undefined && isDuplicateKey(error) ? await this.#withOrigin(origin) : null;
      if (earlier) return earlier;
      throw error;
    } finally {
      clearInterval(renewal);
    }
  }

  /** By a glance, how many bytes may come. What has expired takes up no room, also before it is swept. */
  async #roomOf(ownerId: string | null): Promise<number> {
    if (ownerId === null) return Number.POSITIVE_INFINITY;
    const { storageService, imageEnd, maxBytes } = this.#deps;
    const room = await storageService.remaining(ownerId);
    if (room >= maxBytes || !(await imageEnd.reclaim(ownerId))) return room;
    return storageService.remaining(ownerId);
  }

  #newUpload({ ownerId, source }: Ingest): Upload {
    return { image: { _id: newId(), ownerId, source, createdAt: this.#deps.now() }, recorded: null, held: 0 };
  }

  /** Made before the object is, so that none is ever without one. */
  #record(upload: Upload): Promise<unknown> {
    if (upload.recorded) return upload.recorded;
    const record: UploadingImage = { ...upload.image, state: 'uploading', leaseUntil: this.#leaseUntil() };
    const recorded = this.#writes.write(this.#deps.images, { insert: record });
    // Whoever needs it hears of its failure.
    recorded.catch(() => undefined);
    upload.recorded = recorded;
    return recorded;
  }

  #leaseUntil(): Date {
    return new Date(this.#deps.now().getTime() + LEASE_MS);
  }

  async #renew({ image: { _id }, recorded }: Upload): Promise<void> {
    if (!recorded) return;
    const { images, log } = this.#deps;
    const renewed = { $set: { leaseUntil: this.#leaseUntil() } };
    await images.updateOne({ _id, state: 'uploading' }, renewed).catch((error: unknown) => {
      log.warn({ err: error, imageId: _id }, 'the lease of an upload is not renewed');
    });
  }

  async #write(upload: Upload, { bytes, settings, isHere, ownerId }: Ingest) {
    const { store, maxBytes, storageService } = this.#deps;
    const reader = new PictureReader();
    const hash = createHash('sha256');
    let digest: Buffer | null = null;
    let sizeBytes = 0;
    let outcome: { facts: Facts; settings: IngestSettings } | null = null;
    // What is small is refused when it is counted, at the end; more than that is not taken in for nothing.
    let room: Promise<number> | null = null;
    const glance = async () => (isHere ? Number.POSITIVE_INFINITY : this.#roomOf(ownerId));
    const record = () => this.#record(upload);
    const count = (size: number) => this.#count(upload, size);
    async function* checked(): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes) {
        sizeBytes += chunk.length;
        if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
        reader.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
        hash.update(chunk);
        if (sizeBytes > SMALL) {
          room ??= glance();
          if (sizeBytes > (await room)) throw storageService.exceeded();
        }
        if (sizeBytes > PART) await record();
        yield chunk;
      }
      const { contentType, extension, width, height } = reader.end();
      digest = hash.digest();
      const facts = { contentType, extension, width, height, sizeBytes, sha256: digest.toString('base64url') };
      // Before the object comes into being: what is said after the bytes may be wrong too.
      outcome = { facts, settings: await settings() };
      await count(sizeBytes);
    }
    await store.write({
      key: objectKey(upload.image._id),
      bytes: checked(),
      contentType: () => reader.contentType,
      sha256: () => digest,
    });
    if (!outcome) throw new Error('the object store did not read its object to the end');
    return outcome as { facts: Facts; settings: IngestSettings };
  }

  /** Record and hold, which go to the database together where the record is not there yet. */
  async #count(upload: Upload, bytes: number): Promise<void> {
    const { ownerId, _id } = upload.image;
    const recorded = this.#record(upload);
    if (ownerId === null) return void (await recorded);
    // Dropped whatever is heard of it: what was not held is not dropped.
    upload.held = bytes;
    const results = await Promise.allSettled([recorded, this.#hold(ownerId, _id, bytes)]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async #hold(ownerId: string, imageId: string, bytes: number): Promise<void> {
    const { storageService, imageEnd } = this.#deps;
    if (await storageService.hold(ownerId, imageId, bytes)) return;
    const freed = await imageEnd.reclaim(ownerId);
    if (!freed || !(await storageService.hold(ownerId, imageId, bytes))) throw storageService.exceeded();
  }

  async #goLive({ image: begun }: Upload, facts: Facts, settings: IngestSettings, origin?: string): Promise<LiveImage> {
    const image: LiveImage = {
      ...begun,
      state: 'live',
      token: this.#deps.tokens.make({ id: begun._id, sizeBytes: facts.sizeBytes }),
      ...facts,
      ...settings,
      ...(origin !== undefined && { origin }),
    };
    const filter = { _id: begun._id, state: 'uploading' };
    const isLive = await this.#writes.write(this.#deps.images, { filter, update: image });
    // This process stood still for longer than its lease, and was taken for dead.
    if (!isLive) throw new Problem('unavailable', 'The upload took too long to be stored.');
    return image;
  }

  /** What cannot be undone now, a task undoes once the lease has run out. */
  async #undo({ image: { _id, ownerId }, recorded, held }: Upload): Promise<void> {
    const { imageEnd, storageService, log } = this.#deps;
    try {
      // It must find the record.
      await recorded?.catch(() => undefined);
      await imageEnd.breakOff(_id);
      if (ownerId !== null && held > 0) await storageService.drop(ownerId, _id, held);
      await imageEnd.purge(_id, true);
    } catch (error) {
      log.warn({ err: error, imageId: _id }, 'an upload that broke off is not cleared away yet');
    }
  }

  async #withOrigin(origin: string): Promise<LiveImage | null> {
    const found = await this.#deps.images.findOne({ origin, state: 'live' });
    return found as LiveImage | null;
  }
}

export function tooLarge(maxBytes: number): Problem {
  return new Problem('file_too_large', `A picture may have at most ${maxBytes} bytes.`);
}
