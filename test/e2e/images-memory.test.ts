/** What an upload costs in memory: the server's, with the stores in another process, which is this one. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedMongo, openEmbeddedMongo } from '../../platform/embedded/mongo.js';
import { type EmbeddedS3, openEmbeddedS3 } from '../../platform/embedded/s3.js';
import { pngOfSize, smallPng } from '../images/support/pictures.js';
import { type Account, clientOf } from '../support/client.js';
import { type Mailbox, openMailbox } from '../support/mailbox.js';
import { SECRET_KEY } from '../support/platform.js';
import { type Program, startProgram } from '../support/process.js';
import { sendForm } from '../support/uploads.js';

const MIB = 1024 * 1024;
const LARGEST = 25 * MIB;

let dataDir: string;
let mongo: EmbeddedMongo;
let s3: EmbeddedS3;
let mailbox: Mailbox;
let server: Program;
let account: Account;
let picture: Buffer;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'darkroom-memory-'));
  [mongo, s3, mailbox] = await Promise.all([
    openEmbeddedMongo({ dataDir }),
    openEmbeddedS3({ dataDir, bucket: 'darkroom' }),
    openMailbox(),
  ]);
  server = await startProgram(['start'], {
    DATA_DIR: dataDir,
    SECRET_KEY,
    SMTP_URL: mailbox.url,
    MONGODB_URL: mongo.url,
    S3_ENDPOINT: s3.endpoint,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    REDIS_URL: '',
    STORAGE_QUOTA_BYTES: '0',
    RATE_LIMIT_UPLOADS_PER_MINUTE: '0',
  });
  account = await clientOf({ url: server.url, mailbox }).account('ada@example.com');
  picture = pngOfSize(await smallPng(), LARGEST);
});
afterAll(async () => {
  await server?.stop();
  await s3?.close();
  await mongo?.close();
  await mailbox?.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function memory(field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${server.process.pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
}

/** By how many MiB the server grows over where it rests, at most, while something goes on. */
async function growthDuring(action: () => Promise<unknown>): Promise<number> {
  const resting = await memory('VmRSS');
  // Forgets the highest size so far.
  await writeFile(`/proc/${server.process.pid}/clear_refs`, '5');
  await action();
  return (await memory('VmHWM')) - resting;
}

const upload = async () => {
  const { status, body } = await sendForm(server.url, account.key, [['file', picture]]);
  expect([status, body.size_bytes]).toEqual([201, LARGEST]);
};

// Only Linux tells, and only the process's own user.
describe.runIf(process.platform === 'linux')('the memory of the server', () => {
  it('grows by less than 32 MiB for a picture of 25 MiB, and by less than 150 for ten at once', async () => {
    // What is loaded and compiled with the first uploads stays: the server rests after them.
    for (let i = 0; i < 3; i++) await sendForm(server.url, account.key, [['file', picture.subarray(0, MIB)]]);
    await upload();
    const one = await growthDuring(upload);
    const ten = await growthDuring(() => Promise.all(Array.from({ length: 10 }, upload)));
    console.info(`an upload of 25 MiB: +${one.toFixed(0)} MiB; ten at once: +${ten.toFixed(0)} MiB`);
    expect(one).toBeLessThan(32);
    expect(ten).toBeLessThan(150);
  });
});
