/** How the explorer reaches the graph: a request for each operation, and a WebSocket for what goes on. */
import type { Fetcher, FetcherReturnType } from '@graphiql/toolkit';
import { type DocumentNode, getOperationAST } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { GRAPH_URL, post, readResult } from '../shared/graph';

export function createFetcher(key: string): Fetcher {
  const client = openClient(key);
  return (params, options) => {
    if (!goesOn(options?.documentAST, params.operationName)) {
      // The toolkit's type asks for instances of GraphQLError; it shows what any answer has.
      return post(params, key).then(readResult) as FetcherReturnType;
    }
    const { query, operationName, variables } = params;
    const payload = {
      query,
      ...(operationName && { operationName }),
      ...(variables && { variables: variables as Record<string, unknown> }),
    };
    return {
      subscribe(observer) {
        // GraphiQL gives an observer, never a function alone.
        const { next, error, complete } = observer as Observer;
        const sink = { next, complete, error: (cause: unknown) => error(readable(cause)) };
        return { unsubscribe: client.subscribe(payload, sink) };
      },
    };
  };
}

interface Observer {
  next(value: unknown): void;
  error(cause: unknown): void;
  complete(): void;
}

/** It connects with the first subscription, and closes after the last. */
function openClient(key: string): Client {
  const url = new URL(GRAPH_URL, window.location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  return createClient({
    url: url.href,
    connectionParams: key ? { authorization: `Bearer ${key}` } : {},
  });
}

function goesOn(document: DocumentNode | undefined, operationName: string | null | undefined): boolean {
  return document !== undefined && getOperationAST(document, operationName)?.operation === 'subscription';
}

/** A connection that the server closes says why in its own way, and errors of an operation come as a list. */
function readable(cause: unknown): unknown {
  if (cause instanceof CloseEvent) return new Error(cause.reason || `The connection was closed (${cause.code}).`);
  return cause;
}
