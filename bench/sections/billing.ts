/** In this process, over the one connection that the engine and what it is measured against share. */
import { pino } from 'pino';
import { newId } from '../../platform/ids.js';
import { Metrics } from '../../platform/metrics.js';
import { connectMongo } from '../../platform/mongo/store.js';
import { Secrets } from '../../platform/secrets.js';
import type { Payer } from '../../subgraphs/billing/account/spending.service.js';
import { type BillingEngine, createEngine } from '../../subgraphs/billing/engine.js';
import { audit } from '../../subgraphs/billing/ledger/audit.js';
import { type BillingStore, openStore } from '../../subgraphs/billing/store.js';
import type { Bench, Row, Section } from '../section.js';
import { BenchError } from '../support/error.js';
import { BILLING } from '../support/seed.js';
import { median, spread } from '../support/statistics.js';

const LANES = 128;
const MANY = 1_000;
const PLENTY = 1_000_000_000_000;
const BARE = `bare updates of ${MANY} documents`;

interface Candidate {
  name: string;
  target?: number;
  /** One update, or one reservation and its settlement. */
  once(): Promise<unknown>;
  /** What must be done before the clock stops. */
  end?(): Promise<unknown>;
}

interface Sample {
  perSecond: number;
  p99Ms: number;
  cpu: number;
}

export const billing: Section = {
  name: 'billing',
  summary: 'reservations that are settled, beside bare updates of single documents of the same engine',
  async run(bench: Bench): Promise<Row[]> {
    const { client, close } = await connectMongo({
      url: bench.world.mongoUrl,
      database: 'bench_billing',
      appName: 'darkroom-bench',
      maxPoolSize: LANES,
    });
    try {
      const db = client.db('bench_billing');
      const bare = db.collection<{ _id: number; n: number }>('bare');
      await bare.insertMany(Array.from({ length: MANY }, (_, _id) => ({ _id, n: 0 })));
      const store = await openStore(db);
      const deps = { secrets: new Secrets(bench.world.secretKey), metrics: new Metrics(), settings: BILLING };
      const engine = createEngine(store, { ...deps, log: pino({ level: 'warn' }), now: () => new Date() });
      const [hot, ...others] = await Promise.all(Array.from({ length: MANY + 1 }, () => richPayer(engine)));
      if (!hot) throw new BenchError('nobody pays');
      let turn = 0;
      const update = (_id: number) => bare.updateOne({ _id }, { $inc: { n: 1 } });
      const end = () => engine.ledger.flush();
      const candidates: Candidate[] = [
        { name: BARE, once: () => update(turn++ % MANY) },
        { name: 'bare updates of one document', once: () => update(0) },
        { name: 'reserve and settle on one account', target: 0.35, once: () => pair(engine, hot), end },
        {
          name: `reserve and settle on ${MANY} accounts`,
          target: 0.2,
          once: () => pair(engine, others[turn++ % MANY] ?? hot),
          end,
        },
      ];
      const rows = await measureAll(candidates, bench);
      await requireSound(store, engine);
      return rows;
    } finally {
      await close();
    }
  },
};

async function richPayer({ moneyIn }: BillingEngine): Promise<Payer> {
  const holder = { userId: newId(), createdAt: new Date() };
  const grant = { source: 'bench', unit: 'usd_micros', kind: 'purchased', amount: PLENTY, expiresAt: null } as const;
  await moneyIn.grant(holder, grant);
  return { ...holder, suspended: false };
}

async function pair({ spending }: BillingEngine, payer: Payer): Promise<void> {
  const runId = newId();
  await spending.reserve({ runId, payer, unit: 'usd_micros', amount: 10_000, purpose: 'generation' });
  await spending.settle(payer, runId, 9_000);
}

/** A fast ledger that does not add up would be worth nothing. */
async function requireSound(store: BillingStore, { ledger }: BillingEngine): Promise<void> {
  await ledger.flush();
  const { findings } = await audit(store);
  if (findings.length > 0) throw new BenchError(`the ledger does not add up: ${findings.slice(0, 3).join('; ')}`);
}

async function measureAll(candidates: readonly Candidate[], { settings, say }: Bench): Promise<Row[]> {
  const samples = new Map<Candidate, Sample[]>(candidates.map((candidate) => [candidate, []]));
  for (let round = 0; round <= settings.rounds; round++) {
    const rates: string[] = [];
    for (const candidate of candidates) {
      const sample = await measure(candidate, settings.seconds * 1000);
      // The first round warms up compilers and caches.
      if (round > 0) samples.get(candidate)?.push(sample);
      rates.push(sample.perSecond.toFixed(0));
    }
    say(`  billing ${round === 0 ? 'warm-up' : `${round}/${settings.rounds}`}: ${rates.join(' ')}`);
  }
  const [reference] = candidates;
  const base = (reference && samples.get(reference)) ?? [];
  return candidates.map((candidate) => row(candidate, samples.get(candidate) ?? [], base));
}

async function measure({ once, end }: Candidate, ms: number): Promise<Sample> {
  const times: number[] = [];
  const start = performance.now();
  const cpuBefore = process.cpuUsage();
  const lane = async () => {
    while (performance.now() - start < ms) {
      const began = performance.now();
      await once();
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await end?.();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  times.sort((a, b) => a - b);
  return {
    perSecond: times.length / seconds,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
    cpu: (user + system) / times.length,
  };
}

function row({ name, target }: Candidate, samples: readonly Sample[], base: readonly Sample[]): Row {
  const ratios = samples.map(({ perSecond }, i) => perSecond / (base[i]?.perSecond ?? Number.NaN));
  return {
    group: 'billing',
    name,
    requestsPerSecond: spread(samples.map(({ perSecond }) => perSecond)),
    p99Ms: median(samples.map(({ p99Ms }) => p99Ms)),
    // The engine of the database runs in this process too: what is used cannot be told apart.
    cpu: { front: 0, behind: 0, database: median(samples.map(({ cpu }) => cpu)) },
    ratio: name === BARE ? undefined : { to: BARE, target, ...spread(ratios) },
  };
}
