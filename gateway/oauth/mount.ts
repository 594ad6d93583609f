/** OAuth 2.1 for clients that are not given a key: who they are, what somebody lets them do, and their tokens. */
import type { FastifyInstance } from 'fastify';
import { RESOURCES } from '../../platform/resources.js';
import { refuseOtherMethods } from '../../rest-shim/shim.js';
import { createPages } from './authorize.js';
import type { OAuthDeps } from './deps.js';
import { createDevicePages } from './device.js';
import { PATHS, resourceMetadata, resourceMetadataPath, serverMetadata } from './metadata.js';
import { createClientHandlers, FORM, requireForm } from './token.js';

const FORM_BYTES = 65_536;

export async function mountOAuth(app: FastifyInstance, deps: OAuthDeps): Promise<void> {
  const { issuer } = deps;
  const pages = createPages(deps);
  const device = createDevicePages(deps, pages);
  const clients = createClientHandlers(deps);

  document(app, metadataPath(issuer), serverMetadata(issuer));
  for (const resource of RESOURCES) {
    document(app, resourceMetadataPath(resource), resourceMetadata(issuer, resource));
  }
  app.post(PATHS.register, { bodyLimit: FORM_BYTES }, clients.register);
  refuseOtherMethods(app, PATHS.register, new Set(['POST']));

  // Within a scope of its own, so that other routes go on refusing forms.
  await app.register(async (forms) => {
    forms.removeAllContentTypeParsers();
    forms.addContentTypeParser(FORM, { parseAs: 'string', bodyLimit: FORM_BYTES }, (_request, body, done) =>
      done(null, body),
    );
    forms.addHook('preValidation', async ({ method, headers }) => {
      if (method === 'POST') requireForm(headers['content-type']);
    });
    forms.get(PATHS.authorize, pages.authorize);
    forms.post(PATHS.authorize, pages.step);
    forms.get(PATHS.device, device.ask);
    forms.post(PATHS.device, device.look);
    forms.post(PATHS.token, clients.token);
    forms.post(PATHS.revoke, clients.revoke);
    forms.post(PATHS.deviceAuthorization, clients.deviceAuthorization);
  });
  for (const path of [PATHS.authorize, PATHS.device]) refuseOtherMethods(app, path, new Set(['GET', 'POST']));
  for (const path of [PATHS.token, PATHS.revoke, PATHS.deviceAuthorization]) {
    refuseOtherMethods(app, path, new Set(['POST']));
  }
}

/** Where an issuer with a path has its document (RFC 8414 §3.1). */
function metadataPath(issuer: string): string {
  return `/.well-known/oauth-authorization-server${new URL(issuer).pathname.replace(/\/+$/, '')}`;
}

function document(app: FastifyInstance, path: string, body: object): void {
  app.get(path, (_request, reply) => reply.header('cache-control', 'public, max-age=300').send(body));
}
