/**
 * What is read from the bucket: ours, record and all, as its caller sees it, beside the S3 client in a process of its own,
 * as that process sees it. As with uploads nothing is pinned: ours has a caller and a database that the other does without.
 */
import { fileURLToPath } from 'node:url';
import type { Bench, Row } from '../section.js';
import { BenchError } from '../support/error.js';
import { eachTimed, type Timed } from '../support/lanes.js';
import { startWhole } from '../support/platform.js';
import { kept, type Server, startServer, stop } from '../support/server.js';
import { median, spread } from '../support/statistics.js';
import { type Picture, putPictures } from './pictures.js';

const SIZES = [
  { name: '50 kB', size: 50_000, each: 120 },
  { name: '2 MB', size: 2_000_000, each: 24 },
];

interface Load {
  name: string;
  lanes: number;
  /** The record is in memory, as it is for whoever was just shown a list of pictures; only the bytes are not. */
  isKnown?: boolean;
  perSecond(timed: Timed): number;
  /** Undefined: said for those who ask, without a target. */
  target: number | undefined;
}

/** Within 1.3 times of the time that the bare read takes. */
const TARGET = 0.77;

/** Where few ask, what one of them waits for counts; where the core has no time left, how much of it each picture takes. */
const LOADS: readonly Load[] = [
  { name: 'one at a time', lanes: 1, perSecond: waitedFor, target: TARGET },
  { name: 'one at a time, record known', lanes: 1, isKnown: true, perSecond: waitedFor, target: TARGET },
  { name: 'four at a time', lanes: 4, perSecond: waitedFor, target: TARGET },
  { name: 'four at a time, record known', lanes: 4, isKnown: true, perSecond: waitedFor, target: TARGET },
  {
    name: 'throughput of sixteen',
    lanes: 16,
    perSecond: ({ times, totalMs }) => (1000 * times.length) / totalMs,
    target: undefined,
  },
];

function waitedFor({ times }: Timed): number {
  return 1000 / median(times);
}

/** The first round is longer, and thrown away: compilers and pools warm up on pictures that are cold. */
const WARM_UP = 6;
const LOOKED_AT_ONCE = 16;

interface Sample {
  perSecond: number;
  p99Ms: number;
  cpu: number;
}

interface Sides {
  ours: Server;
  bare: Server;
  caller: Server;
}

export function cold(bench: Bench): Promise<Row[]> {
  return bench.cores.unpinned(() => measure(bench));
}

async function measure(bench: Bench): Promise<Row[]> {
  const servers: Server[] = [];
  const rows: Row[] = [];
  try {
    const sides = {
      ours: await kept(servers, startWhole(bench, 'images-cold', {}, bench.cores.all)),
      bare: await kept(servers, startHelper(bench, 'reader')),
      caller: await kept(servers, startHelper(bench, 'fetcher')),
    };
    for (const size of SIZES) for (const load of LOADS) rows.push(...(await coldOf(bench, sides, size, load)));
    return rows;
  } finally {
    await stop(servers);
  }
}

function startHelper({ world, cores }: Bench, name: string): Promise<Server> {
  const program = fileURLToPath(new URL(`../servers/${name}.js`, import.meta.url));
  return startServer({ core: cores.all, args: [program], env: world.env, readyPath: '/' });
}

async function coldOf(
  bench: Bench,
  sides: Sides,
  { name, size, each }: (typeof SIZES)[number],
  load: Load,
): Promise<Row[]> {
  const { rounds } = bench.settings;
  const group = `picture from the bucket, ${name}, ${load.name}`;
  const samples: { bare: Sample[]; ours: Sample[] } = { bare: [], ours: [] };
  // Each picture is asked for once, so that none of it is in memory.
  for (let round = 0; round <= rounds; round++) {
    const count = round === 0 ? WARM_UP * each : each;
    const pictures = await putPictures(bench.world, 2 * count, size);
    const bare = await sampled(sides.bare, load, () => readBare(sides, pictures.slice(0, count), load));
    if (load.isKnown) await lookAt(sides, pictures.slice(count));
    const ours = await sampled(sides.ours, load, () => fetchAll(sides, pictures.slice(count), load));
    if (round === 0) continue;
    samples.bare.push(bare);
    samples.ours.push(ours);
    bench.say(`  ${group} ${round}/${rounds}: ${bare.perSecond.toFixed(0)} ${ours.perSecond.toFixed(0)}`);
  }
  const ratios = samples.ours.map(({ perSecond }, i) => perSecond / (samples.bare[i]?.perSecond ?? 1));
  return [
    row(group, 'S3 client', samples.bare, undefined),
    row(group, 'ours', samples.ours, { to: 'S3 client', target: load.target, ...spread(ratios) }),
  ];
}

/** Has the records of pictures looked up, and none of their bytes. */
async function lookAt({ ours }: Sides, pictures: readonly Picture[]): Promise<void> {
  await eachTimed(pictures, LOOKED_AT_ONCE, async ({ path }) => {
    const { status } = await fetch(ours.url + path, { method: 'HEAD' });
    if (status !== 200) throw new BenchError(`${path} answered ${status}`);
  });
}

function readBare({ bare }: Sides, pictures: readonly Picture[], { lanes }: Load): Promise<Timed> {
  return order<Timed>(bare, { keys: pictures.map(({ key }) => key), lanes });
}

async function fetchAll({ ours, caller }: Sides, pictures: readonly Picture[], { lanes }: Load): Promise<Timed> {
  const paths = pictures.map(({ path }) => path);
  const { hashes, ...timed } = await order<Timed & { hashes: string[] }>(caller, { origin: ours.url, paths, lanes });
  const wrong = pictures.find(({ etag }, i) => etag !== `"${hashes[i]}"`);
  if (wrong) throw new BenchError(`${wrong.path} came back as something else`);
  return timed;
}

async function order<T>({ url }: Server, work: object): Promise<T> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(work) });
  return (await response.json()) as T;
}

async function sampled(server: Server, load: Load, read: () => Promise<Timed>): Promise<Sample> {
  const before = await server.cpuSeconds();
  const timed = await read();
  return {
    perSecond: load.perSecond(timed),
    p99Ms: timed.times.toSorted((a, b) => a - b).at(-1) ?? 0,
    cpu: (((await server.cpuSeconds()) - before) / timed.times.length) * 1e6,
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
