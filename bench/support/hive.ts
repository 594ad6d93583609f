/** @graphql-hive/gateway over the same subgraphs. It has an install of its own, made when it is first needed. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SUBGRAPH_NAMES } from '../../platform/subgraph.js';
import type { Bench } from '../section.js';
import { BenchError } from './error.js';
import type { Subgraphs } from './platform.js';
import { type Server, startServer } from './server.js';

const run = promisify(execFile);
const FOLDER = fileURLToPath(new URL('../../../bench/hive/', import.meta.url));
const SUPERGRAPH = new URL('../../gateway/supergraph.graphql', import.meta.url);

export async function startHive({ world, cores, say }: Bench, name: string, { urls }: Subgraphs): Promise<Server> {
  await install(say);
  const supergraph = join(await world.directory(name), 'supergraph.graphql');
  await writeFile(supergraph, await supergraphFor(urls));
  return startServer({
    core: cores.front,
    cwd: FOLDER,
    args: [join(FOLDER, 'node_modules/@graphql-hive/gateway/dist/bin.js'), 'supergraph', supergraph],
    env: { BENCH_SECRET_KEY: world.secretKey, BENCH_CALLERS_FILE: world.callersFile },
    readyPath: '/healthcheck',
  });
}

async function install(say: Bench['say']): Promise<void> {
  if (existsSync(join(FOLDER, 'node_modules/.package-lock.json'))) return;
  say('installing @graphql-hive/gateway under bench/hive; this takes a minute or two');
  await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: FOLDER }).catch((error: Error) => {
    throw new BenchError(`npm ci failed in bench/hive, which the comparison with Hive needs:\n${error.message}`);
  });
}

async function supergraphFor(urls: Subgraphs['urls']): Promise<string> {
  let sdl = await readFile(SUPERGRAPH, 'utf8');
  for (const name of SUBGRAPH_NAMES) {
    const placeholder = `url: "http://${name}.invalid/graphql"`;
    if (!sdl.includes(placeholder)) throw new Error(`the supergraph has no ${placeholder}`);
    sdl = sdl.replace(placeholder, `url: "${urls[name]}/graphql"`);
  }
  return sdl;
}
