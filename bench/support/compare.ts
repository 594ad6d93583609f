/** Measures candidates in turn, A B C A B C …, so that what else the machine does meets them alike. */
import { isDeepStrictEqual } from 'node:util';
import type { Bench, Row } from '../section.js';
import { BenchError } from './error.js';
import type { Server } from './server.js';
import { median, spread } from './statistics.js';
import { type LoadRequest, type LoadResult, load } from './wrk.js';

export interface Candidate {
  name: string;
  /** The process that callers reach, and those that it asks. */
  server: Server;
  behind?: readonly Server[];
  requests: readonly LoadRequest[];
  /** Name of an earlier candidate of the group, and what the ratio to it should be at least. */
  against?: { name: string; target?: number };
  /** Candidates with the same letter must give the same answers, request by request. */
  answers?: string;
  /** How many characters an answer may lack of the shortest one that was checked, where it holds times and counts. */
  slack?: number;
}

/** What is sent and what must come back; see wrk.ts. */
export interface Traffic {
  /** Sends every request once and throws at a wrong answer. Returns the length of each candidate's shortest answer. */
  check(candidates: readonly Candidate[]): Promise<Map<string, number>>;
  load: typeof load;
}

export const DOCUMENTS: Traffic = { check: checkAnswers, load };

const WARM_UP = 3;

interface Sample extends LoadResult {
  cpu: Row['cpu'];
}

export async function compare(
  group: string,
  candidates: readonly Candidate[],
  bench: Bench,
  traffic = DOCUMENTS,
): Promise<Row[]> {
  const { rounds, seconds } = bench.settings;
  const shortest = await traffic.check(candidates);
  const samples = new Map<string, Sample[]>(candidates.map(({ name }) => [name, []]));
  // The first round warms up compilers, caches and pools; it takes longer and is thrown away.
  for (let round = 0; round <= rounds; round++) {
    for (const candidate of candidates) {
      const sample = await measure(
        traffic,
        candidate,
        shortest.get(candidate.name) ?? 0,
        round === 0 ? WARM_UP * seconds : seconds,
      );
      if (round > 0) samples.get(candidate.name)?.push(sample);
    }
    const rates = candidates.map(({ name }) => samples.get(name)?.at(-1)?.requestsPerSecond.toFixed(0) ?? '-');
    bench.say(`  ${group} ${round === 0 ? 'warm-up' : `${round}/${rounds}`}: ${rates.join(' ')}`);
  }
  return candidates.map((candidate) => row(group, candidate, samples));
}

/** Sends every request once: all must be answered, and alike. Returns the length of each candidate's shortest answer. */
async function checkAnswers(candidates: readonly Candidate[]): Promise<Map<string, number>> {
  const shortest = new Map<string, number>();
  const known = new Map<string, { name: string; bodies: unknown[] }>();
  for (const { name, server, requests, answers = name, slack = 0 } of candidates) {
    const texts: string[] = [];
    for (const { method, path, headers, body } of requests) {
      const response = await fetch(server.url + path, { method, headers, ...(body !== undefined && { body }) });
      texts.push(await response.text());
      if (response.status !== 200) throw new BenchError(`${name} answered ${response.status}: ${texts.at(-1)}`);
    }
    const bodies = texts.map((text) => JSON.parse(text) as unknown);
    const wrong = bodies.find((body) => typeof body === 'object' && body !== null && 'errors' in body);
    if (wrong) throw new BenchError(`${name} answered with errors: ${JSON.stringify(wrong)}`);
    const first = known.get(answers);
    if (!first) known.set(answers, { name, bodies });
    const different = first ? bodies.findIndex((body, i) => !isDeepStrictEqual(body, first.bodies[i])) : -1;
    if (different >= 0) {
      throw new BenchError(
        `${name} and ${first?.name} answer differently:\n${texts[different]}\n${JSON.stringify(first?.bodies[different])}`,
      );
    }
    shortest.set(name, Math.min(...texts.map((text) => text.length)) - slack);
  }
  return shortest;
}

async function measure(
  traffic: Traffic,
  { name, server, behind = [], requests }: Candidate,
  shortest: number,
  seconds: number,
) {
  const clocks = async () => {
    const { user, system } = process.cpuUsage();
    const back = await Promise.all(behind.map((other) => other.cpuSeconds()));
    return {
      front: await server.cpuSeconds(),
      behind: back.reduce((sum, time) => sum + time, 0),
      database: (user + system) / 1e6,
    };
  };
  const before = await clocks();
  const result = await traffic.load(server.url, requests, shortest, seconds);
  const after = await clocks();
  if (result.wrong > 0) throw new BenchError(`${name} gave ${result.wrong} wrong answers of ${result.requests}`);
  const each = (part: keyof Row['cpu']) => ((after[part] - before[part]) / result.requests) * 1e6;
  return { ...result, cpu: { front: each('front'), behind: each('behind'), database: each('database') } };
}

function row(group: string, { name, against }: Candidate, all: ReadonlyMap<string, Sample[]>): Row {
  const samples = all.get(name) ?? [];
  const reference = against && all.get(against.name);
  const ratios = samples.map(
    ({ requestsPerSecond }, i) => requestsPerSecond / (reference?.[i]?.requestsPerSecond ?? 1),
  );
  const cpu = (part: keyof Row['cpu']) => median(samples.map((sample) => sample.cpu[part]));
  return {
    group,
    name,
    requestsPerSecond: spread(samples.map(({ requestsPerSecond }) => requestsPerSecond)),
    p99Ms: median(samples.map(({ p99Ms }) => p99Ms)),
    cpu: { front: cpu('front'), behind: cpu('behind'), database: cpu('database') },
    ratio: against && { to: against.name, target: against.target, ...spread(ratios) },
  };
}
