import { CreateBucketCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';

export interface ObjectStoreOptions {
  endpoint: string | undefined;
  region: string;
  bucket: string;
  forcePathStyle: boolean;
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
}

/** The bucket that holds pictures and files. */
export class ObjectStore {
  readonly client: S3Client;
  readonly bucket: string;

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

  close(): void {
    this.client.destroy();
  }
}
