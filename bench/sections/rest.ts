import type { Bench, Row, Section } from '../section.js';
import { type Candidate, compare } from '../support/compare.js';
import { startBare, startTwin } from '../support/hand-written.js';
import { startWhole } from '../support/platform.js';
import { authorised, varied } from '../support/requests.js';
import type { Person } from '../support/seed.js';
import { kept, type Server, stop } from '../support/server.js';
import type { LoadRequest } from '../support/wrk.js';

const get =
  (path: (person: Person) => string) =>
  (person: Person): LoadRequest => ({
    method: 'GET',
    path: path(person),
    headers: authorised(person),
  });

const LIMITS = [16, 18, 20, 22, 24];
const PLACES = [0, 1, 2, 3, 4];

const TWINS: { name: string; requests(people: readonly Person[]): LoadRequest[] }[] = [
  {
    name: 'GET /v1/api-keys?limit=20',
    requests: (people) => varied(people, LIMITS, (person, limit) => get(() => `/v1/api-keys?limit=${limit}`)(person)),
  },
  {
    name: 'GET /v1/api-keys/{id}',
    requests: (people) =>
      varied(people, PLACES, (person, n) => get(({ keyIds }) => `/v1/api-keys/${keyIds[n]}`)(person)),
  },
  {
    name: 'GET /v1/teams/{id}',
    requests: (people) =>
      varied(people, [0, 1], (person, n) => get(({ teamIds }) => `/v1/teams/${teamIds[n]}`)(person)),
  },
];

export const rest: Section = {
  name: 'rest',
  summary: 'REST paths beside a bare route, and beside routes written by hand over the same database',
  async run(bench: Bench): Promise<Row[]> {
    const { people } = bench.world;
    const servers: Server[] = [];
    try {
      const ours = await kept(servers, startWhole(bench, 'rest'));
      const bare = await kept(servers, startBare(bench, 'bare-me', profileOf(people[0])));
      const twin = await kept(servers, startTwin(bench));
      const me = people.map(get(() => '/v1/me'));
      const rows = await compare(
        'GET /v1/me',
        [
          { name: 'bare route', server: bare, requests: me },
          { name: 'ours', server: ours, requests: me, against: { name: 'bare route', target: 0.25 } },
        ],
        bench,
      );
      for (const { name, requests } of TWINS) {
        const wanted = requests(people);
        const pair: Candidate[] = [
          { name: 'hand-written', server: twin, requests: wanted, answers: name },
          {
            name: 'ours',
            server: ours,
            requests: wanted,
            answers: name,
            against: { name: 'hand-written', target: 0.5 },
          },
        ];
        rows.push(...(await compare(name, pair, bench)));
      }
      return rows;
    } finally {
      await stop(servers);
    }
  },
};

function profileOf(person: Person | undefined) {
  if (!person) throw new Error('nobody to ask for');
  const { userId, email, handle, handleClaimedAt } = person.caller;
  return { id: `usr_${userId}`, email, handle, handle_claimed_at: handleClaimedAt };
}
