/** What the serving URL needs: whose an image is, until when, and its bytes. */
import type { Readable } from 'node:stream';
import type { Collection } from 'mongodb';
import { Problem } from '../../../platform/errors.js';
import { Lookups } from '../../../platform/mongo/lookups.js';
import type { ByteRange, ObjectStore } from '../../../platform/s3.js';
import type { FoundAhead, ServedImage } from '../client.js';
import { type ImageDocument, objectKey } from '../image/image.model.js';
import { isLive } from '../image/image.service.js';
import { Ahead, LARGEST_KEPT, SMALL } from './ahead.js';
import type { Hint, ServingTokens } from './tokens.js';

export interface ServingServiceDeps {
  images: Collection<ImageDocument>;
  store: ObjectStore;
  tokens: ServingTokens;
  now: () => Date;
}

/** Reads for which nothing speaks yet but a token: guesses and old links must not take all connections to the bucket. */
const MAX_UNFOUNDED = 16;

export class ServingService {
  readonly #deps: ServingServiceDeps;
  readonly #byId: Lookups<ImageDocument>;
  readonly #byToken: Lookups<ImageDocument>;
  #unfounded = 0;

  constructor(deps: ServingServiceDeps) {
    this.#deps = deps;
    this.#byId = new Lookups(deps.images);
    this.#byToken = new Lookups(deps.images, { field: 'token' });
  }

  /** Null for what does not exist, has expired or was deleted. */
  find(token: string): Promise<ServedImage | null> {
    return this.#find(token, this.#hintOf(token));
  }

  /** The same, while the bucket is asked already for what the token names. */
  async findAhead(token: string): Promise<FoundAhead | null> {
    const hint = this.#hintOf(token);
    const ahead = hint && this.#begin(hint);
    let wanted: Ahead | null = null;
    try {
      const image = await this.#find(token, hint);
      if (image?.id === hint?.id && image?.visibility === 'public') wanted = ahead;
      return image && { image, ahead: wanted };
    } finally {
      if (ahead) this.#unfounded -= 1;
      if (!wanted) ahead?.drop();
    }
  }

  #hintOf(token: string): Hint | null {
    const { tokens, now } = this.#deps;
    return tokens.read(token, now());
  }

  async #find(token: string, hint: Hint | null): Promise<ServedImage | null> {
    // By its id the engine finds a record without planning.
    const named = hint && (await this.#byId.find(hint.id));
    const image = named && 'token' in named && named.token === token ? named : await this.#byToken.find(token);
    if (!image || !isLive(image, this.#deps.now())) return null;
    const { _id: id, ownerId, visibility, contentType, sizeBytes, sha256, createdAt, expiresAt } = image;
    return { id, ownerId, visibility, contentType, sizeBytes, sha256, createdAt, expiresAt };
  }

  /** Null where it would not be of use, or there are enough of those. */
  #begin({ id, atMostBytes }: Hint): Ahead | null {
    if (atMostBytes > LARGEST_KEPT || this.#unfounded >= MAX_UNFOUNDED) return null;
    this.#unfounded += 1;
    const { store } = this.#deps;
    const end = new AbortController();
    const key = objectKey(id);
    const bytes =
      atMostBytes <= SMALL ? store.tryReadWhole(key, atMostBytes, end.signal) : store.tryRead(key, end.signal);
    return new Ahead(bytes, () => end.abort());
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
