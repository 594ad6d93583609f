/** What an upload costs in memory: each process's that its bytes pass through, with the stores in this one. */
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SUBGRAPH_NAMES } from '../../platform/subgraph.js';
import { pngOfSize, smallPng } from '../images/support/pictures.js';
import { type Account, clientOf } from '../support/client.js';
import { manyProcesses, oneProcess, type Platform } from '../support/platform.js';
import type { Program } from '../support/process.js';
import { sendForm, sendGraph } from '../support/uploads.js';

const MIB = 1024 * 1024;
const LARGEST = 25 * MIB;
const ROOMY = {
  STORAGE_QUOTA_BYTES: '0',
  RATE_LIMIT_UPLOADS_PER_MINUTE: '0',
  REDIS_URL: '',
};
const QUERY = 'mutation ($f: Upload!) { uploadImage(input: { file: $f }) { image { sizeBytes } } }';

/** Sends a picture, and says how large the platform found it. */
type Way = (url: string, account: Account, bytes: Buffer) => Promise<number>;

const overRest: Way = async (url, { key }, bytes) => (await sendForm(url, key, [['file', bytes]])).body.size_bytes;
const throughTheGraph: Way = async (url, { key }, bytes) => {
  const { body } = await sendGraph(url, key, QUERY, { f: null }, { 'variables.f': bytes });
  expect(body.errors).toBeUndefined();
  return body.data.uploadImage.image.sizeBytes;
};

type Shape = 'one process' | 'many processes';
const CASES: [Shape, string, Way][] = [
  ['one process', 'over REST', overRest],
  ['one process', 'through the graph', throughTheGraph],
  ['many processes', 'over REST', overRest],
  ['many processes', 'through the graph', throughTheGraph],
];

const platforms = new Map<Shape, Platform>();
let picture: Buffer;
let small: Buffer;

beforeAll(async () => {
  const many = await manyProcesses(ROOMY);
  platforms.set('many processes', many);
  // The engine opens once in a process, so the one process has a database of its own in that of the many.
  const { S3_ENDPOINT = '', S3_ACCESS_KEY_ID = '', S3_SECRET_ACCESS_KEY = '' } = many.env;
  const stores = { MONGODB_URL: many.mongoUrl, S3_ENDPOINT, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY };
  platforms.set('one process', await oneProcess({ ...ROOMY, ...stores, MONGODB_DATABASE: 'one_process' }));
  picture = pngOfSize(await smallPng(), LARGEST);
  small = pngOfSize(await smallPng(), MIB);
});
afterAll(async () => {
  await platforms.get('one process')?.stop();
  await platforms.get('many processes')?.stop();
});

/** The processes that bytes of uploads pass through. */
function passedBy({ programs }: Platform): [string, Program][] {
  const [front, ...behind] = programs;
  const images = behind[SUBGRAPH_NAMES.indexOf('images')];
  return [
    ...(front ? [['front', front] as [string, Program]] : []),
    ...(images ? [['images', images] as [string, Program]] : []),
  ];
}

async function memory({ process: { pid } }: Program, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
}

/** By how many MiB each process grows over where it rests, at most, while something goes on. */
async function growthDuring(programs: readonly [string, Program][], action: () => Promise<unknown>) {
  const resting = await Promise.all(programs.map(([, program]) => memory(program, 'VmRSS')));
  // Forgets the highest size so far.
  for (const [, program] of programs) await writeFile(`/proc/${program.process.pid}/clear_refs`, '5');
  await action();
  const highest = await Promise.all(programs.map(([, program]) => memory(program, 'VmHWM')));
  return programs.map(([name], i) => ({ name, mib: Math.round((highest[i] ?? 0) - (resting[i] ?? 0)) }));
}

// Only Linux tells, and only the process's own user.
describe.runIf(process.platform === 'linux')('the memory of every process', () => {
  it.each(CASES)(
    'of %s grows by less than 32 MiB for 25 MiB %s, and by less than 150 for ten at once',
    async (shape, how, way) => {
      const platform = platforms.get(shape) as Platform;
      const account = await clientOf(platform).account(`${how.replaceAll(' ', '-')}@example.com`);
      const programs = passedBy(platform);
      const upload = async () => expect(await way(platform.url, account, picture)).toBe(LARGEST);
      // What is loaded and compiled with the first uploads stays: the processes rest after them.
      for (let i = 0; i < 3; i++) await way(platform.url, account, small);
      await upload();
      const one = await growthDuring(programs, upload);
      const ten = await growthDuring(programs, () => Promise.all(Array.from({ length: 10 }, upload)));
      const shown = (growth: typeof one) => growth.map(({ name, mib }) => `${name} +${mib} MiB`).join(', ');
      console.info(`${shape}, ${how}: an upload of 25 MiB: ${shown(one)}; ten at once: ${shown(ten)}`);
      expect(one.map(({ name }) => name)).toEqual(platform.programs.length === 1 ? ['front'] : ['front', 'images']);
      for (const { name, mib } of one) expect(mib, name).toBeLessThan(32);
      for (const { name, mib } of ten) expect(mib, name).toBeLessThan(150);
    },
  );
});
