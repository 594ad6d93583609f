/** Our own candidates: the built program, as one process and as many. */
import { fileURLToPath } from 'node:url';
import { SUBGRAPH_NAMES } from '../../platform/subgraph.js';
import type { Bench } from '../section.js';
import { type Server, startServer } from './server.js';

const PROGRAM = fileURLToPath(new URL('../../main.js', import.meta.url));

interface Part {
  name: string;
  words: readonly string[];
  core: readonly string[];
  database: keyof Bench['world']['databases'];
  env?: Readonly<Record<string, string>>;
  profiled: boolean;
}

async function startPart(
  { world, profileDir }: Bench,
  { name, words, core, database, env, profiled }: Part,
): Promise<Server> {
  return startServer({
    core,
    args: [PROGRAM, ...words],
    env: {
      ...world.env,
      MONGODB_DATABASE: world.databases[database],
      DATA_DIR: await world.directory(name),
      ...env,
    },
    readyPath: '/readyz',
    profile: profiled && profileDir !== undefined ? { directory: profileDir, name } : undefined,
  });
}

export function startWhole(bench: Bench, name: string): Promise<Server> {
  return startPart(bench, { name, words: ['start'], core: bench.cores.front, database: 'one', profiled: true });
}

export type SubgraphServers = Record<(typeof SUBGRAPH_NAMES)[number], Server>;

export async function startSubgraphs(bench: Bench): Promise<SubgraphServers> {
  const start = (name: (typeof SUBGRAPH_NAMES)[number]) =>
    startPart(bench, { name, words: ['subgraph', name], core: bench.cores.behind, database: 'many', profiled: false });
  const [accounts, registry, images, billing] = await Promise.all([
    start('accounts'),
    start('registry'),
    start('images'),
    start('billing'),
  ]);
  return { accounts, registry, images, billing };
}

export function startGateway(bench: Bench, name: string, subgraphs: SubgraphServers): Promise<Server> {
  const env = Object.fromEntries(
    SUBGRAPH_NAMES.map((subgraph) => [`SUBGRAPH_${subgraph.toUpperCase()}_URL`, subgraphs[subgraph].url]),
  );
  return startPart(bench, { name, words: ['gateway'], core: bench.cores.front, database: 'many', env, profiled: true });
}
