import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Client, clientOf } from '../support/client.js';
import { COMPLETED, type JobWriter, openJobWriter, PROCESSING, resultOf } from '../support/jobs.js';
import { type Platform, SHAPES } from '../support/platform.js';
import { heard, TRANSPORTS } from '../support/subscribers.js';

const ONE = 'subscription ($id: ID!) { jobUpdated(id: $id) { revision job { id state revision } } }';

const states = (events: { data: { jobUpdated: { job: { state: string } } } }[]) =>
  events.map(({ data }) => data.jobUpdated.job.state);

describe.each(SHAPES)('subscriptions, %s', (_name, start) => {
  let platform: Platform;
  let client: Client;
  let jobs: JobWriter;
  let ada: Account;
  let owner: string;

  beforeAll(async () => {
    platform = await start({ WORKERS: '0' });
    client = clientOf(platform);
    jobs = await openJobWriter(platform.mongoUrl);
    ada = await client.account('ada@example.com');
    owner = ada.id.slice(ada.id.indexOf('_') + 1);
  }, 120_000);

  afterAll(async () => {
    await jobs?.close();
    await platform?.stop();
  });

  describe.each(TRANSPORTS)('over %s', (_transport, connect) => {
    it('shows the present state at once, then each change in order, and ends after the last', async () => {
      const id = await jobs.add(owner);
      const subscriber = connect(platform.url, ada.key);
      const updates = subscriber.subscribe({ query: ONE, variables: { id } });
      await heard(updates, 1);
      await jobs.move(id, PROCESSING);
      await heard(updates, 2);
      await jobs.move(id, COMPLETED, resultOf({}));
      expect(await updates.ended).toBe('complete');
      expect(states(updates.events)).toEqual(['QUEUED', 'PROCESSING', 'COMPLETED']);
      subscriber.close();
    });
  });
});
