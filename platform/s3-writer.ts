/** Writes an object of unknown length with flat memory: one part at a time is held, and nothing is seen until the end. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';

export interface ObjectToWrite {
  key: string;
  /** Read at the pace of the store. Where it throws, nothing is left of the object. */
  bytes: AsyncIterable<Uint8Array>;
  /** Asked for once the first bytes have come. */
  contentType(): string;
  /** Of all the bytes, once they have ended, from who knows it: the signature covers it, and it takes a while to make. */
  sha256?(): Buffer | null;
}

/** The least that S3 takes for a part that is not the last. */
const PART = 5 * 1024 * 1024;
const FIRST_ROOM = 64 * 1024;

export async function writeObject(client: S3Client, bucket: string, object: ObjectToWrite): Promise<void> {
  const part = new Part();
  let upload: MultipartUpload | null = null;
  try {
    for await (const chunk of object.bytes) {
      let rest = chunk;
      while (rest.length > 0) {
        rest = rest.subarray(part.add(rest));
        if (rest.length === 0) break;
        // More follows what fills a part, so it is not the last.
        upload ??= await MultipartUpload.begin(client, bucket, object);
        await upload.send(part.take());
      }
    }
    if (upload) {
      await upload.send(part.take());
      await upload.complete();
    } else {
      await client.send(putOf(bucket, object, part.take()));
    }
  } catch (error) {
    // What cannot be aborted now is left to whoever cleans up after the record of the object.
    await upload?.abort().catch(() => undefined);
    throw error;
  }
}

function putOf(bucket: string, { key, contentType, sha256 }: ObjectToWrite, bytes: Buffer): PutObjectCommand {
  const put = new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ContentType: contentType() });
  const hash = sha256?.()?.toString('hex');
  if (hash === undefined) return put;
  put.middlewareStack.add(
    (next) => (args) => {
      // The client makes no hash of its own where there is one.
      (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = hash;
      return next(args);
    },
    { step: 'build', name: 'bodyHash' },
  );
  return put;
}

/** The bytes of one part. Its room is used again for the next one, so the last must be sent before more is added. */
class Part {
  #room = Buffer.alloc(0);
  #length = 0;

  /** How many bytes found room. */
  add(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, PART - this.#length);
    this.#makeRoom(this.#length + taken);
    this.#room.set(bytes.subarray(0, taken), this.#length);
    this.#length += taken;
    return taken;
  }

  take(): Buffer {
    const bytes = this.#room.subarray(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  #makeRoom(wanted: number): void {
    if (wanted <= this.#room.length) return;
    const room = Buffer.allocUnsafeSlow(Math.min(PART, Math.max(wanted, 2 * this.#room.length, FIRST_ROOM)));
    this.#room.copy(room, 0, 0, this.#length);
    this.#room = room;
  }
}

class MultipartUpload {
  readonly #client: S3Client;
  readonly #target: { Bucket: string; Key: string; UploadId: string };
  readonly #parts: { PartNumber: number; ETag: string | undefined }[] = [];

  private constructor(client: S3Client, target: { Bucket: string; Key: string; UploadId: string }) {
    this.#client = client;
    this.#target = target;
  }

  static async begin(client: S3Client, bucket: string, { key, contentType }: ObjectToWrite): Promise<MultipartUpload> {
    const target = { Bucket: bucket, Key: key };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...target, ContentType: contentType() }));
    if (UploadId === undefined) throw new Error('the object store began no upload');
    return new MultipartUpload(client, { ...target, UploadId });
  }

  async send(bytes: Buffer): Promise<void> {
    const PartNumber = this.#parts.length + 1;
    const { ETag } = await this.#client.send(
      new UploadPartCommand({ ...this.#target, PartNumber, Body: bytes, ContentLength: bytes.length }),
    );
    this.#parts.push({ PartNumber, ETag });
  }

  async complete(): Promise<void> {
    await this.#client.send(
      new CompleteMultipartUploadCommand({ ...this.#target, MultipartUpload: { Parts: this.#parts } }),
    );
  }

  async abort(): Promise<void> {
    await this.#client.send(new AbortMultipartUploadCommand(this.#target));
  }
}
