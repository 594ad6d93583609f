/** Opens what holds the data: the embedded engines, or whatever stands at the addresses that are set. */
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { type Config, ConfigError } from './config.js';
import { consoleMailer, type Mailer, smtpMailer } from './mail.js';
import { connectMongo } from './mongo/store.js';
import { ObjectStore } from './s3.js';

/** Called in reverse order at the end. */
export type Closers = (() => unknown)[];

export interface Stores {
  db: Db;
  store: ObjectStore;
  mailer: Mailer;
  mongoUrl: string;
  /** What runs inside this process rather than at an address. */
  embedded: readonly string[];
}

export interface StoresOptions {
  config: Config;
  /** Names this process to the database. */
  appName: string;
  /** The embedded engines serve the one process that runs everything. */
  allowEmbedded: boolean;
  log: Logger;
  closers: Closers;
}

export async function openStores({ config, appName, allowEmbedded, log, closers }: StoresOptions): Promise<Stores> {
  const embedded: string[] = [];
  if (!allowEmbedded && (config.MONGODB_URL === undefined || config.S3_ENDPOINT === undefined)) {
    throw new ConfigError(
      'MONGODB_URL and S3_ENDPOINT must be set when the platform runs as several processes: the embedded engines serve one process',
    );
  }
  if (config.MONGODB_URL === undefined || config.S3_ENDPOINT === undefined) {
    // Loaded when needed: the engines are optional.
    const { lockDataDir } = await import('./embedded/lock.js');
    const lock = await lockDataDir(config.DATA_DIR);
    closers.push(() => lock.release());
  }
  const mongoUrl = config.MONGODB_URL ?? (await embeddedMongo(config, closers, embedded));
  const mongo = await connectMongo({
    url: mongoUrl,
    database: config.MONGODB_DATABASE,
    appName,
  });
  closers.push(() => mongo.close());
  const store = await objectStore(config, log, closers, embedded);
  const mailer = config.SMTP_URL ? await smtpMailer(config.SMTP_URL, config.MAIL_FROM, log) : consoleMailer(log);
  if (!config.SMTP_URL) embedded.push('mail (printed here)');
  closers.push(() => mailer.close());
  return { db: mongo.db, store, mailer, mongoUrl, embedded };
}

async function embeddedMongo(config: Config, closers: Closers, embedded: string[]): Promise<string> {
  const { openEmbeddedMongo } = await import('./embedded/mongo.js');
  const engine = await openEmbeddedMongo({ dataDir: config.DATA_DIR });
  closers.push(() => engine.close());
  embedded.push('MongoDB');
  return engine.url;
}

async function objectStore(config: Config, log: Logger, closers: Closers, embedded: string[]): Promise<ObjectStore> {
  const { S3_ENDPOINT, S3_REGION, S3_BUCKET, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = config;
  const bucket = S3_BUCKET;
  if (S3_ENDPOINT === undefined) {
    const { openEmbeddedS3 } = await import('./embedded/s3.js');
    const { close, accessKeyId, secretAccessKey, ...address } = await openEmbeddedS3({
      dataDir: config.DATA_DIR,
      bucket,
    });
    closers.push(() => close());
    embedded.push('S3');
    const store = new ObjectStore({
      ...address,
      bucket,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
    closers.push(() => store.close());
    return store;
  }
  const credentials =
    S3_ACCESS_KEY_ID !== undefined && S3_SECRET_ACCESS_KEY !== undefined
      ? { accessKeyId: S3_ACCESS_KEY_ID, secretAccessKey: S3_SECRET_ACCESS_KEY }
      : undefined;
  const forcePathStyle = config.S3_FORCE_PATH_STYLE === 'on';
  const store = new ObjectStore({ endpoint: S3_ENDPOINT, region: S3_REGION, bucket, forcePathStyle, credentials });
  closers.push(() => store.close());
  // A store that is down at the start is reported by /readyz and may come back.
  await store.ensureBucket().catch((error) => log.warn({ err: error }, 'the bucket cannot be reached'));
  return store;
}
