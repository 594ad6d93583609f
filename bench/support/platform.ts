/** Our own candidates: the built program, as one process and as many. */
import { fileURLToPath } from 'node:url';
import type { SubgraphName } from '../../platform/subgraph.js';
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

export function startWhole(bench: Bench, name: string, env: Record<string, string> = {}): Promise<Server> {
  return startPart(bench, { name, words: ['start'], core: bench.cores.front, database: 'one', env, profiled: true });
}

/** The subgraphs' processes, and where gateways find each. */
export interface Subgraphs {
  servers: readonly Server[];
  urls: Readonly<Record<SubgraphName, string>>;
}

export async function startSubgraphs(bench: Bench): Promise<Subgraphs> {
  const start = (name: SubgraphName, env: Record<string, string> = {}) =>
    startPart(bench, {
      name,
      words: ['subgraph', name],
      core: bench.cores.behind,
      database: 'many',
      env,
      profiled: false,
    });
  const [accounts, images, billing] = await Promise.all([start('accounts'), start('images'), start('billing')]);
  const registry = await start(
    'registry',
    addressesOf({ accounts: accounts.url, images: images.url, billing: billing.url }),
  );
  const servers = { accounts, registry, images, billing };
  return { servers: Object.values(servers), urls: urlsOf((name) => servers[name].url) };
}

function addressesOf(urls: Partial<Record<SubgraphName, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(urls).map(([name, url]) => [`SUBGRAPH_${name.toUpperCase()}_URL`, url]));
}

/** The same subgraphs to ask, at next to no cost for what was asked before. */
export async function startRecorded({ cores }: Bench, { servers, urls }: Subgraphs): Promise<Subgraphs> {
  const recorder = await startServer({
    core: cores.behind,
    args: [fileURLToPath(new URL('../servers/recorded.js', import.meta.url))],
    env: { BENCH_SUBGRAPHS: JSON.stringify(urls) },
    readyPath: '/readyz',
  });
  return { servers: [recorder, ...servers], urls: urlsOf((name) => `${recorder.url}/${name}`) };
}

function urlsOf(urlOf: (name: SubgraphName) => string): Record<SubgraphName, string> {
  return {
    accounts: urlOf('accounts'),
    registry: urlOf('registry'),
    images: urlOf('images'),
    billing: urlOf('billing'),
  };
}

export function startGateway(bench: Bench, name: string, { urls }: Subgraphs): Promise<Server> {
  return startPart(bench, {
    name,
    words: ['gateway'],
    core: bench.cores.front,
    database: 'many',
    env: addressesOf(urls),
    profiled: true,
  });
}
