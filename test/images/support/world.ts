/** The platform in this process over engines of its own, with pictures put straight into the bucket and the collection. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { pino } from 'pino';
import { createDarkroom, type Darkroom, type Role } from '../../../darkroom.js';
import { parseConfig } from '../../../platform/config.js';
import { openEmbeddedMongo } from '../../../platform/embedded/mongo.js';
import { openEmbeddedS3 } from '../../../platform/embedded/s3.js';
import { newId, UserId } from '../../../platform/ids.js';
import { connectMongo } from '../../../platform/mongo/store.js';
import { ObjectStore } from '../../../platform/s3.js';
import { Secrets } from '../../../platform/secrets.js';
import { SUBGRAPH_NAMES, type SubgraphName } from '../../../platform/subgraph.js';
import { IMAGES, type ImageDocument, type LiveImage, objectKey } from '../../../subgraphs/images/image/image.model.js';
import { ServingTokens } from '../../../subgraphs/images/serving/tokens.js';
import { type Account, clientOf } from '../../support/client.js';
import { openMailbox } from '../../support/mailbox.js';
import { SECRET_KEY } from '../../support/platform.js';
import { freePort } from '../../support/process.js';

export interface Running {
  url: string;
  darkroom: Darkroom;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

export async function openWorld(now: () => Date = () => new Date()) {
  const dataDir = await mkdtemp(join(tmpdir(), 'darkroom-images-'));
  const mongo = await openEmbeddedMongo({ dataDir });
  const s3 = await openEmbeddedS3({ dataDir, bucket: 'darkroom' });
  const mailbox = await openMailbox();
  const { client, db } = await connectMongo({ url: mongo.url, database: 'darkroom', appName: 'test' });
  const store = new ObjectStore({ ...s3, bucket: 'darkroom', forcePathStyle: true, credentials: s3 });
  const images = db.collection<ImageDocument>(IMAGES.name);
  const tokens = ServingTokens.of(new Secrets(SECRET_KEY));
  const running: Running[] = [];
  const shared = {
    SECRET_KEY,
    DATA_DIR: dataDir,
    SMTP_URL: mailbox.url,
    MONGODB_URL: mongo.url,
    S3_ENDPOINT: s3.endpoint,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    RATE_LIMIT_CODES_PER_ADDRESS: '0',
    RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
    PUBLIC_URL: 'http://darkroom.test',
  };

  async function start(role: Role, env: Record<string, string> = {}, port = 0): Promise<Running> {
    const config = parseConfig({ ...shared, ...env });
    const darkroom = await createDarkroom({ config, role, log: pino({ level: 'silent' }), now });
    const url = await darkroom.app.listen({ port, host: '127.0.0.1' });
    running.unshift({ url, darkroom });
    return { url, darkroom };
  }

  /** All that was started. */
  async function stop(): Promise<void> {
    for (const { darkroom } of running.splice(0)) await darkroom.close();
  }

  return {
    mongo,
    s3,
    db,
    images,
    store,
    mailbox,
    start,
    stop,
    /** Subgraphs in processes of their own, as far as gateways can tell; the addresses that gateways need. */
    async subgraphs(env: Record<string, string> = {}): Promise<Record<string, string>> {
      const ports = new Map<SubgraphName, number>();
      for (const name of SUBGRAPH_NAMES) ports.set(name, await freePort());
      const addresses = Object.fromEntries(
        [...ports].map(([name, port]) => [`SUBGRAPH_${name.toUpperCase()}_URL`, `http://127.0.0.1:${port}`]),
      );
      for (const [name, port] of ports) await start({ kind: 'subgraph', name }, { ...env, ...addresses }, port);
      return addresses;
    },
    account: (url: string, email: string): Promise<Account> => clientOf({ url, mailbox }).account(email),
    async put(bytes: Uint8Array, fields: Partial<LiveImage> = {}): Promise<LiveImage> {
      const _id = newId();
      const image: LiveImage = {
        _id,
        state: 'live',
        ownerId: null,
        token: tokens.make({ id: _id, sizeBytes: bytes.length }),
        extension: 'png',
        visibility: 'public',
        source: 'upload',
        contentType: 'image/png',
        sizeBytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('base64url'),
        width: 1,
        height: 1,
        createdAt: new Date('2026-03-04T05:06:07.890Z'),
        expiresAt: null,
        ...fields,
      };
      const Key = objectKey(image._id);
      await store.client.send(new PutObjectCommand({ Bucket: store.bucket, Key, Body: bytes }));
      await images.insertOne(image);
      return image;
    },
    async close() {
      await stop();
      store.close();
      await client.close();
      await mailbox.close();
      await s3.close();
      await mongo.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export function ownerOf({ id }: Account): string {
  const bare = UserId.parse(id);
  if (bare === null) throw new Error(`not an id: ${id}`);
  return bare;
}

export function someBytes(length: number): Buffer {
  return randomBytes(length);
}

export function pathOf({ token, extension }: LiveImage): string {
  return `/v1/i/${token}.${extension}`;
}
