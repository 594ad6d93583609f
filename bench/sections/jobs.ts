/** Jobs from request to picture with a provider that answers at once, where their time goes, and the queue by itself. */
import { fileURLToPath } from 'node:url';
import type { Db } from 'mongodb';
import { pino } from 'pino';
import { LocalEvents } from '../../platform/events.js';
import { newId } from '../../platform/ids.js';
import { connectMongo } from '../../platform/mongo/store.js';
import { JOBS, type JobDocument, JobState, OutputFormat } from '../../subgraphs/registry/job/job.model.js';
import { JobStore } from '../../subgraphs/registry/job/job.store.js';
import { size } from '../../subgraphs/registry/model/sizes.js';
import type { Bench, Row, Section } from '../section.js';
import { BenchError } from '../support/error.js';
import { drawPictures } from '../support/pictures.js';
import { startWhole } from '../support/platform.js';
import { authorised } from '../support/requests.js';
import { kept, type Server, startServer, stop } from '../support/server.js';
import { spread } from '../support/statistics.js';

/** As many callers as workers, so that the queue shows what it costs and not how long it is. */
const AT_ONCE = 4;
const STAGES = ['queue', 'provider', 'encode', 'store', 'record', 'billing'] as const;
const CLAIMS = 2_000;
const CLAIMS_PER_SECOND = 500;

export const jobs: Section = {
  name: 'jobs',
  summary: 'jobs from request to picture, with a provider that answers at once; and claims of the queue',
  async run(bench: Bench): Promise<Row[]> {
    const { world, cores } = bench;
    const pictures = await world.directory('pictures-jobs');
    await drawPictures(pictures, 0);
    const servers: Server[] = [];
    const { client, close } = await connectMongo({
      url: world.mongoUrl,
      database: world.databases.one,
      appName: 'bench',
    });
    try {
      const program = fileURLToPath(new URL('../servers/provider.js', import.meta.url));
      const env = { ...world.env, BENCH_PICTURES_DIR: pictures };
      const provider = await kept(servers, startServer({ core: cores.behind, args: [program], env, readyPath: '/' }));
      const ours = await kept(
        servers,
        startWhole(bench, 'jobs', {
          CLOUDFLARE_ACCOUNT_ID: 'bench',
          CLOUDFLARE_API_TOKEN: 'bench',
          CLOUDFLARE_BASE_URL: provider.url,
          WORKERS: String(AT_ONCE),
        }),
      );
      return [...(await endToEnd(ours, bench)), await claims(client.db(world.databases.one), bench)];
    } finally {
      await stop(servers);
      await close();
    }
  },
};

async function endToEnd(server: Server, { world, settings, say }: Bench): Promise<Row[]> {
  let next = 0;
  const latencies: number[] = [];
  const draw = async () => {
    const person = world.people[next++ % world.people.length];
    if (!person) throw new BenchError('nobody is there');
    const start = performance.now();
    const response = await fetch(`${server.url}/v2/generate`, {
      method: 'POST',
      headers: { ...authorised(person), 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a calm lake at dawn', quality_tier: 'draft', sync: true }),
    });
    const { state } = (await response.json()) as { state?: string };
    if (state !== 'completed') throw new BenchError(`a job answered ${response.status}, ${state}`);
    latencies.push(performance.now() - start);
  };
  for (let i = 0; i < 2 * AT_ONCE; i++) await draw();
  const before = await stagesOf(server);
  const cpuBefore = await server.cpuSeconds();
  latencies.length = 0;
  const rates: number[] = [];
  for (let round = 0; round < settings.rounds; round++) {
    const start = performance.now();
    const end = start + settings.seconds * 1_000;
    const drawn = latencies.length;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (performance.now() < end) await draw();
      }),
    );
    rates.push(((latencies.length - drawn) * 1_000) / (performance.now() - start));
  }
  const cpu = (((await server.cpuSeconds()) - cpuBefore) * 1_000_000) / latencies.length;
  const after = await stagesOf(server);
  const whole = latencies.reduce((sum, ms) => sum + ms, 0) / 1_000;
  const shares = STAGES.map((stage) => ({
    stage,
    share: ((after.get(stage) ?? 0) - (before.get(stage) ?? 0)) / whole,
  }));
  for (const { stage, share } of shares) say(`  ${stage}: ${(100 * share).toFixed(1)} % of a job's time`);
  const row = {
    group: 'jobs',
    requestsPerSecond: spread(rates),
    p99Ms: latencies.toSorted((a, b) => a - b)[Math.floor(0.99 * latencies.length)] ?? Number.NaN,
  };
  const none = { front: Number.NaN, behind: 0, database: Number.NaN };
  return [
    { ...row, name: 'from request to picture', cpu: { ...none, front: cpu }, ratio: undefined },
    ...shares.map(({ stage, share }) => ({
      ...row,
      name: `share of time in: ${stage}`,
      cpu: none,
      ratio: { ...spread([share]), to: 'the whole of a job', target: undefined },
    })),
  ];
}

