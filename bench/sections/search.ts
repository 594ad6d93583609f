import { MongoClient } from 'mongodb';
import type { Bench, Row, Section } from '../section.js';
import { compare } from '../support/compare.js';
import { startWhole } from '../support/platform.js';
import { kept, type Server, stop } from '../support/server.js';
import { SEARCHED, seedTemplates } from '../support/templates.js';
import type { LoadRequest } from '../support/wrk.js';

/** A search among ten thousand may take half as much again as one among a hundred. */
const TARGET = 1 / 1.5;
const SIZES = [100, 10_000] as const;

const nameOf = (count: number) => `among ${count}`;

/** Each query is encoded once, before anything is measured: what is compared is the search. */
const REQUESTS: readonly LoadRequest[] = SEARCHED.map((query) => ({
  method: 'POST',
  path: '/v1/templates/search',
  headers: { accept: 'application/json', 'content-type': 'application/json' },
  body: JSON.stringify({ query }),
}));

export const search: Section = {
  name: 'search',
  summary:
    'search for templates by meaning, among ten thousand beside among a hundred, the query’s own embedding apart',
  async run(bench: Bench): Promise<Row[]> {
    const servers: Server[] = [];
    const client = await MongoClient.connect(bench.world.mongoUrl);
    try {
      const started = [];
      for (const count of SIZES) {
        const database = `bench_search_${count}`;
        await seedTemplates(client.db(database), count);
        const server = await kept(servers, startWhole(bench, `search-${count}`, { MONGODB_DATABASE: database }));
        started.push({ count, server });
      }
      const [few, many] = started.map(({ count, server }) => ({
        name: nameOf(count),
        server,
        requests: REQUESTS,
        slack: 200,
      }));
      if (!few || !many) return [];
      const candidates = [few, { ...many, against: { name: few.name, target: TARGET } }];
      return await compare('POST /v1/templates/search', candidates, bench);
    } finally {
      await client.close();
      await stop(servers);
    }
  },
};
