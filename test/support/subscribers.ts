/** Clients of the graph's open connections: the reference clients of both protocols, and what they heard. */
import { createClient as sseClient } from 'graphql-sse';
import { type Client as WebSocketClient, createClient as webSocketClient } from 'graphql-ws';
import { WebSocket } from 'ws';

export interface Heard {
  // biome-ignore lint/suspicious/noExplicitAny: events are read member by member, and each test asserts what it reads.
  events: any[];
  /** When the server has ended it: `complete`, or what it failed with. */
  ended: Promise<unknown>;
  stop(): void;
}

export interface Operation {
  query: string;
  variables?: Record<string, unknown>;
}

export interface Subscriber {
  subscribe(operation: Operation): Heard;
  close(): void;
}

/** Resolves once there are this many events, or fails with what there is. */
export async function heard(from: Heard, count: number, ms = 15_000): Promise<Heard['events']> {
  const deadline = Date.now() + ms;
  while (from.events.length < count) {
    if (Date.now() > deadline) throw new Error(`heard ${JSON.stringify(from.events)} of ${count} events`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return from.events;
}

type Subscribe = (
  operation: Operation,
  sink: { next(value: unknown): void; error(error: unknown): void; complete(): void },
) => () => void;

function listening(subscribe: Subscribe, operation: Operation): Heard {
  const events: unknown[] = [];
  let stop = () => {};
  const ended = new Promise((resolve) => {
    stop = subscribe(operation, {
      next: (value) => events.push(value),
      error: resolve,
      complete: () => resolve('complete'),
    });
  });
  return { events, ended, stop: () => stop() };
}

export function webSocket(url: string, key?: string): Subscriber & { client: WebSocketClient } {
  const client = webSocketClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    lazy: true,
    retryAttempts: 0,
    ...(key !== undefined && { connectionParams: { authorization: `Bearer ${key}` } }),
  });
  return {
    client,
    subscribe: (operation) => listening((one, sink) => client.subscribe(one, sink as never), operation),
    close: () => void client.dispose(),
  };
}

export function eventSource(url: string, key?: string): Subscriber {
  const client = sseClient({
    url: `${url}/graphql/stream`,
    retryAttempts: 0,
    ...(key !== undefined && { headers: { authorization: `Bearer ${key}` } }),
  });
  return {
    subscribe: (operation) => listening((one, sink) => client.subscribe(one, sink as never), operation),
    close: () => client.dispose(),
  };
}

export const TRANSPORTS: [string, (url: string, key?: string) => Subscriber][] = [
  ['WebSocket', webSocket],
  ['server-sent events', eventSource],
];