/** Seconds that were spent in each stage so far. */
async function stagesOf({ url }: Server): Promise<Map<string, number>> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const sums = page.matchAll(/^darkroom_job_stage_duration_seconds_sum\{stage="(\w+)"\} (\S+)$/gm);
  return new Map([...sums].map(([, stage = '', sum]) => [stage, Number(sum)]));
}

async function claims(db: Db, { settings }: Bench): Promise<Row> {
  const log = pino({ level: 'silent' });
  const store = new JobStore({ db, events: new LocalEvents(), leaseMs: 60_000, log, now: () => new Date() });
  const collection = db.collection<JobDocument>(JOBS.name);
  const rates: number[] = [];
  const latencies: number[] = [];
  for (let round = 0; round < settings.rounds; round++) {
    const waiting = Array.from({ length: CLAIMS }, (_, i) => queued(i));
    await collection.insertMany(waiting);
    const start = performance.now();
    let claimed = 0;
    const worker = async (name: string) => {
      for (;;) {
        const asked = performance.now();
        if (!(await store.claim(name))) return;
        claimed += 1;
        latencies.push(performance.now() - asked);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => worker(`worker ${i}`)));
    rates.push((claimed * 1_000) / (performance.now() - start));
    await collection.deleteMany({ _id: { $in: waiting.map(({ _id }) => _id) } });
  }
  return {
    group: 'queue',
    name: `claims by ${AT_ONCE} workers`,
    requestsPerSecond: spread(rates),
    p99Ms: latencies.toSorted((a, b) => a - b)[Math.floor(0.99 * latencies.length)] ?? Number.NaN,
    cpu: { front: Number.NaN, behind: 0, database: Number.NaN },
    ratio: { ...spread(rates.map((rate) => rate / CLAIMS_PER_SECOND)), to: `${CLAIMS_PER_SECOND}/s`, target: 1 },
  };
}

function queued(i: number): JobDocument {
  const createdAt = new Date();
  return {
    _id: newId(),
    owner: `owner ${i % 50}`,
    tenantId: null,
    ownerId: null,
    state: JobState.QUEUED,
    changes: [{ state: JobState.QUEUED, at: createdAt }],
    changedAt: createdAt,
    qualityTier: 'draft',
    modelId: 'local/sketch',
    originalPrompt: 'a calm lake at dawn',
    finalPrompt: 'a calm lake at dawn',
    enhancement: [],
    drawing: {
      ...{ aspectRatio: null, size: size(512, 512), params: {}, seed: i, source: false, mask: false },
      ...{ format: OutputFormat.WEBP, quality: 85, preset: null, removeBackground: false },
    },
    result: null,
    failure: null,
    createdAt,
    completedAt: null,
    place: createdAt.getTime() + i,
    rank: createdAt.getTime() + i,
    attempts: 0,
    cost: 1,
  };
}
