import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createAdmission } from '../../gateway/admission.js';
import { Operations } from '../../gateway/graphql/operations.js';
import { PersistedQueries } from '../../gateway/graphql/persisted.js';
import { mountSubscriptions } from '../../gateway/graphql/subscriptions/mount.js';
import { Identity } from '../../gateway/identity.js';
import { newUserKey } from '../../platform/credentials.js';
import { Problem } from '../../platform/errors.js';
import { LocalEvents } from '../../platform/events.js';
import type { FollowListener } from '../../platform/graph/changes.js';
import type { PullRequest, PullResponse } from '../../platform/graph/execute.js';
import { problemToGraphQL } from '../../platform/graph/problems.js';
import type { GatewayTransport } from '../../platform/graph/transport.js';
import { createHttp } from '../../platform/http.js';
import { Metrics } from '../../platform/metrics.js';
import { type Scope, wholeAccount } from '../../platform/scope.js';
import { sha256 } from '../../platform/secrets.js';
import { SUBGRAPH_NAMES } from '../../platform/subgraph.js';
import { eventSource, type Heard, heard, TRANSPORTS, webSocket } from '../support/subscribers.js';

const QUERY = 'subscription ($id: ID!) { jobUpdated(id: $id) { revision job { originalPrompt } } }';
const STALL_MS = 600;

/** A registry whose one kind of record is how many changes there were, and what each event weighs. */
class Registry {
  readonly changes = new Map<string, number>();
  readonly pulls = new Map<string, number>();
  readonly scopes: Scope[] = [];
  readonly listeners = new Set<FollowListener>();
  weight = 1;
  last = Number.POSITIVE_INFINITY;
  /** What happens before a pull reads, and between its reading and its answer. */
  before = async (_id: string) => {};
  after = async (_id: string) => {};

  change(id: string, tell = true): void {
    this.changes.set(id, (this.changes.get(id) ?? 0) + 1);
    if (tell) for (const { heard } of this.listeners) heard(`job:${id}`);
  }

  async pull({ variables, after }: PullRequest, scope: Scope): Promise<PullResponse> {
    const id = String(variables?.['id']);
    this.pulls.set(id, (this.pulls.get(id) ?? 0) + 1);
    this.scopes.push(scope);
    await this.before(id);
    const count = this.changes.get(id);
    if (count === undefined) return { errors: [problemToGraphQL(new Problem('not_found'))] };
    const seen = after === null ? count - 1 : Number(after);
    const originalPrompt = 'x'.repeat(this.weight);
    const events = Array.from({ length: count - seen }, (_, i) => ({
      data: { jobUpdated: { revision: seen + i + 1, job: { originalPrompt } } },
    }));
    await this.after(id);
    return { events, cursor: String(count), topic: `job:${id}`, ended: count >= this.last };
  }
}

const log = pino({ level: 'silent' });
const key = newUserKey();
const good = new Set([sha256(key)]);

let accountsAway = false;
let registry: Registry;
let metrics: Metrics;
let url: string;
let close: () => Promise<void>;

