import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROUTES } from '../../rest-shim/routes/index.js';
import { type Client, clientOf } from '../support/client.js';
import { oneProcess, type Platform } from '../support/platform.js';

let platform: Platform;
let client: Client;
beforeAll(async () => {
  platform = await oneProcess();
  client = clientOf(platform);
});
afterAll(() => platform?.stop());

// biome-ignore lint/suspicious/noExplicitAny: a JSON Schema is read member by member here.
type Loose = any;

/** As much of JSON Schema as the document uses. */
function fits(schema: Loose, value: unknown, at = ''): string[] {
  if (schema.anyOf) {
    const tries = schema.anyOf.map((option: Loose) => fits(option, value, at));
    return tries.some((errors: string[]) => errors.length === 0) ? [] : tries[0];
  }
  const types = [schema.type].flat();
  const actual = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const matches = types.includes(actual) || (types.includes('integer') && Number.isInteger(value));
  if (!matches) return [`${at || 'body'} is ${actual}, not ${types.join(' or ')}`];
  if (schema.enum && !schema.enum.includes(value)) return [`${at} is not one of ${schema.enum}`];
  if (actual === 'array') return (value as unknown[]).flatMap((item, i) => fits(schema.items, item, `${at}/${i}`));
  if (actual !== 'object') return [];
  const members = value as Record<string, unknown>;
  const missing = schema.required
    .filter((name: string) => !(name in members))
    .map((name: string) => `${at}/${name} is missing`);
  const undocumented = Object.keys(members).filter((name) => !(name in schema.properties));
  return [
    ...missing,
    ...undocumented.map((name) => `${at}/${name} is not documented`),
    ...Object.entries(members).flatMap(([name, member]) =>
      fits(schema.properties[name] ?? { type: typeof member }, member, `${at}/${name}`),
    ),
  ];
}

it('the OpenAPI document is of version 3.1 and has every row of the table', async () => {
  const { body } = await client.rest('GET', '/v1/openapi.json');
  expect(body.openapi).toBe('3.1.0');
  for (const { method, path, id } of ROUTES) expect(body.paths[path][method.toLowerCase()].operationId).toBe(id);
});

it('what may be left out is not required, and what stands beside the usual is documented', async () => {
  const { body: document } = await client.rest('GET', '/v1/openapi.json');
  const { post, get } = document.paths['/v1/images'];
  expect(post.requestBody.content['application/json'].schema.required).toEqual(['data']);
  expect(post.requestBody.content['multipart/form-data'].schema.required).toEqual(['file']);
  const refusal = document.paths['/v1/images/{image_id}'].patch.responses[422];
  expect(refusal.content['application/json'].schema.required).toEqual(['detail']);
  expect(get.security).toEqual([{ apiKey: [] }]);
  expect(document.paths['/v2/billing/status'].get.security).toEqual([{ apiKey: [] }, { apiKeyHeader: [] }]);
  expect(document.components.securitySchemes.apiKeyHeader).toMatchObject({ in: 'header', name: 'X-API-Key' });
});

it('what is answered is what is documented', async () => {
  const { body: document } = await client.rest('GET', '/v1/openapi.json');
  const ada = await client.account('ada@example.com');
  await client.account('ben@example.com');
  const check = async (method: string, path: string, url: string, body?: unknown) => {
    const answer = await client.rest(method, url, ada.key, body);
    const responses = document.paths[path][method.toLowerCase()].responses;
    expect(Object.keys(responses), `${method} ${url}: ${JSON.stringify(answer.body)}`).toContain(String(answer.status));
    expect(answer.status).toBeLessThan(300);
    expect(fits(responses[answer.status].content['application/json'].schema, answer.body), `${method} ${url}`).toEqual(
      [],
    );
    return answer.body;
  };
  await check('GET', '/v1/me', '/v1/me');
  await check('PATCH', '/v1/me', '/v1/me', { handle: 'ada' });
  await check('POST', '/v1/me/rename-handle', '/v1/me/rename-handle', { handle: 'ada2' });
  await check('POST', '/v1/api-keys', '/v1/api-keys', { name: 'k' });
  await check('GET', '/v1/api-keys', '/v1/api-keys?limit=1');
  const team = await check('POST', '/v1/teams', '/v1/teams', { handle: 'adas-team' });
  await check('GET', '/v1/teams', '/v1/teams');
  await check('GET', '/v1/teams/{team_id}', `/v1/teams/${team.team_id}`);
  const invitation = await check('POST', '/v1/teams/{team_id}/members', '/v1/teams/adas-team/members', {
    user_identifier: 'ben@example.com',
  });
  await check('GET', '/v1/invitations', '/v1/invitations?filter=all&state=all');
  await check('POST', '/v1/invitations/{id}/cancel', `/v1/invitations/${invitation.invitation_id}/cancel`);
  await check('GET', '/v1/teams/{team_id}/members', '/v1/teams/adas-team/members');
  await check('DELETE', '/v1/teams/{team_id}', '/v1/teams/adas-team');
});
