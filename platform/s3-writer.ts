/** Writes an object of unknown length with flat memory: one part at a time is held, and nothing is seen until the end. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Room } from './rooms.js';
import type { BucketWire } from './s3-wire.js';

export interface ObjectToWrite {
  key: string;
  /** Read at the pace of the store. Where it throws, nothing is left of the object. */
  bytes: AsyncIterable<Uint8Array>;
  /** Asked for once the first bytes have come. */
  contentType(): string;
  /** Of all the bytes, once they have ended, from who knows it: where they go at once, they are signed with it. */
  sha256?(): Buffer | null;
}

/** The least that S3 takes for a part that is not the last. Nothing is sent before there is more than this, or all. */
export const PART = 5 * 1024 * 1024;
const FIRST_ROOM = 64 * 1024;

/** The bucket, past its client and by it. */
export interface WriterDeps {
  client: S3Client;
  wire: BucketWire;
  bucket: string;
}

export async function writeObject(deps: WriterDeps, object: ObjectToWrite): Promise<void> {
  const room = new Room();
  const part = new Part(room);
  let upload: MultipartUpload | null = null;
  try {
    for await (const chunk of object.bytes) {
      let rest = chunk;
      while (rest.length > 0) {
        rest = rest.subarray(part.add(rest));
        if (rest.length === 0) break;
        // More follows what fills a part, so it is not the last.
        upload ??= await MultipartUpload.begin(deps, object);
        await upload.send(part.take());
      }
    }
    if (upload) {
      await upload.send(part.take());
      await upload.complete();
    } else {
      await putWhole(deps, object, part.take());
    }
    room.leave();
  } catch (error) {
    // What cannot be aborted now is left to whoever cleans up after the record of the object.
    await upload?.abort().catch(() => undefined);
    throw error;
  }
}

async function putWhole({ client, wire, bucket }: WriterDeps, object: ObjectToWrite, body: Buffer): Promise<void> {
  const { key } = object;
  const contentType = object.contentType();
  const sha256 = object.sha256?.() ?? null;
  if ((await wire.put({ key, contentType, body, sha256 })) !== null) return;
  await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType }));
}

const NOTHING = Buffer.alloc(0);

/**
 * The bytes of one part. Its room is used again for the next one, so the last must be sent before more is added. What
 * comes as one piece is not copied.
 */
class Part {
  readonly #memory: Room;
  #room: Buffer = NOTHING;
  #length = 0;
  #piece: Uint8Array | null = null;

  constructor(memory: Room) {
    this.#memory = memory;
  }

  /** How many bytes found room. */
  add(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, PART - this.#length);
    if (this.#length === 0 && taken >= FIRST_ROOM) {
      this.#piece = bytes.subarray(0, taken);
      this.#length = taken;
      return taken;
    }
    if (this.#piece) {
      const piece = this.#piece;
      this.#piece = null;
      this.#length = 0;
      this.#makeRoom(piece.length + taken);
      this.#room.set(piece);
      this.#length = piece.length;
    }
    this.#makeRoom(this.#length + taken);
    this.#room.set(bytes.subarray(0, taken), this.#length);
    this.#length += taken;
    return taken;
  }

  take(): Buffer {
    const { buffer, byteOffset } = this.#piece ?? this.#room;
    const bytes = Buffer.from(buffer, byteOffset, this.#length);
    this.#piece = null;
    this.#length = 0;
    return bytes;
  }

  #makeRoom(wanted: number): void {
    if (wanted <= this.#room.length) return;
    const room = this.#memory.take(Math.min(PART, Math.max(wanted, 4 * this.#room.length, FIRST_ROOM)));
    this.#room.copy(room, 0, 0, this.#length);
    this.#memory.giveBack(this.#room);
    this.#room = room;
  }
}

interface UploadTarget {
  Bucket: string;
  Key: string;
  UploadId: string;
}

class MultipartUpload {
  readonly #deps: WriterDeps;
  readonly #target: UploadTarget;
  readonly #parts: { PartNumber: number; ETag: string | undefined }[] = [];

  private constructor(deps: WriterDeps, target: UploadTarget) {
    this.#deps = deps;
    this.#target = target;
  }

  static async begin(deps: WriterDeps, { key, contentType }: ObjectToWrite): Promise<MultipartUpload> {
    const target = { Bucket: deps.bucket, Key: key };
    const { UploadId } = await deps.client.send(
      new CreateMultipartUploadCommand({ ...target, ContentType: contentType() }),
    );
    if (UploadId === undefined) throw new Error('the object store began no upload');
    return new MultipartUpload(deps, { ...target, UploadId });
  }

  async send(body: Buffer): Promise<void> {
    const PartNumber = this.#parts.length + 1;
    const { Key: key, UploadId: uploadId } = this.#target;
    const query = { partNumber: String(PartNumber), uploadId };
    const etag = await this.#deps.wire.put({ key, query, body });
    this.#parts.push({ PartNumber, ETag: etag || (await this.#sendByClient(PartNumber, body)) });
  }

  async #sendByClient(PartNumber: number, Body: Buffer): Promise<string | undefined> {
    const part = { ...this.#target, PartNumber, Body, ContentLength: Body.length };
    return (await this.#deps.client.send(new UploadPartCommand(part))).ETag;
  }

  async complete(): Promise<void> {
    await this.#deps.client.send(
      new CompleteMultipartUploadCommand({ ...this.#target, MultipartUpload: { Parts: this.#parts } }),
    );
  }

  async abort(): Promise<void> {
    await this.#deps.client.send(new AbortMultipartUploadCommand(this.#target));
  }
}
