/** Our own candidates: the built program, as one process and as many. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SUBGRAPH_NAMES, type SubgraphName } from '../../platform/subgraph.js';
import type { Bench } from '../section.js';
import { freePort, type Server, startServer } from './server.js';

const PROGRAM = fileURLToPath(new URL('../../main.js', import.meta.url));
const { scripts } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  scripts: { start: string };
};
/** As `npm start` has them. */
const NODE_FLAGS = scripts.start.split(' ').filter((word) => word.startsWith('--'));

interface Part {
  name: string;
  words: readonly string[];
  core: readonly string[];
  database: keyof Bench['world']['databases'];
  env?: Readonly<Record<string, string>>;
  port?: number;
  profiled: boolean;
}

async function startPart(
  { world, profileDir }: Bench,
  { name, words, core, database, env, port, profiled }: Part,
): Promise<Server> {
  return startServer({
    core,
    args: [...NODE_FLAGS, PROGRAM, ...words],
    env: {
      ...world.env,
      MONGODB_DATABASE: world.databases[database],
      DATA_DIR: await world.directory(name),
      ...env,
    },
    ...(port !== undefined && { port }),
    readyPath: '/readyz',
    profile: profiled && profileDir !== undefined ? { directory: profileDir, name } : undefined,
  });
}

export function startWhole(
  bench: Bench,
  name: string,
  env: Record<string, string> = {},
  core: readonly string[] = bench.cores.front,
): Promise<Server> {
  return startPart(bench, { name, words: ['start'], core, database: 'one', env, profiled: true });
}

/** The subgraphs' processes, and where gateways find each. */
export interface Subgraphs {
  servers: readonly Server[];
  urls: Readonly<Record<SubgraphName, string>>;
}

export async function startSubgraphs(bench: Bench): Promise<Subgraphs> {
  // Some ask each other, so all have their places before the first one starts.
  const [accountsPort, registryPort, imagesPort, billingPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const ports = { accounts: accountsPort, registry: registryPort, images: imagesPort, billing: billingPort };
  const urls = urlsOf((name) => `http://127.0.0.1:${ports[name]}`);
  const start = (name: SubgraphName) =>
    startPart(bench, {
      name,
      words: ['subgraph', name],
      core: bench.cores.behind,
      database: 'many',
      env: addressesOf(urls),
      port: ports[name],
      profiled: false,
    });
  return { servers: await Promise.all(SUBGRAPH_NAMES.map(start)), urls };
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
