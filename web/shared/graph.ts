/** One request to the graph, as both pages make it. */

export const GRAPH_URL = '/graphql';

export interface GraphRequest {
  query: string;
  operationName?: string | null;
  variables?: unknown;
}

export interface GraphResult {
  data?: Record<string, unknown> | null;
  errors?: { message: string }[];
}

export async function post(request: GraphRequest, key: string, { signal }: PostOptions = {}): Promise<Response> {
  return fetch(GRAPH_URL, {
    method: 'POST',
    headers: {
      accept: 'application/graphql-response+json, application/json;q=0.9',
      'content-type': 'application/json',
      ...(key ? { authorization: `Bearer ${key}` } : {}),
    },
    body: JSON.stringify(request),
    signal: signal ?? null,
  });
}

export interface PostOptions {
  signal?: AbortSignal;
}

export async function readResult(response: Response): Promise<GraphResult> {
  const text = await response.text();
  try {
    return JSON.parse(text) as GraphResult;
  } catch {
    throw new Error(`The server answered ${response.status} ${response.statusText} without a GraphQL result.`);
  }
}
