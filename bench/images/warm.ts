/** What is in memory, and what the caller has already. */
import type { Bench, Row } from '../section.js';
import { type Candidate, compare, type Traffic } from '../support/compare.js';
import { BenchError } from '../support/error.js';
import { startWhole } from '../support/platform.js';
import { kept, type Server, stop } from '../support/server.js';
import { type LoadRequest, loadFiles } from '../support/wrk.js';
import { startNginx } from './nginx.js';
import { type Picture, putPictures } from './pictures.js';

const SIZES = [
  { name: '50 kB', size: 50_000, count: 32, target: 0.45 },
  { name: '2 MB', size: 2_000_000, count: 8, target: 0.9 },
];
const UNCHANGED_TARGET = 0.3;

export async function warm(bench: Bench): Promise<Row[]> {
  const servers: Server[] = [];
  const rows: Row[] = [];
  try {
    const sets = [];
    for (const size of SIZES) {
      sets.push({ ...size, pictures: await putPictures(bench.world, size.count, size.size) });
    }
    const nginx = await kept(
      servers,
      startNginx(
        bench,
        sets.flatMap(({ pictures }) => pictures),
      ),
    );
    const ours = await kept(servers, startWhole(bench, 'images'));
    for (const { name, pictures, target } of sets) {
      const wanted = pictures.map(({ path }) => request(path));
      const group = `picture, ${name}`;
      rows.push(...(await compare(group, pair(nginx, ours, wanted, wanted, target), bench, files(200, pictures))));
      const unchanged = pair(
        nginx,
        ours,
        await Promise.all(pictures.map(async ({ path }) => request(path, await etagOf(nginx.url + path)))),
        pictures.map(({ path, etag }) => request(path, etag)),
        UNCHANGED_TARGET,
      );
      rows.push(...(await compare(`${group}, If-None-Match`, unchanged, bench, files(304, []))));
    }
    return rows;
  } finally {
    await stop(servers);
  }
}

function pair(nginx: Server, ours: Server, theirs: LoadRequest[], own: LoadRequest[], target: number): Candidate[] {
  return [
    { name: 'nginx', server: nginx, requests: theirs },
    { name: 'ours', server: ours, requests: own, against: { name: 'nginx', target } },
  ];
}

function request(path: string, etag?: string): LoadRequest {
  return { method: 'GET', path, headers: etag === undefined ? {} : { 'If-None-Match': etag } };
}

async function etagOf(url: string): Promise<string> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.headers.get('etag') ?? '';
}

function files(status: number, pictures: readonly Picture[]): Traffic {
  return {
    async check(candidates) {
      for (const { name, server, requests } of candidates) {
        for (const [i, { path, headers }] of requests.entries()) {
          const response = await fetch(server.url + path, { headers });
          const body = Buffer.from(await response.arrayBuffer());
          const right = response.status === status && body.equals(pictures[i]?.bytes ?? Buffer.alloc(0));
          if (!right) throw new BenchError(`${name} answered ${path} with ${response.status} and ${body.length} bytes`);
        }
      }
      const shortest = pictures[0]?.bytes.length ?? 0;
      return new Map(candidates.map(({ name }) => [name, shortest]));
    },
    load: loadFiles,
  };
}
