import { request as httpRequest } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Account, type Client, clientOf } from '../support/client.js';
import { COMPLETED, type JobWriter, openJobWriter, PROCESSING, resultOf } from '../support/jobs.js';
import { type Platform, SHAPES } from '../support/platform.js';
import { type Heard, heard, TRANSPORTS, webSocket } from '../support/subscribers.js';

const ONE = 'subscription ($id: ID!) { jobUpdated(id: $id) { revision job { id state revision } } }';
const ALL = 'subscription { jobsUpdated { revision job { id state } } }';
const TIERS = '{ tiers { slug } }';
/** Fields of the registry, of images and of accounts. */
const WIDE = 'id state assetUrl completedAt image { id url bytes owner { handle email tier { slug } } }';

const statesOf = ({ events }: Heard) => events.map(({ data }) => data.jobUpdated.job.state);
const bare = (id: string) => id.slice(id.indexOf('_') + 1);

describe.each(SHAPES)('subscriptions, %s', (_name, start) => {
  let platform: Platform;
  let client: Client;
  let jobs: JobWriter;
  let ada: Account;
  let bob: Account;
  let owner: string;

  beforeAll(async () => {
    platform = await start();
    client = clientOf(platform);
    jobs = await openJobWriter(platform.mongoUrl);
    ada = await client.account('ada@example.com');
    bob = await client.account('bob@example.com');
    owner = bare(ada.id);
  }, 120_000);

  afterAll(async () => {
    await jobs?.close();
    await platform?.stop();
  });

  const newKey = async () => (await client.rest('POST', '/v1/api-keys', ada.key, { name: 'for a while' })).body;

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
      expect(statesOf(updates)).toEqual(['QUEUED', 'PROCESSING', 'COMPLETED']);
      expect(updates.events.map(({ data }) => data.jobUpdated.revision)).toEqual([1, 2, 3]);
      subscriber.close();
    });

    it('shows what is there already when it comes in the middle, and at the end', async () => {
      const id = await jobs.add(owner);
      await jobs.move(id, PROCESSING);
      const subscriber = connect(platform.url, ada.key);
      const middle = subscriber.subscribe({ query: ONE, variables: { id } });
      await heard(middle, 1);
      await jobs.move(id, COMPLETED, resultOf({}));
      expect(await middle.ended).toBe('complete');
      expect(statesOf(middle)).toEqual(['PROCESSING', 'COMPLETED']);
      const late = subscriber.subscribe({ query: ONE, variables: { id } });
      expect(await late.ended).toBe('complete');
      expect(statesOf(late)).toEqual(['COMPLETED']);
      subscriber.close();
    });

    it('misses nothing and repeats nothing when jobs change while they are being subscribed to', async () => {
      const subscriber = connect(platform.url, ada.key);
      const watched = await Promise.all(
        Array.from({ length: 12 }, async (_, i) => {
          const id = await jobs.add(owner);
          const changes = (async () => {
            await pause(i);
            await jobs.move(id, PROCESSING);
            await pause(i % 3);
            await jobs.move(id, COMPLETED, resultOf({}));
          })();
          const updates = subscriber.subscribe({ query: ONE, variables: { id } });
          await changes;
          return updates;
        }),
      );
      for (const updates of watched) {
        expect(await updates.ended).toBe('complete');
        const revisions = updates.events.map(({ data }) => data.jobUpdated.revision);
        // From wherever it was when the subscription began to its end, without a gap.
        expect(revisions).toEqual([1, 2, 3].slice(3 - revisions.length));
      }
      subscriber.close();
    });

    it('tells of all jobs of the caller, new ones too, and of nobody else’s', async () => {
      const before = await jobs.add(owner);
      const subscriber = connect(platform.url, ada.key);
      const all = subscriber.subscribe({ query: ALL });
      await heard(all, 1);
      const after = await jobs.add(owner);
      const foreign = await jobs.add(bare(bob.id));
      await jobs.move(before, COMPLETED, resultOf({}));
      await jobs.move(after, PROCESSING);
      await jobs.move(after, COMPLETED, resultOf({}));
      const seen = (id: string) =>
        all.events.map(({ data }) => data.jobsUpdated).filter(({ job }) => bare(job.id) === bare(id));
      await expect.poll(() => seen(after).length, { timeout: 15_000 }).toBe(3);
      await expect.poll(() => seen(before).length, { timeout: 15_000 }).toBe(2);
      expect(seen(before).map(({ job }) => job.state)).toEqual(['QUEUED', 'COMPLETED']);
      expect(seen(after).map(({ job }) => job.state)).toEqual(['QUEUED', 'PROCESSING', 'COMPLETED']);
      expect(seen(foreign)).toEqual([]);
      all.stop();
      subscriber.close();
    });

    it('hides the jobs of others as those that there are not', async () => {
      const id = await jobs.add(owner);
      for (const [key, variables] of [
        [bob.key, { id }],
        [undefined, { id }],
        [ada.key, { id: '01890000-0000-7000-8000-000000000000' }],
        [ada.key, { id: 'no id' }],
      ] as const) {
        const subscriber = connect(platform.url, key);
        const updates = subscriber.subscribe({ query: ONE, variables });
        expect(await updates.ended).toBe('complete');
        expect(updates.events).toMatchObject([
          { errors: [{ message: 'No such job.', extensions: { code: 'not_found' } }] },
        ]);
        subscriber.close();
      }
    });

    it('ends when the job is deleted', async () => {
      const id = await jobs.add(owner);
      const subscriber = connect(platform.url, ada.key);
      const updates = subscriber.subscribe({ query: ONE, variables: { id } });
      await heard(updates, 1);
      await jobs.remove(id);
      expect(await updates.ended).toBe('complete');
      expect(statesOf(updates)).toEqual(['QUEUED']);
      subscriber.close();
    });

    it('refuses a bad key, an operation that is none, and one that costs too much', async () => {
      const bad = connect(platform.url, `good_live_${'x'.repeat(43)}`);
      expect(JSON.stringify(await ending(bad.subscribe({ query: TIERS })))).toMatch(/4403|not valid|401/);
      const subscriber = connect(platform.url, ada.key);
      for (const query of ['{ nothing }', 'subscription {', 'subscription { jobUpdated { revision } }']) {
        const refused = subscriber.subscribe({ query });
        expect(JSON.stringify(await ending(refused))).toMatch(/validation_error|400/);
        expect(refused.events).toEqual([]);
      }
      bad.close();
      subscriber.close();
    });

    it('stops within two seconds of the key being revoked', async () => {
      const { key, id: keyId } = await newKey();
      const id = await jobs.add(owner);
      const subscriber = connect(platform.url, key);
      const updates = subscriber.subscribe({ query: ONE, variables: { id } });
      await heard(updates, 1);
      const revoked = Date.now();
      expect((await client.rest('DELETE', `/v1/api-keys/${keyId}`, ada.key)).status).toBeLessThan(300);
      await updates.ended;
      expect(Date.now() - revoked).toBeLessThan(2_500);
      await jobs.move(id, PROCESSING);
      await pause(300);
      expect(statesOf(updates)).toEqual(['QUEUED']);
      subscriber.close();
    });

    it('answers queries and mutations too, as POST does', async () => {
      const subscriber = connect(platform.url, ada.key);
      const query = '{ me { email tier { slug monthlyRefillUsd } images(first: 1) { nodes { id } } } }';
      const asked = subscriber.subscribe({ query });
      expect(await asked.ended).toBe('complete');
      expect(asked.events).toEqual([(await client.graph(query, {}, ada.key)).body]);
      const made = subscriber.subscribe({
        query: 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { name } } }',
        variables: { input: { name: 'made here' } },
      });
      expect(await made.ended).toBe('complete');
      expect(made.events).toEqual([{ data: { createApiKey: { apiKey: { name: 'made here' } } } }]);
      subscriber.close();
    });

    it('gives fields of three subgraphs as POST gives them', async () => {
      const input = { prompt: 'a lake at dawn', qualityTier: 'DRAFT' };
      const made = await client.graph(
        'mutation ($input: CreateJobInput!) { createJob(input: $input) { job { id } } }',
        { input },
        ada.key,
      );
      const { id } = made.body.data.createJob.job;
      const subscriber = connect(platform.url, ada.key);
      const query = `subscription ($id: ID!) { jobUpdated(id: $id) { job { ${WIDE} } } }`;
      const updates = subscriber.subscribe({ query, variables: { id } });
      expect(await updates.ended).toBe('complete');
      const last = updates.events.at(-1).data.jobUpdated.job;
      expect(last).toMatchObject({ state: 'COMPLETED', image: { owner: { email: ada.email } } });
      const post = await client.graph(`query ($id: ID!) { job(id: $id) { ${WIDE} } }`, { id }, ada.key);
      expect(last).toEqual(post.body.data.job);
      const asked = subscriber.subscribe({ query: `query ($id: ID!) { job(id: $id) { ${WIDE} } }`, variables: { id } });
      expect(await asked.ended).toBe('complete');
      expect(asked.events).toEqual([post.body]);
      subscriber.close();
    });

    it('follows a job without an account from the network that made it', async () => {
      const made = await client.graph(
        'mutation ($input: CreateJobInput!) { createJob(input: $input) { job { id } } }',
        { input: { prompt: 'a lake', qualityTier: 'DRAFT' } },
      );
      const subscriber = connect(platform.url);
      const updates = subscriber.subscribe({ query: ONE, variables: { id: made.body.data.createJob.job.id } });
      expect(await updates.ended).toBe('complete');
      expect(statesOf(updates).at(-1)).toBe('COMPLETED');
      const foreign = connect(platform.url, ada.key);
      const hidden = foreign.subscribe({ query: ONE, variables: { id: made.body.data.createJob.job.id } });
      await hidden.ended;
      expect(hidden.events[0].errors[0].extensions.code).toBe('not_found');
      subscriber.close();
      foreign.close();
    });

    it('lets a tenant’s key watch its own jobs, if it may read', async () => {
      const tenant = async (scopes: string[]) =>
        (await client.rest('POST', '/v2/tenants', ada.key, { name: 'a tenant', scopes })).body;
      const reader = await tenant(['read']);
      const own = await jobs.add(bare(reader.tenant_id));
      const others = await jobs.add(owner);
      const subscriber = connect(platform.url, reader.api_key);
      const updates = subscriber.subscribe({ query: ONE, variables: { id: own } });
      await heard(updates, 1);
      const hidden = subscriber.subscribe({ query: ONE, variables: { id: others } });
      await hidden.ended;
      expect(hidden.events[0].errors[0].extensions.code).toBe('not_found');
      const writer = connect(platform.url, (await tenant(['generate'])).api_key);
      expect(JSON.stringify(await ending(writer.subscribe({ query: ALL })))).toMatch(/forbidden|403/);
      subscriber.close();
      writer.close();
    });
  });

  it('says over POST where subscriptions are served', async () => {
    const { body } = await client.graph(ALL, {}, ada.key);
    expect(body.errors[0].extensions).toMatchObject({
      code: 'validation_error',
      hint: expect.stringContaining('/graphql/stream'),
    });
  });

  it('answers a client that offers HTTP/2 with its first request as any other', async () => {
    const body = JSON.stringify({ query: TIERS });
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = {
        connection: 'Upgrade, HTTP2-Settings',
        upgrade: 'h2c',
        'http2-settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      };
      const request = httpRequest(`${platform.url}/graphql`, { method: 'POST', headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      });
      request.on('error', reject).end(body);
    });
    expect(JSON.parse(answer).data.tiers.length).toBeGreaterThan(0);
  });

  it('takes WebSocket connections at the path of the graph alone, and in its own protocol alone', async () => {
    const address = platform.url.replace(/^http/, 'ws');
    const elsewhere = new WebSocket(`${address}/v1/me`, 'graphql-transport-ws');
    const refusal = await new Promise((resolve) => elsewhere.once('error', (error) => resolve(error.message)));
    expect(refusal).toMatch(/404/);
    const other = new WebSocket(`${address}/graphql`);
    expect(await new Promise((resolve) => other.once('close', (code) => resolve(code)))).toBe(4406);
    const silent = new WebSocket(`${address}/graphql`, 'graphql-transport-ws');
    expect(await new Promise((resolve) => silent.once('close', (code) => resolve(code)))).toBe(4408);
  });

  it('closes what sends more than may be sent, and nothing else', async () => {
    const subscriber = webSocket(platform.url, ada.key);
    const id = await jobs.add(owner);
    const updates = subscriber.subscribe({ query: ONE, variables: { id } });
    await heard(updates, 1);
    const greedy = webSocket(platform.url, ada.key);
    const huge = greedy.subscribe({ query: TIERS, variables: { x: 'y'.repeat(3_000_000) } });
    expect(JSON.stringify(await ending(huge))).toMatch(/1009/);
    await jobs.move(id, PROCESSING);
    await heard(updates, 2);
    subscriber.close();
  });

  it('lets one connection have a hundred operations under way, and not one more', async () => {
    const subscriber = webSocket(platform.url, ada.key);
    const ids = await Promise.all(Array.from({ length: 101 }, () => jobs.add(owner)));
    const all = ids.map((id) => subscriber.subscribe({ query: ONE, variables: { id } }));
    const refused = await Promise.race(all.map(ending));
    expect(JSON.stringify(refused)).toContain('rate_limited');
    await expect.poll(() => all.filter(({ events }) => events.length > 0).length, { timeout: 15_000 }).toBe(100);
    subscriber.close();
  });
});

/** What a subscription ended with. */
async function ending(updates: Heard): Promise<unknown> {
  const end = await updates.ended;
  if (end instanceof Error) return { message: end.message };
  // A close of the socket.
  const { code, reason } = end as { code?: number; reason?: string };
  return code === undefined ? end : { code, reason };
}
