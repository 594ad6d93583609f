/** Uploads as clients send them. */
import type { Answer } from './client.js';

// biome-ignore lint/suspicious/noExplicitAny: answers are read member by member, and each test asserts what it reads.
type Loose = any;

async function answer(response: Response): Promise<Answer<Loose>> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

function bearer(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

export type FormParts = readonly (readonly [string, string | Uint8Array])[];

/** Parts in the order given; bytes are files. */
export async function sendForm(url: string, key: string | undefined, parts: FormParts, headers = {}) {
  const form = new FormData();
  for (const [name, value] of parts) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, new Blob([new Uint8Array(value)]), 'picture.bin');
  }
  const init = { method: 'POST', headers: { ...bearer(key), ...headers }, body: form };
  return answer(await fetch(`${url}/v1/images`, init));
}

/** A GraphQL multipart request: each file stands for the variable of the same number. */
export async function sendGraph(
  url: string,
  key: string | undefined,
  query: string,
  variables: Record<string, unknown>,
  files: Readonly<Record<string, Uint8Array>>,
  headers: Record<string, string> = { 'apollo-require-preflight': '1' },
  length: 'stated' | 'unstated' = 'stated',
) {
  const form = new FormData();
  form.append('operations', JSON.stringify({ query, variables }));
  form.append('map', JSON.stringify(Object.fromEntries(Object.keys(files).map((path, i) => [i, [path]]))));
  for (const [i, bytes] of Object.values(files).entries()) {
    form.append(String(i), new Blob([new Uint8Array(bytes)]), 'a');
  }
  const request = new Request(`${url}/graphql`, {
    method: 'POST',
    headers: { ...bearer(key), ...headers },
    body: form,
  });
  // A body of its own has a length of its own; a stream of it has none.
  const stream = { method: 'POST', headers: request.headers, body: request.body, duplex: 'half' as const };
  return answer(await (length === 'stated' ? fetch(request) : fetch(request.url, stream)));
}
