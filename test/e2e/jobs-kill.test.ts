/** kill -9 of workers while they draw: every job ends once, is charged once, and has one set of pictures; nothing is left. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EmbeddedMongo, openEmbeddedMongo } from '../../platform/embedded/mongo.js';
import { type EmbeddedS3, openEmbeddedS3 } from '../../platform/embedded/s3.js';
import { ObjectStore } from '../../platform/s3.js';
import {
  ASSET_OBJECT_PREFIX,
  type AssetDocument,
  type AssetReference,
  assetKey,
} from '../../subgraphs/images/asset/asset.model.js';
import { type JobDocument, JobState } from '../../subgraphs/registry/job/job.model.js';
import { type Account, type Client, clientOf } from '../support/client.js';
import { type Mailbox, openMailbox } from '../support/mailbox.js';
import { SECRET_KEY } from '../support/platform.js';
import { launch, type Program, startProgram } from '../support/process.js';

const LONG = Boolean(process.env['LONG']);
const JOBS = LONG ? 2_000 : 60;
const KILLS = LONG ? 40 : 3;
const WORKERS = 3;
const BUCKET = 'darkroom';
const PATIENCE_MS = LONG ? 1_500_000 : 90_000;

let dataDir: string;
let mongo: EmbeddedMongo;
let s3: EmbeddedS3;
let mailbox: Mailbox;
let connection: MongoClient;
let db: Db;
let store: ObjectStore;
let env: Record<string, string>;
let server: Program;
let client: Client;
let account: Account;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'darkroom-jobs-'));
  mongo = await openEmbeddedMongo({ dataDir });
  s3 = await openEmbeddedS3({ dataDir, bucket: BUCKET });
  mailbox = await openMailbox();
  connection = await MongoClient.connect(mongo.url);
  db = connection.db('darkroom');
  env = {
    DATA_DIR: dataDir,
    SMTP_URL: mailbox.url,
    SECRET_KEY,
    LOG_LEVEL: 'info',
    MONGODB_URL: mongo.url,
    S3_ENDPOINT: s3.endpoint,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
    QUEUE_PER_TENANT: '100000',
    JOB_LEASE_SECONDS: '2',
  };
  const { accessKeyId, secretAccessKey, endpoint } = s3;
  const credentials = { accessKeyId, secretAccessKey };
  store = new ObjectStore({ endpoint, region: 'us-east-1', bucket: BUCKET, forcePathStyle: true, credentials });
  // It takes jobs on and draws none.
  server = await startProgram(['start'], { ...env, WORKERS: '0' });
  client = clientOf({ url: server.url, mailbox });
  account = await client.account('ada@example.com');
  await launch(['admin', 'grant', 'ada@example.com', '--credits', '100000'], env).exited;
});
afterAll(async () => {
  await server?.stop();
  await connection?.close();
  await s3?.close();
  await mongo?.close();
  await mailbox?.close();
  await rm(dataDir, { recursive: true, force: true });
});

const startWorker = () => startProgram(['worker'], { ...env, WORKERS: '4' });
const jobs = () => db.collection<JobDocument>('registry_jobs');

async function submit(i: number): Promise<string> {
  const { status, body } = await client.rest('POST', '/v2/generate', account.key, {
    prompt: `picture ${i}`,
    quality_tier: 'draft',
    seed: i,
    sync: false,
    // Some make the same picture as the one before, so that two jobs refer to it.
    ...(i % 10 === 9 && { prompt: `picture ${i - 1}`, seed: i - 1 }),
    ...(i % 7 === 0 && { background_removal: true }),
  });
  if (status !== 202) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
  return body.job_id;
}

/** What the dead leave behind is found when their time is over: that is brought forward. */
async function bringForward(): Promise<void> {
  const past = new Date(0);
  await db.collection('platform_leases').deleteMany({});
  await jobs().updateMany({ completedAt: { $ne: null }, openUntil: { $exists: true } }, { $set: { openUntil: past } });
  for (const name of ['images_assets', 'images_asset_references']) {
    await db.collection(name).updateMany({ leaseUntil: { $exists: true } }, { $set: { leaseUntil: past } });
  }
}

