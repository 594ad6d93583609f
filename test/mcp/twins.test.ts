/**
 * A tool and the path it stands on are twins: whatever the input, they give the same data or the same slug. Two accounts in
 * the same state are asked the same, one by each door; what differs by nature (ids, times, names) is levelled.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ToolInput } from '../../mcp/input.js';
import type { Tool } from '../../mcp/tool.js';
import { TOOLS } from '../../mcp/tools.js';
import { V2_TOOLS } from '../../mcp/v2-tools.js';
import { rowOf } from '../../rest-shim/route.js';
import { ROUTES } from '../../rest-shim/routes/index.js';
import { type Account, type Client, clientOf } from '../support/client.js';
import { agent, slugOf } from '../support/mcp/client.js';
import { oneProcess, type Platform } from '../support/platform.js';

const RUNS = process.env['LONG'] ? 100 : 5;

type Args = Record<string, unknown>;
type Agent = Awaited<ReturnType<typeof agent>>;

let platform: Platform;
let client: Client;
let ada: Account;
let bob: Account;
const agents = new Map<string, Agent>();

beforeAll(async () => {
  platform = await oneProcess();
  client = clientOf(platform);
  ada = await client.account('ada@example.com');
  bob = await client.account('bob@example.com');
  for (const [{ key }, handle] of [
    [ada, 'twin-ada'],
    [bob, 'twin-bob'],
  ] as const) {
    await client.rest('PATCH', '/v1/me', key, { handle });
    await client.rest('POST', '/v1/teams', key, { handle: `${handle}-team` });
    const files = [{ path: 'notes.md', content: 'Notes.' }];
    await client.rest('POST', '/v1/workflows', key, { name: 'Seed', body: '# Seed', outcome: 'Grown', files });
    await client.rest('POST', '/v1/verifiers', key, {
      name: 'seed',
      criterion: 'It is clear.',
      input_fields: ['text'],
    });
  }
  agents.set('/mcp', await agent(platform.url, '/mcp', bob.key));
  agents.set('/v2/mcp', await agent(platform.url, '/v2/mcp', bob.key));
});
afterAll(async () => {
  for (const open of agents.values()) await open.close();
  await platform?.stop();
});

const words = fc
  .oneof(
    {
      arbitrary: fc.constantFrom('seed', 'notes.md', 'Seed', 'system:image-draft', 'system:workflow-design-qa'),
      weight: 3,
    },
    fc.constantFrom('nothing', '@nobody/nothing', 'nobody@example.com', '01900000-0000-7000-8000-000000000000'),
    fc.string({ minLength: 1, maxLength: 40 }),
  )
  // These stand for something else in a path: what is above it, and the handle before a slug.
  .filter((text) => !/^(\.{1,2}|@[^/]*)$/.test(text));

/** Of two accounts only one can have a handle, so none is drawn that could be had. */
const NO_HANDLES = fc.constantFrom('x', 'UPPER', '-a-', 'admin', 'me');

function drawn(schema: { enum?: unknown[]; type?: unknown; anyOf?: { type?: unknown }[] }): fc.Arbitrary<unknown> {
  const type = schema.type ?? schema.anyOf?.[0]?.type;
  if (schema.enum) return fc.oneof(fc.constantFrom(...schema.enum), words);
  if (type === 'boolean') return fc.boolean();
  if (type === 'integer' || type === 'number') return fc.oneof(fc.integer({ min: -1, max: 5 }), words);
  if (type === 'array') return fc.array(words, { maxLength: 2 });
  if (type === 'object') return fc.dictionary(fc.constantFrom('text', 'seed'), words, { maxKeys: 2 });
  return words;
}

function argsOf(input: ToolInput): fc.Arbitrary<Args> {
  const properties = input.schema['properties'] as Record<string, { type?: string }>;
  const required = (input.schema['required'] ?? []) as string[];
  const members = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, name === 'handle' ? NO_HANDLES : drawn(schema)]),
  );
  return fc.record(members, { requiredKeys: required });
}

/** Ids, secrets, times, how long it took, and who asked. */
function level(value: unknown): unknown {
  const text = JSON.stringify(value ?? null)
    .replaceAll(/twin-(ada|bob)|(ada|bob)@example\.com/g, 'me')
    .replaceAll(/\b(usr_|wf_|vrf_|vrn_|key_)?[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, 'id')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')
    .replaceAll(/\b(good_live_)?[0-9A-Za-z_-]{40,64}\b/g, 'token')
    .replaceAll(/good_live_\w{4}\b/g, 'prefix')
    .replaceAll(/"(duration_ms|seed_used|request_id|size_bytes)":[^,}]+/g, '"$1":0');
  return JSON.parse(text);
}

async function overRest(tool: Tool, input: ToolInput, args: Args) {
  const row = rowOf(ROUTES, tool.row);
  const { params, query, body, idempotencyKey } = input.given(args) as {
    params: Args;
    query: Args;
    body: Args;
    idempotencyKey: string | undefined;
  };
  const path = row.path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => encodeURIComponent(String(params[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) for (const one of [value].flat()) search.append(name, String(one));
  const url = new URL(`${path}${search.size > 0 ? `?${search}` : ''}`, platform.url);
  const answer = await fetch(url, {
    method: row.method,
    headers: {
      authorization: `Bearer ${ada.key}`,
      ...(row.body && { 'content-type': 'application/json' }),
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    },
    ...(row.body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const given = text === '' ? null : JSON.parse(text);
  return answer.ok ? { data: level(given) } : { slug: given.error ?? 'validation_error' };
}

async function overMcp(door: string, tool: Tool, args: Args) {
  const result = await agents.get(door)?.callTool({ name: tool.name, arguments: args });
  if (!result) throw new Error(`there is no agent at ${door}`);
  const slug = slugOf(result);
  return slug === null ? { data: level(result.structuredContent ?? null) } : { slug };
}

const DOORS: [string, readonly Tool[]][] = [
  ['/mcp', TOOLS],
  ['/v2/mcp', V2_TOOLS],
];

describe.each(DOORS)('%s', (door, tools) => {
  it.each(tools.map((tool) => [tool.name, tool] as const))('%s', async (_name, tool) => {
    const input = new ToolInput(tool, rowOf(ROUTES, tool.row));
    await fc.assert(
      fc.asyncProperty(argsOf(input), async (args) => {
        const [rest, mcp] = await Promise.all([overRest(tool, input, args), overMcp(door, tool, args)]);
        expect(mcp).toEqual(rest);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });
});
