import type { CollectionDefinition } from '../../../platform/mongo/store.js';

export type Visibility = 'public' | 'private';
export type Source = 'upload' | 'generated';
export type PictureType = 'image/png' | 'image/jpeg' | 'image/webp' | 'image/gif';

/** What the bytes of a picture say of themselves. */
export interface PictureFacts {
  contentType: PictureType;
  width: number;
  height: number;
  sizeBytes: number;
  /** Of the bytes, in base64url: the strong ETag. */
  sha256: string;
}

interface ImageBase {
  /** UUIDv7. It also makes the key of the object, see objectKey(). */
  _id: string;
  /** Null: nobody's, made for a caller without an account. */
  ownerId: string | null;
  source: Source;
  createdAt: Date;
}

/** Bytes are on their way into the bucket. Past `leaseUntil` whoever sent them is dead, and a sweeper undoes it. */
export interface UploadingImage extends ImageBase {
  state: 'uploading';
  leaseUntil: Date;
}

export interface LiveImage extends ImageBase, PictureFacts {
  state: 'live';
  /** The unguessable part of the serving URL; see ServingTokens. */
  token: string;
  extension: string;
  visibility: Visibility;
  expiresAt: Date | null;
  /**
   * What it was made for, where making it twice must host it once: `run:<run>/<index>`, `upload:<attempt>`. Set in the
   * moment in which the image goes live, so that of two makers one finds that the other was first.
   */
  origin?: string;
}

/** Deleted, expired or broken off: invisible. The object goes first, this record after it. */
export interface DeadImage extends ImageBase {
  state: 'dead';
  /** When to clear it away, or to try again. */
  purgeAt: Date;
  /** Whether its bytes were taken off the owner's storage. */
  released: boolean;
}

export type ImageDocument = UploadingImage | LiveImage | DeadImage;

/** An image goes through three states, and is written once for each: it is in no index that its state is not looked for by. */
const ofLive = { partialFilterExpression: { state: 'live' } };
/** What is permanent never has to be found by its end. A look for what has ended must say so too. */
export const ENDS = { $gt: new Date(0) } as const;
const ofEnding = { partialFilterExpression: { expiresAt: ENDS } };
const ofDead = { partialFilterExpression: { purgeAt: { $exists: true } } };

export const IMAGES: CollectionDefinition = {
  name: 'images_images',
  indexes: [
    { name: 'live_of_owner', key: { ownerId: 1, state: 1, _id: -1 }, options: ofLive },
    { name: 'live_of_owner_source', key: { ownerId: 1, state: 1, source: 1, _id: -1 }, options: ofLive },
    { name: 'live_of_owner_visibility', key: { ownerId: 1, state: 1, visibility: 1, _id: -1 }, options: ofLive },
    {
      name: 'by_token',
      key: { token: 1 },
      options: { unique: true, partialFilterExpression: { token: { $exists: true } } },
    },
    {
      name: 'by_origin',
      key: { origin: 1 },
      options: { unique: true, partialFilterExpression: { origin: { $exists: true } } },
    },
    { name: 'ending', key: { expiresAt: 1 }, options: ofEnding },
    { name: 'ending_of_owner', key: { ownerId: 1, expiresAt: 1 }, options: ofEnding },
    { name: 'leased', key: { leaseUntil: 1 }, options: { partialFilterExpression: { leaseUntil: { $exists: true } } } },
    { name: 'dead', key: { purgeAt: 1 }, options: ofDead },
    { name: 'dead_of_owner', key: { ownerId: 1, released: 1 }, options: ofDead },
    // Covers what the sum of an owner's bytes needs.
    { name: 'live_of_owner_size', key: { ownerId: 1, state: 1, sizeBytes: 1, _id: 1 }, options: ofLive },
  ],
};

export const OBJECT_PREFIX = 'images/';

/** The two characters spread the objects over directories where a store has them. */
export function objectKey(id: string): string {
  return `${OBJECT_PREFIX}${id.slice(-2)}/${id}`;
}

/** Of an object's key the image that it belongs to; null for a key that no image has. */
export function imageIdOf(key: string): string | null {
  const id = key.slice(key.lastIndexOf('/') + 1);
  return key === objectKey(id) ? id : null;
}
