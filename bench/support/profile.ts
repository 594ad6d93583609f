/** Where the time of a process went, from the CPU profile that Node wrote. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

const SHOWN = 25;
/** Busy time until a process has loaded its modules and compiled what is hot. */
const START_UP_US = 4_000_000;
const IDLE = new Set(['(idle)', '(root)']);

export async function profileSummary(directory: string): Promise<string> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.cpuprofile')).sort();
  const parts = await Promise.all(
    files.map(async (file) => {
      const profile = JSON.parse(await readFile(join(directory, file), 'utf8')) as CpuProfile;
      return `\n${basename(file, '.cpuprofile')}, share of busy time\n${summary(profile)}`;
    }),
  );
  return parts.join('');
}

function summary({ nodes, samples, timeDeltas }: CpuProfile): string {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byFunction = new Map<string, number>();
  const byPlace = new Map<string, number>();
  let busy = 0;
  let startUp = START_UP_US;
  samples.forEach((id, i) => {
    const frame = frames.get(id);
    if (!frame || IDLE.has(frame.functionName)) return;
    const time = timeDeltas[i] ?? 0;
    startUp -= time;
    if (startUp > 0) return;
    const place = placeOf(frame.url);
    const name = `${frame.functionName || '(anonymous)'} ${place}:${frame.lineNumber + 1}`;
    const from = frame.url === '' ? frame.functionName : packageOf(place);
    busy += time;
    byFunction.set(name, (byFunction.get(name) ?? 0) + time);
    byPlace.set(from, (byPlace.get(from) ?? 0) + time);
  });
  const top = (times: Map<string, number>) =>
    [...times]
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, SHOWN)
      .map(([name, time]) => `  ${((100 * time) / busy).toFixed(1).padStart(5)} %  ${name}\n`)
      .join('');
  return `${top(byPlace)}\n${top(byFunction)}`;
}

function placeOf(url: string): string {
  const path = url.replace(/^file:\/\//, '');
  const [, installed] = /^.*\/node_modules\/(.*)$/.exec(path) ?? [];
  return installed ?? path.replace(/^.*\/dist\//, 'dist/');
}

function packageOf(place: string): string {
  if (place.startsWith('dist/') || place.startsWith('node:')) return place;
  return place
    .split('/')
    .slice(0, place.startsWith('@') ? 2 : 1)
    .join('/');
}
