/** Throws all kinds of input at every route: documented errors may come back, and nothing else. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ERRORS } from '../../platform/errors.js';
import type { Route } from '../../rest-shim/route.js';
import { ROUTES } from '../../rest-shim/routes/index.js';
import { type Account, type Client, clientOf } from '../support/client.js';
import { oneProcess, type Platform } from '../support/platform.js';

const RUNS = process.env['LONG'] ? 1_000 : 60;
const SLOW_MS = 5_000;

let platform: Platform;
let client: Client;
let account: Account;

beforeAll(async () => {
  platform = await oneProcess({ RATE_LIMIT_CODES_PER_EMAIL: '0' });
  client = clientOf(platform);
  account = await client.account('fuzz@example.com');
  await client.rest('PATCH', '/v1/me', account.key, { handle: 'fuzz' });
});
afterAll(() => platform?.stop());

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ maxLength: 60 }),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '..',
    '../../..',
    '%00',
    '$ne',
    '{"$gt":""}',
    '__proto__',
    'constructor',
    '@',
    'usr_',
    '\ud800',
  ),
  fc.constantFrom('fuzz@example.com', 'fuzz', '@fuzz', '01900000-0000-7000-8000-000000000000', '123456'),
  fc.emailAddress(),
  fc.uuid(),
);
const anything = fc.oneof(nasty, fc.jsonValue(), fc.constantFrom(null, true, 0, -1, 1e308, [], {}, { $ne: null }));

/** Values that fit a member of a route's schema, more or less, or do not at all. */
function member(schema: z.ZodType): fc.Arbitrary<unknown> {
  const json = z.toJSONSchema(schema, { io: 'output' }) as { enum?: string[]; type?: string };
  if (json.enum) return fc.oneof(fc.constantFrom(...json.enum), nasty);
  if (json.type === 'integer') return fc.oneof(fc.integer({ min: -5, max: 120 }).map(String), nasty);
  return nasty;
}

function input(schema: z.ZodObject | undefined, wild: boolean): fc.Arbitrary<Record<string, unknown>> {
  const members = Object.entries(schema?.shape ?? {}).map(([name, type]) => [name, member(type as z.ZodType)] as const);
  const shaped = fc.record(Object.fromEntries(members), wild ? { requiredKeys: [] } : {});
  return wild ? fc.oneof(shaped, fc.dictionary(fc.string({ maxLength: 20 }), anything, { maxKeys: 5 })) : shaped;
}

function request(row: Route) {
  return fc.record({
    params: input(row.params, false),
    query: input(row.query, true),
    body: fc.oneof({ arbitrary: input(row.body, true), weight: 4 }, { arbitrary: anything, weight: 1 }),
    signedIn: fc.boolean(),
  });
}

const encode = (value: unknown) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // A lone surrogate has no URL form; it is sent as what a sloppy client would send.
  return encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8')) || '-';
};

describe.each(ROUTES.map((row) => [`${row.method} ${row.path}`, row] as const))('%s', (_name, row) => {
  // Revoking the fuzzer's own key would end the test early.
  const own = row.id === 'revokeApiKey';

  it('answers every input with what is documented, soon', async () => {
    const documented = new Set([...Object.keys(ERRORS)].filter((slug) => slug !== 'internal_error'));
    await fc.assert(
      fc.asyncProperty(request(row), async ({ params, query, body, signedIn }) => {
        if (own && signedIn) return;
        const path = row.path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => encode(params[name]));
        const search = Object.entries(query)
          .map(([name, value]) => `${encode(name)}=${encode(value)}`)
          .join('&');
        const start = performance.now();
        const answer = await client.rest(
          row.method,
          search ? `${path}?${search}` : path,
          signedIn ? account.key : undefined,
          row.body || row.method === 'DELETE' ? body : undefined,
        );
        expect(performance.now() - start).toBeLessThan(SLOW_MS);
        if (answer.status < 300) return;
        // The one refusal that is documented without the envelope.
        if (row.id === 'updateImage' && answer.status === 422 && typeof answer.body?.detail === 'string') return;
        expect(documented).toContain(answer.body?.error);
        expect(answer.status).toBe(ERRORS[answer.body.error as keyof typeof ERRORS].status);
        expect(answer.body.request_id).toBe(answer.headers.get('x-request-id'));
      }),
      { numRuns: RUNS },
    );
  });
});

it('nothing was logged as a failure of ours', () => {
  const failures = platform.programs
    .flatMap((program) => program.output().split('\n'))
    .filter((line) => /"level":(50|60)/.test(line));
  expect(failures).toEqual([]);
});
