import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  NoSuchKey,
  NotFound,
  S3Client,
} from '@aws-sdk/client-s3';
import { BucketWire, type GetAnswer } from './s3-wire.js';
import { type ObjectToWrite, writeObject } from './s3-writer.js';

export interface ObjectStoreOptions {
  endpoint: string | undefined;
  region: string;
  bucket: string;
  forcePathStyle: boolean;
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
}

/** The first and the last byte, counted from 0. */
export interface ByteRange {
  start: number;
  end: number;
}

/** The bucket that holds pictures and files. */
export class ObjectStore {
  readonly client: S3Client;
  readonly bucket: string;
  readonly #wire: BucketWire;

  constructor({ bucket, endpoint, region, forcePathStyle, credentials }: ObjectStoreOptions) {
    this.bucket = bucket;
    this.client = new S3Client({
      region,
      forcePathStyle,
      ...(endpoint !== undefined && { endpoint }),
      ...(credentials && { credentials }),
      // Streams of known length would otherwise be sent chunk-signed, which not every S3 understands.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    this.#wire = new BucketWire({ client: this.client, bucket, region, endpoint, forcePathStyle });
  }

  async ready(): Promise<void> {
    await this.client.send(new HeadBucketCommand({ Bucket: this.bucket }), { abortSignal: AbortSignal.timeout(3_000) });
  }

  /** For a store that starts empty. A bucket that exists, or that we may not make, is left as it is. */
  async ensureBucket(): Promise<void> {
    try {
      await this.ready();
    } catch {
      await this.client.send(new CreateBucketCommand({ Bucket: this.bucket }));
    }
  }

  /** Null when there is no such object. What is returned must be read to its end or destroyed. */
  async read(key: string, range: ByteRange | null = null, signal?: AbortSignal): Promise<Readable | null> {
    const header = range ? `bytes=${range.start}-${range.end}` : undefined;
    const answer = (await this.#wire.get({ key, range: header, signal })) ?? (await this.#get(key, header, signal));
    return answer && range ? cutTo(range, answer.body, answer.contentRange) : (answer?.body ?? null);
  }

  /** The same of a small object, into memory. */
  async readWhole(key: string, bytes: number): Promise<Buffer | null> {
    const whole = await this.#wire.getWhole(key, bytes);
    if (whole) return whole;
    const stream = await this.read(key);
    return stream && buffer(stream);
  }

  /** The same two for whoever has another way where they come to nothing: one request, and null without plain success. */
  async tryRead(key: string, signal: AbortSignal): Promise<Readable | null> {
    const answer = await this.#wire.get({ key, range: undefined, signal });
    return answer?.body ?? null;
  }

  tryReadWhole(key: string, maxBytes: number, signal: AbortSignal): Promise<Buffer | null> {
    return this.#wire.getWhole(key, maxBytes, signal);
  }

  async #get(key: string, range: string | undefined, signal: AbortSignal | undefined): Promise<GetAnswer | null> {
    const command = new GetObjectCommand({ Bucket: this.bucket, Key: key, Range: range });
    try {
      const { Body, ContentRange } = await this.client.send(command, signal ? { abortSignal: signal } : {});
      return { body: Body as Readable, contentRange: ContentRange };
    } catch (error) {
      if (error instanceof NoSuchKey) return null;
      throw error;
    }
  }

  /** All or nothing, with about one part of 5 MiB in memory. */
  write(object: ObjectToWrite): Promise<void> {
    return writeObject({ client: this.client, bucket: this.bucket, wire: this.#wire }, object);
  }

  async exists(key: string): Promise<boolean> {
    try {
      await this.client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }));
      return true;
    } catch (error) {
      if (error instanceof NotFound) return false;
      throw error;
    }
  }

  /** Also what has been sent of an object whose writer died. Nothing there is no error. */
  async delete(key: string): Promise<void> {
    await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }));
    const { Uploads = [] } = await this.client.send(
      new ListMultipartUploadsCommand({ Bucket: this.bucket, Prefix: key }),
    );
    for (const { Key, UploadId } of Uploads) {
      if (Key !== key) continue;
      await this.client.send(new AbortMultipartUploadCommand({ Bucket: this.bucket, Key, UploadId }));
    }
  }

  /** A page of keys in their order, behind `after`. Null for `next` on the last one. */
  async list(prefix: string, after: string | null, limit: number): Promise<{ keys: string[]; next: string | null }> {
    const { Contents = [], IsTruncated } = await this.client.send(
      new ListObjectsV2Command({
        Bucket: this.bucket,
        Prefix: prefix,
        MaxKeys: limit,
        ...(after !== null && { StartAfter: after }),
      }),
    );
    const keys = Contents.flatMap(({ Key }) => Key ?? []);
    return { keys, next: IsTruncated ? (keys.at(-1) ?? null) : null };
  }

  close(): void {
    this.client.destroy();
    void this.#wire.close();
  }
}

/** A store may answer with more than was asked for (RFC 9110, 14.2), and s3rver does so for the first byte alone. */
function cutTo({ start, end }: ByteRange, body: Readable, contentRange: string | undefined): Readable {
  const given = /^bytes (\d+)-(\d+)\//.exec(contentRange ?? '');
  const first = Number(given?.[1] ?? 0);
  if (given && first === start && Number(given[2]) === end) return body;
  return Readable.from(part(body, start - first, end - start + 1), { objectMode: false });
}

async function* part(body: Readable, skip: number, length: number): AsyncGenerator<Buffer> {
  let position = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const wanted = chunk.subarray(Math.max(0, skip - position), Math.max(0, skip + length - position));
    position += chunk.length;
    if (wanted.length > 0) yield wanted;
    if (position >= skip + length) return;
  }
}
