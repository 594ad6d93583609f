/** GraphQL over HTTP: the public audit, and the protections that stand around an operation. */
import { createHash } from 'node:crypto';
import {
  buildClientSchema,
  type GraphQLArgument,
  getIntrospectionQuery,
  isInputObjectType,
  isObjectType,
} from 'graphql';
import { auditServer } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, type Client, clientOf } from '../support/client.js';
import { oneProcess, type Platform } from '../support/platform.js';

let platform: Platform;
let client: Client;
let account: Account;
let graph: string;

beforeAll(async () => {
  platform = await oneProcess({ QUERY_COST: '2000', MAX_BODY_BYTES: '100000' });
  client = clientOf(platform);
  account = await client.account('graph@example.com');
  graph = `${platform.url}/graphql`;
});
afterAll(() => platform?.stop());

const json = { 'content-type': 'application/json' };

describe('the graphql-http audit', () => {
  it('finds nothing that is required to be wrong', async () => {
    const results = await auditServer({ url: graph });
    const failed = results.filter(({ status }) => status === 'error');
    expect(failed.map(({ name, status }) => `${status}: ${name}`)).toEqual([]);
    expect(results.length).toBeGreaterThan(50);
  });
});

describe('a request', () => {
  it.each([
    ['no body', undefined],
    ['a body that is not JSON', '{"query": '],
    ['a body that is not an object', '"{ __typename }"'],
    ['a query that is not text', '{"query": 7}'],
    ['variables that are a list', '{"query": "{ __typename }", "variables": [1]}'],
    ['no query', '{"variables": {}}'],
  ])('with %s is refused in the one error shape', async (_name, body) => {
    const response = await fetch(graph, { method: 'POST', headers: json, ...(body !== undefined && { body }) });
    const answer = (await response.json()) as { errors: { extensions: { code: string } }[] };
    expect(answer.errors[0]?.extensions.code).toBe('validation_error');
  });

  it('that is too large is refused', async () => {
    const body = JSON.stringify({ query: `{ __typename } #${'x'.repeat(200_000)}` });
    const response = await fetch(graph, { method: 'POST', headers: json, body });
    expect(response.status).toBe(413);
    expect(((await response.json()) as { errors: { extensions: object }[] }).errors[0]?.extensions).toMatchObject({
      code: 'payload_too_large',
    });
  });

  it('may be a batch, of bounded length', async () => {
    const one = { query: '{ __typename }' };
    const batch = await client.rest('POST', '/graphql', undefined, [one, { query: '{ nope }' }, one]);
    expect(batch.body).toHaveLength(3);
    expect(batch.body[0]).toEqual({ data: { __typename: 'Query' } });
    expect(batch.body[1].errors[0].extensions.code).toBe('validation_error');
    const long = await client.rest('POST', '/graphql', undefined, Array(11).fill(one));
    expect([long.status, long.body.errors[0].extensions.code]).toEqual([400, 'validation_error']);
  });

  it('with a bad key is refused whole', async () => {
    const { status, headers, body } = await client.graph('{ tiers { slug } }', {}, 'good_live_bad');
    expect([status, body.errors[0].extensions.code]).toEqual([401, 'auth_required']);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('says what is wrong with its variables, and where', async () => {
    const query = 'query ($n: Int!) { apiKeys(first: $n) { nodes { id } } }';
    for (const variables of [{}, { n: 'many' }, { n: 1.5 }, { n: null }]) {
      const { body } = await client.graph(query, variables, account.key);
      expect(body.errors[0].extensions.code).toBe('validation_error');
      expect(body.errors[0].message).toContain('$n');
    }
  });

  it('picks one of several operations by name', async () => {
    const query = 'query A { __typename } query B { me { email } }';
    const picked = await client.rest('POST', '/graphql', account.key, { query, operationName: 'B' });
    expect(picked.body.data.me.email).toBe('graph@example.com');
    for (const operationName of [undefined, 'C']) {
      const { body } = await client.rest('POST', '/graphql', account.key, { query, operationName });
      expect(body.errors[0].extensions.code).toBe('validation_error');
    }
  });

  it('carries its id through', async () => {
    const response = await fetch(graph, {
      method: 'POST',
      headers: { ...json, 'x-request-id': 'mine-1' },
      body: '{"query":"{ __typename }"}',
    });
    expect(response.headers.get('x-request-id')).toBe('mine-1');
    const odd = await fetch(graph, {
      method: 'POST',
      headers: { ...json, 'x-request-id': 'a b<script>' },
      body: '{"query":"{ __typename }"}',
    });
    expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('by GET', () => {
  const get = (params: Record<string, string>, headers: Record<string, string> = { 'apollo-require-preflight': '1' }) =>
    fetch(`${graph}?${new URLSearchParams(params)}`, { headers });

  it('queries run', async () => {
    const response = await get({
      query: 'query ($x: Boolean!) { __typename @include(if: $x) }',
      variables: '{"x":true}',
    });
    expect(await response.json()).toEqual({ data: { __typename: 'Query' } });
  });

  it('mutations do not', async () => {
    const response = await get({ query: 'mutation { login(input: {email: "x@example.com"}) { status } }' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });

  it('bad variables are the caller’s mistake', async () => {
    expect((await get({ query: '{ __typename }', variables: '{' })).status).toBe(400);
  });
});

describe('a request that a web page could have forged', () => {
  const query = '{"query":"mutation { login(input: {email: \\"x@example.com\\"}) { status } }"}';

  it.each([
    ['text/plain', query],
    ['application/x-www-form-urlencoded', 'query={__typename}'],
    ['multipart/form-data; boundary=x', '--x--'],
  ])('is not run as %s', async (type, body) => {
    const response = await fetch(graph, { method: 'POST', headers: { 'content-type': type }, body });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
  });

  it('is not run as a bare GET', async () => {
    const response = await fetch(`${graph}?query={__typename}`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('apollo-require-preflight');
  });
});

describe('an operation', () => {
  const refused = async (query: string, variables = {}) => {
    const { body } = await client.graph(query, variables, account.key);
    expect(body.data ?? null).toBeNull();
    return body.errors[0] as { message: string; extensions: { code: string } };
  };

  it('may not nest without end', async () => {
    const deep =
      'teams(first: 3) { nodes { owner { ... on User { id } } members(first: 3) { nodes { user { id } } } } }';
    expect((await client.graph(`{ ${deep} }`, {}, account.key)).body.errors).toBeUndefined();
    const nested = `${'{ me '.repeat(13)}{ id }${'}'.repeat(13)}`;
    expect(await refused(nested)).toMatchObject({ extensions: { code: 'validation_error' } });
  });

  it('may not cost more than the limit, counted with its variables', async () => {
    const query = 'query ($n: Int) { teams(first: $n) { nodes { members(first: 20) { nodes { role } } } } }';
    expect((await client.graph(query, { n: 10 }, account.key)).body.errors).toBeUndefined();
    expect((await refused(query, { n: 100 })).message).toMatch(/costs \d+, more than the 2000/);
  });

  it('may not alias one thing many times', async () => {
    const aliases = Array.from({ length: 51 }, (_, i) => `a${i}: tiers { slug }`).join(' ');
    expect((await refused(`{ ${aliases} }`)).message).toContain('aliases');
  });

  it('may not see what is internal', async () => {
    for (const query of [
      '{ internalCaller(kind: "USER_KEY", hash: "x") { userId } }',
      '{ _service { sdl } }',
      '{ _entities(representations: []) { __typename } }',
      'mutation { internalSetSuspension(input: {userIdentifier: "x", suspended: true}) { userId } }',
    ]) {
      expect((await refused(query)).message).toContain('Cannot query field');
    }
    const { body } = await client.graph('{ __schema { types { name } } }');
    const names = body.data.__schema.types.map(({ name }: { name: string }) => name);
    expect(names.filter((name: string) => /internal|_Service|_Any/i.test(name))).toEqual([]);
  });

  it('cannot make validation or planning slow', async () => {
    const start = performance.now();
    const many = Array.from({ length: 1900 }, () => '__typename').join(' ');
    await client.graph(`{ ${many} }`);
    const wide = Array.from(
      { length: 300 },
      () => 'me { id teamless: handle images { nodes { owner { handle } } } }',
    ).join(' ');
    await client.graph(`{ ${wide} }`, {}, account.key);
    const introspection = `{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }`;
    const { body } = await client.graph(introspection);
    expect(body.errors[0].message).toContain('introspection depth');
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('describes itself in full', async () => {
    const { body } = await client.graph(getIntrospectionQuery());
    const builtIn = new Set(['String', 'Int', 'Float', 'Boolean', 'ID']);
    const types = Object.values(buildClientSchema(body.data).getTypeMap()).filter(
      ({ name }) => !name.startsWith('__') && !builtIn.has(name),
    );
    const bare = types.flatMap((type) => {
      const described: [string, string | null | undefined][] = [[type.name, type.description]];
      const fields = isObjectType(type) || isInputObjectType(type) ? Object.values(type.getFields()) : [];
      for (const field of fields) {
        described.push([`${type.name}.${field.name}`, field.description]);
        const args = 'args' in field ? (field.args as readonly GraphQLArgument[]) : [];
        for (const { name, description } of args) described.push([`${type.name}.${field.name}(${name})`, description]);
      }
      return described.filter(([, description]) => !description).map(([name]) => name);
    });
    expect(bare).toEqual([]);
  });
});

describe('persisted queries', () => {
  const query = '{ tiers { slug } }';
  const hash = createHash('sha256').update(query).digest('hex');
  const send = (body: object) => client.rest('POST', '/graphql', undefined, body);
  const extensions = { persistedQuery: { version: 1, sha256Hash: hash } };

  it('are asked for once and then known', async () => {
    const unknown = await send({ extensions });
    expect(unknown.status).toBe(200);
    expect(unknown.body.errors[0]).toMatchObject({
      message: 'PersistedQueryNotFound',
      extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' },
    });
    expect((await send({ query, extensions })).body.data.tiers).toHaveLength(2);
    expect((await send({ extensions })).body.data.tiers).toHaveLength(2);
  });

  it('are not stored under a hash that is not theirs', async () => {
    const { body } = await send({ query: '{ __typename }', extensions });
    expect(body.errors[0].extensions.code).toBe('validation_error');
  });
});

describe('introspection', () => {
  it('can be switched off', async () => {
    const closed = await oneProcess({ INTROSPECTION: 'off' });
    try {
      const { body } = await clientOf(closed).graph('{ __schema { queryType { name } } }');
      expect(body.errors[0].extensions.code).toBe('validation_error');
      expect((await clientOf(closed).graph('{ __typename tiers { slug } }')).body.data.__typename).toBe('Query');
    } finally {
      await closed.stop();
    }
  });
});