async function keys(): Promise<string[]> {
  const all: string[] = [];
  let token: string | undefined;
  do {
    const page = await store.client.send(
      new ListObjectsV2Command({ Bucket: BUCKET, Prefix: ASSET_OBJECT_PREFIX, ContinuationToken: token }),
    );
    all.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return all;
}

/** What is wrong, in words; nothing when all of it fits. */
async function discrepancies(accepted: readonly string[]): Promise<string[]> {
  const wrong: string[] = [];
  const records = await jobs().find().toArray();
  const byId = new Map(records.map((record) => [record._id, record]));
  for (const id of accepted) if (!byId.has(id)) wrong.push(`${id} is lost`);
  for (const { _id, state, changes, openUntil, leaseUntil, rank } of records) {
    const states = changes.map((change) => change.state).join(' ');
    if (states !== 'queued processing completed' || state !== JobState.COMPLETED) wrong.push(`${_id} went ${states}`);
    if ((openUntil ?? leaseUntil ?? rank) !== undefined) wrong.push(`${_id} is open`);
  }
  const charges = await db.collection('billing_ledger').find({ kind: 'charge' }).toArray();
  const charged = new Map<string, number>();
  for (const { runId } of charges) charged.set(String(runId), (charged.get(String(runId)) ?? 0) + 1);
  for (const { _id } of records) if (charged.get(_id) !== 1) wrong.push(`${_id} was charged ${charged.get(_id)} times`);
  for (const id of charged.keys()) if (!byId.has(id)) wrong.push(`${id} was charged and is no job`);
  const { body } = await client.rest('GET', '/v2/billing/status', account.key);
  const spent = records.reduce((sum, { cost }) => sum + cost, 0);
  if (body.credits.reserved !== 0 || body.credits.available !== 100_050 - spent) {
    wrong.push(`${spent} credits were spent, ${JSON.stringify(body.credits)} are there`);
  }
  return [...wrong, ...(await orphans(records))];
}

async function orphans(records: readonly JobDocument[]): Promise<string[]> {
  const wrong: string[] = [];
  const assets = await db.collection<AssetDocument>('images_assets').find().toArray();
  const references = await db.collection<AssetReference>('images_asset_references').find().toArray();
  const wanted = new Set(
    records.flatMap(({ result }) => [result?.asset.sha256, result?.cutOut?.sha256]).filter(Boolean),
  );
  for (const { _id, state, address } of assets) {
    if (state !== 'live' || !wanted.has(address)) wrong.push(`asset ${_id} is ${state}, of no job`);
  }
  if (assets.length !== wanted.size) wrong.push(`${assets.length} assets where ${wanted.size} are wanted`);
  const held = new Map<string, string | undefined>(
    records.flatMap(({ _id, result }) => [
      [`job:${_id} image`, result?.asset.sha256] as const,
      ...(result?.cutOut ? [[`job:${_id} cut_out`, result.cutOut.sha256] as const] : []),
    ]),
  );
  for (const { holder, slot, state, address } of references) {
    if (state !== 'live' || held.get(`${holder} ${slot}`) !== address) wrong.push(`${holder} holds ${slot}, ${state}`);
  }
  if (references.length !== held.size) wrong.push(`${references.length} references where ${held.size} are wanted`);
  const objects = new Set(await keys());
  for (const { _id } of assets) if (!objects.delete(assetKey(_id))) wrong.push(`the bytes of ${_id} are gone`);
  for (const key of objects) wrong.push(`${key} is of nobody`);
  return wrong;
}

it(`${JOBS} jobs over ${WORKERS} workers, ${KILLS} of them killed: each ends once, is charged once, and has its pictures`, {
  timeout: PATIENCE_MS + 120_000,
}, async () => {
  const workers = await Promise.all(Array.from({ length: WORKERS }, startWorker));
  const accepted: string[] = [];
  let next = 0;
  const submitter = async () => {
    while (next < JOBS) accepted.push(await submit(next++));
  };
  const submitting = Promise.all([submitter(), submitter(), submitter()]);
  let kills = 0;
  const done = () => jobs().countDocuments({ completedAt: { $ne: null } });
  const killing = (async () => {
    while (kills < KILLS) {
      // Spread over the whole of the work, at moments of its own.
      const due = ((kills + Math.random()) / KILLS) * JOBS * 0.9;
      await expect.poll(done, { timeout: PATIENCE_MS, interval: 10 }).toBeGreaterThanOrEqual(Math.floor(due));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
      const victim = kills % WORKERS;
      await workers[victim]?.kill();
      kills += 1;
      workers[victim] = await startWorker();
    }
  })();
  await Promise.all([submitting, killing]);
  await expect.poll(done, { timeout: PATIENCE_MS, interval: 100 }).toBe(JOBS);
  const retaken = await jobs().countDocuments({ attempts: { $gt: 1 } });
  const left = await jobs().countDocuments({ openUntil: { $exists: true } });
  await expect
    .poll(
      async () => {
        await bringForward();
        return (await discrepancies(accepted)).slice(0, 10);
      },
      { timeout: PATIENCE_MS, interval: 2_000 },
    )
    .toEqual([]);
  for (const worker of workers) await worker.stop();
  console.info(
    `${kills} kills: ${accepted.length} jobs done and charged once; ${retaken} were taken over, ${left} left unpaid`,
  );
  expect(retaken).toBeGreaterThan(0);
});
