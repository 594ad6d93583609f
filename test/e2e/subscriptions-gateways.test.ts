import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { freePort } from '../../bench/support/server.js';
import { newId } from '../../platform/ids.js';
import { RedisEvents } from '../../platform/redis-events.js';
import { SUBGRAPH_NAMES } from '../../platform/subgraph.js';
import { clientOf } from '../support/client.js';
import { COMPLETED, openJobWriter, PROCESSING, resultOf } from '../support/jobs.js';
import { manyProcesses, SECRET_KEY } from '../support/platform.js';
import { startProgram } from '../support/process.js';
import { eventSource, type Heard, heard, webSocket } from '../support/subscribers.js';

const redis = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) => existsSync(path));
const ONE = 'subscription ($id: ID!) { jobUpdated(id: $id) { revision job { state } } }';
const states = ({ events }: Heard) => events.map(({ data }) => data.jobUpdated.job.state);
const THREE = ['QUEUED', 'PROCESSING', 'COMPLETED'];

it.skipIf(!redis)(
  'two gateways with Redis hear of what a worker elsewhere changes, of revoked keys, and outlive registry (skipped where redis-server is missing)',
  async () => {
    const port = await freePort();
    const arguments_ = ['--port', String(port), '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'];
    const server = spawn(redis as string, arguments_);
    const REDIS_URL = `redis://127.0.0.1:${port}`;
    const platform = await manyProcesses({ REDIS_URL, WORKERS: '0' });
    const programs = new Map(SUBGRAPH_NAMES.map((name, i) => [name, platform.programs[i + 1]]));
    const addresses = Object.fromEntries(
      SUBGRAPH_NAMES.map((name) => [`SUBGRAPH_${name.toUpperCase()}_URL`, programs.get(name)?.url ?? '']),
    );
    const second = await startProgram(['gateway'], { SECRET_KEY, REDIS_URL, ...addresses });
    const events = new RedisEvents(REDIS_URL, newId(), pino({ level: 'silent' }));
    const jobs = await openJobWriter(platform.mongoUrl, events);
    const client = clientOf(platform);
    const subscribers = [];
    try {
      const ada = await client.account('ada@example.com');
      const owner = ada.id.slice(ada.id.indexOf('_') + 1);
      const id = await jobs.add(owner);
      subscribers.push(
        webSocket(platform.url, ada.key),
        webSocket(second.url, ada.key),
        eventSource(second.url, ada.key),
      );
      const all = subscribers.map((by) => by.subscribe({ query: ONE, variables: { id } }));
      for (const one of all) await heard(one, 1);
      await jobs.move(id, PROCESSING);
      for (const one of all) await heard(one, 2);
      await jobs.move(id, COMPLETED, resultOf({}));
      for (const one of all) expect(await one.ended).toBe('complete');
      for (const one of all) expect(states(one)).toEqual(THREE);

      const { body: other } = await client.rest('POST', '/v1/api-keys', ada.key, { name: 'other' });
      const held = await jobs.add(owner);
      const revoked = webSocket(second.url, other.key);
      subscribers.push(revoked);
      const watched = revoked.subscribe({ query: ONE, variables: { id: held } });
      await heard(watched, 1);
      const start = Date.now();
      await client.rest('DELETE', `/v1/api-keys/${other.id}`, ada.key);
      expect(await watched.ended).toMatchObject({ code: 4403 });
      expect(Date.now() - start).toBeLessThan(2_500);

      // What changes while registry is away is told to nobody, and seen all the same.
      const across = await jobs.add(owner);
      const patient = (subscribers[0] as (typeof subscribers)[number]).subscribe({
        query: ONE,
        variables: { id: across },
      });
      await heard(patient, 1);
      const registry = programs.get('registry');
      await registry?.kill();
      await jobs.move(across, PROCESSING);
      await pause(500);
      const others = Object.entries(addresses).filter(([name]) => !name.includes('REGISTRY'));
      const again = await startProgram(['subgraph', 'registry'], {
        ...platform.env,
        ...Object.fromEntries(others),
        PORT: new URL(registry?.url ?? '').port,
      });
      await heard(patient, 2, 30_000);
      await jobs.move(across, COMPLETED, resultOf({}));
      expect(await patient.ended).toBe('complete');
      expect(states(patient)).toEqual(THREE);
      await again.stop();
    } finally {
      for (const one of subscribers) one.close();
      await jobs.close();
      await events.close();
      await second.stop();
      await platform.stop();
      server.kill('SIGTERM');
    }
  },
  180_000,
);
