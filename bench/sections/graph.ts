import type { Bench, Row, Section } from '../section.js';
import { type Candidate, compare } from '../support/compare.js';
import { startBare } from '../support/hand-written.js';
import { startHive } from '../support/hive.js';
import { type Subgraphs, startGateway, startRecorded, startSubgraphs, startWhole } from '../support/platform.js';
import { graphRequest, varied } from '../support/requests.js';
import { kept, type Server, stop } from '../support/server.js';
import type { LoadRequest } from '../support/wrk.js';

const FIRSTS = [8, 9, 10, 11, 12];

const QUERIES = {
  // accounts, then billing, images and registry side by side, then accounts again for the owners of ten images.
  profile: `query Profile($n: Int) {
    me {
      id
      handle
      tier { slug }
      images(first: $n) { nodes { id url owner { id handle } } }
      generators(first: 3) { nodes { name } }
    }
  }`,
  // Ten different people, in three other subgraphs each.
  team: `query Team($n: Int) {
    teams(filter: MINE, first: 1) {
      nodes {
        id
        owner { handle }
        members(first: $n) {
          nodes {
            role
            user { id handle tier { slug } images(first: 1) { nodes { id } } generators(first: 1) { nodes { name } } }
          }
        }
      }
    }
  }`,
};

const HIVE = 'Hive';

export const graph: Section = {
  name: 'graph',
  summary: 'federated queries over four subgraphs, beside @graphql-hive/gateway and a bare route',
  async run(bench: Bench): Promise<Row[]> {
    const subgraphs = await startSubgraphs(bench);
    try {
      return [...(await wholePlatform(bench, subgraphs)), ...(await gatewaysAlone(bench, subgraphs))];
    } finally {
      await stop(subgraphs.servers);
    }
  },
};

/** Everything that an answer takes, on the cores there are. */
async function wholePlatform(bench: Bench, subgraphs: Subgraphs): Promise<Row[]> {
  const { servers: behind } = subgraphs;
  const servers: Server[] = [];
  try {
    const gateway = await kept(servers, startGateway(bench, 'graph-over-http', subgraphs));
    const hive = await kept(servers, startHive(bench, 'hive', subgraphs));
    const whole = await kept(servers, startWhole(bench, 'graph-in-process'));
    const rows: Row[] = [];
    for (const [name, query] of Object.entries(QUERIES)) {
      const requests = varied(bench.world.people, FIRSTS, (person, n) => graphRequest(person, query, { n }));
      const bare = await kept(servers, startBare(bench, `bare-${name}`, await answerOf(hive, requests)));
      const candidates: Candidate[] = [
        { name: HIVE, server: hive, behind, requests, answers: 'graph' },
        { name: 'ours in process', server: whole, requests, answers: 'graph', against: { name: HIVE, target: 5 } },
        {
          name: 'ours over HTTP',
          server: gateway,
          behind,
          requests,
          answers: 'graph',
          against: { name: HIVE, target: 3 },
        },
        { name: 'bare route', server: bare, requests, against: { name: HIVE } },
      ];
      rows.push(...(await compare(`${name} query`, candidates, bench)));
    }
    return rows;
  } finally {
    await stop(servers);
  }
}

/** Over HTTP the subgraphs cost more than any gateway, and would set the pace: here their answers are recorded ones. */
async function gatewaysAlone(bench: Bench, subgraphs: Subgraphs): Promise<Row[]> {
  const servers: Server[] = [];
  try {
    const recorded = await startRecorded(bench, subgraphs);
    const { servers: behind } = recorded;
    servers.push(...behind.slice(0, 1));
    const gateway = await kept(servers, startGateway(bench, 'graph-gateway-alone', recorded));
    const hive = await kept(servers, startHive(bench, 'hive-alone', recorded));
    const rows: Row[] = [];
    for (const [name, query] of Object.entries(QUERIES)) {
      const requests = varied(bench.world.people, FIRSTS, (person, n) => graphRequest(person, query, { n }));
      const candidates: Candidate[] = [
        { name: HIVE, server: hive, behind, requests, answers: 'graph' },
        { name: 'ours', server: gateway, behind, requests, answers: 'graph', against: { name: HIVE, target: 3 } },
      ];
      rows.push(...(await compare(`${name} query, gateway alone`, candidates, bench)));
    }
    return rows;
  } finally {
    await stop(servers);
  }
}

async function answerOf({ url }: Server, [request]: readonly LoadRequest[]): Promise<unknown> {
  if (!request) throw new Error('nothing to ask');
  const { method, path, headers, body } = request;
  const response = await fetch(url + path, { method, headers, ...(body !== undefined && { body }) });
  return response.json();
}
