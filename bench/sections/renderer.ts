/** How long the built-in renderer takes for a picture, in this process and alone. */
import { renderPicture } from '../../subgraphs/registry/provider/local/render.js';
import type { Bench, Row, Section } from '../section.js';
import { median, spread } from '../support/statistics.js';

const WITHIN_MS = 150;
const PICTURES = 12;
const SUBJECTS = [
  'a lighthouse in fog',
  'a city at night',
  'red mountains',
  'a forest in autumn',
  'waves',
  'a quiet room',
];

interface Kind {
  name: string;
  side: number;
  restyles?: boolean;
  target?: number;
}

const KINDS: Kind[] = [
  { name: '1024²', side: 1024, target: 1 },
  { name: '512²', side: 512 },
  { name: '2048²', side: 2048 },
  { name: '1024², restyling a reference', side: 1024, restyles: true },
];

export const renderer: Section = {
  name: 'renderer',
  summary: `the built-in renderer, one picture after the other, beside ${WITHIN_MS} ms a picture`,
  async run({ settings, say }: Bench): Promise<Row[]> {
    const rows: Row[] = [];
    for (const kind of KINDS) rows.push(await measure(kind, settings.rounds));
    say('done');
    return rows;
  },
};

async function measure({ name, side, restyles = false, target }: Kind, rounds: number): Promise<Row> {
  const reference = restyles ? await draw('a harbour', 0, side) : undefined;
  const all: number[] = [];
  const medians: number[] = [];
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    const times: number[] = [];
    for (let i = 0; i < PICTURES; i++) {
      const start = performance.now();
      await draw(`${SUBJECTS[i % SUBJECTS.length]} ${round}`, i, side, reference);
      times.push(performance.now() - start);
    }
    if (round === 0) continue;
    all.push(...times);
    medians.push(median(times));
  }
  const before = process.cpuUsage();
  await draw('a measure', 1, side, reference);
  const { user, system } = process.cpuUsage(before);
  return {
    group: 'renderer',
    name,
    requestsPerSecond: spread(medians.map((ms) => 1000 / ms)),
    p99Ms: all.toSorted((a, b) => a - b)[Math.ceil(all.length * 0.99) - 1] ?? Number.NaN,
    cpu: { front: user + system, behind: 0, database: 0 },
    ratio: { ...spread(medians.map((ms) => WITHIN_MS / ms)), to: `${WITHIN_MS} ms`, target },
  };
}

async function draw(prompt: string, seed: number, side: number, reference?: Buffer): Promise<Buffer> {
  const { bytes } = await renderPicture({
    prompt,
    seed,
    width: side,
    height: side,
    ...(reference && { reference: { bytes: reference } }),
  });
  return bytes;
}
