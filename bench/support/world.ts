/** The data that all candidates share: one database engine, one object store, and the people in them. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedMongo } from '../../platform/embedded/mongo.js';
import { openEmbeddedS3 } from '../../platform/embedded/s3.js';
import { connectMongo } from '../../platform/mongo/store.js';
import { type Person, seed } from './seed.js';

export interface World {
  people: readonly Person[];
  mongoUrl: string;
  /** Two with the same contents: gateways that share a database must share a Redis too. */
  databases: Record<'one' | 'many', string>;
  secretKey: string;
  /** Maps each key to the Caller behind it, for candidates that have no accounts of their own. */
  callersFile: string;
  /** A fresh directory that goes away at the end. */
  directory(name: string): Promise<string>;
  /** Settings of the platform's processes. */
  env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const DATABASES = { one: 'bench_one_process', many: 'bench_many_processes' };
const BUCKET = 'darkroom';

export async function openWorld(): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const mongo = await openEmbeddedMongo({ dataDir: root });
  const s3 = await openEmbeddedS3({ dataDir: root, bucket: BUCKET });
  const { client, close } = await connectMongo({ url: mongo.url, database: DATABASES.one, appName: 'darkroom-bench' });
  const people = await seed(Object.values(DATABASES).map((name) => client.db(name)));
  await close();
  const secretKey = randomBytes(32).toString('base64');
  const callersFile = join(root, 'callers.json');
  await writeFile(callersFile, JSON.stringify(Object.fromEntries(people.map(({ key, caller }) => [key, caller]))));
  return {
    people,
    mongoUrl: mongo.url,
    databases: DATABASES,
    secretKey,
    callersFile,
    async directory(name) {
      const directory = join(root, name);
      await mkdir(directory, { recursive: true });
      return directory;
    },
    env: {
      LOG_LEVEL: 'warn',
      LOG_FORMAT: 'json',
      SECRET_KEY: secretKey,
      MONGODB_URL: mongo.url,
      S3_ENDPOINT: s3.endpoint,
      S3_BUCKET: BUCKET,
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
      RATE_LIMIT_USER_LOOKUPS_PER_MINUTE: '0',
      PUBLIC_URL: 'https://images.example.com',
    },
    async close() {
      await s3.close();
      await mongo.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
