/** How long an event takes from a worker's write to its subscriber, and what a subscription costs while nothing happens. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import { pino } from 'pino';
import { newId } from '../../platform/ids.js';
import { connectMongo } from '../../platform/mongo/store.js';
import { RedisEvents } from '../../platform/redis-events.js';
import { announceJob } from '../../subgraphs/registry/job/job.changes.js';
import { JOBS, type JobDocument, JobState, OutputFormat } from '../../subgraphs/registry/job/job.model.js';
import { size } from '../../subgraphs/registry/model/sizes.js';
import type { Bench, Row, Section } from '../section.js';
import { type Inspected, inspected } from '../support/inspector.js';
import { startWhole } from '../support/platform.js';
import { startRedis } from '../support/redis.js';
import { kept, type Server, stop } from '../support/server.js';
import { spread } from '../support/statistics.js';
import { type Open, overEventStreams, overSockets, type Wanted } from '../support/subscribers.js';

const SUBSCRIPTIONS = 1_000;
const EVENTS_PER_SECOND = 50;
const WITHIN_MS = 50;
const WITHIN_BYTES = 50_000;
/** What is still on its way when the writing ends. */
const LATE_MS = 2_000;

const WAYS: [string, Open][] = [
  ['a WebSocket each', overSockets(1)],
  ['16 over each WebSocket', overSockets(16)],
  ['server-sent events', overEventStreams],
];

export const subscriptions: Section = {
  name: 'subscriptions',
  summary: `${SUBSCRIPTIONS} subscriptions, each to its own job, ${EVENTS_PER_SECOND} events a second in all`,
  async run(bench: Bench): Promise<Row[]> {
    const { world, cores, say } = bench;
    const redis = await startRedis(cores.behind);
    if (!redis) {
      say('  skipped: the writer is a process of its own, and this machine has no redis-server to tell the gateway by');
      return [];
    }
    const servers: Server[] = [];
    const memory = await inspected();
    const { client, close } = await connectMongo({
      url: world.mongoUrl,
      database: world.databases.one,
      appName: 'bench',
    });
    const events = new RedisEvents(redis.url, newId(), pino({ level: 'silent' }));
    try {
      const server = await kept(
        servers,
        startWhole(bench, 'subscriptions', { ...memory.env, REDIS_URL: redis.url, WORKERS: '0' }),
      );
      const jobs = client.db(world.databases.one).collection<JobDocument>(JOBS.name);
      const writer = { jobs, tell: (job: JobDocument) => announceJob(events, job) };
      const rows: Row[] = [];
      for (const [name, open] of WAYS) rows.push(...(await measure(name, open, server, memory, writer, bench)));
      return rows;
    } finally {
      await stop(servers);
      await events.close();
      await close();
      await redis.stop();
    }
  },
};

interface Writer {
  jobs: Collection<JobDocument>;
  tell(job: JobDocument): void;
}

async function measure(
  name: string,
  open: Open,
  server: Server,
  memory: Inspected,
  { jobs, tell }: Writer,
  { world, settings, say }: Bench,
): Promise<Row[]> {
  const written = new Map<string, number>();
  const documents = Array.from({ length: SUBSCRIPTIONS }, (_, i) =>
    queued(world.people[i % world.people.length]?.caller.userId ?? ''),
  );
  await jobs.insertMany(documents);
  const wanted = documents.map(
    ({ _id: jobId }, i): Wanted => ({ jobId, key: world.people[i % world.people.length]?.key ?? '' }),
  );
  let latencies: number[] = [];
  let all: number[] = [];
  const heard = (jobId: string) => {
    const at = written.get(jobId);
    if (at === undefined) return;
    written.delete(jobId);
    latencies.push(performance.now() - at);
  };
  // The first ones pay for what all share.
  const few = await open(server.url, wanted.slice(0, 64), heard);
  await few.close();
  await pause(500);
  const empty = await memory.held();
  const held = await open(server.url, wanted, heard);
  const each = ((await memory.held()) - empty) / SUBSCRIPTIONS;
  say(`  ${name}: ${Math.round(each / 100) / 10} kB a subscription`);
  const medians: number[] = [];
  const rates: number[] = [];
  let next = 0;
  const cpu = await server.cpuSeconds();
  for (let round = 0; round < settings.rounds; round++) {
    latencies = [];
    const start = performance.now();
    const count = settings.seconds * EVENTS_PER_SECOND;
    for (let i = 0; i < count; i++) {
      const job = documents[next++ % documents.length];
      if (job) void change(job);
      await pause(Math.max(0, start + ((i + 1) * 1000) / EVENTS_PER_SECOND - performance.now()));
    }
    const deadline = Date.now() + LATE_MS;
    while (written.size > 0 && Date.now() < deadline) await pause(10);
    if (written.size > 0) throw new Error(`${written.size} of ${count} events did not arrive`);
    all = all.concat(latencies);
    medians.push(percentile(latencies, 0.99));
    rates.push((count * 1000) / (performance.now() - start));
  }
  const perEvent = (((await server.cpuSeconds()) - cpu) * 1_000_000) / all.length;
  await held.close();
  await jobs.deleteMany({ _id: { $in: documents.map(({ _id }) => _id) } });
  await pause(500);
  const row = { group: 'subscriptions', requestsPerSecond: spread(rates), p99Ms: percentile(all, 0.99) };
  const none = { front: Number.NaN, behind: 0, database: Number.NaN };
  const ratio = (values: number[], within: number, to: string) => ({
    ...spread(values.map((value) => within / value)),
    to,
    target: 1,
  });
  return [
    {
      ...row,
      name: `${name}: p99 from write to event`,
      cpu: { ...none, front: perEvent },
      ratio: ratio(medians, WITHIN_MS, `${WITHIN_MS} ms`),
    },
    {
      ...row,
      name: `${name}: memory, ${Math.round(each / 100) / 10} kB each`,
      cpu: none,
      ratio: ratio([each], WITHIN_BYTES, '50 kB'),
    },
  ];

  async function change(job: JobDocument): Promise<void> {
    const at = new Date();
    written.set(job._id, performance.now());
    const state = JobState.PROCESSING;
    await jobs.updateOne({ _id: job._id }, { $set: { state, changedAt: at }, $push: { changes: { state, at } } });
    tell({ ...job, changedAt: at });
  }
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? Number.NaN;
}

/** In the record, and not in the queue. */
function queued(owner: string): JobDocument {
  const createdAt = new Date();
  return {
    _id: newId(),
    owner,
    tenantId: owner,
    ownerId: owner,
    state: JobState.QUEUED,
    changes: [{ state: JobState.QUEUED, at: createdAt }],
    changedAt: createdAt,
    qualityTier: 'draft',
    modelId: 'local/draft',
    originalPrompt: 'a calm lake at dawn',
    finalPrompt: 'a calm lake at dawn',
    enhancement: [],
    drawing: {
      size: size(512, 512),
      aspectRatio: null,
      params: {},
      seed: 1,
      source: false,
      mask: false,
      format: OutputFormat.PNG,
      quality: 90,
      preset: null,
      removeBackground: false,
    },
    result: null,
    failure: null,
    createdAt,
    completedAt: null,
    place: createdAt.getTime(),
    attempts: 0,
    cost: 1,
  };
}
