/** Pictures sent to us as forms, beside the S3 client writing the same bytes to the same store. */
import { randomBytes } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import { Pool } from 'undici';
import type { Bench, Row } from '../section.js';
import { BenchError } from '../support/error.js';
import { startWhole } from '../support/platform.js';
import { authorised } from '../support/requests.js';
import type { Server } from '../support/server.js';
import { median, spread } from '../support/statistics.js';
import { storeOf } from './pictures.js';

const SIZES = [
  { name: '50 kB', edge: 129, each: 48 },
  { name: '2 MB', edge: 816, each: 16 },
  { name: '25 MB', edge: 2_900, each: 4 },
];
const AT_ONCE = 4;
/** Within 1.3 times of the time that the bare write takes. */
const TARGET = 1 / 1.3;

interface Sample {
  perSecond: number;
  p99Ms: number;
  cpu: number;
}

export async function upload(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  const server = await startWhole(bench, 'images-upload', {
    RATE_LIMIT_UPLOADS_PER_MINUTE: '0',
    STORAGE_QUOTA_BYTES: '0',
  });
  try {
    for (const size of SIZES) rows.push(...(await uploadOf(bench, server, size)));
    return rows;
  } finally {
    await server.stop();
  }
}

async function uploadOf(bench: Bench, server: Server, { name, edge, each }: (typeof SIZES)[number]): Promise<Row[]> {
  const { rounds } = bench.settings;
  const group = `upload of ${name}, ${AT_ONCE} at once`;
  const picture = await noise(edge);
  const [person] = bench.world.people;
  if (!person) throw new BenchError('nobody to upload as');
  const pool = new Pool(server.url, { connections: AT_ONCE });
  const store = storeOf(bench.world);
  const form = formOf(picture);
  const put = async () => {
    const Key = `bench/${randomBytes(8).toString('hex')}`;
    await store.client.send(new PutObjectCommand({ Bucket: store.bucket, Key, Body: picture }));
  };
  const send = async () => {
    const headers = { ...authorised(person), 'content-type': form.type };
    const answer = await pool.request({ path: '/v1/images', method: 'POST', headers, body: form.body });
    const text = await answer.body.text();
    if (answer.statusCode !== 201) throw new BenchError(`an upload answered ${answer.statusCode}: ${text}`);
  };
  const bare: Sample[] = [];
  const ours: Sample[] = [];
  try {
    for (let round = 0; round <= rounds; round++) {
      const one = await timed(each, put, server);
      const other = await timed(each, send, server);
      if (round === 0) continue;
      bare.push(one);
      ours.push(other);
      bench.say(`  ${group} ${round}/${rounds}: ${one.perSecond.toFixed(1)} ${other.perSecond.toFixed(1)}`);
    }
  } finally {
    await pool.close();
    store.close();
  }
  const ratios = ours.map(({ perSecond }, i) => perSecond / (bare[i]?.perSecond ?? 1));
  return [
    row(group, 'S3 client', bare, undefined),
    row(group, 'ours', ours, { to: 'S3 client', target: TARGET, ...spread(ratios) }),
  ];
}

/** A picture that is as large as its pixels. */
function noise(edge: number): Promise<Buffer> {
  const raw = { width: edge, height: edge, channels: 3 } as const;
  return sharp(randomBytes(3 * edge * edge), { raw })
    .png({ compressionLevel: 0 })
    .toBuffer();
}

function formOf(picture: Buffer): { type: string; body: Buffer } {
  const head = '--bench\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n';
  const tail = '\r\n--bench\r\ncontent-disposition: form-data; name="visibility"\r\n\r\npublic\r\n--bench--\r\n';
  return {
    type: 'multipart/form-data; boundary=bench',
    body: Buffer.concat([Buffer.from(head), picture, Buffer.from(tail)]),
  };
}

async function timed(count: number, action: () => Promise<void>, server: Server): Promise<Sample> {
  const times: number[] = [];
  const cpu = await server.cpuSeconds();
  const begun = performance.now();
  let left = count;
  const lane = async () => {
    while (left-- > 0) {
      const start = performance.now();
      await action();
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  const seconds = (performance.now() - begun) / 1000;
  return {
    perSecond: count / seconds,
    p99Ms: Math.max(...times),
    cpu: (((await server.cpuSeconds()) - cpu) / count) * 1e6,
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
