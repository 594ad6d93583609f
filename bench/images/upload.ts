/**
 * Pictures sent to us as forms, beside the S3 client writing the same bytes to the same store: both several at once. Nothing
 * is pinned. Ours has a sender and a database that the S3 client does without, and on whichever core these were put, the
 * choice would decide more than what is measured.
 */
import { fileURLToPath } from 'node:url';
import type { Bench, Row } from '../section.js';
import type { SendOrder, Sent } from '../servers/sender.js';
import { BenchError } from '../support/error.js';
import { startWhole } from '../support/platform.js';
import { kept, type Server, startServer, stop } from '../support/server.js';
import { median, spread } from '../support/statistics.js';

const SIZES = [
  { name: '50 kB', edge: 129, count: 1_500, atOnce: 32 },
  { name: '2 MB', edge: 816, count: 192, atOnce: 32 },
  { name: '25 MB', edge: 2_900, count: 16, atOnce: 8 },
];
/** That so many pictures may be under way, which is more than one account may have. */
const ACCOUNTS = 4;
const UNLIMITED = { RATE_LIMIT_UPLOADS_PER_MINUTE: '0', STORAGE_QUOTA_BYTES: '0' };
/** Within 1.3 times of the time that the bare write takes. */
const TARGET = 1 / 1.3;

interface Sample {
  perSecond: number;
  p99Ms: number;
  cpu: number;
}

export function upload(bench: Bench): Promise<Row[]> {
  return bench.cores.unpinned(() => measure(bench));
}

async function measure(bench: Bench): Promise<Row[]> {
  const servers: Server[] = [];
  const rows: Row[] = [];
  try {
    const ours = await kept(servers, startWhole(bench, 'images-upload', UNLIMITED, bench.cores.all));
    const bare = await kept(servers, startSender(bench));
    const client = await kept(servers, startSender(bench));
    for (const size of SIZES) rows.push(...(await uploadOf(bench, { ours, bare, client }, size)));
    return rows;
  } finally {
    await stop(servers);
  }
}

function startSender({ world, cores }: Bench): Promise<Server> {
  const program = fileURLToPath(new URL('../servers/sender.js', import.meta.url));
  return startServer({ core: cores.all, args: [program], env: world.env, readyPath: '/' });
}

async function uploadOf(
  bench: Bench,
  { ours, bare, client }: Record<'ours' | 'bare' | 'client', Server>,
  { name, ...size }: (typeof SIZES)[number],
): Promise<Row[]> {
  const { rounds } = bench.settings;
  const group = `upload of ${name}, ${size.atOnce} at once`;
  const keys = bench.world.people.slice(0, ACCOUNTS).map(({ key }) => key);
  const samples: { bare: Sample[]; ours: Sample[] } = { bare: [], ours: [] };
  // The first round is thrown away: compilers and pools warm up.
  for (let round = 0; round <= rounds; round++) {
    const one = await sampled(bare, size.count, () => send(bare, size));
    const other = await sampled(ours, size.count, () => send(client, { ...size, to: { url: ours.url, keys } }));
    if (round === 0) continue;
    samples.bare.push(one);
    samples.ours.push(other);
    bench.say(`  ${group} ${round}/${rounds}: ${one.perSecond.toFixed(1)} ${other.perSecond.toFixed(1)}`);
  }
  const ratios = samples.ours.map(({ perSecond }, i) => perSecond / (samples.bare[i]?.perSecond ?? 1));
  return [
    row(group, 'S3 client', samples.bare, undefined),
    row(group, 'ours', samples.ours, { to: 'S3 client', target: TARGET, ...spread(ratios) }),
  ];
}

async function send({ url }: Server, order: SendOrder): Promise<Sent> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(order) });
  if (response.status !== 200) throw new BenchError(await response.text());
  return (await response.json()) as Sent;
}

async function sampled(measured: Server, count: number, action: () => Promise<Sent>): Promise<Sample> {
  const before = await measured.cpuSeconds();
  const { seconds, times } = await action();
  return {
    perSecond: count / seconds,
    p99Ms: Math.max(...times),
    cpu: (((await measured.cpuSeconds()) - before) / count) * 1e6,
  };
}

function row(group: string, name: string, samples: readonly Sample[], ratio: Row['ratio']): Row {
  return {
    group,
    name,
    requestsPerSecond: spread(samples.map(({ perSecond }) => perSecond)),
    p99Ms: median(samples.map(({ p99Ms }) => p99Ms)),
    cpu: { front: median(samples.map(({ cpu }) => cpu)), behind: 0, database: 0 },
    ratio,
  };
}
