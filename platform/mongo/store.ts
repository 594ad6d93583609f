import { type CreateIndexesOptions, type Db, type Document, type IndexSpecification, MongoClient } from 'mongodb';

export interface IndexDefinition {
  name: string;
  key: IndexSpecification;
  options?: Omit<CreateIndexesOptions, 'name'>;
}

export interface CollectionDefinition {
  name: string;
  indexes: readonly IndexDefinition[];
}

export interface MongoOptions {
  url: string;
  database: string;
  appName: string;
  maxPoolSize?: number;
}

/** A connection whose acknowledged writes are on disk (and on a majority, where there are several servers). */
export async function connectMongo({ url, database, appName, maxPoolSize = 50 }: MongoOptions) {
  const client = new MongoClient(url, {
    appName,
    maxPoolSize,
    journal: true,
    // An address may say otherwise: the embedded engine's does, because it is no replica set.
    ...(/[?&]w=/.test(url) ? {} : { w: 'majority' }),
    readConcern: { level: 'local' },
    retryWrites: false,
    serverSelectionTimeoutMS: 5_000,
    connectTimeoutMS: 5_000,
    // A query that hangs must not hold a request for ever.
    socketTimeoutMS: 30_000,
    ignoreUndefined: true,
    // Ids are strings and documents are small; promoting Buffers spares copies of hashes and embeddings.
    promoteBuffers: true,
  });
  await client.connect();
  return { client, db: client.db(database), close: () => client.close() };
}

/** Brings the indexes of a subgraph's collections into being. Creating an index that exists costs one round trip. */
export async function ensureIndexes(db: Db, collections: readonly CollectionDefinition[]): Promise<void> {
  await Promise.all(
    collections.map(async ({ name, indexes }) => {
      if (indexes.length === 0) {
        await db.createCollection(name).catch(ignoreExisting);
        return;
      }
      await db
        .collection(name)
        .createIndexes(indexes.map((index) => ({ name: index.name, key: index.key as Document, ...index.options })));
    }),
  );
}

const NAMESPACE_EXISTS = 48;

function ignoreExisting(error: { code?: number }): void {
  if (error.code !== NAMESPACE_EXISTS) throw error;
}

const DUPLICATE_KEY = 11000;

export function isDuplicateKey(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === DUPLICATE_KEY;
}