const transports = SUBGRAPH_NAMES.map(
  (name): GatewayTransport => ({
    name,
    send: async () => ({ data: null }),
    pull: (asked, scope) => registry.pull(asked, scope),
    follow(listener) {
      const { listeners } = registry;
      if (name === 'registry') listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ready: async () => {},
    close: async () => {},
  }),
);
const operations = new Operations({
  supergraphSdl: readFileSync('gateway/supergraph.graphql', 'utf8'),
  transports,
  limits: { depth: 12, cost: 20_000, aliases: 50, introspection: true },
  log,
});

async function open(given: { connectionsPerCaller?: number; origins?: string[] } = {}) {
  registry = new Registry();
  metrics = new Metrics();
  const profile = {
    email: 'a@example.com',
    handle: null,
    handleClaimedAt: null,
    createdAt: new Date(),
    suspended: false,
  };
  const identity = new Identity({
    findCaller: async (_kind, hash) =>
      good.has(hash) ? { userId: hash, keyId: hash, ...wholeAccount(hash), ...profile } : null,
    findGood: async (_kind, hashes) => {
      if (accountsAway) throw new Error('accounts is away');
      return hashes.filter((hash) => good.has(hash));
    },
    events: new LocalEvents(),
    metrics,
  });
  const app = createHttp({ log, metrics, bodyLimit: 100_000, requestTimeoutMs: 10_000, trustProxy: 0 });
  mountSubscriptions(app, {
    operations,
    persisted: new PersistedQueries(),
    identity,
    admission: createAdmission({ identity, limiter: null }),
    sources: transports,
    metrics,
    onMutation: () => {},
    log,
    settings: {
      connections: 1_000,
      connectionsPerCaller: given.connectionsPerCaller ?? 1_000,
      operationsPerConnection: 100,
      maxMessageBytes: 100_000,
      stallMs: STALL_MS,
      origins: given.origins ?? ['*'],
      trustProxy: 0,
    },
  });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
  let closing: Promise<void> | undefined;
  close = () => {
    // The client of Node opens a connection for each that it lost, in reserve, and says nothing over it.
    const timer = setTimeout(() => app.server.closeAllConnections(), 2_000);
    closing ??= app.close().then(() => {
      clearTimeout(timer);
      identity.close();
    });
    return closing;
  };
}

beforeEach(async () => {
  good.clear();
  good.add(sha256(key));
  await open();
});

afterEach(() => close());

const revisions = ({ events }: Heard) => events.map(({ data }) => data.jobUpdated.revision);
const openCount = async () => (await metrics.subscriptions.get()).values.reduce((sum, { value }) => sum + value, 0);
const drops = async (reason: string) =>
  (await metrics.subscriptionDrops.get()).values.find(({ labels }) => labels.reason === reason)?.value ?? 0;

describe.each(TRANSPORTS)('a subscription over %s', (_name, connect) => {
  it('loses nothing that changes between the reading of the first answer and its arrival', async () => {
    registry.changes.set('a', 1);
    let first = true;
    registry.after = async () => {
      if (first) registry.change('a');
      first = false;
    };
    const subscriber = connect(url, key);
    const updates = subscriber.subscribe({ query: QUERY, variables: { id: 'a' } });
    await heard(updates, 2);
    expect(revisions(updates)).toEqual([1, 2]);
    subscriber.close();
  });

  it('loses nothing that is told while it is being looked at', async () => {
    registry.changes.set('a', 1);
    const subscriber = connect(url, key);
    const updates = subscriber.subscribe({ query: QUERY, variables: { id: 'a' } });
    await heard(updates, 1);
    let more = 5;
    registry.after = async () => {
      if (more-- > 0) registry.change('a');
    };
    registry.change('a');
    await heard(updates, 7);
    expect(revisions(updates)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    subscriber.close();
  });

  it('sees all that it was not told of, once it hears that notices may have been lost', async () => {
    registry.changes.set('a', 1);
    const subscriber = connect(url, key);
    const updates = subscriber.subscribe({ query: QUERY, variables: { id: 'a' } });
    await heard(updates, 1);
    registry.change('a', false);
    registry.change('a', false);
    await pause(50);
    expect(updates.events.length).toBe(1);
    for (const { missed } of registry.listeners) missed();
    await heard(updates, 3);
    expect(revisions(updates)).toEqual([1, 2, 3]);
    subscriber.close();
  });

  it('outlives a subgraph that cannot be reached for a while', async () => {
    registry.changes.set('a', 1);
    const subscriber = connect(url, key);
    const updates = subscriber.subscribe({ query: QUERY, variables: { id: 'a' } });
    await heard(updates, 1);
    let failures = 2;
    registry.before = async () => {
      if (failures-- > 0) throw new Problem('unavailable');
    };
    registry.change('a');
    await heard(updates, 2);
    expect(revisions(updates)).toEqual([1, 2]);
    expect(failures).toBeLessThanOrEqual(0);
    subscriber.close();
  });

  it('is refused at once when the subgraph cannot be reached from the beginning', async () => {
    registry.before = () => Promise.reject(new Problem('unavailable'));
    const subscriber = connect(url, key);
    const updates = subscriber.subscribe({ query: QUERY, variables: { id: 'a' } });
    await updates.ended;
    expect(updates.events[0].errors[0].extensions.code).toBe('unavailable');
    expect(await openCount()).toBe(0);
    subscriber.close();
  });

  it('shows nobody what failed inside', async () => {
    registry.before = () => Promise.reject(new Error('the password is hunter2'));
    const subscriber = connect(url, key);
    const updates = subscriber.subscribe({ query: QUERY, variables: { id: 'a' } });
    const end = await updates.ended;
    expect(JSON.stringify([updates.events, end])).toContain('internal_error');
    expect(JSON.stringify([updates.events, end])).not.toContain('hunter2');
    subscriber.close();
  });

  it('leaves nothing behind when the client goes, however it goes', async () => {
    for (const id of ['a', 'b', 'c']) registry.changes.set(id, 1);
    const subscriber = connect(url, key);
    const all = ['a', 'b', 'c'].map((id) => subscriber.subscribe({ query: QUERY, variables: { id } }));
    await Promise.all(all.map((one) => heard(one, 1)));
    expect(await openCount()).toBe(3);
    all[0]?.stop();
    await expect.poll(openCount).toBe(2);
    subscriber.close();
    await expect.poll(openCount).toBe(0);
    const before = registry.pulls.get('b');
    registry.change('b');
    await pause(50);
    expect(registry.pulls.get('b')).toBe(before);
  });

  it('asks as whoever the caller is at that moment, with a scope for each time', async () => {
    registry.changes.set('a', 1);
    const subscriber = connect(url, key);
    const updates = subscriber.subscribe({ query: QUERY, variables: { id: 'a' } });
    await heard(updates, 1);
    registry.change('a');
    await heard(updates, 2);
    expect(new Set(registry.scopes).size).toBe(registry.scopes.length);
    expect(new Set(registry.scopes.map(({ requestId }) => requestId)).size).toBe(registry.scopes.length);
    expect(registry.scopes.every(({ caller, internal }) => caller?.userId === sha256(key) && !internal)).toBe(true);
    subscriber.close();
  });

  it('ends within two seconds of its key being revoked, also when nobody tells', async () => {
    registry.changes.set('a', 1);
    const subscriber = connect(url, key);
    const updates = subscriber.subscribe({ query: QUERY, variables: { id: 'a' } });
    await heard(updates, 1);
    good.clear();
    const start = Date.now();
    await updates.ended;
    expect(Date.now() - start).toBeLessThan(3_000);
    await expect.poll(openCount).toBe(0);
    subscriber.close();
  });

  it('lives on while nobody can be asked about keys, and ends once somebody can', async () => {
    registry.changes.set('a', 1);
    const subscriber = connect(url, key);
    const updates = subscriber.subscribe({ query: QUERY, variables: { id: 'a' } });
    await heard(updates, 1);
    accountsAway = true;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await openCount()).toBe(1);
    good.clear();
    accountsAway = false;
    await updates.ended;
    await expect.poll(openCount).toBe(0);
    subscriber.close();
  });

  it('gives a caller so many connections and no more, and a new one for each that ends', async () => {
    await close();
    await open({ connectionsPerCaller: 2 });
    registry.changes.set('a', 1);
    const clients = [connect(url, key), connect(url, key), connect(url, key)];
    const [one, two] = clients.slice(0, 2).map((client) => client.subscribe({ query: QUERY, variables: { id: 'a' } }));
    await heard(one as Heard, 1);
    await heard(two as Heard, 1);
    const third = clients[2]?.subscribe({ query: QUERY, variables: { id: 'a' } }) as Heard;
    const end = await third.ended;
    expect(String((end as Error).message ?? (end as { code?: number }).code)).toMatch(/429/);
    clients[0]?.close();
    await expect.poll(openCount).toBe(1);
    const again = connect(url, key);
    await heard(again.subscribe({ query: QUERY, variables: { id: 'a' } }), 1);
    for (const client of [...clients, again]) client.close();
  });
});

it('server-sent events are run for nobody else than they were admitted for', async () => {
  registry.changes.set('a', 1);
  const answer = await fetch(`${url}/graphql/stream`, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json', 'x-api-key': key },
    body: JSON.stringify({ query: QUERY, variables: { id: 'a' } }),
  });
  const reader = answer.body?.getReader();
  await reader?.read();
  await expect.poll(() => registry.scopes.length).toBeGreaterThan(0);
  expect(registry.scopes.every(({ caller }) => caller === null)).toBe(true);
  await reader?.cancel();
});

