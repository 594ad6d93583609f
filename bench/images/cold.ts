/**
 * What is read from the bucket, one at a time: ours, record and all, as its caller sees it, beside the S3 client in a
 * process of its own on the same core, as that process sees it.
 */
import { fileURLToPath } from 'node:url';
import { Client } from 'undici';
import type { Bench, Row } from '../section.js';
import { BenchError } from '../support/error.js';
import { startWhole } from '../support/platform.js';
import { kept, type Server, startServer, stop } from '../support/server.js';
import { median, spread } from '../support/statistics.js';
import { type Picture, putPictures } from './pictures.js';

const SIZES = [
  { name: '50 kB', size: 50_000, each: 60 },
  { name: '2 MB', size: 2_000_000, each: 12 },
];
/** The first round is longer, and thrown away: compilers and pools warm up on pictures that are cold. */
const WARM_UP = 6;
/** Within 1.3 times of the time that the bare read takes. */
const TARGET = 0.77;

interface Sample {
  perSecond: number;
  p99Ms: number;
  cpu: number;
}

export async function cold(bench: Bench): Promise<Row[]> {
  const servers: Server[] = [];
  const rows: Row[] = [];
  try {
    const ours = await kept(servers, startWhole(bench, 'images-cold'));
    const bare = await kept(servers, startReader(bench));
    for (const size of SIZES) rows.push(...(await coldOf(bench, ours, bare, size)));
    return rows;
  } finally {
    await stop(servers);
  }
}

function startReader({ world, cores }: Bench): Promise<Server> {
  const program = fileURLToPath(new URL('../servers/reader.js', import.meta.url));
  return startServer({ core: cores.front, args: [program], env: world.env, readyPath: '/' });
}

async function coldOf(
  bench: Bench,
  ours: Server,
  bare: Server,
  { name, size, each }: (typeof SIZES)[number],
): Promise<Row[]> {
  const { rounds } = bench.settings;
  const group = `picture from the bucket, ${name}`;
  const client = new Client(ours.url);
  const samples: { bare: Sample[]; ours: Sample[] } = { bare: [], ours: [] };
  try {
    // Each picture is asked for once, so that none of it is in memory.
    for (let round = 0; round <= rounds; round++) {
      const count = round === 0 ? WARM_UP * each : each;
      const pictures = await putPictures(bench.world, 2 * count, size);
      const one = await sampled(bare, count, () => readBare(bare, pictures.slice(0, count)));
      const other = await sampled(ours, count, () => fetchAll(client, pictures.slice(count)));
      if (round === 0) continue;
      samples.bare.push(one);
      samples.ours.push(other);
      bench.say(`  ${group} ${round}/${rounds}: ${one.perSecond.toFixed(0)} ${other.perSecond.toFixed(0)}`);
    }
  } finally {
    await client.close();
  }
  const ratios = samples.ours.map(({ perSecond }, i) => perSecond / (samples.bare[i]?.perSecond ?? 1));
  return [
    row(group, 'S3 client', samples.bare, undefined),
    row(group, 'ours', samples.ours, { to: 'S3 client', target: TARGET, ...spread(ratios) }),
  ];
}

async function readBare({ url }: Server, pictures: readonly Picture[]): Promise<number[]> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(pictures.map(({ key }) => key)) });
  return (await response.json()) as number[];
}

async function fetchAll(client: Client, pictures: readonly Picture[]): Promise<number[]> {
  const times: number[] = [];
  for (const { path, bytes } of pictures) {
    const start = performance.now();
    const { body } = await client.request({ path, method: 'GET' });
    const received = Buffer.from(await body.arrayBuffer());
    times.push(performance.now() - start);
    if (!received.equals(bytes)) throw new BenchError(`${path} came back as something else`);
  }
  return times;
}

async function sampled(server: Server, count: number, read: () => Promise<number[]>): Promise<Sample> {
  const before = await server.cpuSeconds();
  const times = await read();
  return {
    perSecond: 1000 / median(times),
    p99Ms: times.toSorted((a, b) => a - b).at(-1) ?? 0,
    cpu: (((await server.cpuSeconds()) - before) / count) * 1e6,
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
