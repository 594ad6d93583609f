/** What is read from the bucket: ours, record and all, beside the S3 client reading an object like it. One at a time. */
import { buffer } from 'node:stream/consumers';
import { Client } from 'undici';
import type { Bench, Row } from '../section.js';
import { BenchError } from '../support/error.js';
import { startWhole } from '../support/platform.js';
import type { Server } from '../support/server.js';
import { median, spread } from '../support/statistics.js';
import { type Picture, putPictures, storeOf } from './pictures.js';

const SIZES = [
  { name: '50 kB', size: 50_000, each: 60 },
  { name: '2 MB', size: 2_000_000, each: 12 },
];
/** The first round is longer, and thrown away: compilers and pools warm up on pictures that are cold. */
const WARM_UP = 6;
/** Within 1.3 times of the time that the bare read takes. */
const TARGET = 1 / 1.3;

interface Sample {
  perSecond: number;
  p99Ms: number;
  cpu: number;
}

export async function cold(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  const server = await startWhole(bench, 'images-cold');
  try {
    for (const size of SIZES) rows.push(...(await coldOf(bench, server, size)));
    return rows;
  } finally {
    await server.stop();
  }
}

async function coldOf(bench: Bench, server: Server, { name, size, each }: (typeof SIZES)[number]): Promise<Row[]> {
  const { rounds } = bench.settings;
  const group = `picture from the bucket, ${name}`;
  const client = new Client(server.url);
  const store = storeOf(bench.world);
  const bare: Sample[] = [];
  const ours: Sample[] = [];
  try {
    // Each picture is asked for once, so that none of it is in memory.
    for (let round = 0; round <= rounds; round++) {
      const pictures = await putPictures(bench.world, 2 * each * (round === 0 ? WARM_UP : 1), size);
      const half = pictures.length / 2;
      const read = async ({ key }: Picture) => buffer((await store.read(key)) ?? fail(key));
      const fetched = async ({ path }: Picture) =>
        Buffer.from(await (await client.request({ path, method: 'GET' })).body.arrayBuffer());
      const one = await timed(pictures.slice(0, half), read, server);
      const other = await timed(pictures.slice(half), fetched, server);
      if (round === 0) continue;
      bare.push(one);
      ours.push(other);
      bench.say(`  ${group} ${round}/${rounds}: ${one.perSecond.toFixed(0)} ${other.perSecond.toFixed(0)}`);
    }
  } finally {
    await client.close();
    store.close();
  }
  const ratios = ours.map(({ perSecond }, i) => perSecond / (bare[i]?.perSecond ?? 1));
  return [
    row(group, 'S3 client', bare, undefined),
    row(group, 'ours', ours, { to: 'S3 client', target: TARGET, ...spread(ratios) }),
  ];
}

function fail(key: string): never {
  throw new BenchError(`there is no object ${key}`);
}

async function timed(
  pictures: readonly Picture[],
  read: (picture: Picture) => Promise<Buffer>,
  server: Server,
): Promise<Sample> {
  const times: number[] = [];
  const cpu = await server.cpuSeconds();
  for (const picture of pictures) {
    const start = performance.now();
    const bytes = await read(picture);
    times.push(performance.now() - start);
    if (!bytes.equals(picture.bytes)) throw new BenchError(`${picture.path} came back as something else`);
  }
  const sorted = times.toSorted((a, b) => a - b);
  return {
    perSecond: 1000 / median(times),
    p99Ms: sorted.at(-1) ?? 0,
    cpu: (((await server.cpuSeconds()) - cpu) / pictures.length) * 1e6,
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