describe('a client that does not read', () => {
  const BIG = 400_000;

  it.each(['WebSocket', 'server-sent events'])(
    'over %s is let go, costs little until then, and hurts nobody',
    async (name) => {
      registry.weight = BIG;
      for (const id of ['slow', 'quick']) registry.changes.set(id, 1);
      const quick = webSocket(url, key);
      const updates = quick.subscribe({ query: QUERY, variables: { id: 'quick' } });
      await heard(updates, 1);
      const letGo = name === 'WebSocket' ? await deafSocket() : await deafStream();
      await expect.poll(() => registry.pulls.get('slow') ?? 0).toBeGreaterThan(0);
      const heap = process.memoryUsage().external + process.memoryUsage().heapUsed;
      // Far more than fits into what the system buffers.
      for (let i = 0; i < 100; i++) {
        registry.change('slow');
        if (i % 5 === 0) registry.change('quick');
        await pause(2);
      }
      await heard(updates, 21);
      expect(revisions(updates)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
      await expect.poll(() => drops('stalled'), { timeout: 20_000 }).toBe(1);
      letGo();
      await expect.poll(openCount).toBe(1);
      const grown = process.memoryUsage().external + process.memoryUsage().heapUsed - heap;
      expect(grown).toBeLessThan(100 * BIG);
      registry.change('quick');
      await heard(updates, 22);
      quick.close();
    },
  );

  /** Returns the way to end it. */
  async function deafSocket(): Promise<() => void> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } }));
    await new Promise((resolve) => socket.once('message', resolve));
    socket.pause();
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY, variables: { id: 'slow' } } }));
    socket.on('error', () => {});
    return () => socket.terminate();
  }

  async function deafStream(): Promise<() => void> {
    const body = JSON.stringify({ query: QUERY, variables: { id: 'slow' } });
    const headers = {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      authorization: `Bearer ${key}`,
      'content-length': Buffer.byteLength(body),
    };
    const asked = request(`${url}/graphql/stream`, { method: 'POST', headers, agent: false });
    asked.on('error', () => {});
    asked.end(body);
    await new Promise<void>((resolve) =>
      asked.once('response', (response) => resolve(void response.on('error', () => {}).pause())),
    );
    return () => asked.destroy();
  }
});

