/** The bucket of a platform that keeps its objects in the embedded store, in either shape. */
import { openEmbeddedS3 } from '../../platform/embedded/s3.js';
import { ObjectStore } from '../../platform/s3.js';

export interface Bucket {
  store: ObjectStore;
  close(): Promise<void>;
}

/**
 * Through a server of its own over the same files, since a platform tells nobody where its own listens. Opened before
 * anything is uploaded: it clears away what it takes for left by another.
 */
export async function openBucket(dataDir: string): Promise<Bucket> {
  const bucket = 'darkroom';
  const s3 = await openEmbeddedS3({ dataDir, bucket });
  const store = new ObjectStore({ ...s3, bucket, forcePathStyle: true, credentials: s3 });
  return {
    store,
    async close() {
      store.close();
      await s3.close();
    },
  };
}
