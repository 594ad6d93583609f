import type { Bench, Row, Section } from '../section.js';
import { type Candidate, compare } from '../support/compare.js';
import { startBare } from '../support/hand-written.js';
import { startHive } from '../support/hive.js';
import { startGateway, startSubgraphs, startWhole } from '../support/platform.js';
import { graphRequest, varied } from '../support/requests.js';
import type { Server } from '../support/server.js';
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

const HIVE = 'Hive router runtime, over HTTP';

export const graph: Section = {
  name: 'graph',
  summary: 'federated queries over four subgraphs, beside @graphql-hive/gateway and a bare route',
  async run(bench: Bench): Promise<Row[]> {
    const servers: Server[] = [];
    const keep = (server: Server) => {
      servers.push(server);
      return server;
    };
    try {
      const subgraphs = await startSubgraphs(bench);
      const behind = Object.values(subgraphs).map(keep);
      const gateway = keep(await startGateway(bench, 'graph-over-http', subgraphs));
      const hive = keep(await startHive(bench, subgraphs));
      const whole = keep(await startWhole(bench, 'graph-in-process'));
      const rows: Row[] = [];
      for (const [name, query] of Object.entries(QUERIES)) {
        const requests = varied(bench.world.people, FIRSTS, (person, n) => graphRequest(person, query, { n }));
        const bare = keep(await startBare(bench, `bare-${name}`, await answerOf(hive, requests)));
        const candidates: Candidate[] = [
          { name: HIVE, server: hive, behind, requests, answers: 'graph' },
          { name: 'in process', server: whole, requests, against: { name: HIVE, target: 5 }, answers: 'graph' },
          {
            name: 'over HTTP',
            server: gateway,
            behind,
            requests,
            against: { name: HIVE, target: 3 },
            answers: 'graph',
          },
          { name: 'bare route', server: bare, requests, against: { name: HIVE } },
        ];
        rows.push(...(await compare(name, candidates, bench)));
      }
      return rows;
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
    }
  },
};

async function answerOf({ url }: Server, [request]: readonly LoadRequest[]): Promise<unknown> {
  if (!request) throw new Error('nothing to ask');
  const { method, path, headers, body } = request;
  const response = await fetch(url + path, { method, headers, ...(body !== undefined && { body }) });
  return response.json();
}