describe('the server', () => {
  it('says goodbye to sockets when it ends, and cuts streams off without the word that ends an operation', async () => {
    registry.changes.set('a', 1);
    const socket = webSocket(url, key);
    const stream = eventSource(url, key);
    const [one, two] = [socket, stream].map((by) => by.subscribe({ query: QUERY, variables: { id: 'a' } }));
    await heard(one as Heard, 1);
    await heard(two as Heard, 1);
    const start = Date.now();
    await close();
    expect(Date.now() - start).toBeLessThan(5_000);
    expect(await one?.ended).toMatchObject({ code: 1001 });
    expect(await two?.ended).not.toBe('complete');
  });

  it('ends with a client that does not answer its goodbye', async () => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await new Promise((resolve) => socket.once('open', resolve));
    socket.pause();
    const start = Date.now();
    await close();
    expect(Date.now() - start).toBeLessThan(5_000);
    socket.terminate();
  });

  it('takes no WebSocket of a page that may not call', async () => {
    await close();
    await open({ origins: ['https://app.example.com'] });
    const from = (origin: string) =>
      new Promise((resolve) => {
        const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { origin });
        socket.once('open', () => resolve('open')).once('error', (error) => resolve(error.message));
        socket.once('open', () => socket.terminate());
      });
    expect(await from('https://evil.example.com')).toMatch(/403/);
    expect(await from('https://app.example.com')).toBe('open');
  });

  it('follows what changes only while somebody subscribes', async () => {
    expect(registry.listeners.size).toBe(0);
    registry.changes.set('a', 1);
    const subscriber = webSocket(url, key);
    await heard(subscriber.subscribe({ query: QUERY, variables: { id: 'a' } }), 1);
    expect(registry.listeners.size).toBe(1);
    subscriber.close();
    await close();
    expect(registry.listeners.size).toBe(0);
  });

  it('answers what is no event stream with 406, what may be forged with 400, and other methods with 405', async () => {
    const post = (headers: Record<string, string>, method = 'POST') =>
      fetch(`${url}/graphql/stream`, {
        method,
        headers,
        ...(method === 'POST' && { body: JSON.stringify({ query: '{ __typename }' }) }),
      });
    expect((await post({ 'content-type': 'application/json', accept: 'application/json' })).status).toBe(406);
    expect((await post({ accept: 'text/event-stream' }, 'GET')).status).toBe(400);
    const wrong = await post({ accept: 'text/event-stream' }, 'DELETE');
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, POST']);
    const streamed = await post({ 'content-type': 'application/json', accept: 'text/event-stream' });
    expect(streamed.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(await streamed.text()).toContain(
      'event: next\ndata: {"data":{"__typename":"Query"}}\n\nevent: complete\ndata:\n\n',
    );
  });
});
