import { z } from 'zod';
import { choice, pageQuery, type Route, route, toEnum } from '../../route.js';

const TENANT = `tenant_id: id name is_default: isDefault api_key_prefix: keyPrefix scopes created_at: createdAt
  rotated_at: rotatedAt`;
const TIER = '_: owner { _: entitlements { tier: plan } }';

const params = z.object({ tenant_id: z.string().max(200).describe('Id of the tenant.') });

export const tenants: Route[] = [
  route({
    method: 'POST',
    path: '/v2/tenants',
    tag: 'Tenants',
    id: 'createTenant',
    summary: 'Make a tenant',
    description:
      'A tenant has a key and jobs of its own, and spends the credits of your account. The key is shown this once. ' +
      'Needs your own key or an access token.',
    auth: 'required',
    body: z.object({
      name: z.string().max(1000).optional().describe('A name to recognise it by.'),
      scopes: z
        .array(choice('generate', 'read'))
        .max(10)
        .optional()
        .describe('What its key may be used for; everything when left out.'),
    }),
    bodyOptional: true,
    status: 201,
    operation: `mutation CreateTenant($input: CreateTenantInput!) {
      createTenant(input: $input) { api_key: key _: tenant { ${TENANT} ${TIER} } }
    }`,
    variables: ({ body }) => ({
      input: { name: body.name, scopes: body.scopes?.map((scope) => toEnum(scope)) },
    }),
    errors: ['validation_error', 'account_suspended', 'forbidden', 'quota_exceeded'],
  }),
  route({
    method: 'GET',
    path: '/v2/tenants',
    tag: 'Tenants',
    id: 'listTenants',
    summary: 'Your tenants',
    description: 'Newest first, without their keys. The last of them is the default one, which your own keys act for.',
    auth: 'required',
    query: z.object(pageQuery),
    status: 200,
    operation: `query Tenants($first: Int, $after: String) {
      tenants(first: $first, after: $after) { tenants: nodes { ${TENANT} ${TIER} } next_cursor: nextCursor }
    }`,
    variables: ({ query }) => ({ first: query.limit, after: query.cursor }),
    errors: ['validation_error', 'forbidden'],
  }),
  route({
    method: 'POST',
    path: '/v2/tenants/{tenant_id}/rotate',
    tag: 'Tenants',
    id: 'rotateTenantKey',
    summary: "Replace a tenant's key",
    description: 'The old key stops working at once. The new one is shown this once.',
    auth: 'required',
    params,
    status: 200,
    operation: `mutation RotateTenantKey($input: RotateTenantKeyInput!) {
      rotateTenantKey(input: $input) { api_key: key _: tenant { ${TENANT} ${TIER} } }
    }`,
    variables: ({ params: { tenant_id } }) => ({ input: { id: tenant_id } }),
    errors: ['account_suspended', 'forbidden', 'not_found', 'conflict'],
  }),
  route({
    method: 'GET',
    path: '/v2/tenants/{tenant_id}/usage',
    tag: 'Tenants',
    id: 'getTenantUsage',
    summary: 'What a tenant may do, and its jobs so far',
    description: "With a tenant's key: of that tenant alone. The credits are those of the account.",
    auth: 'required',
    scope: 'read',
    params,
    status: 200,
    operation: `query TenantUsage($id: ID!) {
      tenant(id: $id) {
        ${TENANT}
        jobs: jobTotals { total queued processing completed failed failed_encoding: failedEncoding }
        _: owner {
          _: entitlements { tier: plan }
          entitlements {
            plan allowed_tiers: allowedTiers priority_queue: priorityQueue frontier_unlocked: frontierUnlocked
          }
          credits { available welcome subscription purchased reserved used_percent: usedPercent }
        }
      }
    }`,
    variables: ({ params: { tenant_id } }) => ({ id: tenant_id }),
    errors: ['forbidden', 'not_found'],
  }),
];
