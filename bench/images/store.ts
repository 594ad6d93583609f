import { ObjectStore } from '../../platform/s3.js';

/** The bucket that the platform's own settings name. */
export function storeAt(env: Readonly<Record<string, string | undefined>>): ObjectStore {
  return new ObjectStore({
    endpoint: env['S3_ENDPOINT'],
    region: 'us-east-1',
    bucket: env['S3_BUCKET'] ?? '',
    forcePathStyle: true,
    credentials: {
      accessKeyId: env['S3_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['S3_SECRET_ACCESS_KEY'] ?? '',
    },
  });
}
