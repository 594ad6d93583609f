/** The documents by which a client finds its way: RFC 8414 of the server, RFC 9728 of what it protects. */
import type { Resource } from '../../platform/resources.js';
import { KEY_SCOPES, type KeyScope } from '../../platform/scope.js';
import { AUTH_METHODS, GRANT_TYPES } from '../../subgraphs/accounts/oauth/oauth.contract.js';

export const PATHS = {
  authorize: '/authorize',
  token: '/token',
  register: '/register',
  revoke: '/revoke',
  deviceAuthorization: '/device_authorization',
  device: '/device',
} as const;

/** At the tools for pictures a token can do what a tenant's key can. */
export function scopesOf(resource: Resource): readonly KeyScope[] {
  return resource === '/v2/mcp' ? KEY_SCOPES.filter((scope) => scope !== 'account') : KEY_SCOPES;
}

export function serverMetadata(issuer: string) {
  return {
    issuer,
    authorization_endpoint: issuer + PATHS.authorize,
    token_endpoint: issuer + PATHS.token,
    registration_endpoint: issuer + PATHS.register,
    revocation_endpoint: issuer + PATHS.revoke,
    device_authorization_endpoint: issuer + PATHS.deviceAuthorization,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: GRANT_TYPES,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: AUTH_METHODS,
    revocation_endpoint_auth_methods_supported: AUTH_METHODS,
    scopes_supported: KEY_SCOPES,
    authorization_response_iss_parameter_supported: true,
    service_documentation: `${issuer}/v1/docs`,
  };
}

const NAMES: Readonly<Record<Resource, string>> = {
  '': 'Darkroom API',
  '/mcp': 'Darkroom tools',
  '/v2/mcp': 'Darkroom tools for pictures',
};

export function resourceMetadata(issuer: string, resource: Resource) {
  return {
    resource: issuer + resource,
    authorization_servers: [issuer],
    scopes_supported: scopesOf(resource),
    bearer_methods_supported: ['header'],
    resource_name: NAMES[resource],
  };
}

export function resourceMetadataPath(resource: Resource): string {
  return `/.well-known/oauth-protected-resource${resource}`;
}
