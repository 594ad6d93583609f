/** kill -9 while pictures are drawn, hosted and paid for: nobody pays twice, and no picture is without a paid record. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunDocument, RunStatus } from '../../subgraphs/registry/run/run.model.js';
import { openOpenAi } from '../providers/openai.js';
import { png } from '../providers/pictures.js';
import type { StandIn } from '../providers/stand-in.js';
import { type Account, clientOf } from '../support/client.js';
import { type Mailbox, openMailbox } from '../support/mailbox.js';
import { SECRET_KEY } from '../support/platform.js';
import { type Program, startProgram } from '../support/process.js';

const ROUNDS = process.env['LONG'] ? 60 : 3;
const WRITERS = 8;
const PATIENCE_MS = 90_000;

let dataDir: string;
let mailbox: Mailbox;
let provider: StandIn;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'darkroom-runs-'));
  mailbox = await openMailbox();
  // Its small delays let kills fall before, during and after the provider's part.
  provider = await openOpenAi(async () => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 120));
    return png(64, 64);
  });
});
afterAll(async () => {
  await provider?.close();
  await mailbox?.close();
  await rm(dataDir, { recursive: true, force: true });
});

function start(): Promise<Program> {
  return startProgram(['start'], {
    DATA_DIR: dataDir,
    SMTP_URL: mailbox.url,
    SECRET_KEY,
    LOG_LEVEL: 'info',
    OPENAI_IMAGE_BASE_URL: `${provider.url}/v1`,
    OPENAI_IMAGE_MODELS: 'small=0.001',
    RESERVATION_TTL_SECONDS: '5',
    RATE_LIMIT_CODES_PER_ADDRESS: '0',
    RATE_LIMIT_REQUESTS_PER_MINUTE: '0',
  });
}

interface Acknowledged {
  runId: string;
  costUsd: number;
}

/** Draws until the server dies, and notes what it answered. */
async function draw(program: Program, { key }: Account, noted: Acknowledged[]): Promise<void> {
  const client = clientOf({ url: program.url, mailbox });
  for (let i = 0; ; i++) {
    const { status, body } = await client.rest('POST', '/v1/image-generators/-/runs', key, {
      prompt: `picture ${i}`,
      model: 'openai-compatible/small',
      num_images: 1 + (i % 3),
    });
    if (status !== 200) throw new Error(`answered ${status}`);
    noted.push({ runId: body.run_id, costUsd: body.cost_usd });
  }
}

async function withDatabase<T>(program: Program, action: (db: Db) => Promise<T>): Promise<T> {
  const url = /MongoDB +(mongodb:\S+)/.exec(program.output())?.[1] ?? '';
  const mongo = await MongoClient.connect(url);
  try {
    return await action(mongo.db('darkroom'));
  } finally {
    await mongo.close();
  }
}

/** What is wrong between runs, hosted images and money, in words; nothing when all of it fits. */
async function discrepancies(db: Db, program: Program, accounts: readonly Account[]): Promise<string[]> {
  const wrong: string[] = [];
  const runs = await db.collection<RunDocument>('registry_generation_runs').find().toArray();
  const byId = new Map(runs.map((run) => [run._id, run]));
  for (const { _id, status, openUntil } of runs) {
    if (openUntil !== undefined || status === 'running') wrong.push(`${_id} is open`);
  }
  const hosted = await db.collection('images_images').find({ source: 'generated', state: 'live' }).toArray();
  for (const { _id, origin } of hosted) {
    const run = byId.get(/^run:([^/]+)\//.exec(origin)?.[1] ?? '');
    const recorded = run?.outputs.some((output) => output.hosted?.id === String(_id));
    if (run?.status !== 'complete' || !recorded) wrong.push(`image ${_id} of ${origin} has no complete run`);
  }
  const live = new Set(hosted.map(({ _id }) => String(_id)));
  for (const { _id, outputs } of runs) {
    for (const output of outputs) if (output.hosted && !live.has(output.hosted.id)) wrong.push(`${_id} lost a picture`);
  }
  const client = clientOf({ url: program.url, mailbox });
  for (const { id, key } of accounts) {
    const userId = id.replace('usr_', '');
    const due = runs.filter(({ ownerId }) => ownerId === userId).reduce((sum, { costMicros }) => sum + costMicros, 0);
    const { body } = await client.rest('GET', '/v1/me/usage', key);
    const used = Math.round(body.used_usd * 1e6);
    const held = Math.round((body.remaining_usd - body.available_usd) * 1e6);
    if (used !== due || held !== 0) wrong.push(`${id} was charged ${used} and holds ${held}; its runs cost ${due}`);
  }
  return wrong;
}

it(`${ROUNDS} kills charge nobody twice and leave no picture without a paid record`, {
  timeout: 120_000 + ROUNDS * 15_000,
}, async () => {
  let program = await start();
  const client = clientOf({ url: program.url, mailbox });
  const accounts: Account[] = [];
  for (let i = 0; i < WRITERS; i++) accounts.push(await client.account(`painter-${i}@example.com`));
  const all: Acknowledged[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) program = await start();
    const fresh: Acknowledged[] = [];
    const writers = accounts.map((account) => draw(program, account, fresh).catch(() => {}));
    await expect.poll(() => fresh.length, { timeout: 30_000 }).toBeGreaterThan(3);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 400));
    await program.kill();
    await Promise.all(writers);
    all.push(...fresh);
  }

  // What would pass in a minute or two is brought forward: the leases of the dead and the time their runs had left.
  const before = await start();
  const left = await withDatabase(before, async (db) => {
    const open = { openUntil: { $exists: true } };
    const runs = db.collection<RunDocument>('registry_generation_runs');
    const count = await runs.countDocuments(open);
    await runs.updateMany(open, { $set: { openUntil: new Date(0) } });
    await db.collection('platform_leases').deleteMany({});
    return count;
  });
  await before.stop();

  const last = await start();
  await withDatabase(last, async (db) => {
    const runs = db.collection<RunDocument>('registry_generation_runs');
    await expect.poll(() => discrepancies(db, last, accounts), { timeout: PATIENCE_MS, interval: 2_000 }).toEqual([]);
    for (const { runId, costUsd } of all) {
      const run = await runs.findOne({ _id: runId });
      expect([run?.status, run?.costMicros]).toEqual(['complete', Math.round(costUsd * 1e6)]);
    }
    const finished = await runs.countDocuments({ status: RunStatus.COMPLETE });
    const failed = await runs.countDocuments({ status: RunStatus.ERROR });
    console.info(
      `${ROUNDS} kills: ${all.length} runs answered, ${left} left open; ${finished} complete and paid, ${failed} failed and free`,
    );
    expect(left).toBeGreaterThan(0);
  });
  await last.stop();
});
