/** Every documented path of the REST API is served, or stands on the list of what is not built yet. */
import { describe, expect, it } from 'vitest';
import { ROUTES } from '../../rest-shim/routes/index.js';

const OUTSIDE_THE_TABLE = [
  'GET /.well-known/goodeye-client-config',
  'GET /healthz',
  'GET /v2/health',
  'POST /v2/billing/webhook',
  'GET /v2/assets/{id}',
];

const DOCUMENTED = `
POST /v1/register
POST /v1/register/verify
POST /v1/login
POST /v1/login/verify
POST /v1/auth/exchange
GET /v1/me
PATCH /v1/me
POST /v1/me/rename-handle
GET /v1/me/usage
POST /v1/api-keys
GET /v1/api-keys
DELETE /v1/api-keys/{key_id}
POST /v1/workflows
GET /v1/workflows
POST /v1/workflows/search
GET /v1/workflows/{id_or_slug}
GET /v1/workflows/{id_or_slug}/versions/{version}
GET /v1/workflows/{id_or_slug}/files
POST /v1/workflows/{id_or_slug}/archive
POST /v1/workflows/{id_or_slug}/unarchive
DELETE /v1/workflows/{id_or_slug}
DELETE /v1/workflows/{id_or_slug}/versions/{n}
POST /v1/workflows/{id_or_slug}/teach
POST /v1/workflows/{id_or_slug}/optimize
POST /v1/workflows/{id_or_slug}/safety-check
POST /v1/workflows/{id_or_slug}/grants
GET /v1/workflows/{id_or_slug}/grants
DELETE /v1/workflows/{id_or_slug}/grants
POST /v1/workflows/{id_or_slug}/leave
POST /v1/workflows/{id_or_slug}/transfer-ownership
GET /v1/workflows/{id_or_slug}/lineage
POST /v1/templates
GET /v1/templates
POST /v1/templates/search
POST /v1/templates/fork
GET /v1/templates/{identifier}
GET /v1/templates/{identifier}/files
DELETE /v1/templates/{identifier}/versions/{v}
DELETE /v1/templates/{identifier}/versions/{v}/permanent
POST /v1/templates/{identifier}/versions/{v}/deprecate
POST /v1/templates/{identifier}/safety-check
POST /v1/templates/{identifier}/archive
POST /v1/templates/{identifier}/unarchive
DELETE /v1/templates/{identifier}
POST /v1/templates/{identifier}/transfer-ownership
POST /v1/verifiers
GET /v1/verifiers
GET /v1/verifiers/{verifier_id}
POST /v1/verifiers/{verifier_id}/runs
DELETE /v1/verifiers/{verifier_id}
DELETE /v1/verifiers/{verifier_id}/permanent
POST /v1/image-generators
GET /v1/image-generators
GET /v1/image-generators/{generator_id}
POST /v1/image-generators/{generator_id}/runs
DELETE /v1/image-generators/{generator_id}
DELETE /v1/image-generators/{generator_id}/permanent
POST /v1/teams
GET /v1/teams
DELETE /v1/teams/{team_id}
GET /v1/teams/{team_id}/members
POST /v1/teams/{team_id}/members
DELETE /v1/teams/{team_id}/members/{user_id}
POST /v1/teams/{team_id}/transfer-ownership
GET /v1/invitations
POST /v1/invitations/{id}/accept
POST /v1/invitations/{id}/decline
POST /v1/invitations/{id}/cancel
GET /v1/design/workflow-prompt
GET /v2/assets/{id}
GET /v2/billing/status
POST /v2/billing/checkout
POST /v2/billing/portal
POST /v2/billing/purchase
POST /v2/billing/webhook
GET /v2/health
POST /v2/tenants
GET /v2/tenants
POST /v2/tenants/{id}/rotate
GET /v2/tenants/{id}/usage
POST /v2/generate
GET /v2/models
GET /v2/jobs
GET /v2/jobs/{id}
DELETE /v2/jobs/{id}
POST /v2/jobs/{id}/variations
GET /v2/retention-policy
POST /v1/images
GET /v1/images
GET /v1/images/{image_id}
PATCH /v1/images/{image_id}
DELETE /v1/images/{image_id}
`
  .trim()
  .split('\n');

/** What a parameter is called makes no difference to a client. */
const shapeOf = (path: string) => path.replaceAll(/\{\w+\}/g, '{}');
const served = new Set([...ROUTES.map(({ method, path }) => `${method} ${path}`), ...OUTSIDE_THE_TABLE].map(shapeOf));

describe('the documented paths', () => {
  it.each(DOCUMENTED)('%s', (path) => {
    expect(served.has(shapeOf(path)), 'is in the table').toBe(true);
  });

  it('all have an id, a summary, and an operation of their own', () => {
    const ids = ROUTES.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { summary } of ROUTES) expect(summary.length).toBeGreaterThan(5);
  });
});
