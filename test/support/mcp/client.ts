/** An agent's side of the door: the official client, with a key. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/** The revisions of the protocol that clients in the field speak. */
export const REVISIONS = ['2025-11-25', '2026-07-28'] as const;
export type Revision = (typeof REVISIONS)[number];

export async function agent(url: string, path: string, key: string, revision: Revision = '2026-07-28') {
  const transport = new StreamableHTTPClientTransport(new URL(path, url), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  });
  const client = new Client(
    { name: 'tests', version: '1.0.0' },
    { versionNegotiation: { mode: revision === '2026-07-28' ? { pin: revision } : 'legacy' } },
  );
  await client.connect(transport);
  return client;
}

type CallResult = Awaited<ReturnType<Client['callTool']>>;

/** The slug of a tool error; null where there is none. */
export function slugOf({ isError, content }: CallResult): string | null {
  if (!isError) return null;
  const text = content.find((block) => block.type === 'text');
  return JSON.parse(text?.text ?? '{}').error;
}
