/** The byte door: what other parts of the platform may ask of images, wherever it runs. */
import type { Readable } from 'node:stream';
import { Problem } from '../../platform/errors.js';
import type { ByteRange } from '../../platform/s3.js';
import type { Scope } from '../../platform/scope.js';
import type { PictureType, Source, Visibility } from './image/image.model.js';
import type { Ahead } from './serving/ahead.js';

export interface HostedImage {
  /** Bare UUID. */
  id: string;
  token: string;
  url: string;
  visibility: Visibility;
  source: Source;
  contentType: PictureType;
  sizeBytes: number;
  width: number;
  height: number;
  createdAt: Date;
  expiresAt: Date | null;
}

export interface UploadSettings {
  visibility: Visibility;
  /** Null: it stays. */
  ttlSeconds: number | null;
}

export interface ImageUpload {
  /** Read once, at the pace at which the bucket takes it. Breaks off by throwing, and then nothing is left. */
  bytes: AsyncIterable<Uint8Array>;
  /** Asked for once the bytes have ended: a form may say after its file what is to become of it. */
  settings(): Promise<UploadSettings>;
  /** What the caller names the request by, so that sending it again does it once. */
  idempotencyKey: string | null;
}

export interface OutputToStore {
  /** With the index, the identity of the output: storing it twice hosts it once. */
  runId: string;
  index: number;
  /** Null: nobody's, so public and for a day. */
  ownerId: string | null;
  source: { bytes: Uint8Array } | { url: string };
}

export interface StoredOutput {
  /** Bare UUID of the hosted image. */
  id: string;
  url: string;
  visibility: 'public' | 'private';
  expiresAt: Date | null;
  contentType: string;
  sizeBytes: number;
  width: number;
  height: number;
}

/** An output that is hosted, and which of its run's it is. */
export interface HostedOutput extends StoredOutput {
  index: number;
}

export interface ReferenceToRead {
  url: string;
  /** With whose rights an address of our own is read. */
  userId: string | null;
}

export interface ReferenceImage {
  bytes: Uint8Array;
  contentType: string;
  width: number;
  height: number;
}

/** What decides whether and how the bytes of an image are served. */
export interface ServedImage {
  /** Bare UUID. */
  id: string;
  ownerId: string | null;
  visibility: Visibility;
  contentType: PictureType;
  sizeBytes: number;
  sha256: string;
  createdAt: Date;
  expiresAt: Date | null;
}

/** An image, and its bytes where the bucket was asked for them at the same time. */
export interface FoundAhead {
  image: ServedImage;
  ahead: Ahead | null;
}

export interface Images {
  /** For the caller of the scope, who must have an account. Throws the documented refusals while bytes still come in. */
  upload(upload: ImageUpload, scope: Scope): Promise<HostedImage>;
  /** Null when the output cannot be hosted: its host is not on the allowlist, it is too large, or no picture. */
  storeOutput(output: OutputToStore, requestId: string): Promise<StoredOutput | null>;
  /** What of a run is hosted, by index: for finishing a run whose process died. */
  outputsOf(runId: string, requestId: string): Promise<HostedOutput[]>;
  /** Throws validation_error for an address that may not be read, or that holds no picture. */
  readReference(reference: ReferenceToRead, requestId: string): Promise<ReferenceImage>;
  /** The image behind a serving URL; null for what does not exist, has expired or was deleted. */
  find(token: string, requestId: string): Promise<ServedImage | null>;
  /** The same for whoever is likely to want its bytes next. Only those of a public image are given. */
  findAhead(token: string, requestId: string): Promise<FoundAhead | null>;
  /** The bytes of an image that find() gave, to be read or destroyed. Whether the caller may have them is decided before. */
  open(id: string, range: ByteRange | null, requestId: string, signal?: AbortSignal): Promise<Readable>;
  /** The same of an image that is known to be small. */
  read(image: Pick<ServedImage, 'id' | 'sizeBytes'>, requestId: string): Promise<Buffer>;
}

/** Until the byte door of images is open, whatever needs it says so. */
export const NO_IMAGES: Images = {
  upload: () => Promise.reject(new Problem('unavailable')),
  storeOutput: () => Promise.reject(new Problem('unavailable')),
  outputsOf: () => Promise.reject(new Problem('unavailable')),
  readReference: () => Promise.reject(new Problem('unavailable')),
  find: () => Promise.reject(new Problem('unavailable')),
  findAhead: () => Promise.reject(new Problem('unavailable')),
  open: () => Promise.reject(new Problem('unavailable')),
  read: () => Promise.reject(new Problem('unavailable')),
};
