/** Clients that hold many subscriptions, as lean as can be: they share the machine with what is measured. */
import { once } from 'node:events';
import { request } from 'node:http';
import { WebSocket } from 'ws';

export interface Wanted {
  key: string;
  jobId: string;
}

export interface Held {
  close(): Promise<void>;
}

/** `heard` is told of every event, the first one of each subscription included. */
export type Open = (url: string, wanted: readonly Wanted[], heard: (jobId: string) => void) => Promise<Held>;

const QUERY = 'subscription ($id: ID!) { jobUpdated(id: $id) { revision job { id state } } }';
const OPENED_AT_ONCE = 25;

async function each<T, R>(items: readonly T[], open: (item: T) => Promise<R>): Promise<R[]> {
  const opened: R[] = [];
  for (let from = 0; from < items.length; from += OPENED_AT_ONCE) {
    opened.push(...(await Promise.all(items.slice(from, from + OPENED_AT_ONCE).map(open))));
  }
  return opened;
}

/** So many subscriptions over each socket. */
export function overSockets(perSocket: number): Open {
  return async (url, wanted, heard) => {
    const groups: Wanted[][] = [];
    // One socket is one caller's.
    for (const key of new Set(wanted.map((one) => one.key))) {
      const own = wanted.filter((one) => one.key === key);
      for (let from = 0; from < own.length; from += perSocket) groups.push(own.slice(from, from + perSocket));
    }
    const sockets = await each(groups, (group) => socketFor(url, group, heard));
    return {
      async close() {
        for (const socket of sockets) socket.terminate();
      },
    };
  };
}

async function socketFor(url: string, group: readonly Wanted[], heard: (jobId: string) => void): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws', {
    perMessageDeflate: false,
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${group[0]?.key}` } }));
  await once(socket, 'message');
  let first = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on('message', (data) => {
      const { id, type } = JSON.parse(String(data)) as { id: string; type: string };
      if (type !== 'next') return reject(new Error(`a subscription was told: ${data}`));
      heard(id);
      first += 1;
      if (first === group.length) resolve();
    });
    for (const { jobId } of group) {
      socket.send(
        JSON.stringify({ id: jobId, type: 'subscribe', payload: { query: QUERY, variables: { id: jobId } } }),
      );
    }
  });
  return socket;
}

export const overEventStreams: Open = async (url, wanted, heard) => {
  const streams = await each(wanted, ({ key, jobId }) => streamFor(url, key, jobId, heard));
  return {
    async close() {
      for (const stream of streams) stream.destroy();
    },
  };
};

function streamFor(url: string, key: string, id: string, heard: (jobId: string) => void) {
  const body = JSON.stringify({ query: QUERY, variables: { id } });
  return new Promise<ReturnType<typeof request>>((resolve, reject) => {
    const stream = request(`${url}/graphql/stream`, {
      method: 'POST',
      agent: false,
      headers: {
        accept: 'text/event-stream',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        authorization: `Bearer ${key}`,
      },
    });
    stream.on('response', (response) => {
      if (response.statusCode !== 200) return reject(new Error(`a stream was answered with ${response.statusCode}`));
      response.setEncoding('utf8');
      response.on('error', () => {});
      response.on('data', (chunk: string) => {
        if (!chunk.includes('event: next')) return;
        heard(id);
        resolve(stream);
      });
    });
    stream.on('error', reject);
    stream.end(body);
  });
}
