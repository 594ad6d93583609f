import { fileURLToPath } from 'node:url';
import type { Bench, Row, Section } from '../section.js';
import { compare, DOCUMENTS, type Traffic } from '../support/compare.js';
import { BenchError } from '../support/error.js';
import { drawPictures, GRAIN } from '../support/pictures.js';
import { startWhole } from '../support/platform.js';
import { authorised } from '../support/requests.js';
import type { Person } from '../support/seed.js';
import { kept, type Server, startServer, stop } from '../support/server.js';
import { type LoadRequest, load } from '../support/wrk.js';

const TARGET = 0.6;
/** What both do most is wait for the store and the engine: with fewer at once no core is full, and neither rate is its own. */
const AT_ONCE = 32;
const MANY: Traffic = {
  ...DOCUMENTS,
  load: (origin, requests, shortest, seconds) => load(origin, requests, shortest, seconds, AT_ONCE),
};
const MODEL = 'openai-compatible/bench';

const PICTURES = [
  { name: 'as providers return them', grain: GRAIN },
  { name: 'as the built-in renderer draws them', grain: 0 },
];

export const runs: Section = {
  name: 'runs',
  summary: 'image runs, hosted and billed, beside bare puts of the same pictures into the same store',
  async run(bench: Bench): Promise<Row[]> {
    const rows: Row[] = [];
    for (const pictures of PICTURES) rows.push(...(await runsOf(bench, pictures)));
    return rows;
  },
};

async function runsOf(bench: Bench, { name, grain }: (typeof PICTURES)[number]): Promise<Row[]> {
  const { world, cores } = bench;
  const pictures = await world.directory(`pictures-${grain}`);
  const size = `${Math.round((await drawPictures(pictures, grain)) / 1024)} KiB`;
  const program = (of: string) => fileURLToPath(new URL(`../servers/${of}.js`, import.meta.url));
  const env = { ...world.env, BENCH_PICTURES_DIR: pictures };
  const servers: Server[] = [];
  try {
    const provider = await kept(
      servers,
      startServer({ core: cores.behind, args: [program('provider')], env, readyPath: '/' }),
    );
    const puts = await kept(
      servers,
      startServer({ core: cores.front, args: [program('puts')], env, readyPath: '/healthz' }),
    );
    const ours = await kept(
      servers,
      startWhole(bench, `runs-${grain}`, {
        OPENAI_IMAGE_BASE_URL: `${provider.url}/v1`,
        OPENAI_IMAGE_MODELS: 'bench=0.000001',
        STORAGE_QUOTA_BYTES: '0',
      }),
    );
    const requests = await Promise.all(world.people.map((person) => runRequest(ours, person)));
    const put: LoadRequest = { method: 'POST', path: '/', headers: {} };
    return await compare(
      `a run, pictures of ${size}, ${name}`,
      [
        { name: 'bare put', server: puts, requests: [put] },
        { name: 'ours', server: ours, requests, slack: 20, against: { name: 'bare put', target: TARGET } },
      ],
      bench,
      MANY,
    );
  } finally {
    await stop(servers);
  }
}

/** Deploys a generator for somebody, and says how it is run. */
async function runRequest(server: Server, person: Person): Promise<LoadRequest> {
  const headers = { ...authorised(person), 'content-type': 'application/json' };
  const wanted = { name: `bench-${server.url.split(':').at(-1)}`, model: MODEL, generation_contract: 'text_to_image' };
  const response = await fetch(`${server.url}/v1/image-generators`, {
    method: 'POST',
    headers,
    body: JSON.stringify(wanted),
  });
  const { generator_id: id } = (await response.json()) as { generator_id?: string };
  if (id === undefined) throw new BenchError(`deploying answered ${response.status}`);
  const body = JSON.stringify({ prompt: 'a calm lake at dawn' });
  return { method: 'POST', path: `/v1/image-generators/${id}/runs`, headers, body };
}
